"""Whether what an output gives can fit what an input takes, judged by their JSON Schemas.

The judgement is about the possible, not the certain: a wire is refused only
when no value that can come would fit. What may fit and may not is checked
when the value arrives (``proves`` says where that is needless). Keywords that
bound a value (minimum, pattern, ...) are left to that check.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

Schema = dict[str, Any]

_NOTES = frozenset(
    {"title", "description", "default", "examples", "format", "$comment", "deprecated"}
)
_DEPTH = 20
"""How deep recursive schemas are compared before they count as fitting."""

_STEPS = 5_000
"""Pairs of schemas that are compared before the rest counts as fitting."""

_FORMS = 1_000
"""Forms that are told apart; a value that may have more may be anything."""

_LISTED = 10
"""Options that a reason names."""


def mismatch(source: Schema, target: Schema) -> str | None:
    """Return why nothing that ``source`` describes fits ``target``, or None when something may."""
    if source == target:
        return None
    return _Comparison(source, target).mismatch(source, target, _DEPTH)


def proves(source: Schema, target: Schema) -> bool:
    """Say whether everything that ``source`` describes fits ``target``."""
    if not (wanted := _bare(target)):
        return True
    given = _bare(source)
    if given == wanted:
        return True
    if wanted == {"type": "number"}:
        return given.get("type") in ("integer", "number")
    return (
        set(wanted) == {"type"}
        and wanted["type"] != "array"
        and given.get("type") == wanted["type"]
    )


def items_of(schema: Schema) -> Schema:
    """Return what one item of a list may be; {} when the schema does not say."""
    items = _follow(schema, schema).get("items")
    if not isinstance(items, dict):
        return {}
    return items | {"$defs": schema["$defs"]} if "$defs" in schema else items


def forms_of(schema: Schema) -> list[Schema]:
    """Return the forms a value may have, each with ``$ref`` followed and one ``type`` at most; [{}] says nothing.

    Each keeps the ``$defs`` of the whole. A form whose type only its values tell has that type.
    """
    forms = list(islice(_forms(schema, schema, _DEPTH), _FORMS + 1))
    return [{}] if not forms or len(forms) > _FORMS else forms


def _forms(schema: Any, root: Schema, depth: int) -> Iterator[Schema]:
    here = _follow(schema, root)
    if depth <= 0:
        yield {}
        return
    if (options := _options(here)) is not None:
        for option in options:
            yield from _forms(option, root, depth - 1)
        return
    rooted = here | {"$defs": root["$defs"]} if "$defs" in root and here else here
    if isinstance(here.get("type"), str):
        yield rooted
        return
    yield from [rooted | {"type": kind} for kind in sorted(_types(here))] or [rooted]


def shown(schema: Schema) -> str:
    """Return a short name for a schema, as used in reasons: ``integer``, ``list of text``, ``"a" or "b"``."""
    return _shown(schema, schema, 4)


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in _NOTES}


def _follow(schema: Any, root: Schema) -> Schema:
    """Return the schema that a chain of ``$ref`` into ``$defs`` ends at."""
    for _ in range(_DEPTH):
        if not isinstance(schema, dict):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
            return schema
        schema = root.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    return {}


def _options(schema: Schema) -> list[Any] | None:
    for key in ("anyOf", "oneOf"):
        if isinstance(schema.get(key), list):
            return list(schema[key])
    return None


def _types(schema: Schema) -> set[str]:
    """Return the JSON types a schema admits; empty when it does not say."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return set(kind)
    if (values := _values(schema)) is not None:
        return {_type_of(value) for value in values}
    return {"object"} if "properties" in schema else set()


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return list(values) if isinstance(values, list) else None


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


class _Comparison:
    """Compares parts of two schemas, for so many steps."""

    def __init__(self, source: Schema, target: Schema) -> None:
        self._source = source
        self._target = target
        self._steps = _STEPS

    def mismatch(self, source: Any, target: Any, depth: int) -> str | None:
        """Return why no value of the one part fits the other, or None."""
        given, wanted = _follow(source, self._source), _follow(target, self._target)
        self._steps -= 1
        if depth <= 0 or self._steps < 0 or not given or not wanted:
            return None
        for left, right in ((_options(given), None), (None, _options(wanted))):
            if left is not None or right is not None:
                pairs = [(option, wanted) for option in left or ()] + [
                    (given, option) for option in right or ()
                ]
                if not pairs or any(self.mismatch(a, b, depth - 1) is None for a, b in pairs):
                    return None
                return self._differ(given, wanted)
        types = _common(_types(given), _types(wanted))
        if types is not None and not types:
            return self._differ(given, wanted)
        return (
            _values_mismatch(given, wanted)
            or self._items(given, wanted, depth, types)
            or self._fields(given, wanted, depth, types)
        )

    def _differ(self, given: Schema, wanted: Schema) -> str:
        return f"{_shown(given, self._source, 3)} does not fit {_shown(wanted, self._target, 3)}"

    def _items(
        self, given: Schema, wanted: Schema, depth: int, types: set[str] | None
    ) -> str | None:
        if (
            types != {"array"}
            or not isinstance(given.get("items"), dict)
            or not isinstance(wanted.get("items"), dict)
        ):
            return None
        reason = self.mismatch(given["items"], wanted["items"], depth - 1)
        return f"the items differ: {reason}" if reason else None

    def _fields(
        self, given: Schema, wanted: Schema, depth: int, types: set[str] | None
    ) -> str | None:
        if types != {"object"}:
            return None
        fields = given.get("properties") or {}
        for name, schema in (wanted.get("properties") or {}).items():
            if name in fields:
                reason = self.mismatch(fields[name], schema, depth - 1)
                if reason and name in wanted.get("required", ()):
                    return f"the field {name!r} differs: {reason}"
            elif name in wanted.get("required", ()) and given.get("additionalProperties") is False:
                return f"the field {name!r} is missing"
        return None


def _common(given: set[str], wanted: set[str]) -> set[str] | None:
    """Return the types both admit, an integer being a number; None when either does not say."""
    if not given or not wanted:
        return None
    return {kind for kind in given if kind in wanted or (kind == "integer" and "number" in wanted)}


def _values_mismatch(given: Schema, wanted: Schema) -> str | None:
    allowed, possible = _values(wanted), _values(given)
    if allowed is None or possible is None or any(value in allowed for value in possible):
        return None
    return f"{_listed(possible)} is not among {_listed(allowed)}"


_TYPE_NAMES = {"string": "text", "array": "list", "object": "object", "boolean": "true or false"}


def _shown(schema: Any, root: Schema, depth: int) -> str:
    schema = _follow(schema, root)
    if not schema or depth <= 0:
        return "anything"
    if (values := _values(schema)) is not None:
        return _listed(values)
    if (options := _options(schema)) is not None:
        some = [_shown(option, root, depth - 1) for option in options[:_LISTED]]
        return " or ".join(dict.fromkeys(some)) + (" ..." if len(options) > _LISTED else "")
    if schema.get("format") == "table":
        return "table"
    names = []
    for kind in sorted(_types(schema)):
        name = _TYPE_NAMES.get(kind, kind)
        if kind == "array" and isinstance(schema.get("items"), dict) and schema["items"]:
            name = f"list of {_shown(schema['items'], root, depth - 1)}"
        names.append(name)
    return " or ".join(names) or "anything"


def _listed(values: list[Any]) -> str:
    head = " or ".join(repr(value) for value in values[:5])
    return f"{head} ..." if len(values) > 5 else head
