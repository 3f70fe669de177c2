"""``core.while``: run a body again and again, while a condition holds and at most so often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from spellwork import CodeError, Context, Node, NodeError, Port, Ports, node
from spellwork.paths import PathError, pick, read_path
from spellwork_worker.cells import read_cell

from .body_ports import beside, for_body
from .compare import Operator, holds
from .iterating import TURN
from .mapping import CELL, INDEX, arguments_of, further_inputs, only_value

AGAIN = "again"
"""The output of a body that says whether there is another round."""

MAX_ROUNDS = 100_000
"""The most that ``at_most`` may be."""

_TOLD = (
    Port("rounds", {"type": "integer"}, description="How often the body ran"),
    Port("capped", {"type": "boolean"}, description="Whether at_most ended it, not the condition"),
)


def body_ports(while_node: Node, body: Ports | None, _fanned: frozenset[str]) -> Ports:
    """Return the body's inputs, as they are in the first round, and its outputs as the last round left them."""
    if body is None:
        raise CodeError("say which body it repeats")
    carried = carried_by(body.inputs, body.outputs)
    inputs = beside(body.inputs, repeat.inputs, {INDEX})
    if while_node.code:
        names = {port.name for port in (*inputs, *body.inputs)} | {INDEX}
        inputs = (*inputs, *further_inputs(while_node.code, names))
    names = {port.name for port in _TOLD}
    outputs = tuple(
        port if port.name not in carried else replace(port, description="As the last round left it")
        for port in body.outputs
        if port.name != AGAIN and port.name not in names
    )
    return Ports(inputs, (*outputs, *_TOLD))


def carried_by(inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> dict[str, str]:
    """Return {output: the input that gets it in the next round}: those of one name, or the only two there are."""
    names = [port.name for port in inputs if port.name != INDEX]
    given = [port.name for port in outputs if port.name != AGAIN]
    same = {name: name for name in given if name in names}
    if not same and len(given) == 1 and len(names) == 1:
        return {given[0]: names[0]}
    return same


@node(
    "core.while",
    title="While",
    category="Flow",
    outputs=_TOLD,
    returns="ports",
    language="python",
    body_ports=body_ports,
    keywords=("loop", "repeat", "until", "again", "iterate"),
    example={"at_most": 10},
)
async def repeat(
    ctx: Context,
    *,
    at_most: Annotated[
        int, Field(ge=1, le=MAX_ROUNDS, description="Rounds after which it ends in any case")
    ],
    path: Annotated[
        str,
        Field(description="What the comparison looks at: a value of the round, like n or n.count"),
    ] = "",
    operator: Annotated[
        Operator | None,
        Field(
            description="Goes on while this holds; the body's output again, or code, decide else"
        ),
    ] = None,
    right: Annotated[Any, Field(description="What the comparison compares with")] = None,
    **inputs: Any,
) -> dict[str, Any]:
    """A body, run while a condition holds, at most so often; each round gets what the one before left.

    What an output leaves goes into the input of its name. The condition is, by
    what there is: the body's output ``again``, asked after each round; the
    node's code, asked before each round, which reads what the round would get
    and ``index``; the comparison, asked likewise. Without any it runs ``at_most`` times.
    """
    if ctx.body is None:
        raise NodeError("say which body it repeats", code="invalid_body", retryable=False)
    body = ctx.body
    own = repeat.inputs
    state = for_body(inputs, body.inputs, own)
    numbered = any(port.name == INDEX for port in body.inputs)
    carried = carried_by(body.inputs, body.outputs)
    asked = any(port.name == AGAIN for port in body.outputs)
    condition = _Condition(ctx, inputs, path, operator, right)
    outputs: dict[str, Any] = {out: state[name] for out, name in carried.items() if name in state}
    rounds, capped = 0, True
    while rounds < at_most:
        if not asked and not await condition.holds(state, rounds):
            capped = False
            break
        if rounds % TURN == 0:  # what never waits would never let others have their turn
            await asyncio.sleep(0)
            ctx.progress(None, f"round {rounds + 1}")
        outputs = await body({**state, INDEX: rounds} if numbered else state, rounds)
        rounds += 1
        state = state | {carried[name]: outputs[name] for name in carried if name in outputs}
        if asked and not outputs.get(AGAIN):
            capped = False
            break
    else:
        if not asked and condition.given and not await condition.holds(state, rounds):
            capped = False
    if rounds:
        ctx.progress(None, f"{rounds} {'round' if rounds == 1 else 'rounds'}")
    if capped and (asked or condition.given):
        ctx.log(f"ended after {rounds} rounds, as many as are allowed", "warning")
    told = {"rounds": rounds, "capped": capped}
    return {name: value for name, value in outputs.items() if name != AGAIN} | told


class _Condition:
    """What is asked before a round: code, or a comparison."""

    def __init__(
        self, ctx: Context, inputs: dict[str, Any], path: str, operator: Operator | None, right: Any
    ) -> None:
        self.given = bool(ctx.node.code) or operator is not None
        self._ctx = ctx
        self._inputs = inputs
        self._code = ctx.node.code
        self._cell = read_cell(self._code) if self._code else None
        self._path = path
        self._operator = operator
        self._right = right

    async def holds(self, state: dict[str, Any], index: int) -> bool:
        """Say whether there is to be a round with this state."""
        if self._cell is not None:
            given = arguments_of(self._cell, {**self._inputs, **state, INDEX: index})
            return bool(only_value(await self._ctx.call(CELL, given, self._code)))
        if self._operator is not None:
            return holds(self._left(state), self._operator, self._right)
        return True

    def _left(self, state: dict[str, Any]) -> Any:
        if not self._path:
            return next(iter(state.values()), None) if len(state) == 1 else state
        try:
            return pick(state, read_path(self._path))
        except PathError as error:
            raise NodeError(str(error), port="path", retryable=False) from error
