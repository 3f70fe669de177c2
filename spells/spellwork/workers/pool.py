"""The pool: gives each call a process of its worker, and keeps fresh ones ready."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from spellwork.context import Context
from spellwork.step import Step
from spellwork_worker.confinement import Confinement
from spellwork_worker.frames import MAX_FRAME

from .broker import Broker
from .crowd import CLOSED, Crowd
from .deno import in_language
from .directories import remove_abandoned
from .errors import NotConfined, WorkerDied, WorkerStopped
from .exchange import Exchange
from .limits import WorkerLimits
from .orphans import Orphans
from .process import WorkerProcess
from .program import Program, base_program
from .sandbox import LayeredSandbox
from .spec import Counts, WorkerLog, WorkerSpec
from .turns import CallTurn, Places, Turn

logger = logging.getLogger(__name__)

Finds = Callable[[Step, Context], Awaitable[WorkerSpec]]
"""Says which worker carries out a call; raises NodeError where none may."""

ANSWER_SECONDS = 10.0
"""How long a process that runs nothing may take to answer."""


class WorkerPool:
    """An executor whose calls run in worker processes.

    A process serves one worker only: that of the canvas (or the run, where there is
    none) unless ``find`` says another, so that code of one never shares a process with
    another's. Fresh processes wait in reserve. A call that is cancelled takes its
    process down with it.

    Args:
        size: Calls of one worker that may run at once; more wait, first come first served.
        memory_mb: Address space of one process.
        idle: Seconds after which a process that nobody calls, and that holds no values, is ended.
        total: Calls that may run at once in all; eight times ``size`` unless given.
        max_frame: Bytes of one call's inputs, of one chunk, of one call's outputs.
        limits: All of a worker's limits, in place of ``memory_mb`` and ``max_frame``.
        sandbox: Where workers are started; by default in all that the machine offers.
        broker: Makes the connections that canvases were granted, and answers what code asks.
        unconfined: What code may reach where the machine does not close it: "files", "network".
        find: Finds the worker of a call.
        heartbeat: Seconds between two looks whether processes that run nothing still answer.
        records: A folder for the ids of processes, by which the next pool ends those left over.
    """

    def __init__(
        self,
        size: int = 1,
        memory_mb: int = 1024,
        idle: float = 120,
        *,
        total: int | None = None,
        max_frame: int = MAX_FRAME,
        limits: WorkerLimits | None = None,
        sandbox: LayeredSandbox | None = None,
        broker: Broker | None = None,
        unconfined: Collection[str] = (),
        find: Finds | None = None,
        heartbeat: float = 15,
        records: Path | None = None,
    ) -> None:
        self.size = size
        self.total = total or 8 * size
        self.limits = limits or WorkerLimits(memory_mb=memory_mb, max_frame=max_frame)
        self._sandbox = sandbox
        self._broker = broker
        self._unconfined = frozenset(unconfined)
        self.confinement: Confinement | None = None
        """What is closed to the workers' code; None until the first one is ready."""
        self.find: Finds = find or self._own
        self.on_change: Callable[[str], None] = lambda _worker: None
        """Told the worker in which a process began or ended, or a call did."""
        self._idle_for = idle
        self._heartbeat = heartbeat
        self._orphans = None if records is None else Orphans(records)
        self._places = Places(self.total)
        self._crowds: dict[tuple[str, str], Crowd] = {}
        self._resting: dict[WorkerProcess, float] = {}
        """Since when a process does nothing, in the order of that."""
        self._rests: asyncio.TimerHandle | None = None
        """Looks whether the first of them has rested too long."""
        self._logs: dict[str, WorkerLog] = {}
        self._counts: dict[str, Counts] = {}
        self._passing: set[str] = set()
        """Workers of single runs, of which nothing is kept once their processes are gone."""
        self._warm: Counter[str] = Counter()
        self._programs: dict[str, Program] = {}
        self._spares: dict[str, WorkerProcess] = {}
        self._spawning: set[str] = set()
        self._beat: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup
        self._stack = AsyncExitStack()
        self._open = False

    async def __aenter__(self) -> Self:
        """Open the pool; the first spare process starts in the background."""
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._open = True
        if self._orphans is not None:
            for pid in await asyncio.to_thread(self._orphans.reap):
                logger.warning("ended process %d, which a server that is gone left behind", pid)
        self.keep_warm(base_program())
        self._beat = self._tasks.create_task(self._look_after(), name="heartbeat of workers")
        await asyncio.to_thread(remove_abandoned)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill every process and wait until all are gone."""
        self._open = False
        if self._beat is not None:
            self._beat.cancel()
        if self._rests is not None:
            self._rests.cancel()
        self._warm.clear()
        for crowd in self._crowds.values():
            crowd.close()
        for spare in self._spares.values():
            self._retire(spare)
        self._crowds, self._spares = {}, {}
        await self._stack.aclose()

    # What is there

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes of each worker, and those in reserve under ""."""
        found: dict[str, list[int]] = {}
        for (worker, _), crowd in self._crowds.items():
            if crowd.processes:
                found.setdefault(worker, []).extend(each.pid for each in crowd.processes)
        for spare in self._spares.values():
            found.setdefault("", []).append(spare.pid)
        return found

    def counts(self, worker: str) -> Counts:
        """Return what happened in a worker, and what goes on in it."""
        counts = self._counts.get(worker) or Counts()
        crowds = [crowd for (id, _), crowd in self._crowds.items() if id == worker]
        counts.running = sum(each.running for each in crowds)
        counts.waiting = sum(each.waiting for each in crowds)
        counts.starting = sum(each.starting for each in crowds)
        counts.pids = [process.pid for crowd in crowds for process in crowd.processes]
        return counts

    def note_restart(self, worker: str) -> None:
        """Count that somebody started a worker anew."""
        self._counts.setdefault(worker, Counts()).restarts += 1

    def confinement_of(self, worker: str) -> dict[str, Any] | None:
        """Return what is closed to the code of a worker; of one without processes what was so of the last."""
        for (id, _), crowd in self._crowds.items():
            if id == worker and crowd.processes:
                return msgspec.structs.asdict(crowd.processes[-1].confinement)
        return None if self.confinement is None else msgspec.structs.asdict(self.confinement)

    def log(self, worker: str) -> WorkerLog:
        """Return the log of a worker, to read it and to add to it."""
        log = self._logs.get(worker)
        if log is None:
            log = self._logs[worker] = WorkerLog()
        return log

    # Calls

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry the call out in a process of its worker and return its outputs by port.

        Raises:
            NodeError: see ``errors.py``.
        """
        if not self._open:
            raise RuntimeError("the worker pool is not open")
        spec = in_language(await self.find(step, context), step.type.language)
        if spec.program.language != "python" and spec.program.key not in self._warm:
            self.keep_warm(spec.program)
        exchange = Exchange(step, inputs, context, spec.limits, self._broker)
        crowd = self._crowd(spec)
        if spec.id == context.run_id:
            self._passing.add(spec.id)

        turn = CallTurn(spec, self._places, exchange, context, self._unconfined)
        worker = await self._take(crowd, turn)
        counts = self._counts.get(spec.id) or self._counts.setdefault(spec.id, Counts())
        self._resting.pop(worker, None)
        self.on_change(spec.id)
        try:
            if opened := worker.confinement.open_ways(self._unconfined):
                raise NotConfined(opened, worker.confinement.reason)
            counts.calls += 1
            return await exchange.run(worker)
        except WorkerDied as error:
            counts.failures += 1
            if worker.stopped:
                raise WorkerStopped from error
            counts.restarts += 1
            self.log(spec.id).add(error.message, "error")
            raise
        finally:
            turn.end()
            self._give_back(crowd, spec, worker)

    async def _take(self, crowd: Crowd, turn: Turn) -> WorkerProcess:
        try:
            return await crowd.take(turn)
        except BaseException:
            turn.end()
            if (
                turn.spec.id in self._passing
            ):  # not at once: how long the next start waits is kept there
                loop = asyncio.get_running_loop()
                loop.call_later(self._idle_for, self._tidy, turn.spec.id, crowd)
            raise

    async def ensure(self, spec: WorkerSpec) -> None:
        """Have a process of a worker ready, unless one is. Raises WorkerDied when none comes up."""
        crowd = self._crowd(spec)
        if crowd.processes:
            return
        turn = Turn(spec, self._places)
        worker = await self._take(crowd, turn)
        turn.end()
        self._give_back(crowd, spec, worker)

    def stop(self, worker: str) -> None:
        """End the processes of a worker; its calls fail with ``worker_stopped``, those that wait too."""
        for crowd in [crowd for key, crowd in self._crowds.items() if key[0] == worker]:
            crowd.stop()
            self._tidy(worker, crowd)
        self.on_change(worker)

    def forget(self, worker: str) -> None:
        """Stop a worker that is no more, and forget its log and counts."""
        self.stop(worker)
        self._passing.discard(worker)
        self._logs.pop(worker, None)
        self._counts.pop(worker, None)

    # Processes in reserve

    def keep_warm(self, program: Program) -> None:
        """Keep a process of a program in reserve, until ``let_cool`` was called as often."""
        self._warm[program.key] += 1
        self._programs[program.key] = program
        self._refill(program)

    def let_cool(self, program: Program) -> None:
        """Keep none in reserve any more, unless somebody else wants it."""
        self._warm[program.key] -= 1
        if self._warm[program.key] <= 0:
            del self._warm[program.key], self._programs[program.key]
            spare = self._spares.pop(program.key, None)
            if spare is not None:
                self._retire(spare)

    def _refill(self, program: Program) -> None:
        key = program.key
        if self._open and key not in self._spares and key not in self._spawning:
            self._spawning.add(key)
            self._tasks.create_task(self._start_spare(program), name="start of a spare worker")

    async def _start_spare(self, program: Program) -> None:
        try:
            spare = await self._spawn(program, self.limits)
        except Exception as error:  # noqa: BLE001 - the next call starts its own and reports what is wrong
            logger.info("no spare worker process: %s", error)
            return
        finally:
            self._spawning.discard(program.key)
        if self._open and program.key in self._warm and program.key not in self._spares:
            self._spares[program.key] = spare
        else:
            self._retire(spare)

    # Processes of workers

    async def _own(self, _step: Step, context: Context) -> WorkerSpec:
        """Find the worker of a call where nobody else does: each canvas has one, in the base environment."""
        return WorkerSpec(context.canvas or context.run_id, base_program(), self.limits, self.size)

    def _crowd(self, spec: WorkerSpec) -> Crowd:
        key = (spec.id, spec.program.language)
        crowd = self._crowds.get(key)
        if crowd is None:
            crowd = self._crowds[key] = Crowd(self._starts, self._retire)
        return crowd

    async def _starts(self, spec: WorkerSpec) -> WorkerProcess:
        """Return a fresh process for a worker: the spare one, or a new one."""
        self._make_room()
        fresh: WorkerProcess | None = None
        if spec.limits == self.limits:
            fresh = self._spares.pop(spec.program.key, None)
        if fresh is not None and not fresh.alive:
            self._retire(fresh)
            fresh = None
        try:
            if fresh is None:
                self.on_change(spec.id)
                fresh = await self._spawn(spec.program, spec.limits)
        except WorkerDied as error:
            self.log(spec.id).add(error.message, "error")
            raise
        if not self._open:
            if self._orphans is not None:
                self._orphans.forget(fresh.pid)
            await fresh.end()
            raise WorkerDied(None, spec.limits.memory_mb, CLOSED)
        if spec.program.key in self._warm:
            self._refill(spec.program)
        self._counts.setdefault(spec.id, Counts()).started += 1
        self.log(spec.id).add(f"process {fresh.pid} began")
        return fresh

    async def _spawn(self, program: Program, limits: WorkerLimits) -> WorkerProcess:
        fresh = await WorkerProcess.start(program, limits, self._sandbox, self._broker)
        self._note(fresh.confinement)
        if self._orphans is not None:
            self._orphans.note(fresh.pid)
        return fresh

    def _make_room(self) -> None:
        """End the process that was idle longest, where there are as many as may be."""
        while self._resting and sum(each.size for each in self._crowds.values()) > self.total:
            free = [worker for worker in self._resting if not worker.holds_values]
            if not free:
                return
            self._drop(free[0])

    def _give_back(self, crowd: Crowd, spec: WorkerSpec, worker: WorkerProcess) -> None:
        if not self._open:
            return  # whoever closed the pool ends it
        if crowd.give_back(worker):
            if worker in crowd.idle:
                worker.on_raw = self.log(spec.id).add
                self._rest(worker)
        else:
            self._tidy(spec.id, crowd)
        self.on_change(spec.id)

    def _rest(self, worker: WorkerProcess) -> None:
        """End a process when it has done nothing for long; one timer looks after all of them."""
        loop = asyncio.get_running_loop()
        self._resting.pop(worker, None)
        self._resting[worker] = loop.time()
        if self._rests is None:
            self._rests = loop.call_later(self._idle_for, self._end_resting)

    def _end_resting(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for worker in [each for each, at in self._resting.items() if at + self._idle_for <= now]:
            if worker.holds_values:
                del self._resting[worker]
                self._resting[worker] = now
            else:
                self._drop(worker)
        self._rests = None
        if self._resting:
            first = next(iter(self._resting.values()))
            self._rests = loop.call_at(first + self._idle_for, self._end_resting)

    def _drop(self, worker: WorkerProcess) -> None:
        self._resting.pop(worker, None)
        for key, crowd in list(self._crowds.items()):
            if worker in crowd.idle:
                crowd.drop(worker)
                self._tidy(key[0], crowd)
                self.on_change(key[0])

    def _tidy(self, worker: str, crowd: Crowd) -> None:
        """Keep no crowd in which nothing is; nor, of a single run's worker without any, its log and counts."""
        if not crowd.is_empty:
            return
        for key in [key for key, each in self._crowds.items() if each is crowd]:
            del self._crowds[key]
        if worker in self._passing and all(id != worker for id, _ in self._crowds):
            self._passing.discard(worker)
            self._logs.pop(worker, None)
            self._counts.pop(worker, None)

    def _retire(self, worker: WorkerProcess) -> None:
        """Kill a process now, and clean up after it in the background."""
        self._resting.pop(worker, None)
        worker.kill()
        if self._orphans is not None:
            self._orphans.forget(worker.pid)
        self._tasks.create_task(worker.end(), name="end of a worker")

    # Heartbeats

    async def _look_after(self) -> None:
        """See now and then that processes that run nothing still answer; replace those that do not."""
        while True:
            await asyncio.sleep(self._heartbeat)
            await self.check()

    async def check(self) -> int:
        """Ask every process that runs nothing whether it is there; return how many were not, and ended."""
        silent = 0
        for program in list(self._programs.values()):
            spare = self._spares.pop(program.key, None)
            if spare is not None and await spare.answers(ANSWER_SECONDS) and self._open:
                self._spares.setdefault(program.key, spare)
            elif spare is not None:
                silent += 1
                self._retire(spare)
            self._refill(program)
        for (worker, _), crowd in list(self._crowds.items()):
            for process in list(crowd.idle):
                if not crowd.lend(process):
                    continue
                answered = await process.answers(ANSWER_SECONDS)
                if not answered:
                    silent += 1
                    self.log(worker).add("a process did not answer, and was ended", "error")
                    self._counts.setdefault(worker, Counts()).restarts += 1
                crowd.give_back(process, keep=answered)
                self._tidy(worker, crowd)
        return silent

    # Confinement

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
