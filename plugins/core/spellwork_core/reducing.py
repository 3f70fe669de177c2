"""``core.reduce``: make one value of a list, item by item."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field

from spellwork import CodeError, Context, Node, NodeError, Port, Ports, node
from spellwork_worker.cells import read_cell

from .body_ports import beside, for_body
from .iterating import TURN, of_item
from .mapping import CELL, INDEX, ITEM, arguments_of, further_inputs, only_value

ACCUMULATOR = "accumulator"

_GIVEN = frozenset({ACCUMULATOR, ITEM, INDEX})


def ports_of(reduce_node: Node) -> Ports:
    """Return the inputs, and those that its code needs besides ``accumulator``, ``item`` and ``index``."""
    if not reduce_node.code:
        return Ports(reduce.inputs, reduce.outputs)
    needed = further_inputs(reduce_node.code, {port.name for port in reduce.inputs} | _GIVEN)
    return Ports((*reduce.inputs, *needed), reduce.outputs)


def body_ports(reduce_node: Node, body: Ports | None, _fanned: frozenset[str]) -> Ports:
    """Return the inputs and those of the body that are the same for every item."""
    if body is None:
        return ports_of(reduce_node)
    missing = {ACCUMULATOR, ITEM} - {port.name for port in body.inputs}
    if missing:
        raise CodeError(
            f"the body needs the inputs 'accumulator' and 'item'; it lacks {', '.join(sorted(missing))}"
        )
    result = next_accumulator(body.outputs)
    outputs = (Port("result", result.schema, description="The last accumulator"),)
    return Ports(beside(body.inputs, reduce.inputs, _GIVEN), outputs)


def next_accumulator(outputs: tuple[Port, ...]) -> Port:
    """Return the output of a body that is the next accumulator: the one of that name, or the only one. Raises CodeError."""
    named = [port for port in outputs if port.name == ACCUMULATOR]
    if not named and len(outputs) != 1:
        raise CodeError("the body needs one output, or one named 'accumulator'")
    return named[0] if named else outputs[0]


@node(
    "core.reduce",
    title="Reduce a list",
    category="Flow",
    output="result",
    language="python",
    resolve=ports_of,
    body_ports=body_ports,
    keywords=("fold", "accumulate", "sum", "aggregate", "loop"),
    example={"items": [1, 2, 3], "initial": 0, "code": "accumulator + item"},
)
async def reduce(
    ctx: Context,
    items: list[Any],
    initial: Annotated[
        Any, Field(description="The accumulator to begin with; the first item without it")
    ] = None,
    **inputs: Any,
) -> Any:
    """One value made of a list, item by item, by a body or by Python that reads ``accumulator`` and ``item``.

    Each round reads ``accumulator`` (the value so far), ``item`` and ``index``,
    and gives the next accumulator. Without ``initial`` the first item is where it begins.
    """
    first = 0
    accumulator = initial
    if initial is None and items:
        first, accumulator = 1, items[0]
    step = _by_body(ctx, inputs) if ctx.body is not None else _by_code(ctx, inputs)
    for index in range(first, len(items)):
        if index % TURN == 0:  # what never waits would never let others have their turn
            await asyncio.sleep(0)
            ctx.progress(index / len(items), f"{index} of {len(items)}")
        try:
            accumulator = await step(accumulator, items[index], index)
        except NodeError as error:
            raise of_item(error, index) from error
    return accumulator


def _by_body(ctx: Context, inputs: dict[str, Any]) -> Any:
    body = ctx.body
    assert body is not None
    names = {port.name for port in body.inputs}
    same = for_body(inputs, body.inputs, reduce.inputs)
    result = next_accumulator(body.outputs).name

    async def step(accumulator: Any, item: Any, index: int) -> Any:
        given = {**same, ACCUMULATOR: accumulator, ITEM: item}
        if INDEX in names:
            given[INDEX] = index
        return (await body(given, index)).get(result)

    return step


def _by_code(ctx: Context, inputs: dict[str, Any]) -> Any:
    code = ctx.node.code
    if not code:
        raise NodeError(
            "say how items are put together: give the node a body or code",
            code="invalid_body",
            retryable=False,
        )
    cell = read_cell(code)

    async def step(accumulator: Any, item: Any, index: int) -> Any:
        given = {**inputs, ACCUMULATOR: accumulator, ITEM: item, INDEX: index}
        return only_value(await ctx.call(CELL, arguments_of(cell, given), code))

    return step
