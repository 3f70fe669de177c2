"""Run a plan inside a node of another run: the same sink, places, steering and cancel."""

from __future__ import annotations

import asyncio

from .core import RunState
from .events import Sink
from .host import RunHost
from .loops import Loops
from .recall import Recall


async def carry_out(
    state: RunState,
    host: RunHost,
    sink: Sink | None,
    recall: Recall | None = None,
    *,
    owner: str = "",
    given: int = 0,
) -> None:
    """Run to its end what ``state`` is the beginning of. Await it within the call of a node.

    ``host`` is that of the nested run: it reports to the sink under the node's
    path, and its ``crew`` is the parent's, so that the nodes of both count
    together, and are paused, stepped and cancelled together. ``sink`` is told
    of the nested nodes, under the ids that they have in the nested plan.
    ``recall`` looks them up. ``owner`` is the path of the node it is inside of,
    and its first ``given`` steps are finished.
    """
    loops = Loops(state, host, sink, recall)
    if host.behind is not None:
        loops.begin_with(host.behind.ended, given)
    host.crew.count(state.plain)
    drivers = loops.make_drivers()
    drivers.nested = True
    host.crew.lend()
    host.crew.nest(owner, drivers)
    host.crew.turning -= 1
    try:
        await drivers.run()
    except asyncio.CancelledError:
        drivers.cancel(host.limits.cancel_grace)
        await drivers.until_over()
        raise
    finally:
        host.crew.turning += 1
        host.crew.unnest(owner, drivers)
        host.crew.take_back()
        state.drop_streams()
    if drivers.error is not None:
        raise drivers.error
