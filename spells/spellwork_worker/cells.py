"""Reads a Python cell: its form, its inputs and its outputs. It only parses, and never executes.

======================  ========================================================
form                    a cell that is
======================  ========================================================
``expression``          one expression; its value is the output ``result``
``statements``          anything else: each name that its top level declares, values,
                        functions and classes alike, is an output, and a last line
                        that is an expression is ``result`` too
``function``            one public function (beside imports, types and ``_private``
                        parts); its parameters are inputs, what it returns is ``result``
``async function``      the same with ``async def``
``generator``           the same with ``yield``: ``result`` is a stream
``async generator``     the same with ``async def`` and ``yield``
======================  ========================================================

In every form a name that is read but bound nowhere is an input. Names that begin
with ``_``, imports, and the names that loops, ``with``, ``except`` and ``case`` bind
stay inside the cell. Identifiers are normalized as Python does (NFKC).
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from .annotations import Hints
from .names import Names, every_argument, names_of
from .spots import CellPlace, Places, Spot, spot_of

MAX_CODE = 100_000
"""Characters a cell may have: reading one must never hold up the server."""

RESULT = "result"
"""The output of an expression, of a function and of a last line that is an expression."""

BOM = "\ufeff"
"""The mark that some editors put before a file's first character. It is no part of the code."""

