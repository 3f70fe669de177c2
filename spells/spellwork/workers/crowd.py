"""The processes of one worker and one language: who gets which, who waits, and what becomes of the dead."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .errors import WorkerDied, WorkerStopped
from .process import WorkerProcess
from .spec import WorkerSpec
from .turns import Turn

Starts = Callable[[WorkerSpec], Awaitable[WorkerProcess]]
"""Gives a process that has run no code yet: a spare one, or one that is started."""

LOOK = 0.25
"""Seconds between two looks of a call that waits at those it waits for."""

CLOSED = "the worker pool was closed"

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds until a process is started again after one died before it had done a call; doubling."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A turn that is waited for. It brings a process, or None: the right to start one, which is counted already."""

    turn: Turn
    come: asyncio.Future[WorkerProcess | None]


class Crowd:
    """Lends processes to calls, first come first served; one call at a time in each.

    A call whose values a process holds waits for that one. Where all that run only
    wait for streams, which the waiting call may have to fill, one more is started.
    """

    def __init__(self, starts: Starts, retire: Callable[[WorkerProcess], None]) -> None:
        self._starts = starts
        self._retire = retire
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Turn | None] = {}
        self._starting = 0
        self._waiting: deque[_Waiter] = deque()
        self._looks: asyncio.TimerHandle | None = None
        self._deaths = 0
        self._stops = 0
        self._not_before = 0.0

    @property
    def processes(self) -> list[WorkerProcess]:
        """All that live, those that were used last at the end."""
        return [*self._idle, *self._busy]

    @property
    def size(self) -> int:
        """How many live, or are about to."""
        return len(self._idle) + len(self._busy) + self._starting

    @property
    def idle(self) -> list[WorkerProcess]:
        """Those that nobody uses, those that were used last at the end."""
        return self._idle

    @property
    def running(self) -> int:
        """Calls under way."""
        return len(self._busy)

    @property
    def starting(self) -> int:
        """How many processes are on their way, or about to be."""
        return self._starting

    @property
    def waiting(self) -> int:
        """Calls that wait for a process."""
        return len(self._waiting)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self._idle or self._busy or self._starting or self._waiting)

    async def take(self, turn: Turn) -> WorkerProcess:
        """Return a process for one call, which has its place among all that run; ``give_back`` it after.

        Raises:
            WorkerDied: none came up.
            WorkerStopped: the worker was stopped meanwhile.
        """
        spec, holds = turn.spec, turn.holds
        worker = self._find(spec, holds)
        if worker is None:
            if self._may_start(spec, holds):
                self._starting += 1
            else:
                turn.waits()
                worker = await self._wait(turn)
        if worker is not None:
            self._busy[worker] = turn
        if not turn.admit_now():
            try:
                await turn.admit()
            except BaseException:
                self._return(worker)
                raise
        if worker is None:
            worker = await self._start(spec)
            self._busy[worker] = turn
        return worker

    def give_back(self, worker: WorkerProcess, *, keep: bool = True) -> bool:
        """Take a process back after its call; return whether it stays. One that is dead, or still busy, ends."""
        if worker not in self._busy:
            return False  # it was stopped
        del self._busy[worker]
        good = (
            keep and not worker.busy and not worker.has_left
        )  # whoever takes it sees that it lives
        if good:
            self._deaths = 0
            self._idle.append(worker)
        else:
            self._retire(worker)
        self._serve()
        return good

    def lend(self, worker: WorkerProcess) -> bool:
        """Take an idle process out for something that is no call; False when it is not idle."""
        if worker not in self._idle:
            return False
        self._idle.remove(worker)
        self._busy[worker] = None
        return True

    def drop(self, worker: WorkerProcess) -> None:
        """End a process that is idle."""
        if worker in self._idle:
            self._idle.remove(worker)
            self._retire(worker)
            self._serve()

    def stop(self) -> None:
        """End all processes; calls under way fail, and so do those that wait."""
        for worker in [*self._idle, *self._busy]:
            worker.stopped = True
            self._retire(worker)
        self._stops += 1
        self._idle.clear()
        self._busy.clear()
        self._deaths, self._not_before = 0, 0.0
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.come.done():
                waiter.come.set_exception(WorkerStopped())

    def close(self) -> None:
        """End all processes for good: calls fail as they do when theirs dies."""
        for worker in [*self._idle, *self._busy]:
            self._retire(worker)
        self._idle.clear()
        self._busy.clear()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.come.done():
                closed = WorkerDied(None, waiter.turn.spec.limits.memory_mb, CLOSED)
                waiter.come.set_exception(closed)

    def _find(self, spec: WorkerSpec, holds: str | None) -> WorkerProcess | None:
        """Return an idle process, the one that holds the values if there is one, and see that it lives."""
        for worker in reversed(self._idle):
            if holds is None or worker.process == holds:
                self._idle.remove(worker)
                if worker.alive and spec.fits(worker.spec or spec):
                    return worker
                self._retire(worker)
                return self._find(spec, holds)
        if holds is not None and all(each.process != holds for each in self._busy):
            return self._find(spec, None)
        return None

    def _may_start(self, spec: WorkerSpec, holds: str | None) -> bool:
        if holds is not None and any(each.process == holds for each in self._busy):
            return False
        return len(self._busy) + self._starting < spec.processes

    async def _wait(self, turn: Turn) -> WorkerProcess | None:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(turn, loop.create_future())
        self._waiting.append(waiter)
        if self._looks is None:
            self._looks = loop.call_later(LOOK, self._look)
        try:
            return await waiter.come
        except asyncio.CancelledError:
            come = waiter.come
            if come.done() and not come.cancelled() and come.exception() is None:
                self._return(come.result())
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _look(self) -> None:
        """Have a call that waits start one more process, where all that run only wait for streams."""
        self._looks = None
        if not self._waiting:
            return
        held_up = [turn is not None and turn.held_up for turn in self._busy.values()]
        if held_up and all(held_up) and not self._starting:
            for waiter in self._waiting:
                if waiter.turn.holds is None and not waiter.come.done():
                    self._starting += 1
                    waiter.come.set_result(None)
                    break
        self._looks = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _return(self, worker: WorkerProcess | None) -> None:
        """Take back what a call was given that is not there any more."""
        if worker is not None:
            self.give_back(worker)
        else:
            self._starting -= 1
            self._serve()

    def _serve(self) -> None:
        """Give processes, or the right to start one, to those that wait and can go on."""
        if not self._waiting:
            return
        for waiter in list(self._waiting):
            if waiter.come.done():
                continue
            turn = waiter.turn
            if not self._idle and len(self._busy) + self._starting >= turn.spec.processes:
                continue
            worker = self._find(turn.spec, turn.holds)
            if worker is not None:
                self._busy[worker] = turn
            elif self._may_start(turn.spec, turn.holds):
                self._starting += 1
            else:
                continue
            self._waiting.remove(waiter)
            waiter.come.set_result(worker)
            if worker is not None:
                turn.begin(worker)

    async def _start(self, spec: WorkerSpec) -> WorkerProcess:
        """Start a process; that it is under way is counted already."""
        loop, stops = asyncio.get_running_loop(), self._stops
        try:
            pause = self._not_before - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            worker = await self._starts(spec)
        except WorkerDied:
            self.note_death()
            raise
        finally:
            self._starting -= 1
            if self._waiting:
                loop.call_soon(self._serve)
        if self._stops != stops:  # it was stopped while its process began
            self._retire(worker)
            raise WorkerStopped
        worker.spec = spec
        return worker

    def note_death(self) -> None:
        """Wait longer and longer until the next start, while none does a call."""
        self._deaths += 1
        if self._deaths > 1:
            pause = min(FIRST_PAUSE * 2 ** (self._deaths - 2), LONGEST_PAUSE)
            self._not_before = asyncio.get_running_loop().time() + pause
