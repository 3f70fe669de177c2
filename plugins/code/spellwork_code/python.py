"""``code.python``: a cell of Python. Here it is only read; it runs in a worker."""

from __future__ import annotations

import builtins
from typing import Any

from spellwork import CodeError, Node, NodeError, Place, Port, Ports, Remark, node
from spellwork_worker.cells import RESULT, CellError, CellInput, CellOutput, mentions, read_cell
from spellwork_worker.spots import CellPlace


def ports_of(cell_node: Node) -> Ports:
    """Return the ports that a node's code has.

    Raises:
        CodeError: the code is not Python.
    """
    try:
        cell = read_cell(cell_node.code or "")
    except CellError as error:
        raise code_error(error) from error
    return Ports(
        inputs=tuple(_input(port) for port in cell.inputs),
        outputs=tuple(_output(port) for port in cell.outputs),
        extra_inputs=cell.extra_inputs,
        remarks=tuple(
            Remark(
                "shadows_builtin",
                f"{port.name!r} is a name of Python's own: other cells that read it get Python's, not this one",
                _place(port.place),
            )
            for port in cell.outputs
            if port.place is not None and hasattr(builtins, port.name)
        ),
    )


def places_of(code: str, name: str) -> tuple[Place, ...]:
    """Return every place in which a cell speaks of one of its inputs or outputs.

    Raises:
        CodeError: the code is not Python.
    """
    try:
        return tuple(Place(*place) for place in mentions(code, name))
    except CellError as error:
        raise code_error(error) from error


def code_error(error: CellError) -> CodeError:
    """Return what the engine makes a problem of."""
    return CodeError(
        error.message,
        line=error.line or 1,
        column=error.column or 1,
        end_column=error.end_column,
    )


def _input(port: CellInput) -> Port:
    return Port(
        port.name,
        port.schema,
        required=port.required,
        default=port.default,
        stream=port.stream,
        place=_place(port.place),
    )


def _output(port: CellOutput) -> Port:
    return Port(port.name, port.schema, stream=port.stream, place=_place(port.place))


def _place(place: CellPlace | None) -> Place | None:
    return None if place is None else Place(*place)


@node(
    "code.python",
    title="Python",
    category="Code",
    outputs=(Port(RESULT),),
    returns="ports",
    isolation="worker",
    language="python",
    resolve=ports_of,
    places=places_of,
    keywords=("cell", "script", "function", "expression", "lambda", "code"),
    example={"code": "x * 2"},
)
def python(**inputs: Any) -> dict[str, Any]:  # noqa: ARG001 - it says that any input is taken
    """A cell of Python: an expression, statements, a function or a generator.

    Names it reads are its inputs, names it binds its outputs; ``spellwork_worker.cells``
    tells the forms. Worker pools know this node by its language and run its code.
    """
    raise NodeError("a Python cell runs in a worker only", code="no_worker", retryable=False)
