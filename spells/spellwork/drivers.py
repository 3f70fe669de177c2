"""The tasks that carry a run: few, and none for a node that returns at once.

A driver is a task that takes steps off the ready queue and awaits each call in
place. A call that returns without suspending costs no more than the ``await``.
When a call suspends, its driver is suspended with it, and ``_Watched`` (which
stands between the driver and its task) sees that and starts further drivers
for what else is ready. So a node's first step runs in the very task that
carries it on: ``asyncio.timeout``, task groups and anyio's scopes, which ask
for the current task, work as in any coroutine.

Rejected: stepping coroutines by hand with ``send(None)`` and carrying on those
that wait in a task of their own. It needs an exception caught for each node
(dearer than the ``await``), and the first step would run under another task
than the rest.

The tasks are kept here and not in a ``TaskGroup``, which waits for its
children for ever: a run must end within a second of its cancel even when a
node swallows the cancellation. Such a task is given up, with a warning.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any

from .core import RunState
from .crew import Crew

logger = logging.getLogger(__name__)

SPAWN = 2
"""Drivers started when one suspends: a wide layer of waiting nodes is under way after a few turns of the loop."""

CANCEL_AGAIN = 0.1
"""Seconds between two cancels of a driver that does not end."""


class Drivers:
    """Starts, counts and ends the drivers of one run. ``drive`` makes the coroutine of one."""

    def __init__(
        self, state: RunState, drive: Callable[[], Coroutine[Any, Any, None]], crew: Crew
    ) -> None:
        self._state = state
        self.crew = crew
        self.ready = state.ready
        self._drive = drive
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        """Drivers that have not begun: each will take one of what is ready."""
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._give_up_at = 0.0
        self.cancelling = False
        self.nested = False
        """Whether this run is inside a node of another."""
        self.error: BaseException | None = None
        self.on_wait: Callable[[], None] | None = None
        """Called whenever a driver suspends."""
        self._context = copy_context()
        """That of whoever made the run: a driver that is started while a node works has none of that node's."""

    async def run(self) -> None:
        """Carry the run to its end: nothing ready, nothing held, no driver left."""
        if not self.cancelling:
            if self not in self.crew.members:
                self.crew.join(self)
            self.wake()
            self.settle()
        await asyncio.shield(self._over)

    @property
    def over(self) -> bool:
        """Whether the run is at its end."""
        return self._over.done()

    @property
    def at_work(self) -> int:
        """How many drivers there are: each has a node under way, or is about to."""
        return len(self._tasks)

    @property
    def reading(self) -> int:
        """How many of its nodes wait for what comes next in a stream of another."""
        return self._state.reading()

    def wake(self) -> None:
        """Start a driver when something is ready, and none more can be at work than allowed."""
        if self._state.ready and self._room() > 0:
            self._spawn()

    def _room(self) -> float:
        """Return how many more drivers there may be."""
        return self.crew.free + self._state.beyond

    def _spawn(self) -> None:
        self.crew.free -= 1
        self._starting += 1
        task = self._loop.create_task(_watch(self), context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def suspended(self) -> None:
        """Take it that a driver waits in a node: let others go on with what is ready."""
        for _ in range(min(SPAWN, len(self._state.ready) - self._starting)):
            if self._room() > 0:
                self._spawn()

    def waits(self) -> None:
        """Tell that a driver suspends; where that raises, the run ends, and what the driver is in is cancelled."""
        assert self.on_wait is not None
        try:
            self.on_wait()
        except Exception as error:  # noqa: BLE001 - a sink may raise anything: it ends the run
            self._stumble(error)

    def new(self) -> Coroutine[Any, Any, None]:
        """Return the coroutine of a driver, which begins."""
        self._starting -= 1
        return self._drive()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.crew.free += 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stumble(error)
        if not self._tasks:
            if self._state.ready:
                self.wake()
            elif self._may_finish():
                self._finish()
        if self.crew.limited:
            self.crew.wake()
        if self.crew.waits:
            self.crew.look()

    def _stumble(self, error: BaseException) -> None:
        """End the run with what a driver, or who is told of it, raised."""
        if self.error is None:
            self.error = error
            self.cancel(CANCEL_AGAIN)

    def _finish(self) -> None:
        self.crew.leave(self)
        if self._timer is not None:
            self._timer.cancel()
        if not self._over.done():
            self._over.set_result(None)

    def settle(self) -> None:
        """End the run when nothing is at work: called where the last hold went with nothing ready."""
        if not self._tasks and not self._state.ready and self._may_finish():
            self._finish()

    def _may_finish(self) -> bool:
        """Say whether a run with nothing at work and nothing ready is over; one that is paused waits for its end.

        A nested one does not: its node is under way, and goes on to where something is held.
        """
        return self._state.held is None or (self.nested and not self._state.held)

    def hold(self) -> None:
        """Let no further step start until ``let_go``."""
        self._state.hold()

    def let_go(self) -> None:
        """Go on after ``hold``."""
        self._state.let_go()
        self.wake()
        self.settle()

    def look_again(self) -> None:
        """Look at what is held: the crew lets one of it start."""
        self._state.look_again()
        self.wake()

    async def until_over(self) -> None:
        """Wait for the end of a run that was cancelled, which comes by itself, whatever else is cancelled meanwhile."""
        while not self.over:
            try:
                await self.run()
            except asyncio.CancelledError:
                continue

    def cancel(self, grace: float) -> None:
        """Cancel every driver; whoever is not gone after ``grace`` seconds is given up."""
        if not self.cancelling:
            self.cancelling = True
            self._give_up_at = self._loop.time() + grace
        self._state.drop()
        self._cancel_all()

    def _cancel_all(self) -> None:
        if not self._tasks:
            self._finish()
            return
        if self._loop.time() >= self._give_up_at:
            logger.warning(
                "%d nodes did not end when they were cancelled; they are given up", len(self._tasks)
            )
            self._finish()
            return
        for task in list(self._tasks):
            task.cancel()
        self._timer = self._loop.call_later(CANCEL_AGAIN, self._cancel_all)


async def _watch(drivers: Drivers) -> None:
    await _Watched(drivers)


class _Watched:
    """Awaits a driver, and tells ``drivers`` whenever it suspends."""

    __slots__ = ("_drivers",)

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def __await__(self) -> Generator[Any, Any, None]:
        drivers = self._drivers
        driver = drivers.new()
        advance: Callable[[Any], Any] = driver.send
        argument: Any = None
        ready = drivers.ready
        while True:
            try:
                waited_for = advance(argument)
            except StopIteration:
                return
            if drivers.on_wait is not None:
                drivers.waits()
            if ready:
                drivers.suspended()
            try:
                argument = yield waited_for
                advance = driver.send
            except BaseException as error:  # noqa: BLE001 - handed on to the driver, whatever it is
                argument = error
                advance = driver.throw
