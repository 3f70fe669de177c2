"""Reads a Python cell: its form, its inputs and its outputs. It only parses, and never executes.

======================  ========================================================
form                    a cell that is
======================  ========================================================
``expression``          one expression; its value is the output ``result``
``statements``          anything else; every value its top level binds is an output,
                        and a last line that is an expression is ``result`` too
``function``            one public function (beside imports and ``_private`` parts);
                        its parameters are inputs, what it returns is ``result``
``async function``      the same with ``async def``
``generator``           the same with ``yield``: ``result`` is a stream
``async generator``     the same with ``async def`` and ``yield``
======================  ========================================================

In every form a name that is read but bound nowhere is an input. Names that begin
with ``_``, imports, functions, classes and loop variables stay inside the cell.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from .annotations import is_stream, schema_of, whole_schema_of
from .names import every_argument, names_of

MAX_CODE = 100_000
"""Characters a cell may have: reading one must never hold up the server."""

RESULT = "result"
"""The output of an expression, of a function and of a last line that is an expression."""

Form = Literal[
    "expression", "statements", "function", "async function", "generator", "async generator"
]
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


class CellError(Exception):
    """A cell cannot be read. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(message if line is None else f"{message} (cell line {line})")


@dataclass(frozen=True, slots=True)
class CellInput:
    """A name that the cell takes in. ``default`` counts only when ``has_default``.

    ``parameter``: it is one of the function's, not a name that the cell reads.
    ``stream``: it takes chunks as they come; ``schema`` is that of their whole.
    """

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    required: bool = True
    has_default: bool = False
    default: Any = None
    parameter: bool = False
    stream: bool = False


@dataclass(frozen=True, slots=True)
class CellOutput:
    """A name that the cell gives out. ``stream``: chunk by chunk; ``schema`` is that of their whole."""

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell is, as far as reading it can tell.

    ``entry`` is the function to call in the function forms; ``positional`` are its
    parameters that may only be given by place; ``extra_inputs`` tells whether it
    takes ``**names``.
    """

    form: Form
    inputs: tuple[CellInput, ...]
    outputs: tuple[CellOutput, ...]
    entry: str | None = None
    positional: tuple[str, ...] = ()
    extra_inputs: bool = False

    @property
    def streams(self) -> bool:
        """Whether ``result`` comes chunk by chunk."""
        return self.form in ("generator", "async generator")


@lru_cache(maxsize=512)
def read_cell(code: str) -> Cell:
    """Return what the cell is.

    Raises:
        CellError: it is not Python, or it is too long.
    """
    tree = parse(code)
    names = names_of(tree)
    entry = _entry(tree)
    if entry is not None:
        return _function_cell(entry, names.read)
    inputs = tuple(CellInput(name, schema_of(names.annotated.get(name))) for name in names.read)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return Cell("expression", inputs, (CellOutput(RESULT),))
    outputs = dict.fromkeys(names.bound)
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        outputs[RESULT] = None
    return Cell("statements", inputs, tuple(CellOutput(name) for name in outputs))


def parse(code: str) -> ast.Module:
    """Return the cell's syntax tree, checked as Python's compiler checks it.

    Raises:
        CellError: it is not Python, or it is too long.
    """
    if len(code) > MAX_CODE:
        raise CellError(f"the cell has {len(code):,} characters; at most {MAX_CODE:,} are allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code, filename="cell")
            compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        raise CellError(error.msg or "invalid syntax", error.lineno, error.offset) from error
    except (RecursionError, MemoryError) as error:
        raise CellError("the code is nested too deeply") from error
    except (ValueError, OverflowError) as error:
        raise CellError(str(error)) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            raise CellError(
                f"name what you import from {node.module}: with * nobody can tell the cell's inputs",
                node.lineno,
                node.col_offset + 1,
            )
    return tree


def _entry(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the cell's one public function, when the rest are imports and private parts."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for place, statement in enumerate(tree.body):
        if isinstance(statement, _FUNCTION) and not statement.name.startswith("_"):
            if found is not None:
                return None
            found = statement
        elif not (_is_docstring(statement, place) or _is_private(statement)):
            return None
    return found


def _is_docstring(statement: ast.stmt, place: int) -> bool:
    return (
        place == 0
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_private(statement: ast.stmt) -> bool:
    """Whether the statement is an import, or defines only names that begin with ``_``."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(statement, (*_FUNCTION, ast.ClassDef)):
        return statement.name.startswith("_")
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("_") for t in statement.targets)
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name) and statement.target.id.startswith("_")
    return False


def _function_cell(entry: ast.FunctionDef | ast.AsyncFunctionDef, read: list[str]) -> Cell:
    """Return the cell whose inputs are the function's parameters and the names it lacks."""
    form: Form = "async function" if isinstance(entry, ast.AsyncFunctionDef) else "function"
    schema = schema_of(entry.returns)
    if _yields(entry):
        form = "async generator" if form == "async function" else "generator"
        schema = whole_schema_of(entry.returns)
    parameters = _parameters(entry.args)
    taken = {parameter.name for parameter in parameters}
    missing = tuple(CellInput(name) for name in read if name not in taken)
    return Cell(
        form,
        (*parameters, *missing),
        (CellOutput(RESULT, schema, stream=form.endswith("generator")),),
        entry=entry.name,
        positional=tuple(argument.arg for argument in entry.args.posonlyargs),
        extra_inputs=entry.args.kwarg is not None,
    )


def _parameters(arguments: ast.arguments) -> tuple[CellInput, ...]:
    """Return the function's parameters; ``*args`` takes nothing, ``**names`` is ``extra_inputs``."""
    placed = [*arguments.posonlyargs, *arguments.args]
    first = len(placed) - len(arguments.defaults)
    defaults: dict[str, ast.expr | None] = {
        argument.arg: arguments.defaults[place - first] if place >= first else None
        for place, argument in enumerate(placed)
    }
    defaults |= {
        argument.arg: default
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return tuple(
        _parameter(argument, defaults[argument.arg])
        for argument in every_argument(arguments)
        if argument.arg in defaults
    )


def _parameter(argument: ast.arg, default: ast.expr | None) -> CellInput:
    stream = is_stream(argument.annotation)
    schema = (whole_schema_of if stream else schema_of)(argument.annotation)
    if default is None:
        return CellInput(argument.arg, schema, parameter=True, stream=stream)
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return CellInput(argument.arg, schema, required=False, parameter=True, stream=stream)
    known = _is_plain(value)
    return CellInput(
        argument.arg,
        schema,
        required=False,
        has_default=known,
        default=value if known else None,
        parameter=True,
        stream=stream,
    )


def _is_plain(value: Any) -> bool:
    """Whether a literal is a JSON value."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    return value is None or isinstance(value, (bool, int, float, str))


def _yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the function itself, and not one inside it, yields."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (*_FUNCTION, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return False
