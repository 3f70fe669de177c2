"""Reads a TypeScript cell: its form, its inputs and its outputs.

======================  ========================================================
form                    a cell that is
======================  ========================================================
``expression``          one expression; its value is the output ``result``
``declarations``        anything else; every name its top level declares is an output,
                        and a last line that is an expression is ``result`` too
``function``            one public function, however it is written (beside imports,
                        types and ``_private`` parts): its parameters are inputs,
                        what it returns is ``result``
``async function``      the same with ``async``
``generator``           the same with ``function*``: ``result`` is a stream
``async generator``     the same with ``async function*``, or with a return type such
                        as ``AsyncIterable<T>``
======================  ========================================================

In every form a name that is read but bound nowhere is an input. Names that begin
with ``_``, imports, types and loop variables stay inside the cell. ``export`` is
allowed, and means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spellwork.ports import Place, Port
from spellwork_worker.cells import RESULT, CellError

from .imports import check_imports
from .names import Names, names_of
from .parameters import Parameters, parameters_of
from .patterns import (
    DECLARING,
    TYPES_ONLY,
    VARIABLES,
    declaration_of,
    declarators,
    field,
    names_declared,
)
from .syntax import Source
from .types import Types

if TYPE_CHECKING:
    from tree_sitter import Node

Form = Literal[
    "expression", "declarations", "function", "async function", "generator", "async generator"
]
_EXPRESSED = frozenset({"arrow_function", "function_expression", "generator_function"})
_FUNCTIONS = _EXPRESSED | {"function_declaration", "generator_function_declaration"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A cell with its syntax tree.

    ``free`` are the names it lacks, ``implied`` those that it assigns and declares nowhere.
    ``last`` is the expression that is the result, ``entry`` the function to call in the
    function forms, both as nodes of ``source``. ``forms`` says what is made of inputs whose
    types say more than JSON, see ``types``; ``mentions`` are the places of each name.
    """

    source: Source
    form: Form
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    free: tuple[str, ...]
    implied: tuple[str, ...]
    mentions: dict[str, list[Place]]
    last: Node | None = None
    entry: Node | None = None
    parameters: Parameters | None = None
    forms: dict[str, Any] | None = None
    extra_inputs: bool = False


def parse_cell(code: str) -> Parsed:
    """Return what the cell is.

    Raises:
        CellError: it is not TypeScript, it is too long, or it has what has no place in a cell.
    """
    source = Source(code)
    try:
        return _read(source)
    except RecursionError as error:
        raise CellError("the code is nested too deeply") from error


def _read(source: Source) -> Parsed:
    statements = [each for each in source.root.named_children if each.type not in TYPES_ONLY]
    _check(source, statements)
    entry = _entry(source, statements)
    names = names_of(source, entry)
    types = Types(source)
    if entry is not None:
        return _function_cell(source, entry, names, types)
    inputs, forms = _free_inputs(names, types)
    last = _last(statements)
    if len(statements) == 1 and last is not None and not names.bound:
        form: Form = "expression"
        outputs: dict[str, Port] = {}
    else:
        form = "declarations"
        outputs = _outputs(source, statements, names, types)
    if last is not None:
        outputs[RESULT] = Port(RESULT, place=source.place(last))
    return Parsed(
        source,
        form,
        tuple(inputs.values()),
        tuple(outputs.values()),
        tuple(names.read),
        tuple(names.implied),
        names.mentions,
        last=last,
        forms=forms,
    )


def _check(source: Source, statements: list[Node]) -> None:
    check_imports(source)
    for statement in statements:
        if statement.type == "return_statement":
            raise source.error(
                "`return` stands in no function; end with the value itself", statement
            )
        if statement.type == "export_statement" and declaration_of(statement) is statement:
            raise source.error(
                "a cell exports no list: its top-level names are its outputs", statement
            )


def _last(statements: list[Node]) -> Node | None:
    """Return the expression of the last statement, or what it exports by default."""
    if not statements:
        return None
    last = statements[-1]
    if last.type == "expression_statement":
        return last.named_children[0] if last.named_children else None
    return field(last, "value") if last.type == "export_statement" else None


