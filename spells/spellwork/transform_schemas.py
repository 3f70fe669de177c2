"""What comes out of a transform, judged by JSON Schemas: types only, as ``schemas`` judges.

``client/src/editor/store/transform_schemas.ts`` does the same;
``tests/cases/compatibility.json`` holds for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .casting import Target
from .paths import EVERY, PathError, read_path
from .schemas import Schema, forms_of, mismatch, shown
from .spell import Cast, Date, Default, Index, Pick, Transform

_NUMBERS = frozenset({"number", "integer"})
_SCALARS = frozenset({"string", "boolean"}) | _NUMBERS
_CASTABLE = {
    "string": _SCALARS | {"array", "object"},
    "number": _SCALARS,
    "integer": _SCALARS,
    "boolean": _SCALARS,
    "list": _SCALARS | {"array", "object"},
    "object": frozenset({"object", "string"}),
}
_JSON_TYPE = {"list": "array"}
_ORDER: tuple[Target, ...] = ("string", "integer", "number", "boolean", "object")
"""In which casts are suggested."""


class Unfit(ValueError):
    """No value that the schema describes can take the transform."""


def reshaped(schema: Schema, transforms: Sequence[Transform]) -> Schema:
    """Return what ``transforms`` make of values of a schema. Raises Unfit when no value can take them."""
    for each in transforms:
        schema = _after(schema, each)
    return schema


def suggest_transform(
    source: Schema, wanted: Schema, name: str = "", before: Sequence[Transform] = ()
) -> tuple[Transform, ...] | None:
    """Return transforms that would make ``source`` fit ``wanted``, ``before`` and one more; None when none would.

    Tried in this order: the field called ``name``, another field, the first
    item of a list, a list of the one value, another type.
    """
    try:
        given = reshaped(source, before)
    except Unfit:
        before, given = (), source
    for candidate in _candidates(given, wanted, name):
        try:
            if mismatch(_after(given, candidate), wanted) is None:
                return (*before, candidate)
        except Unfit:
            continue
    return None


def _candidates(given: Schema, wanted: Schema, name: str) -> list[Transform]:
    forms = forms_of(given)
    fields = [field for form in forms for field in form.get("properties") or {}]
    picks = sorted(dict.fromkeys(fields), key=lambda field: field != name)
    found: list[Transform] = [Pick(op="pick", path=_path_to(field)) for field in picks]
    if any(form.get("type") == "array" for form in forms):
        found.append(Index(op="index", index=0))
    targets = [form.get("type") for form in forms_of(wanted)]
    if "array" in targets:
        found.append(Cast(op="cast", to="list"))
    return found + [Cast(op="cast", to=kind) for kind in _ORDER if kind in targets]


def _path_to(field: str) -> str:
    plain = not any(letter in '.[]"' for letter in field) and field == field.strip(" $")
    return field if plain and field else f'["{field}"]'


def _after(schema: Schema, transform: Transform) -> Schema:
    forms = forms_of(schema)
    found: list[Schema] = []
    refused = ""
    for form in forms:
        try:
            found.append(_AFTER[transform.op](form, transform))
        except Unfit as error:
            refused = refused or str(error)
    if not found:
        raise Unfit(refused)
    return _joined(found, schema)


def _joined(found: list[Schema], root: Schema) -> Schema:
    unique: list[Schema] = []
    for each in found:
        bare = {key: value for key, value in each.items() if key != "$defs"}
        if bare not in unique:
            unique.append(bare)
    if {} in unique:
        return {}
    joined = unique[0] if len(unique) == 1 else {"anyOf": unique}
    return joined | {"$defs": root["$defs"]} if "$defs" in root else joined


def _after_pick(form: Schema, transform: Pick) -> Schema:
    try:
        parts = read_path(transform.path)
    except PathError as error:
        raise Unfit(str(error)) from error
    return _along(form, parts)


def _along(schema: Schema, parts: Sequence[Any]) -> Schema:
    if not parts or not schema:
        return schema
    found: list[Schema] = []
    refused = ""
    for form in forms_of(schema):
        try:
            if parts[0] is EVERY:
                items = _items(form)
                rest = _along(items, parts[1:])
                found.append({"type": "array", "items": rest} if rest else {"type": "array"})
            else:
                found.append(_along(_part(form, parts[0]), parts[1:]))
        except Unfit as error:
            refused = refused or str(error)
    if not found:
        raise Unfit(refused)
    return _joined(found, schema)


def _part(form: Schema, part: Any) -> Schema:
    kind = form.get("type")
    if kind == "object":
        return _field(form, str(part))
    if kind == "array" and str(part).removeprefix("-").isdecimal():
        return _items(form)
    if kind is None:
        return {}
    raise Unfit(f"{part!r} leads nowhere in {shown(form)}")


def _field(form: Schema, name: str) -> Schema:
    fields = form.get("properties") or {}
    if name in fields:
        return _rooted(fields[name], form)
    others = form.get("additionalProperties")
    if others is False:
        raise Unfit(f"there is no {name!r}; there is {', '.join(map(repr, fields)) or 'nothing'}")
    return _rooted(others, form) if isinstance(others, dict) else {}


def _items(form: Schema) -> Schema:
    kind = form.get("type")
    if kind is None:
        return {}
    if kind != "array":
        raise Unfit(f"{shown(form)} is no list")
    items = form.get("items")
    return _rooted(items, form) if isinstance(items, dict) else {}


def _rooted(schema: Schema, root: Schema) -> Schema:
    return schema | {"$defs": root["$defs"]} if "$defs" in root and schema else schema


def _after_index(form: Schema, _transform: Index) -> Schema:
    return _items(form)


def _after_default(form: Schema, transform: Default) -> Schema:
    if form.get("type") == "null":
        return {"const": transform.value}
    return form


def _after_cast(form: Schema, transform: Cast) -> Schema:
    kind, to = form.get("type"), transform.to
    if kind is not None and kind not in _CASTABLE[to]:
        raise Unfit(f"{shown(form)} cannot be cast to {to}")
    if kind == _JSON_TYPE.get(to, to) or (to == "number" and kind == "integer"):
        return form
    if to == "list":
        return {"type": "array", "items": form} if kind is not None else {"type": "array"}
    return {"type": _JSON_TYPE.get(to, to)}


def _after_date(form: Schema, transform: Date) -> Schema:
    kind = form.get("type")
    readable = {"string"} if transform.format is not None else {"string", *_NUMBERS}
    if kind is not None and kind not in readable:
        raise Unfit(f"{shown(form)} is no date")
    return {"type": "string"}


_AFTER: dict[str, Callable[[Schema, Any], Schema]] = {
    "pick": _after_pick,
    "index": _after_index,
    "default": _after_default,
    "cast": _after_cast,
    "date": _after_date,
}
