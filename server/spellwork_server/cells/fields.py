"""The fields of an input, for whoever writes code: from what its wire may bring, and from what it last brought."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from spellwork.schemas import forms_of, items_of

MOST = 200
"""Fields that are told of one value."""

_NAME = r"[^\W\d]\w*"
_STEP = re.compile(rf"\.({_NAME})|\[\s*(?:\"([^\"]*)\"|'([^']*)'|-?\d+|{_NAME})\s*\]|\?\.({_NAME})")
_KEY = re.compile(rf"({_NAME})((?:\??\.{_NAME}|\[[^\[\]]*\])*)\[\s*[\"']([^\"'\n]*)$")
_DOT = re.compile(rf"({_NAME})((?:\??\.{_NAME}|\[[^\[\]]*\])*)\??\.([\w$]*)$")


class Input:
    """An input of a cell: its schema, and the value that it last had, if it is known."""

    def __init__(self, schema: dict[str, Any], value: Any = None) -> None:
        self.schema = schema
        self.value = value

    def hint(self) -> str | None:
        """Return the type of the input as Python writes it; None when it may be anything."""
        return _hint(self.schema, 3)

    def fields(self, steps: str) -> list[str]:
        """Return the names of the fields of what lies behind ``steps``, such as ``[0].address``."""
        schemas, values = [self.schema], [self.value]
        for match in _STEP.finditer(steps):
            key = next((each for each in match.groups() if each is not None), None)
            schemas = [part for each in schemas for part in _part(each, key)]
            values = [part for each in values for part in _value_part(each, key)]
        names: dict[str, None] = {}
        for schema in schemas:
            for form in forms_of(schema):
                names |= dict.fromkeys(form.get("properties", {}))
        for value in values:
            rows = value[:20] if isinstance(value, list) and not names else [value]
            for row in rows:
                if isinstance(row, dict):
                    names |= dict.fromkeys(map(str, row))
        return list(names)[:MOST]


def key_at(before: str) -> tuple[str, str, str] | None:
    """Return (input, steps, what is written) where a key in brackets is being written: ``row["na``."""
    match = _KEY.search(before)
    return None if match is None else (match[1], match[2], match[3])


def member_at(before: str) -> tuple[str, str, str] | None:
    """Return (name, steps, what is written) where a member is being written: ``row.na``."""
    match = _DOT.search(before)
    return None if match is None else (match[1], match[2], match[3])


def _part(schema: dict[str, Any], key: str | None) -> Iterable[dict[str, Any]]:
    """Yield what a field, or an item, of a value of this schema may be."""
    for form in forms_of(schema):
        root = {"$defs": form["$defs"]} if "$defs" in form else {}
        if form.get("type") == "array":
            if key is None:
                yield items_of(form)
        elif key is None:
            if isinstance(more := form.get("additionalProperties"), dict):
                yield more | root
        elif isinstance(part := form.get("properties", {}).get(key), dict):
            yield part | root


def _value_part(value: Any, key: str | None) -> Iterable[Any]:
    if isinstance(value, list) and key is None:
        yield from value[:20]
    elif isinstance(value, dict):
        if key is None:
            yield from list(value.values())[:20]
        elif key in value:
            yield value[key]


def _hint(schema: dict[str, Any], depth: int) -> str | None:
    hints = [_form_hint(form, depth) for form in forms_of(schema)]
    known = [hint for hint in dict.fromkeys(hints) if hint is not None]
    return " | ".join(known) if known and len(known) == len(dict.fromkeys(hints)) else None


def _form_hint(form: dict[str, Any], depth: int) -> str | None:
    plain = {
        "string": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "null": "None",
    }
    kind = form.get("type")
    if kind in plain:
        return plain[kind]
    if kind == "array":
        items = _hint(items_of(form), depth - 1) if depth else None
        return f"list[{items}]" if items else "list"
    return "dict[str, object]" if kind == "object" else None
