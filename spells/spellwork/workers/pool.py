"""The pool: gives each call a worker of its key, and keeps a fresh one ready."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from spellwork.context import Context
from spellwork.step import Step
from spellwork_worker.confinement import Confinement
from spellwork_worker.frames import MAX_FRAME

from .directories import remove_abandoned
from .errors import WorkerDied
from .exchange import Exchange
from .lanes import Lanes
from .process import WorkerLimits, WorkerProcess
from .program import base_program

logger = logging.getLogger(__name__)


class WorkerPool:
    """An executor whose calls run in worker processes.

    A worker serves one key only, the canvas (or the run, where there is none), so
    that code of one canvas never shares a process with another's. One fresh worker
    waits in reserve. A call that is cancelled takes its worker down with it.

    Args:
        size: Calls of one key that may run at once; more wait, first come first served.
        memory_mb: Address space of one worker.
        idle: Seconds after which a worker that nobody calls is ended.
        total: Calls that may run at once in all; four times ``size`` unless given.
        max_frame: Bytes of one call's inputs, of one chunk, of one call's outputs.
    """

    def __init__(
        self,
        size: int = 2,
        memory_mb: int = 1024,
        idle: float = 120,
        *,
        total: int | None = None,
        max_frame: int = MAX_FRAME,
    ) -> None:
        self.size = size
        self.total = total or 4 * size
        self.limits = WorkerLimits(memory_mb=memory_mb, max_frame=max_frame)
        self.confinement: Confinement | None = None
        """What is closed to the workers' code; None until the first one is ready."""
        self._idle_for = idle
        self._lanes = Lanes(size)
        self._slots = asyncio.Semaphore(self.total)
        self._busy: set[WorkerProcess] = set()
        self._idle: OrderedDict[WorkerProcess, asyncio.TimerHandle] = OrderedDict()
        self._spare: WorkerProcess | None = None
        self._spawning = False
        self._starting = 0
        self._tasks: asyncio.TaskGroup
        self._stack = AsyncExitStack()
        self._open = False

    async def __aenter__(self) -> Self:
        """Open the pool; the spare worker starts in the background."""
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._open = True
        self._refill()
        await asyncio.to_thread(remove_abandoned)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill every worker and wait until all are gone."""
        self._open = False
        for timer in self._idle.values():
            timer.cancel()
        leftover = {*self._busy, *self._idle, *([self._spare] if self._spare else [])}
        self._busy, self._idle, self._spare = set(), OrderedDict(), None
        for worker in leftover:
            self._retire(worker)
        await self._stack.aclose()

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes of each key, and those in reserve under ""."""
        found: dict[str, list[int]] = {}
        for worker in [*self._busy, *self._idle, *([self._spare] if self._spare else [])]:
            found.setdefault(worker.key or "", []).append(worker.pid)
        return found

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry the call out in a worker and return its outputs by port.

        Raises:
            NodeError: see ``errors.py``.
        """
        if not self._open:
            raise RuntimeError("the worker pool is not open")
        exchange = Exchange(step, inputs, context, self.limits)
        key = context.canvas or context.run_id
        async with self._lanes.enter(key), self._slots:
            worker = await self._take(key)
            try:
                return await exchange.run(worker)
            finally:
                self._give_back(worker)

    async def _take(self, key: str) -> WorkerProcess:
        """Return a worker of the key: an idle one, the spare, or a new one."""
        for worker in reversed(self._idle):
            if worker.key == key:
                self._idle.pop(worker).cancel()
                if worker.alive:
                    self._busy.add(worker)
                    return worker
                self._retire(worker)
                return await self._take(key)
        while len(self._busy) + self._starting + len(self._idle) >= self.total and self._idle:
            worker, timer = self._idle.popitem(last=False)
            timer.cancel()
            self._retire(worker)
        fresh, self._spare = self._spare, None
        if fresh is not None and not fresh.alive:
            self._retire(fresh)
            fresh = None
        fresh = fresh or await self._start()
        fresh.key = key
        self._busy.add(fresh)
        self._refill()
        return fresh

    async def _start(self) -> WorkerProcess:
        """Start a worker for a call that waits; it counts from now on."""
        self._starting += 1
        try:
            fresh = await WorkerProcess.start(base_program(), self.limits)
        finally:
            self._starting -= 1
        self._note(fresh.confinement)
        if not self._open:
            await fresh.end()
            raise WorkerDied(None, self.limits.memory_mb, "the worker pool was closed")
        return fresh

    def _give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker that finished its call for the next one; end any other."""
        self._busy.discard(worker)
        if not self._open:
            return  # whoever closed the pool ends it
        if worker.busy or not worker.alive:
            self._retire(worker)
            return
        loop = asyncio.get_running_loop()
        self._idle[worker] = loop.call_later(self._idle_for, self._expire, worker)

    def _expire(self, worker: WorkerProcess) -> None:
        if self._idle.pop(worker, None) is not None:
            self._retire(worker)

    def _retire(self, worker: WorkerProcess) -> None:
        """Kill a worker now, and clean up after it in the background."""
        worker.kill()
        self._tasks.create_task(worker.end(), name="end of a worker")

    def _refill(self) -> None:
        """Start a spare worker in the background unless there is one."""
        if self._open and self._spare is None and not self._spawning:
            self._spawning = True
            self._tasks.create_task(self._start_spare(), name="start of a spare worker")

    async def _start_spare(self) -> None:
        try:
            spare = await WorkerProcess.start(base_program(), self.limits)
        except Exception:  # noqa: BLE001 - the next call starts its own worker and reports what is wrong
            return
        finally:
            self._spawning = False
        self._note(spare.confinement)
        if self._open and self._spare is None:
            self._spare = spare
        else:
            await spare.end()

    def _note(self, confinement: Confinement) -> None:
        """Keep what a worker said of its confinement; warn of what is open, once."""
        if confinement == self.confinement:
            return
        self.confinement = confinement
        if not confinement.whole:
            opened = [
                words
                for closed, words in (
                    (confinement.files, "the server's files and secrets"),
                    (confinement.network, "the network"),
                    (confinement.signals, "other processes"),
                )
                if not closed
            ]
            logger.warning(
                "Python on a canvas can reach %s: %s", ", ".join(opened), confinement.reason
            )
