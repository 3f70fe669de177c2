"""Turns the type hints of a cell into JSON Schema, by reading them and never evaluating them."""

from __future__ import annotations

import ast
from typing import Any

_PLAIN: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "list": {"type": "array"},
    "tuple": {"type": "array"},
    "set": {"type": "array"},
    "List": {"type": "array"},
    "Sequence": {"type": "array"},
    "dict": {"type": "object"},
    "Dict": {"type": "object"},
    "Mapping": {"type": "object"},
}
_READ = {"Iterator", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
_STREAMS = {"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}


def schema_of(annotation: ast.expr | None) -> dict[str, Any]:
    """Return the JSON Schema of a hint; ``{}``, which takes anything, for one it does not know."""
    if isinstance(annotation, ast.Constant):
        return {"type": "null"} if annotation.value is None else {}
    if isinstance(annotation, (ast.Name, ast.Attribute)):
        return dict(_PLAIN.get(_name(annotation), {}))
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _either([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        return _subscript(_name(annotation.value), _arguments(annotation))
    return {}


def whole_schema_of(annotation: ast.expr | None) -> dict[str, Any]:
    """Return the schema of the whole that the items of a hint (``Iterator[str]``) add up to."""
    if not (isinstance(annotation, ast.Subscript) and _name(annotation.value) in _STREAMS):
        return {}
    item = _arguments(annotation)[0]
    if isinstance(item, ast.Name) and item.id == "bytes":
        return {"type": "string", "format": "binary"}
    schema = schema_of(item)
    return {"type": "array", "items": schema} if schema and schema != _PLAIN["str"] else schema


def is_stream(annotation: ast.expr | None) -> bool:
    """Whether a parameter's hint asks for chunks as they come: ``Iterator``, ``AsyncIterator[T]``."""
    bare = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(bare, (ast.Name, ast.Attribute)) and _name(bare) in _READ


def _subscript(name: str, arguments: list[ast.expr]) -> dict[str, Any]:
    if name == "Optional":
        return _either([arguments[0], ast.Constant(None)])
    if name == "Union":
        return _either(arguments)
    if name == "Annotated":
        return schema_of(arguments[0])
    if name == "Literal":
        values = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
        return {"enum": values} if len(values) == len(arguments) else {}
    plain = dict(_PLAIN.get(name, {}))
    if plain.get("type") == "array" and name != "tuple" and (items := schema_of(arguments[0])):
        plain["items"] = items
    elif (
        plain.get("type") == "object"
        and len(arguments) == 2
        and (values_ := schema_of(arguments[1]))
    ):
        plain["additionalProperties"] = values_
    return plain


def _either(options: list[ast.expr]) -> dict[str, Any]:
    schemas = [schema_of(option) for option in options]
    if not all(schemas):
        return {}
    flat: list[dict[str, Any]] = []
    for schema in schemas:
        flat.extend(schema.get("anyOf", [schema]))
    return {"anyOf": flat}


def _arguments(annotation: ast.Subscript) -> list[ast.expr]:
    inside = annotation.slice
    return list(inside.elts) if isinstance(inside, ast.Tuple) and inside.elts else [inside]


def _name(expression: ast.expr) -> str:
    """Return the last part of a dotted name."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""
