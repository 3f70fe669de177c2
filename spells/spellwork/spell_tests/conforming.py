"""Whether a JSON value is what a JSON Schema says, and where not: the words that tests need, each bounded.

Schemas are typed in by people and read on a server: no reference is followed
out of the schema, and patterns are matched in linear time (by Rust's engine,
which pydantic brings), so that none can hold a process up.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from .equality import equal, step

MOST_STEPS = 200_000
"""Pairs of a schema and a value that are looked at; then it is said that it takes too long."""

Found = tuple[str, str]
"""A path in the value, and what is wrong there."""

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
}

WORDS = frozenset(
    {"type", "enum", "const", "anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "definitions"}
    | {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}
    | {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}
    | {"minLength", "maxLength", "pattern"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
"""What is looked at."""

REMARKS = frozenset(
    {"title", "description", "default", "examples", "format", "$comment", "$schema", "$id"}
    | {"deprecated", "readOnly", "writeOnly", "contentMediaType"}
)
"""Words that refuse nothing."""


def is_type(value: Any, name: str) -> bool:
    """Say whether a value is of a JSON type; 1.0 is an integer."""
    known = _TYPES.get(name)
    return known is not None and known(value)


def schema_fault(schema: Any) -> str | None:
    """Return what is wrong with a schema itself, or None: a word that is not known would check nothing."""
    waiting: list[tuple[str, Any]] = [("$", schema)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, bool):
            continue
        if not isinstance(each, dict):
            return f"{path} is no schema"
        for word, given in each.items():
            fault = _word_fault(word, given)
            if fault:
                return f"{path}: {fault}"
            waiting.extend((f"{path}.{word}", inner) for inner in _inner(word, given))
    return None


def departure(schema: Any, value: Any) -> Found | None:
    """Return where a value is not what a schema says, first, and why; None where it is."""
    return next(_Checking(schema).check(schema, value, "$"), None)


def _word_fault(word: str, given: Any) -> str | None:
    if word in REMARKS:
        return None
    if word not in WORDS:
        return f"the word {word!r} is not known here"
    if word == "type":
        names = given if isinstance(given, list) else [given]
        unknown = [name for name in names if not isinstance(name, str) or name not in _TYPES]
        return f"there is no type {unknown[0]!r}" if unknown else None
    if word == "pattern":
        try:
            _pattern(given)
        except (SchemaError, TypeError) as error:
            return f"the pattern cannot be read: {str(error).splitlines()[0]}"
    if word == "$ref" and not (isinstance(given, str) and given.startswith("#")):
        return "a $ref leads to a place in the schema itself: #/$defs/NAME"
    return None if _FORMS[word](given) else f"{word!r} cannot be {given!r:.60}"


def _is_count(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0


def _is_number(given: Any) -> bool:
    return _TYPES["number"](given)


def _is_list(given: Any) -> bool:
    return isinstance(given, list)


def _is_object(given: Any) -> bool:
    return isinstance(given, dict)


def _is_schema(given: Any) -> bool:
    return isinstance(given, dict | bool)


def _is_text(given: Any) -> bool:
    return isinstance(given, str)


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and all(map(_is_text, given))


def _is_anything(_given: Any) -> bool:
    return True


_FORMS: Mapping[str, Callable[[Any], bool]] = (
    dict.fromkeys(("const",), _is_anything)
    | dict.fromkeys(("$ref", "pattern"), _is_text)
    | dict.fromkeys(("enum", "anyOf", "oneOf", "allOf", "prefixItems"), _is_list)
    | dict.fromkeys(("properties", "$defs", "definitions"), _is_object)
    | dict.fromkeys(("not", "items", "contains", "additionalProperties"), _is_schema)
    | {"required": _are_texts, "uniqueItems": lambda given: isinstance(given, bool)}
    | dict.fromkeys(
        ("minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength"),
        _is_count,
    )
    | dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number)
    | {"multipleOf": lambda given: _is_number(given) and given > 0}
)


def _inner(word: str, given: Any) -> list[Any]:
    if word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return list(given)
    if word in ("properties", "$defs", "definitions"):
        return list(given.values())
    return [given] if word in ("not", "items", "contains", "additionalProperties") else []


def _pattern(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


class _Checking:
    """One look at one value."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = 0
        self._patterns: dict[str, SchemaValidator] = {}

    def check(self, schema: Any, value: Any, path: str, following: int = 0) -> Iterator[Found]:
        """Give what is wrong, in the order of the schema's words."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooMuchToCheckError
        if schema is True:
            return
        if schema is False:
            yield path, "nothing may be here"
            return
        if "$ref" in schema:
            if following > 50:
                yield path, "the schema refers to itself"
                return
            yield from self.check(self._found(schema["$ref"]), value, path, following + 1)
        yield from self._plain(schema, value, path)
        yield from self._joined(schema, value, path, following)
        if isinstance(value, dict):
            yield from self._object(schema, value, path)
        elif isinstance(value, list):
            yield from self._list(schema, value, path)

    def _found(self, reference: str) -> Any:
        at = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            at = at.get(name, False) if isinstance(at, dict) else False
        return at if isinstance(at, dict | bool) else False

    def _plain(self, schema: Any, value: Any, path: str) -> Iterator[Found]:
        if "type" in schema:
            given = schema["type"]
            names = given if isinstance(given, list) else [given]
            if not any(is_type(value, name) for name in names):
                yield path, f"it is no {' or '.join(names)}"
                return
        if "const" in schema and not equal(schema["const"], value):
            yield path, "it is not the value that it must be"
        if "enum" in schema and not any(equal(each, value) for each in schema["enum"]):
            yield path, "it is none of the values that it may be"
        if isinstance(value, str):
            yield from _sized(schema, len(value), "Length", path, "characters")
            if "pattern" in schema and not self._fits(schema["pattern"], value):
                yield path, f"it does not match {schema['pattern']!r}"
        elif _is_number(value):
            yield from _bounded(schema, value, path)

    def _fits(self, pattern: str, text: str) -> bool:
        known = self._patterns.get(pattern) or self._patterns.setdefault(pattern, _pattern(pattern))
        try:
            known.validate_python(text)
        except ValidationError:
            return False
        return True

    def _joined(self, schema: Any, value: Any, path: str, following: int) -> Iterator[Found]:
        def fits(each: Any) -> bool:
            return next(self.check(each, value, path, following), None) is None

        for each in schema.get("allOf", ()):
            yield from self.check(each, value, path, following)
        if "anyOf" in schema and not any(map(fits, schema["anyOf"])):
            yield path, "it fits none of anyOf"
        if "oneOf" in schema:
            count = sum(map(fits, schema["oneOf"]))
            if count != 1:
                yield path, f"it fits {count} of oneOf, and must fit one"
        if "not" in schema and fits(schema["not"]):
            yield path, "it is what it must not be"

    def _object(self, schema: Any, value: dict[str, Any], path: str) -> Iterator[Found]:
        for name in schema.get("required", ()):
            if name not in value:
                yield path, f"the field {name!r} is not there"
        yield from _sized(schema, len(value), "Properties", path, "fields")
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, each in value.items():
            if name in known:
                yield from self.check(known[name], each, step(path, name))
            elif rest is False:
                yield step(path, name), "there may be no such field"
            elif rest is not True:
                yield from self.check(rest, each, step(path, name))

    def _list(self, schema: Any, value: list[Any], path: str) -> Iterator[Found]:
        yield from _sized(schema, len(value), "Items", path, "items")
        first = schema.get("prefixItems", ())
        for place, (each, item) in enumerate(zip(first, value, strict=False)):
            yield from self.check(each, item, step(path, place))
        if "items" in schema:
            for place, item in enumerate(value[len(first) :], len(first)):
                yield from self.check(schema["items"], item, step(path, place))
        if "contains" in schema and all(
            next(self.check(schema["contains"], item, path), None) for item in value
        ):
            yield path, "no item is as one must be"
        if schema.get("uniqueItems"):
            yield from self._unique(value, path)

    def _unique(self, value: list[Any], path: str) -> Iterator[Found]:
        self._steps += len(value) * len(value) // 2
        if self._steps > MOST_STEPS:
            raise TooMuchToCheckError
        for place, item in enumerate(value):
            if any(equal(item, other) for other in value[:place]):
                yield step(path, place), "it is there twice"
                return


class TooMuchToCheckError(Exception):
    """A schema and a value that take too long to compare."""


def _sized(schema: Any, size: int, what: str, path: str, unit: str) -> Iterator[Found]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if least is not None and size < least:
        yield path, f"it has {size} {unit}, and must have at least {least}"
    if most is not None and size > most:
        yield path, f"it has {size} {unit}, and may have at most {most}"


_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("minimum", operator.ge, "must be at least"),
    ("maximum", operator.le, "may be at most"),
    ("exclusiveMinimum", operator.gt, "must be more than"),
    ("exclusiveMaximum", operator.lt, "must be less than"),
)


def _bounded(schema: Any, value: float, path: str) -> Iterator[Found]:
    for word, holds, words in _BOUNDS:
        bound = schema.get(word)
        if bound is not None and not holds(value, bound):
            yield path, f"it is {value!r}, and {words} {bound!r}"
    parts = schema.get("multipleOf")
    if parts is not None and abs(value / parts - round(value / parts)) > 1e-9:
        yield path, f"it is no multiple of {parts!r}"
