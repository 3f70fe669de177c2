"""Classes of a cell whose values are records: dataclasses, named tuples, TypedDicts, pydantic models."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_BASES = frozenset({"BaseModel", "RootModel", "TypedDict", "NamedTuple", "SQLModel"})
_DECORATORS = frozenset({"dataclass", "define", "frozen", "mutable", "attrs"})
_FACTORIES = frozenset({"field", "Field", "ib", "attrib"})
_DEPTH = 20

Name = Callable[[ast.expr], str]


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field: its hint, what is assigned to it, and whether a value must be given."""

    name: str
    annotation: ast.expr
    value: ast.expr | None
    required: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A class whose values are records."""

    name: str
    fields: tuple[ModelField, ...]


def model_of(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], name: Name, depth: int = _DEPTH
) -> Model | None:
    """Return the model that a class is, with the fields of those it extends; None when it is none."""
    if depth <= 0:
        return None
    own = _is_model(node, name)
    fields: dict[str, ModelField] = {}
    for base in node.bases:
        parent = classes.get(base.id) if isinstance(base, ast.Name) else None
        inherited = (
            None if parent is None or parent is node else model_of(parent, classes, name, depth - 1)
        )
        if inherited is not None:
            own = True
            fields |= {field.name: field for field in inherited.fields}
    if not own:
        return None
    total = not any(
        word.arg == "total" and isinstance(word.value, ast.Constant) and not word.value.value
        for word in node.keywords
    )
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            field = _field(statement.target.id, statement, name, total=total)
            if field is not None:
                fields[field.name] = field
    return Model(node.name, tuple(fields.values()))


def _is_model(node: ast.ClassDef, name: Name) -> bool:
    if any(name(_bare(base)) in _BASES for base in node.bases):
        return True
    return any(
        name(each.func if isinstance(each, ast.Call) else each) in _DECORATORS
        for each in node.decorator_list
    )


def _field(field: str, statement: ast.AnnAssign, name: Name, *, total: bool) -> ModelField | None:
    kind = name(_bare(statement.annotation))
    if (
        kind in ("ClassVar", "InitVar", "KW_ONLY")
        or field.startswith("_")
        or field == "model_config"
    ):
        return None
    if statement.value is None:
        required = total if kind not in ("Required", "NotRequired") else kind == "Required"
    else:
        required = not _has_default(statement.value, name)
    return ModelField(field, statement.annotation, statement.value, required)


def _has_default(value: ast.expr, name: Name) -> bool:
    """Whether ``field(...)`` and its like say a default; any other value is one."""
    if isinstance(value, ast.Constant) and value.value is Ellipsis:
        return False
    if not (isinstance(value, ast.Call) and name(value.func) in _FACTORIES):
        return True
    if value.args and not (
        isinstance(value.args[0], ast.Constant) and value.args[0].value is Ellipsis
    ):
        return True
    return any(
        word.arg in ("default", "default_factory", "factory", "default_factories")
        for word in value.keywords
    )


def _bare(expression: ast.expr) -> ast.expr:
    return expression.value if isinstance(expression, ast.Subscript) else expression
