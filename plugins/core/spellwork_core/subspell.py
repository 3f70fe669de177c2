"""``core.spell``: a spell as a node of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from spellwork import CodeError, Context, Node, NodeError, Port, Ports, node

from .body_ports import beside, for_body
from .iterating import MAX_AT_ONCE, Iterations, OnError, Order, list_of, typed_in

RESULTS = "results"
"""The output of one that fans out, where its results are one list of objects."""

ERRORS = "errors"


def spell_ports(spell_node: Node, body: Ports | None, fanned: frozenset[str]) -> Ports:
    """Return the ports of the spell that the node runs; lists in the place of what fans out."""
    if body is None:
        raise CodeError("say which spell it runs")
    given = (
        replace(port, schema=list_of(port.schema), default=None) if port.name in fanned else port
        for port in body.inputs
    )
    inputs = beside(given, subspell.inputs)
    if not fanned:
        return Ports(inputs, body.outputs)
    merge = typed_in(spell_node, "merge", "lists")
    if merge == "results":
        outputs: tuple[Port, ...] = (Port(RESULTS, list_of(object_of(body.outputs))),)
    else:
        outputs = tuple(replace(port, schema=list_of(port.schema)) for port in body.outputs)
    if typed_in(spell_node, "on_error", "fail") == "collect":
        outputs = (*outputs, Port(ERRORS, list_of({"type": "object"})))
    return Ports(inputs, outputs)


def object_of(ports: tuple[Port, ...]) -> dict[str, Any]:
    """Return the schema of an object with a field for each port."""
    return {"type": "object", "properties": {port.name: port.schema for port in ports}}


@node(
    "core.spell",
    title="Spell",
    category="Spells",
    returns="ports",
    outputs=(),
    body_ports=spell_ports,
    fans_out=True,
    keywords=("subspell", "workflow", "call", "reuse", "nested", "subgraph", "canvas"),
)
async def subspell(
    ctx: Context,
    *,
    merge: Annotated[
        str,
        Field(
            pattern="^(lists|results)$",
            description="A list per output, or one list of objects",
        ),
    ] = "lists",
    at_once: Annotated[
        int,
        Field(ge=1, le=MAX_AT_ONCE, description="Items under way at once, where it runs for each"),
    ] = 4,
    order: Order = "items",
    on_error: OnError = "fail",
    **inputs: Any,
) -> dict[str, Any]:
    """Another spell, run as a node of this one. A list for an input that takes none runs it for each item."""
    if ctx.body is None:
        raise NodeError("say which spell it runs", code="invalid_body", retryable=False)
    given = for_body(inputs, ctx.body.inputs, subspell.inputs)
    fanned = ctx.body.fanned
    if not fanned:
        return await ctx.body(given)
    lists = {name: given[name] for name in sorted(fanned) if name in given}
    lengths = {name: len(items) for name, items in lists.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise NodeError(
            f"lists that are gone through together are of one length: {told}",
            code="invalid_input",
            port=next(iter(lists), None),
            retryable=False,
        )
    same = {name: value for name, value in given.items() if name not in lists}

    async def one(index: int) -> dict[str, Any]:
        items = {name: values[index] for name, values in lists.items()}
        return await ctx.body({**same, **items}, index)  # type: ignore[misc]

    done = await Iterations(ctx, one, on_error).run(next(iter(lengths.values())), at_once)
    results = done.results(order)
    outputs: dict[str, Any] = (
        {RESULTS: results}
        if merge == "results"
        else {
            port.name: [None if each is None else each.get(port.name) for each in results]
            for port in ctx.body.outputs
        }
    )
    return outputs | ({ERRORS: done.errors} if on_error == "collect" else {})
