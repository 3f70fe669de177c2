"""What a cell says of values in so many words: the members of an enum, the bounds of a field."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum"})

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "description": "description",
    "title": "title",
}
"""Keyword of pydantic's ``Field`` -> keyword of JSON Schema."""

_PLACED = {"Ge": "ge", "Gt": "gt", "Le": "le", "Lt": "lt", "MultipleOf": "multiple_of"}
"""Classes of annotated_types that take one bound."""


def enum_of(node: ast.ClassDef, name: Callable[[ast.expr], str]) -> list[Any] | None:
    """Return the values of an enum's members; [] when not all can be read, None when it is no enum."""
    bases = {name(base) for base in node.bases}
    if not bases & _ENUMS:
        return None
    values: list[Any] = []
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            member = statement.targets[0].id
            if "StrEnum" in bases and _is_auto(statement.value, name):
                values.append(member.lower())
                continue
            value = _value(statement.value)
            if not isinstance(value, (bool, int, str)):
                return []
            values.append(value)
    return values


def bounds_of(call: ast.expr | None) -> dict[str, Any]:
    """Return what ``Field(ge=1, description="...")``, ``Ge(1)`` or the like add to a schema."""
    if not isinstance(call, ast.Call):
        return {}
    function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    function = call.func.id if isinstance(call.func, ast.Name) else function
    if function in _PLACED and call.args:
        given = {_PLACED[function]: call.args[0]}
    elif function in ("Field", "Query", "Meta"):
        given = {word.arg: word.value for word in call.keywords if word.arg}
    else:
        return {}
    found = {_BOUNDS[word]: _value(value) for word, value in given.items() if word in _BOUNDS}
    return {word: value for word, value in found.items() if _fits(word, value)}


def _fits(word: str, value: Any) -> bool:
    """Say whether a schema's keyword may have this value: one of a wrong type would spoil the schema."""
    if word in ("pattern", "description", "title"):
        return isinstance(value, str) and len(value) <= 1_000
    if isinstance(value, bool):
        return False
    if word in ("minLength", "maxLength"):
        return isinstance(value, int) and value >= 0
    return isinstance(value, (int, float)) and (word != "multipleOf" or value > 0)


def _is_auto(value: ast.expr, name: Callable[[ast.expr], str]) -> bool:
    return isinstance(value, ast.Call) and name(value.func) == "auto"


def _value(expression: ast.expr) -> Any:
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
