"""Flow: choose a way, bring ways together, wait, report, fail."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from spellwork import SKIP, Context, Node, NodeError, Port, Ports, node

from .compare import Operator, holds
from .naming import unique_names
from .templates import as_text

Ways = TypedDict("Ways", {"then": Any, "else": Any})

DEFAULT = "default"
"""The output of a switch for values that are none of its cases."""

MAX_CASES = 100
"""Outputs that a switch may have."""

MAX_DELAY = 86_400
"""Seconds a delay may last."""


@node(
    "core.if",
    title="If",
    category="Flow",
    keywords=("condition", "branch", "then", "else", "when", "choose"),
)
async def choose(
    value: Any,
    condition: Annotated[
        Any,
        Field(description="Holds unless it is false, null, 0, or an empty text, list or object"),
    ],
) -> Ways:
    """The value leaves by ``then`` when the condition holds, else by ``else``."""
    return {"then": value, "else": SKIP} if condition else {"then": SKIP, "else": value}


@node(
    "core.compare",
    title="Compare",
    category="Flow",
    output="holds",
    keywords=("equals", "greater", "condition", "less"),
)
async def compare(left: Any, operator: Operator = "equals", right: Any = None) -> bool:
    """Whether two values compare as asked."""
    return holds(left, operator, right)


def switch_ports(switch_node: Node) -> Ports:
    """Return an output per case, and the one for all else."""
    cases = switch_node.inputs.get("cases")
    names = _case_names(cases[:MAX_CASES] if isinstance(cases, list) else [])
    outputs = tuple(Port(name) for name in (*names, DEFAULT))
    return Ports(inputs=switch.inputs, outputs=outputs)


@node(
    "core.switch",
    title="Switch",
    category="Flow",
    outputs=(Port(DEFAULT),),
    returns="ports",
    resolve=switch_ports,
    keywords=("case", "route", "branch", "match"),
    example={"cases": ["yes", "no"]},
)
async def switch(
    value: Any,
    cases: Annotated[
        list[Any],
        Field(
            max_length=MAX_CASES,
            description="Typed in on the node: each gets an output of its name",
        ),
    ],
    payload: Annotated[
        Any, Field(description="What leaves; the value itself when nothing is given")
    ] = None,
) -> dict[str, Any]:
    """The value leaves by the output of the case that it equals, or by ``default``."""
    names = _case_names(cases)
    taken = next((name for name, case in zip(names, cases, strict=False) if case == value), DEFAULT)
    leaving = value if payload is None else payload
    return {name: leaving if name == taken else SKIP for name in (*names, DEFAULT)}


def _case_names(cases: list[Any]) -> list[str]:
    """Return the cases' output names: their texts, told apart where two would share one."""
    return unique_names([(as_text(case) or "empty")[:100] for case in cases], (DEFAULT,))


class Merged(TypedDict):
    """What a merge gives."""

    value: Any
    all: list[Any]


@node(
    "core.merge",
    title="Merge",
    category="Flow",
    many=("values",),
    waits="any",
    takes_handles=("values",),
    keywords=("join", "either", "first", "gather", "fallback"),
)
async def merge(values: list[Any]) -> Merged:
    """The ways that a choice parted, together again: the first value that came, and all that came."""
    if not values:
        raise NodeError("nothing came by any wire", port="values", retryable=False)
    return {"value": values[0], "all": list(values)}


@node(
    "core.fallback",
    title="Fallback",
    category="Flow",
    output="value",
    many=("values",),
    waits="any",
    takes_handles=("value", "values"),
    keywords=("otherwise", "error", "rescue", "default", "alternative", "coalesce", "catch", "try"),
)
async def fallback(
    value: Annotated[Any, Field(description="Tried first; null counts as nothing")] = None,
    values: Annotated[
        list[Any] | None,
        Field(
            description="Tried next: what its wires bring, in their order, else what is typed in"
        ),
    ] = None,
) -> Any:
    """The first value that came without failure and is not null: by ``value``, else by ``values``, in their order.

    Skipped when nothing came at all, and nothing is typed in.
    """
    if value is not None:
        return value
    return next((each for each in values or () if each is not None), None)


@node(
    "core.delay",
    title="Delay",
    category="Flow",
    output="value",
    cache="none",
    committed=False,
    keywords=("wait", "sleep", "pause", "timer"),
)
async def delay(
    ctx: Context,
    value: Any = None,
    seconds: Annotated[float, Field(ge=0, le=MAX_DELAY)] = 1.0,
) -> Any:
    """The value, some seconds later; if the run is interrupted meanwhile and goes on, counted from when it began."""
    left = seconds_left(ctx, seconds)
    ctx.progress(0.0, f"waiting {left:g} s")
    await asyncio.sleep(left)
    return value


def seconds_left(ctx: Context, seconds: float) -> float:
    """Return how much of a time is left that a call takes; of one that began before its run went on, less."""
    if ctx.begun_at is None:
        return seconds
    return round(min(seconds, max(0.0, ctx.begun_at + seconds - time.time())), 3)


@node(
    "core.debug",
    title="Debug log",
    category="Flow",
    output="value",
    cache="none",
    committed=False,
    keywords=("print", "console", "inspect"),
)
async def debug(
    ctx: Context,
    value: Any = None,
    label: str = "",
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> Any:
    """The value as it is, and written to the run's log."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    ctx.log(f"{label}: {text}"[:MAX_LOGGED] if label else text[:MAX_LOGGED], level)
    return value


MAX_LOGGED = 10_000
"""Characters of a value that the debug log shows."""


@node(
    "core.fail",
    title="Fail",
    category="Flow",
    output="value",
    cache="none",
    committed=False,
    keywords=("error", "raise", "stop", "assert"),
)
async def fail(
    message: str = "failed on purpose",
    value: Annotated[Any, Field(description="What goes on where it does not fail")] = None,
    unless: Annotated[Any, Field(description="Where this holds, it does not fail")] = None,
) -> Any:
    """A failure with this message; where ``unless`` holds, the value goes on."""
    if not unless:
        raise NodeError(message, code="failed", retryable=False)
    return value
