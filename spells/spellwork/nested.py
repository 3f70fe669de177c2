"""Run a plan inside a node of another run: the same sink, places, steering and cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .core import RunState
from .drivers import Drivers
from .errors import InputRejected
from .events import Sink
from .host import RunHost
from .loops import Loops
from .plan import Plan
from .recall import Recall

CANCEL_GRACE = 0.8
"""Seconds that nodes of a nested run get to end after a cancel."""


async def run_nested(
    plan: Plan,
    host: RunHost,
    sink: Sink | None,
    inputs: Mapping[str, Any] | None = None,
    *,
    grace: float = CANCEL_GRACE,
) -> RunState:
    """Run a plan to its end and return where it then stands. Await it within the call of a node.

    ``host`` is that of the nested run: it reports to the sink under the node's
    path, and its ``crew`` is the parent's, so that the nodes of both count
    together, and are paused, stepped and cancelled together. ``sink`` is told
    of the nested nodes, under the ids that they have in the nested plan.
    ``inputs``, by ``NODE.PORT``, take the place of values typed in there.

    Raises:
        InputRejected: for an input that is not there, or is wired.
    """
    state = RunState(plan)
    for key, value in (inputs or {}).items():
        place(state, key, value)
    await carry_out(state, host, sink, grace)
    return state


async def carry_out(
    state: RunState,
    host: RunHost,
    sink: Sink | None,
    grace: float = CANCEL_GRACE,
    recall: Recall | None = None,
) -> None:
    """Run to its end what ``state`` is the beginning of; see ``run_nested``. ``recall`` looks its nodes up."""
    loops = Loops(state, host, sink, recall)
    watched = sink is not None or recall is not None or host.caller.measures
    host.crew.count(state.plain)
    drivers = loops.drivers = Drivers(state, loops.told if watched else loops.quiet, host.crew)
    drivers.nested = True
    host.crew.lend()
    try:
        await drivers.run()
    except asyncio.CancelledError:
        drivers.cancel(grace)
        await drivers.until_over()
        raise
    finally:
        host.crew.take_back()
        state.drop_streams()
    if drivers.error is not None:
        raise drivers.error


def place(state: RunState, key: str, value: Any) -> None:
    """Put a value into the slot of the input ``NODE.PORT``, for this run alone; it is not checked."""
    node, _, port = key.partition(".")
    index = state.plan.index.get(node)
    slot = None if index is None else state.program.constant(index, port)
    if slot is None:
        raise InputRejected(f"there is no input {key!r} without a wire", port=port)
    state.values[slot] = value
