"""What every TypeScript cell has: the words of the language, the globals of Deno without permissions, their members."""

from __future__ import annotations

from typing import Any

KEYWORDS = tuple(
    """async await break case catch class const continue default do else enum export extends false finally
    for from function if implements import in instanceof interface let new null of return static super
    switch this throw true try type typeof undefined var void while yield""".split()  # noqa: SIM905 - a list of words reads best as words
)

_OBJECT = (
    "assign",
    "entries",
    "freeze",
    "fromEntries",
    "groupBy",
    "hasOwn",
    "is",
    "keys",
    "values",
)
_MATH = tuple(
    """E LN2 LN10 PI SQRT2 abs acos asin atan atan2 cbrt ceil clz32 cos exp floor fround hypot log log10
    log1p log2 max min pow random round sign sin sqrt tan trunc""".split()  # noqa: SIM905
)
_CONSOLE = (
    "assert",
    "count",
    "debug",
    "dir",
    "error",
    "info",
    "log",
    "table",
    "time",
    "timeEnd",
    "warn",
)

GLOBALS = tuple(
    """AbortController AbortSignal Array ArrayBuffer BigInt Blob Boolean Date Error Float64Array Infinity Intl
    JSON Map Math NaN Number Object Promise Proxy RangeError RegExp Set String Symbol TextDecoder
    TextEncoder TypeError URL URLSearchParams Uint8Array WeakMap atob btoa console crypto decodeURIComponent
    encodeURIComponent globalThis isFinite isNaN parseFloat parseInt performance queueMicrotask setTimeout
    structuredClone""".split()  # noqa: SIM905
)

_STATIC: dict[str, tuple[str, ...]] = {
    "Object": _OBJECT,
    "Math": _MATH,
    "console": _CONSOLE,
    "JSON": ("parse", "stringify"),
    "Array": ("from", "fromAsync", "isArray", "of"),
    "Promise": ("all", "allSettled", "any", "race", "reject", "resolve", "withResolvers"),
    "Number": ("EPSILON", "MAX_SAFE_INTEGER", "MIN_SAFE_INTEGER", "isFinite", "isInteger", "isNaN", "parseFloat", "parseInt"),
    "String": ("fromCharCode", "fromCodePoint", "raw"),
    "Date": ("UTC", "now", "parse"),
    "crypto": ("getRandomValues", "randomUUID", "subtle"),
    "performance": ("mark", "measure", "now"),
    "Intl": ("Collator", "DateTimeFormat", "ListFormat", "NumberFormat", "PluralRules", "RelativeTimeFormat", "Segmenter"),
}  # fmt: skip

_ARRAY = tuple(
    """at concat entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach includes
    indexOf join keys lastIndexOf length map pop push reduce reduceRight reverse shift slice some sort splice
    toReversed toSorted toSpliced unshift values with""".split()  # noqa: SIM905
)
_STRING = tuple(
    """at charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf length localeCompare match
    matchAll normalize padEnd padStart repeat replace replaceAll search slice split startsWith substring
    toLowerCase toUpperCase trim trimEnd trimStart""".split()  # noqa: SIM905
)
_NUMBER = ("toExponential", "toFixed", "toLocaleString", "toPrecision", "toString")

_OF_TYPE = {"array": _ARRAY, "string": _STRING, "number": _NUMBER, "integer": _NUMBER, "object": ()}


def members_of(name: str, schema: dict[str, Any], steps: str) -> tuple[str, ...]:
    """Return the members of a global, or of a value of a schema; of what is not known, those of lists and texts."""
    if not steps and name in _STATIC:
        return _STATIC[name]
    kind = schema.get("type")
    if isinstance(kind, str):
        return _OF_TYPE.get(kind, ())
    return tuple(dict.fromkeys((*_ARRAY, *_STRING)))