def _free_inputs(names: Names, types: Types) -> tuple[dict[str, Port], dict[str, Any]]:
    """Return the inputs that a cell's free names are, with their forms."""
    inputs: dict[str, Port] = {}
    forms: dict[str, Any] = {}
    for name, place in names.read.items():
        annotation = names.annotated.get(name)
        stream = types.is_stream(annotation)
        meaning = types.whole(annotation) if stream else types.of(annotation)
        inputs[name] = Port(
            name, meaning.schema, required=not meaning.optional, stream=stream, place=place
        )
        if meaning.form is not None:
            forms[name] = meaning.form
    return inputs, forms


def _outputs(source: Source, statements: list[Node], names: Names, types: Types) -> dict[str, Port]:
    typed: dict[str, Node] = {}
    for statement in statements:
        declaration = declaration_of(statement)
        for declarator in declarators(declaration) if declaration.type in VARIABLES else ():
            name, annotation = field(declarator, "name"), field(declarator, "type")
            if name is not None and annotation is not None and name.type == "identifier":
                typed[source.text(name)] = annotation
    return {
        name: Port(name, types.of(typed.get(name)).schema, place=place)
        for name, place in names.bound.items()
    }


def _entry(source: Source, statements: list[Node]) -> Node | None:
    """Return the cell's one public function, when the rest are imports and private parts."""
    found: Node | None = None
    for place, statement in enumerate(statements):
        if _is_private(source, statement) or (place == 0 and _is_directive(statement)):
            continue
        function = _function_in(statement)
        if function is None or found is not None:
            return None
        found = function
    return found


def _function_in(statement: Node) -> Node | None:
    """Return the function that a statement is, names or exports."""
    declaration = declaration_of(statement)
    if declaration.type in _FUNCTIONS:
        return declaration
    if declaration.type == "expression_statement" and declaration.named_children:
        inner = declaration.named_children[0]
        if inner.type == "parenthesized_expression" and inner.named_child_count == 1:
            inner = inner.named_children[0]
        return inner if inner.type in _EXPRESSED else None
    if declaration.type in VARIABLES:
        parts = declarators(declaration)
        value = field(parts[0], "value") if len(parts) == 1 else None
        name = field(parts[0], "name") if parts else None
        if value is not None and name is not None and name.type == "identifier":
            return value if value.type in _EXPRESSED else None
    return None


def _is_directive(statement: Node) -> bool:
    return (
        statement.type == "expression_statement"
        and bool(statement.named_children)
        and statement.named_children[0].type == "string"
    )


def _is_private(source: Source, statement: Node) -> bool:
    """Whether the statement is an import, or declares only names that begin with ``_``."""
    if statement.type == "import_statement":
        return True
    declaration = declaration_of(statement)
    if declaration.type in VARIABLES or declaration.type in DECLARING:
        names = list(names_declared(declaration))
        return bool(names) and all(source.text(name).startswith("_") for name in names)
    return False


def _function_cell(source: Source, entry: Node, names: Names, types: Types) -> Parsed:
    """Return the cell whose inputs are the function's parameters and the names it lacks."""
    parameters = parameters_of(source, entry, types)
    free, forms = _free_inputs(names, types)
    returns = field(entry, "return_type")
    form = _form_of(entry)
    streams = form.endswith("generator")
    if not streams and types.is_stream(returns):
        form, streams = "async generator", True
    meaning = types.whole(returns) if streams else types.of(returns)
    missing = {name: port for name, port in free.items() if name not in parameters.ports}
    return Parsed(
        source,
        form,
        (*parameters.ports.values(), *missing.values()),
        (Port(RESULT, meaning.schema, stream=streams, place=_place(source, entry)),),
        tuple(names.read),
        tuple(names.implied),
        names.mentions,
        entry=entry,
        parameters=parameters,
        forms=forms | parameters.forms,
        extra_inputs=parameters.extra,
    )


def _place(source: Source, entry: Node) -> Place:
    """Return where the function's name stands, or its beginning."""
    name = field(entry, "name")
    if name is None and entry.parent is not None and entry.parent.type == "variable_declarator":
        name = field(entry.parent, "name")
    return source.place(name or entry)


def _form_of(entry: Node) -> Form:
    waits = any(child.type == "async" for child in entry.children)
    if entry.type.startswith("generator"):
        return "async generator" if waits else "generator"
    return "async function" if waits else "function"
