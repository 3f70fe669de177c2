"""``core.map``: do the same with every item of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import CodeError, Context, Node, NodeError, Port, Ports, node
from spellwork_worker.cells import RESULT, Cell, CellError, read_cell

MAX_AT_ONCE = 64
"""Items that may be under way at once."""

TURN = 16
"""Items after which others have their turn."""

CELL = "code.python"
"""The node type that runs a map's own code."""

_GIVEN = ("item", "index")


def ports_of(map_node: Node) -> Ports:
    """Return the map's inputs, and those that its code needs besides ``item`` and ``index``."""
    if not map_node.code:
        return Ports(each.inputs, each.outputs, extra_inputs=True)
    try:
        cell = read_cell(map_node.code)
    except CellError as error:
        raise CodeError(error.message, line=error.line or 1, column=error.column or 1) from error
    known = {port.name for port in each.inputs} | set(_GIVEN) | {_item_name(cell)}
    needed = tuple(
        Port(port.name, port.schema, required=port.required, default=port.default)
        for port in cell.inputs
        if port.name not in known
    )
    return Ports((*each.inputs, *needed), each.outputs, extra_inputs=True)


@node(
    "core.map",
    title="Map over a list",
    category="Flow",
    output="items",
    language="python",
    resolve=ports_of,
    keywords=("each", "loop", "for", "apply", "foreach"),
    example={"code": "item * 2"},
)
async def each(
    ctx: Context,
    items: list[Any],
    *,
    type: Annotated[
        str, Field(description="The node type to apply, when the node has no code")
    ] = "",
    input: Annotated[
        str, Field(description="The input that gets the item; code reads the name item")
    ] = "",
    output: Annotated[str, Field(description="The output to keep, when there are several")] = "",
    at_once: Annotated[int, Field(ge=1, le=MAX_AT_ONCE)] = 4,
    on_error: Annotated[
        Literal["fail", "null"], Field(description="What a failing item does")
    ] = "fail",
    **inputs: Any,
) -> list[Any]:
    """Every item of a list put through a node type or a line of Python, results in the same order.

    Code reads ``item`` and ``index``; a function gets the item as its first parameter.
    """
    job = _Job(ctx, items, _Application(ctx.node.code, type, input, output, inputs), on_error)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(job.work())
    if job.failure is not None:
        raise job.failure
    return job.results


class _Application:
    """What is done with each item."""

    def __init__(
        self, code: str | None, type: str, input: str, output: str, inputs: dict[str, Any]
    ) -> None:
        if not code and not type:
            raise NodeError(
                "say what to do with each item: give the node code, or name a node type",
                port="type",
                retryable=False,
            )
        self._code = code or None
        self._type = CELL if code else type
        self._input = input
        self._output = output
        self._inputs = inputs
        self._cell = read_cell(code) if code else None

    async def __call__(self, ctx: Context, index: int, item: Any) -> Any:
        """Return what comes of one item."""
        outputs = await ctx.call(self._type, self._arguments(index, item), self._code)
        if self._output:
            if self._output not in outputs:
                raise NodeError(
                    f"{self._type} has no output {self._output!r}; it has {', '.join(outputs)}",
                    port="output",
                )
            return outputs[self._output]
        if RESULT in outputs:
            return outputs[RESULT]
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _arguments(self, index: int, item: Any) -> dict[str, Any]:
        if self._cell is None:
            return {**self._inputs, self._input or "value": item}
        given = {
            "item": item,
            "index": index,
            **self._inputs,
            self._input or _item_name(self._cell): item,
        }
        names = {port.name for port in self._cell.inputs}
        return (
            given
            if self._cell.extra_inputs
            else {name: value for name, value in given.items() if name in names}
        )


class _Job:
    """The items of one map, taken one by one by several workers of the loop."""

    def __init__(self, ctx: Context, items: list[Any], apply: _Application, on_error: str) -> None:
        self.results: list[Any] = [None] * len(items)
        self.failure: NodeError | None = None
        self._ctx = ctx
        self._apply = apply
        self._on_error = on_error
        self._waiting: Iterator[tuple[int, Any]] = iter(enumerate(items))
        self._done = 0

    async def work(self) -> None:
        """Take items until none is left, or one failed."""
        for index, item in self._waiting:
            if index % TURN == 0:  # a call that never waits would never let others have their turn
                await asyncio.sleep(0)
            try:
                self.results[index] = await self._apply(self._ctx, index, item)
            except NodeError as error:
                if self._on_error == "fail":
                    self.failure = self.failure or _of_item(error, index)
                    return
                self._ctx.log(f"item {index}: {error.message}", "warning")
            if self.failure is not None:
                return
            self._done += 1
            self._ctx.progress(
                self._done / len(self.results), f"{self._done} of {len(self.results)}"
            )


def _of_item(error: NodeError, index: int) -> NodeError:
    """Return the item's error, saying which item it was."""
    details = {**error.details, "index": index}
    return NodeError(
        f"item {index}: {error.message}",
        code=error.code,
        details=details,
        retryable=error.retryable,
    )


def _item_name(cell: Cell) -> str:
    """Return the name under which the code takes the item."""
    names = [port.name for port in cell.inputs if port.parameter]
    return names[0] if names and "item" not in names else "item"
