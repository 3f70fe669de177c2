"""``core.map``: do the same with every item of a list."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import CodeError, Context, Node, NodeError, Port, Ports, node
from spellwork.context import Body
from spellwork_worker.cells import RESULT, Cell, CellError, read_cell

from .body_ports import beside, for_body
from .iterating import MAX_AT_ONCE, Iterations, OnError, Order, list_of, typed_in

CELL = "code.python"
"""The node type that runs a map's own code."""

ITEM, INDEX = "item", "index"
"""What each round is given, by the names that code and bodies know."""

ERRORS = "errors"


def ports_of(map_node: Node) -> Ports:
    """Return the map's inputs, and those that its code needs besides ``item`` and ``index``."""
    outputs = (*each.outputs, *_errors_port(map_node))
    own = meant(each.inputs, map_node, None)
    if not map_node.code:
        return Ports(own, outputs, extra_inputs=True)
    needed = further_inputs(map_node.code, {port.name for port in each.inputs} | {ITEM, INDEX})
    return Ports((*own, *needed), outputs, extra_inputs=True)


def meant(inputs: tuple[Port, ...], map_node: Node, body: Ports | None) -> tuple[Port, ...]:
    """Return the inputs but those of the map that mean nothing to it as it is; what is typed in stays."""
    if body is not None:
        idle = {"type"}
        if len(body.outputs) < 2:
            idle |= {"output", "merge"}
        if len(body.inputs) < 2 or any(port.name == ITEM for port in body.inputs):
            idle |= {"input"}
    else:
        idle = {"type", "input", "output", "merge"} if map_node.code else {"merge"}
    idle -= set(map_node.inputs)
    return tuple(port for port in inputs if port.name not in idle)


def further_inputs(code: str, known: set[str]) -> tuple[Port, ...]:
    """Return the inputs that a node's code needs besides those that are known. Raises CodeError."""
    try:
        cell = read_cell(code)
    except CellError as error:
        raise CodeError(error.message, line=error.line or 1, column=error.column or 1) from error
    return tuple(
        Port(port.name, port.schema, required=port.required, default=port.default)
        for port in cell.inputs
        if port.name not in known | {item_name(cell)}
    )


def body_ports(map_node: Node, body: Ports | None, _fanned: frozenset[str]) -> Ports:
    """Return the map's inputs and those of its body that are the same for every item, and its lists."""
    if body is None:
        return ports_of(map_node)
    item = item_input(typed_in(map_node, "input", ""), body.inputs)
    inputs = beside(body.inputs, each.inputs, {item, INDEX})
    if typed_in(map_node, "merge", "results") == "lists":
        outputs = tuple(Port(port.name, list_of(port.schema)) for port in body.outputs)
    else:
        outputs = (Port("items", list_of(_result_schema(map_node, body))),)
    return Ports(meant(inputs, map_node, body), (*outputs, *_errors_port(map_node)))


def item_input(named: str, inputs: tuple[Port, ...]) -> str:
    """Return which input of a body gets the item: that named, ``item``, or the only (required) one. Raises CodeError."""
    names = [port.name for port in inputs]
    if named:
        if named in names:
            return named
        raise CodeError(f"the body has no input {named!r}; it has {', '.join(names) or 'none'}")
    if ITEM in names:
        return ITEM
    others = [port for port in inputs if port.name != INDEX]
    required = [port.name for port in others if port.required]
    if len(required) == 1 or len(others) == 1:
        return required[0] if required else others[0].name
    raise CodeError(
        f"say by 'input' which input of the body gets the item: {', '.join(names) or 'it has none'}"
    )


def _result_schema(map_node: Node, body: Ports) -> dict[str, Any]:
    kept = typed_in(map_node, "output", "")
    chosen = [port for port in body.outputs if not kept or port.name == kept]
    if len(chosen) == 1:
        return chosen[0].schema
    return {"type": "object", "properties": {port.name: port.schema for port in chosen}}


def _errors_port(map_node: Node) -> tuple[Port, ...]:
    if typed_in(map_node, "on_error", "fail") != "collect":
        return ()
    return (Port(ERRORS, list_of({"type": "object"})),)


