"""``code.typescript``: a cell of TypeScript. Here it is only read; it runs in a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spellwork import Node, NodeError, Place, Port, Ports, node
from spellwork_worker.cells import RESULT, CellError

from .python import code_error

if TYPE_CHECKING:
    from .ts.reading import Cell


def ports_of(cell_node: Node) -> Ports:
    """Return the ports that a node's code has.

    Raises:
        CodeError: the code is not TypeScript.
    """
    return _read(cell_node).ports


def unit_of(cell_node: Node) -> dict[str, Any]:
    """Return what a worker needs to run a node's code, which it cannot read itself.

    Raises:
        CodeError: the code is not TypeScript.
    """
    return _read(cell_node).unit


def _read(cell_node: Node) -> Cell:
    from .ts.reading import read_cell  # noqa: PLC0415 - a server without TypeScript cells needs none

    try:
        return read_cell(cell_node.code or "")
    except CellError as error:
        raise code_error(error) from error


def places_of(code: str, name: str) -> tuple[Place, ...]:
    """Return every place in which a cell speaks of one of its inputs or outputs.

    Raises:
        CodeError: the code is not TypeScript.
    """
    from .ts.reading import mentions  # noqa: PLC0415 - see _read

    try:
        return mentions(code, name)
    except CellError as error:
        raise code_error(error) from error


@node(
    "code.typescript",
    title="TypeScript",
    category="Code",
    outputs=(Port(RESULT),),
    returns="ports",
    isolation="worker",
    language="typescript",
    resolve=ports_of,
    unit=unit_of,
    places=places_of,
    keywords=("cell", "script", "function", "expression", "arrow", "javascript", "code"),
    example={"code": "x * 2"},
)
def typescript(**inputs: Any) -> dict[str, Any]:  # noqa: ARG001 - it says that any input is taken
    """A cell of TypeScript: an expression, declarations, a function or a generator.

    Names it reads are its inputs, names it declares its outputs; ``ts.cells`` tells the
    forms. Its types become those of its ports. It runs in Deno, without any permission.
    """
    raise NodeError("a TypeScript cell runs in a worker only", code="no_worker", retryable=False)
