"""JSON Schemas that people type in, made fit to be read by all who see the port: engine, server and every open tab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

Schema = dict[str, Any]

MOST_BYTES = 10_000
MOST_FORMS = 100
"""Forms a value may have, references followed."""

DEEPEST = 50
TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})

_SCHEMA = frozenset({"items", "additionalProperties", "contains", "not", "if", "then", "else"})
_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "patternProperties"})
_TEXT = frozenset(
    {"title", "description", "format", "pattern", "$ref", "$comment", "contentMediaType"}
)
_NUMBER = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
)
_REFERENCE = "#/$defs/"


def sound(schema: object) -> Schema:
    """Return the schema where it is well-formed, small and ends; else no more than its type, or {}."""
    if not isinstance(schema, dict):
        return {}
    try:
        if len(msgspec.json.encode(schema)) <= MOST_BYTES and _is_formed(schema, 0):
            forms = _Forms(schema.get("$defs", {}))
            for each in _parts(schema):
                forms.of(each)
            return schema
    except (_Endless, msgspec.MsgspecError, RecursionError, TypeError):
        pass
    kind = schema.get("type")
    return {"type": kind} if isinstance(kind, str) and kind in TYPES else {}


def _is_formed(schema: object, depth: int) -> bool:
    return (
        isinstance(schema, dict)
        and depth <= DEEPEST
        and all(_is_keyword_formed(word, given, depth) for word, given in schema.items())
    )


def _is_keyword_formed(word: str, given: Any, depth: int) -> bool:
    if word in _TEXT:
        return isinstance(given, str)
    if word in _NUMBER:
        return isinstance(given, int | float) and not isinstance(given, bool)
    if word in _SCHEMA:
        return isinstance(given, bool) or _is_formed(given, depth + 1)
    if word in _SCHEMAS:
        formed = isinstance(given, list) and all(_is_formed(each, depth + 1) for each in given)
        return formed and bool(given)
    if word in _NAMED:
        return isinstance(given, dict) and all(
            _is_formed(each, depth + 1) for each in given.values()
        )
    if word == "type":
        kinds = given if isinstance(given, list) else [given]
        return bool(kinds) and all(isinstance(kind, str) and kind in TYPES for kind in kinds)
    if word == "required":
        return isinstance(given, list) and all(isinstance(name, str) for name in given)
    return word != "enum" or isinstance(given, list)


class _Endless(Exception):
    """References that lead nowhere, or round, or to too many forms."""


class _Forms:
    """Counts the forms that a value may have by a schema, its options and references followed. Raises _Endless."""

    def __init__(self, named: Schema) -> None:
        self._named = named
        self._counts: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, schema: Schema) -> int:
        """Return how many they are."""
        options = [each for word in ("anyOf", "oneOf") for each in schema.get(word, ())]
        count = sum(map(self.of, options)) or 1
        if "$ref" in schema:
            count *= self._of_named(schema["$ref"])
        if count > MOST_FORMS:
            raise _Endless
        return count

    def _of_named(self, reference: str) -> int:
        name = reference.removeprefix(_REFERENCE)
        if not reference.startswith(_REFERENCE) or name not in self._named or name in self._open:
            raise _Endless
        if name not in self._counts:
            self._open.add(name)
            self._counts[name] = self.of(self._named[name])
            self._open.discard(name)
        return self._counts[name]


def _parts(schema: Schema) -> Iterator[Schema]:
    """Give a well-formed schema, and all those in it."""
    yield schema
    for word, given in schema.items():
        inner: Iterable[Any] = ()
        if word in _NAMED:
            inner = given.values()
        elif word in _SCHEMAS:
            inner = given
        elif word in _SCHEMA and isinstance(given, dict):
            inner = (given,)
        for each in inner:
            yield from _parts(each)