@node(
    "core.map",
    title="Map over a list",
    category="Flow",
    outputs=(Port("items", {"type": "array"}),),
    returns="ports",
    language="python",
    resolve=ports_of,
    body_ports=body_ports,
    keywords=("each", "loop", "for", "apply", "foreach", "iterate", "group", "subspell"),
    example={"code": "item * 2"},
)
async def each(
    ctx: Context,
    items: list[Any],
    *,
    type: Annotated[
        str, Field(description="The node type to apply, when the node has no code and no body")
    ] = "",
    input: Annotated[
        str, Field(description="The input that gets the item; code reads the name item")
    ] = "",
    output: Annotated[str, Field(description="The output to keep, when there are several")] = "",
    at_once: Annotated[
        int, Field(ge=1, le=MAX_AT_ONCE, description="Items under way at once, at most")
    ] = 4,
    order: Order = "items",
    on_error: OnError = "fail",
    merge: Annotated[
        Literal["results", "lists"],
        Field(description="With a body: one list of results, or a list per output"),
    ] = "results",
    **inputs: Any,
) -> dict[str, Any]:
    """Every item of a list put through a group, a spell, a node type, or Python that reads ``item``.

    A body and code read ``item`` and ``index`` by inputs of these names; a
    function gets the item as its first parameter.
    """
    if ctx.body is not None:
        return await _over_body(
            ctx, ctx.body, items, input, output, at_once, order, on_error, merge, inputs
        )
    apply = _Application(ctx.node.code, type, input, output, inputs)

    async def one(index: int) -> Any:
        return await apply(ctx, index, items[index])

    done = await Iterations(ctx, one, on_error).run(len(items), at_once)
    return {"items": done.results(order)} | _collected(done, on_error)


def _collected(done: Iterations, on_error: str) -> dict[str, Any]:
    return {ERRORS: done.errors} if on_error == "collect" else {}


async def _over_body(
    ctx: Context,
    body: Body,
    items: list[Any],
    input: str,
    output: str,
    at_once: int,
    order: str,
    on_error: str,
    merge: str,
    inputs: dict[str, Any],
) -> dict[str, Any]:
    same = for_body(inputs, body.inputs, each.inputs)
    item = item_input(input, body.inputs)
    numbered = any(port.name == INDEX for port in body.inputs) and item != INDEX
    names = [port.name for port in body.outputs]

    async def one(index: int) -> dict[str, Any]:
        given = {**same, item: items[index]}
        if numbered:
            given[INDEX] = index
        return await body(given, index)

    done = await Iterations(ctx, one, on_error).run(len(items), at_once)
    results = done.results(order)
    outputs: dict[str, Any]
    if merge == "lists":
        outputs = {
            name: [None if each is None else each.get(name) for each in results] for name in names
        }
    elif output or len(names) == 1:
        kept = output or names[0]
        outputs = {"items": [None if each is None else each.get(kept) for each in results]}
    else:
        outputs = {"items": results}
    return outputs | _collected(done, on_error)


class _Application:
    """What is done with each item where there is no body."""

    def __init__(
        self, code: str | None, type: str, input: str, output: str, inputs: dict[str, Any]
    ) -> None:
        if not code and not type:
            raise NodeError(
                "say what to do with each item: give the node a body or code, or name a node type",
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
        return only_value(outputs)

    def _arguments(self, index: int, item: Any) -> dict[str, Any]:
        if self._cell is None:
            return {**self._inputs, self._input or "value": item}
        given = {
            ITEM: item,
            INDEX: index,
            **self._inputs,
            self._input or item_name(self._cell): item,
        }
        return arguments_of(self._cell, given)


def arguments_of(cell: Cell, given: dict[str, Any]) -> dict[str, Any]:
    """Return of what is given that which the code reads."""
    if cell.extra_inputs:
        return given
    names = {port.name for port in cell.inputs}
    return {name: value for name, value in given.items() if name in names}


def only_value(outputs: dict[str, Any]) -> Any:
    """Return the value that a node's outputs mean: ``result``, the only one, else all of them."""
    if RESULT in outputs:
        return outputs[RESULT]
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


def item_name(cell: Cell) -> str:
    """Return the name under which the code takes the item."""
    names = [port.name for port in cell.inputs if port.parameter]
    return names[0] if names and ITEM not in names else ITEM
