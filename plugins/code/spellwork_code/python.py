"""``code.python``: a cell of Python. Here it is only read; it runs in a worker."""

from __future__ import annotations

from typing import Any

from spellwork import CodeError, Node, NodeError, Port, Ports, node
from spellwork_worker.cells import RESULT, CellError, CellInput, read_cell


def ports_of(cell_node: Node) -> Ports:
    """Return the ports that a node's code has.

    Raises:
        CodeError: the code is not Python.
    """
    try:
        cell = read_cell(cell_node.code or "")
    except CellError as error:
        raise CodeError(error.message, line=error.line or 1, column=error.column or 1) from error
    return Ports(
        inputs=tuple(_input(port) for port in cell.inputs),
        outputs=tuple(Port(port.name, port.schema, stream=port.stream) for port in cell.outputs),
        extra_inputs=cell.extra_inputs,
    )


def _input(port: CellInput) -> Port:
    return Port(
        port.name, port.schema, required=port.required, default=port.default, stream=port.stream
    )


@node(
    "code.python",
    title="Python",
    category="Code",
    outputs=(Port(RESULT),),
    returns="ports",
    isolation="worker",
    language="python",
    resolve=ports_of,
    keywords=("cell", "script", "function", "expression", "lambda", "code"),
    example={"code": "x * 2"},
)
def python(**inputs: Any) -> dict[str, Any]:  # noqa: ARG001 - it says that any input is taken
    """A cell of Python: an expression, statements, a function or a generator.

    Names it reads are its inputs, names it binds its outputs; ``spellwork_worker.cells``
    tells the forms. Worker pools know this node by its language and run its code.
    """
    raise NodeError("a Python cell runs in a worker only", code="no_worker", retryable=False)
