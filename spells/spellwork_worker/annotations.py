"""Turns the type hints of a cell into JSON Schema, by reading them and never evaluating them.

A hint says what a value is as plain JSON: a date is a text of that format, a table is
a list of records. What it does not know, it lets be anything (``{}``).
"""

from __future__ import annotations

import ast
from typing import Any

from .kinds import ITEMS_OF, LISTS, MAPS, PLAIN, READ, STREAMS, TRANSPARENT
from .literals import bounds_of, enum_of
from .models import Model, model_of

Schema = dict[str, Any]

MAX_STEPS = 2_000
"""Parts of hints that are read for one port: aliases of aliases could double without end."""


class Hints:
    """Reads the hints of one cell; knows the classes, aliases and imports of its top level."""

    def __init__(self, tree: ast.Module | None = None) -> None:
        self._classes: dict[str, ast.ClassDef] = {}
        self._aliases: dict[str, ast.expr] = {}
        self._imports: dict[str, str] = {}
        self._definitions: dict[str, Schema] = {}
        self._steps = 0
        self._open: list[str] = []
        if tree is not None:
            self._note(tree.body)

    def schema(self, annotation: ast.expr | None) -> Schema:
        """Return the JSON Schema of a hint; ``{}``, which takes anything, for one it does not know."""
        return self._rooted(annotation, self._schema)

    def whole(self, annotation: ast.expr | None) -> Schema:
        """Return the schema of the whole that the items of a hint (``Iterator[str]``) add up to."""
        return self._rooted(annotation, self._whole)

    def is_stream(self, annotation: ast.expr | None) -> bool:
        """Whether a parameter's hint asks for chunks as they come: ``Iterator``, ``AsyncIterator[T]``."""
        hint = _parsed(annotation)
        bare = hint.value if isinstance(hint, ast.Subscript) else hint
        return bare is not None and self._name(bare) in READ

    # What the cell's top level says of types

    def _note(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.ClassDef):
                self._classes[statement.name] = statement
            elif isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    self._imports[alias.asname or alias.name] = alias.name
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        self._aliases[target.id] = statement.value
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                if statement.value is not None and self._name(statement.annotation) == "TypeAlias":
                    self._aliases[statement.target.id] = statement.value
            elif type(statement).__name__ == "TypeAlias":  # type Name = ..., of Python 3.12
                self._aliases[statement.name.id] = statement.value  # type: ignore[attr-defined]
            elif isinstance(statement, (ast.If, ast.Try)):
                self._note([*statement.body, *statement.orelse])

    # Schemas

    def _rooted(self, annotation: ast.expr | None, read: Any) -> Schema:
        """Read a hint from scratch, and give the schema the definitions that it refers to."""
        self._definitions, self._steps, self._open = {}, 0, []
        try:
            schema: Schema = read(annotation)
        except RecursionError:
            return {}
        if self._steps > MAX_STEPS:
            return {}
        used = {name: each for name, each in self._definitions.items() if each}
        return schema | {"$defs": used} if used and schema else schema

    def _schema(self, annotation: ast.expr | None) -> Schema:
        self._steps += 1
        if self._steps > MAX_STEPS:
            return {}
        hint = _parsed(annotation)
        if isinstance(hint, ast.Constant):
            return {"type": "null"} if hint.value is None else {}
        if isinstance(hint, (ast.Name, ast.Attribute)):
            return self._named(hint)
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
            return self._either([hint.left, hint.right])
        if isinstance(hint, ast.Subscript):
            return self._subscript(self._name(hint.value), _arguments(hint), hint)
        return {}

    def _named(self, hint: ast.Name | ast.Attribute) -> Schema:
        if isinstance(hint, ast.Name):
            if hint.id in self._classes:
                return self._class(self._classes[hint.id])
            if hint.id in self._aliases:
                return self._alias(hint.id)
        return dict(PLAIN.get(self._name(hint), {}))

    def _alias(self, name: str) -> Schema:
        """Return what an alias stands for; an alias of itself stands for anything."""
        if name in self._open:
            return {}
        value = self._aliases[name]
        if isinstance(value, ast.Call):  # UserId = NewType("UserId", int)
            if self._name(value.func) != "NewType" or len(value.args) != 2:
                return {}
            value = value.args[1]
        self._open.append(name)
        schema = self._schema(value)
        self._open.pop()
        return schema

    def _class(self, node: ast.ClassDef) -> Schema:
        """Return a reference to the schema of a class of the cell, or ``{}`` where it has none."""
        if node.name not in self._definitions:
            values = enum_of(node, self._name)
            if values is not None:
                return {"enum": values} if values else {}
            model = model_of(node, self._classes, self._name)
            if model is None:
                return {}
            self._definitions[node.name] = {}
            self._definitions[node.name] = self._object(model)
        return {"$ref": f"#/$defs/{node.name}"}

    def _object(self, model: Model) -> Schema:
        properties = {}
        for field in model.fields:
            properties[field.name] = self._schema(field.annotation) | bounds_of(field.value)
        body: Schema = {"title": model.name, "type": "object", "properties": properties}
        required = [field.name for field in model.fields if field.required]
        return body | {"required": required} if required else body

    def _subscript(self, name: str, arguments: list[ast.expr], hint: ast.Subscript) -> Schema:
        if name == "Optional":
            return self._either([arguments[0], ast.Constant(None)])
        if name == "Union":
            return self._either(arguments)
        if name == "Annotated":
            schema = self._schema(arguments[0])
            for note in arguments[1:]:
                schema = schema | bounds_of(note) if schema else schema
            return schema
        if name in TRANSPARENT:
            return self._schema(arguments[0])
        if name == "Literal":
            return _literal_of(arguments)
        if name in ("tuple", "Tuple"):
            return self._tuple(arguments)
        if name in ITEMS_OF:
            items = self._schema(arguments[0])
            return {"type": "array"} | LISTS.get(name, {}) | ({"items": items} if items else {})
        if name in MAPS:
            values = self._schema(arguments[1]) if len(arguments) == 2 else {}
            return {"type": "object"} | ({"additionalProperties": values} if values else {})
        return self._schema(hint.value)

    def _tuple(self, arguments: list[ast.expr]) -> Schema:
        if len(arguments) == 2 and _is_ellipsis(arguments[1]):
            items = self._schema(arguments[0])
            return {"type": "array"} | ({"items": items} if items else {})
        if len(arguments) == 1 and isinstance(arguments[0], ast.Tuple):
            arguments = []  # tuple[()]
        count = len(arguments)
        placed = {"prefixItems": [self._schema(each) for each in arguments]} if count else {}
        return {"type": "array", **placed, "minItems": count, "maxItems": count}

    def _either(self, options: list[ast.expr]) -> Schema:
        schemas = [self._schema(option) for option in options]
        if not all(schemas):
            return {}
        flat: list[Schema] = []
        for schema in schemas:
            for each in schema.get("anyOf", [schema]):
                if each not in flat:
                    flat.append(each)
        return {"anyOf": flat} if len(flat) > 1 else flat[0]

    def _whole(self, annotation: ast.expr | None) -> Schema:
        hint = _parsed(annotation)
        if not (isinstance(hint, ast.Subscript) and self._name(hint.value) in STREAMS):
            return {}
        item = _arguments(hint)[0]
        if isinstance(item, ast.Name) and item.id == "bytes":
            return {"type": "string", "format": "binary"}
        schema = self._schema(item)
        return {"type": "array", "items": schema} if schema and schema != PLAIN["str"] else schema

    def _name(self, expression: ast.expr) -> str:
        """Return the last part of a dotted name, as it is called where it was imported from."""
        if isinstance(expression, ast.Attribute):
            return expression.attr
        if isinstance(expression, ast.Name):
            return self._imports.get(expression.id, expression.id)
        return ""


def _parsed(annotation: ast.expr | None) -> ast.expr | None:
    """Return a hint that is written as a text as what the text says."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        if len(annotation.value) > 1_000:
            return None
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return annotation


def _literal_of(arguments: list[ast.expr]) -> Schema:
    values = []
    for argument in arguments:
        try:
            value = ast.literal_eval(argument)
        except (ValueError, TypeError, SyntaxError):
            return {}
        if value is not None and not isinstance(value, (bool, int, str)):
            return {}
        values.append(value)
    return {"enum": values}


def _is_ellipsis(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is Ellipsis


def _arguments(annotation: ast.Subscript) -> list[ast.expr]:
    inside = annotation.slice
    return list(inside.elts) if isinstance(inside, ast.Tuple) and inside.elts else [inside]