Form = Literal[
    "expression", "statements", "function", "async function", "generator", "async generator"
]
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_TYPE_MAKERS = frozenset(
    {"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "NamedTuple", "namedtuple", "TypedDict"}
)
_COMMAND = re.compile(r"\s*(%%?\w|!\w|\?{1,2}\w)")


class CellError(Exception):
    """A cell cannot be read. ``line`` and ``column`` count from 1; ``end_column``, on that line, is exclusive."""

    def __init__(
        self,
        message: str,
        line: int | None = None,
        column: int | None = None,
        end_column: int | None = None,
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.end_column = end_column
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
    place: CellPlace | None = None


@dataclass(frozen=True, slots=True)
class CellOutput:
    """A name that the cell gives out. ``stream``: chunk by chunk; ``schema`` is that of their whole.

    ``place`` is where the cell declares it; ``result`` of an expression or a function is declared nowhere.
    """

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    stream: bool = False
    place: CellPlace | None = None


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
    hints, places = Hints(tree), _places(code)
    entry = _entry(tree)
    if entry is not None:
        return _function_cell(entry, names.read, hints, places)
    inputs = tuple(
        CellInput(name, hints.schema(names.annotated.get(name)), place=places.of(name, spot))
        for name, spot in names.read.items()
    )
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return Cell("expression", inputs, (CellOutput(RESULT),))
    outputs = {
        name: CellOutput(name, hints.schema(names.annotated.get(name)), place=places.of(name, spot))
        for name, spot in names.bound.items()
    }
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        outputs[RESULT] = CellOutput(RESULT)
    return Cell("statements", inputs, tuple(outputs.values()))


def mentions(code: str, name: str) -> list[CellPlace]:
    """Return every place in which a cell speaks of a name of its top level, in order.

    Raises:
        CellError: it is not Python, or it is too long.
    """
    tree = parse(code)
    names, places = names_of(tree), _places(code)
    found = {places.of(name, spot) for spot in names.mentions.get(name, ())}
    found |= {places.of(name, spot) for spot in _parameter_spots(tree, name)}
    return sorted(found)


def names_in(code: str) -> Names:
    """Return the names of a cell.

    Raises:
        CellError: it is not Python, or it is too long.
    """
    return names_of(parse(code))


def _parameter_spots(tree: ast.Module, name: str) -> list[Spot]:
    """Return where the function of a function cell speaks of a parameter of that name."""
    entry = _entry(tree)
    if entry is None or name not in {each.arg for each in every_argument(entry.args)}:
        return []
    return [
        spot_of(node)
        for node in ast.walk(entry)
        if (isinstance(node, ast.arg) and node.arg == name)
        or (isinstance(node, ast.Name) and node.id == name)
    ]


def _places(code: str) -> Places:
    return Places(code.removeprefix(BOM), shift=1 if code.startswith(BOM) else 0)


def parse(code: str) -> ast.Module:
    """Return the cell's syntax tree, checked as Python's compiler checks it.

    Raises:
        CellError: it is not Python, or it is too long.
    """
    if len(code) > MAX_CODE:
        raise CellError(f"the cell has {len(code):,} characters; at most {MAX_CODE:,} are allowed")
    _refuse_characters(code)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code.removeprefix(BOM), filename="cell")
            compile(tree, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        raise _syntax_error(error, code) from error
    except (RecursionError, MemoryError) as error:
        raise CellError("the code is nested too deeply") from error
    except (ValueError, OverflowError) as error:
        raise CellError(str(error)) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            raise CellError(
                f"name what you import from {node.module}: with * nobody can tell the cell's inputs",
                *_places(code).of("from", spot_of(node)),
            )
    return tree


def _refuse_characters(code: str) -> None:
    """Refuse what no editor writes, at its place: null bytes and halves of characters."""
    match = re.search("[\0\ud800-\udfff]", code)
    if match is None:
        return
    before = re.split(r"\r\n|\n|\r", code[: match.start()])
    what = "a null byte" if match.group() == "\0" else "half of a character (a lone surrogate)"
    column = len(before[-1]) + 1
    raise CellError(f"the code holds {what}: remove it", len(before), column, column + 1)


def _syntax_error(error: SyntaxError, code: str) -> CellError:
    """Return a syntax error with its place, and in words that help those who paste from notebooks."""
    message = error.msg or "invalid syntax"
    line = error.lineno
    lines = re.split(r"\r\n|\n|\r", code)
    text = lines[line - 1] if line and line <= len(lines) else ""
    if _COMMAND.match(text):
        message = (
            "a notebook's command (% or !) is no Python: remove the line;"
            " packages are listed in the spell's requirements"
        )
    elif text.lstrip().startswith((">>> ", "... ")):
        message = "a console's prompt (>>>) is no Python: remove it"
    shift = 1 if line == 1 and code.startswith(BOM) else 0
    column = None if not error.offset or error.offset < 1 else error.offset + shift
    ends = column is not None and error.end_lineno == line and (error.end_offset or 0) > 0
    end = (error.end_offset or 0) + shift if ends else None
    return CellError(message, line, column, end if column and end and end > column else None)


def _entry(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the cell's one public function, when the rest are imports, types and private parts."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for place, statement in enumerate(tree.body):
        if isinstance(statement, _FUNCTION) and not statement.name.startswith("_"):
            if found is not None:
                return None
            found = statement
        elif not (_is_docstring(statement, place) or _is_private(statement) or _is_type(statement)):
            return None
    return found


def _is_type(statement: ast.stmt) -> bool:
    """Whether the statement only says what something is: a class, an alias, ``if TYPE_CHECKING``."""
    if isinstance(statement, ast.ClassDef) or type(statement).__name__ == "TypeAlias":
        return True
    if isinstance(statement, ast.AnnAssign):
        hint = statement.annotation
        return isinstance(hint, (ast.Name, ast.Attribute)) and _last(hint) == "TypeAlias"
    if isinstance(statement, ast.If):
        return (
            isinstance(statement.test, (ast.Name, ast.Attribute))
            and _last(statement.test) == "TYPE_CHECKING"
            and all(_is_private(each) or _is_type(each) for each in statement.body)
            and not statement.orelse
        )
    value = statement.value if isinstance(statement, ast.Assign) else None
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, (ast.Name, ast.Attribute))
        and _last(value.func) in _TYPE_MAKERS
    )


def _last(expression: ast.Name | ast.Attribute) -> str:
    return expression.id if isinstance(expression, ast.Name) else expression.attr


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


def _function_cell(
    entry: ast.FunctionDef | ast.AsyncFunctionDef,
    read: dict[str, Spot],
    hints: Hints,
    places: Places,
) -> Cell:
    """Return the cell whose inputs are the function's parameters and the names it lacks."""
    form: Form = "async function" if isinstance(entry, ast.AsyncFunctionDef) else "function"
    schema = hints.schema(entry.returns)
    if _yields(entry):
        form = "async generator" if form == "async function" else "generator"
        schema = hints.whole(entry.returns)
    parameters = _parameters(entry.args, hints, places)
    taken = {parameter.name for parameter in parameters}
    missing = tuple(
        CellInput(name, place=places.of(name, spot))
        for name, spot in read.items()
        if name not in taken
    )
    return Cell(
        form,
        (*parameters, *missing),
        (CellOutput(RESULT, schema, stream=form.endswith("generator")),),
        entry=entry.name,
        positional=tuple(argument.arg for argument in entry.args.posonlyargs),
        extra_inputs=entry.args.kwarg is not None,
    )


def _parameters(arguments: ast.arguments, hints: Hints, places: Places) -> tuple[CellInput, ...]:
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
        _parameter(argument, defaults[argument.arg], hints, places)
        for argument in every_argument(arguments)
        if argument.arg in defaults
    )


def _parameter(
    argument: ast.arg, default: ast.expr | None, hints: Hints, places: Places
) -> CellInput:
    stream = hints.is_stream(argument.annotation)
    schema = (hints.whole if stream else hints.schema)(argument.annotation)
    known, value = _literal(default)
    return CellInput(
        argument.arg,
        schema,
        required=default is None,
        has_default=known,
        default=value,
        parameter=True,
        stream=stream,
        place=places.of(argument.arg, spot_of(argument)),
    )


def _literal(default: ast.expr | None) -> tuple[bool, Any]:
    """Return whether a default is a JSON value that can be read, and that value."""
    if default is None:
        return False, None
    try:
        value = ast.literal_eval(default)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return False, None
    return (True, value) if _is_plain(value) else (False, None)


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
