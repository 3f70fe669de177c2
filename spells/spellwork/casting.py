"""Make another type of a value, and never guess: what has no one meaning is refused.

``client/src/engine/casting.ts`` does the same; ``tests/cases/transforms.json`` holds for both.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from .values import to_json

Target = Literal["string", "number", "integer", "boolean", "list", "object"]

_BLANK = " \t\r\n"
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")
_FRACTION = re.compile(r"[0-9][.e]")
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_JSON_TYPES = (dict, list, str, int, bool, type(None))
_SHOWN = 60

TEXT_LIMIT = 1_000_000
"""Characters of the text that a list or object is cast to."""


class CastError(ValueError):
    """A value that cannot be made into the type asked for; the message says which and why."""


def plain(value: Any) -> Any:
    """Return a value as plain JSON, itself where it is that already; NaN and infinities are null."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    return value if type(value) in _JSON_TYPES else to_json(value)


def cast(value: Any, to: Target) -> Any:
    """Return ``value`` as another type. Raises CastError.

    A number becomes an integer only when it is whole; a list is made of
    anything else as its one item; an object is read from JSON text.
    """
    value = plain(value)
    if value is None:
        raise CastError("null cannot be cast; put a default before it")
    return _CASTS[to](value)


def shown(value: Any) -> str:
    """Return the beginning of a value's JSON text, for messages; the rest is not looked at."""
    parts: list[str] = []
    _put(value, parts, _SHOWN)
    text = "".join(parts)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def json_text(value: Any) -> str:
    """Return compact JSON, its numbers written as JavaScript writes them. Raises CastError over ``TEXT_LIMIT``."""
    text = _without_fractions(value)
    if text is None:
        parts: list[str] = []
        left = _put(to_json(value), parts, TEXT_LIMIT)
        text = "".join(parts)
    else:
        left = TEXT_LIMIT - len(text)
    if left < 0:
        raise CastError(f"{shown(value)} would be a text of more than {TEXT_LIMIT:,} characters")
    return text


def _without_fractions(value: Any) -> str | None:
    """Return the JSON of plain values, in C; None where there are others, or numbers that Python writes otherwise."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return None
    return None if _FRACTION.search(text) else text


def _put(value: Any, parts: list[str], left: int) -> int:
    """Add the JSON of a value, as long as there is room for ``left`` characters; return what is left of it."""
    value = plain(value)
    if isinstance(value, str):
        # Half a surrogate pair is cut off at the most: it is beyond what is shown.
        return _add(json.dumps(value[: left + 1], ensure_ascii=False), parts, left)
    if isinstance(value, list):
        return _put_all("[", ((None, item) for item in value), "]", parts, left)
    if isinstance(value, dict):
        return _put_all("{", value.items(), "}", parts, left)
    return _add("null" if value is None else _scalar_text(value), parts, left)


def _put_all(
    start: str, items: Iterable[tuple[Any, Any]], end: str, parts: list[str], left: int
) -> int:
    left = _add(start, parts, left)
    comma = ""
    for key, item in items:
        name = "" if key is None else json.dumps(str(key)[: left + 1], ensure_ascii=False) + ":"
        left = _add(comma + name, parts, left)
        if left < 0:
            return left
        left = _put(item, parts, left)
        comma = ","
    return _add(end, parts, left)


def _add(text: str, parts: list[str], left: int) -> int:
    parts.append(text)
    return left - len(text)


def _scalar_text(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    shortest = Decimal(repr(value)).normalize()
    if 1e-6 <= abs(value) < 1e21:
        return format(shortest, "f")
    sign, digits, exponent = shortest.as_tuple()
    power = int(exponent) + len(digits) - 1
    rest = "".join(map(str, digits[1:]))
    mantissa = f"{digits[0]}.{rest}" if rest else str(digits[0])
    return f"{'-' if sign else ''}{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, int, float)):
        return int(value) if isinstance(value, bool) else value
    text = value.strip(_BLANK) if isinstance(value, str) else ""
    if _DIGITS.fullmatch(text):
        return int(text)
    if len(text) <= 400 and _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    raise CastError(f"{shown(value)} is no number")


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, int) or number.is_integer():
        return int(number)
    raise CastError(f"{shown(value)} is no whole number")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip(_BLANK).lower() if isinstance(value, str) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise CastError(f"{shown(value)} is neither true nor false")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        try:
            read = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            read = None
        if isinstance(read, dict):
            return read
    raise CastError(f"{shown(value)} is no object")


_CASTS: Mapping[Target, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "list": _list,
    "object": _object,
}
