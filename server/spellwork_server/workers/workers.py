"""All workers of this server: what was set of them, what they are doing, and what is asked of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

from spellwork import Context
from spellwork.errors import NodeError
from spellwork.requirements import in_packages
from spellwork.step import Step
from spellwork.workers import WorkerPool
from spellwork.workers.environments import Environments, base_environment
from spellwork.workers.limits import WorkerLimits
from spellwork.workers.program import Program
from spellwork.workers.spec import Counts, LogLine, WorkerSpec
from spellwork_server.errors import NotFound
from spellwork_server.identity import Actor
from spellwork_server.packs.allowed import normal
from spellwork_server.packs.workers import EnvironmentFailed as PacksFailed
from spellwork_server.packs.workers import PackSource, Resolved
from spellwork_server.rooms import Rooms
from spellwork_server.rooms.committed import Committed
from spellwork_server.rooms.room import Publishes, Room
from spellwork_server.settings import Settings
from spellwork_server.storage.workers import Choice, WorkerRecord, WorkerRecords

from .errors import EnvironmentFailed, StoppedWorker, WorkerNotAllowed
from .meters import Meter, Meters
from .naming import PackageNames, base_packages
from .provisioning import Provisioning, Wanted, read_lock
from .views import (
    State,
    WorkerEnvironment,
    WorkerLimitsView,
    WorkerLine,
    WorkerMetrics,
    WorkerView,
)

logger = logging.getLogger(__name__)

QUIET = 0.5
"""Seconds without a further edit of requirements after which they are installed."""

TOLD_EVERY = 0.2
"""Seconds between two things that tabs are told of one worker."""

LOOK_EVERY = 3.0
"""Seconds between two looks at what the processes use."""

CLEAN_EVERY = 3_600.0


class _Worker:
    """One worker in memory."""

    def __init__(self, record: WorkerRecord, provisioning: Provisioning) -> None:
        self.record = record
        self.provisioning = provisioning
        self.starting = 0
        self.fault: str | None = None
        self.waiting_lines: list[LogLine] = []
        self.timer: asyncio.TimerHandle | None = None
        self.edited: asyncio.TimerHandle | None = None
        self.warm: WorkerSpec | None = None
        self.seen: dict[str, str] | None = None


class _Found(NamedTuple):
    """The worker of a canvas's calls, and what its packages are known by."""

    spec: WorkerSpec
    packages: str


class Workers:
    """The workers of canvases, as an async context manager. A canvas's own has the canvas's id.

    ``pool`` asks it for the worker of each call.
    """

    def __init__(
        self,
        records: WorkerRecords,
        pool: WorkerPool,
        environments: Environments,
        rooms: Rooms,
        channels: Publishes,
        settings: Settings,
        find_actor: Callable[[str], Awaitable[Actor | None]],
        access: Callable[[str], Awaitable[object]],
    ) -> None:
        self._records = records
        self.pool = pool
        self._environments = environments
        self._rooms = rooms
        self._channels = channels
        self._settings = settings
        self._find_actor = find_actor
        self._access = access
        self._choices: dict[str, Choice] = {}
        self._workers: dict[str, _Worker] = {}
        self._opening = asyncio.Lock()
        self._specs: dict[str, _Found] = {}
        self._names = PackageNames()
        self._without: set[str] = set()
        """Canvases that are known to have no record of a worker."""
        self._allowed: dict[str, str] = {}
        """The run for which was last asked whether a canvas may use the shared worker it was put on."""
        self.meters = Meters()
        self.on_move: Callable[[str], None] = lambda _canvas: None
        """Told each canvas that is on another worker now."""
        self.on_remove: Callable[[str], Awaitable[None]] = nothing_more
        """Asked to let go of what else is kept of a worker that is removed."""
        self._tasks: asyncio.TaskGroup
        self._stack = AsyncExitStack()
        self._loops: set[asyncio.Task[None]] = set()
        self._running = False
        pool.find = self.spec_of
        pool.on_change = self._pool_changed
        rooms.watch(self._edited)
        rooms.greet(self._opened)

    async def __aenter__(self) -> Self:
        self._tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._choices = await self._records.choices()
        for record in await self._records.shared():
            self._enter(record)
        self._running = True
        self._begin(self._look(), "meters of workers")
        self._begin(self._clean(), "cleaning of environments")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running = False
        for worker in self._workers.values():
            for timer in (worker.timer, worker.edited):
                if timer is not None:
                    timer.cancel()
        for task in self._loops:
            task.cancel()
        await self._stack.aclose()

    # Which there are

    def worker_of(self, canvas: str) -> str:
        """Return the worker of a canvas: the shared one it was put on, or its own."""
        choice = self._choices.get(canvas)
        return canvas if choice is None else choice.worker_id

    def canvases_of(self, worker: str) -> Sequence[str]:
        """Return the canvases on a worker that are known now."""
        on = [canvas for canvas, each in self._choices.items() if each.worker_id == worker]
        known = self._workers.get(worker)
        shared = known is not None and known.record.kind == "shared"
        return on if shared or worker in self._choices else [worker, *on]

    def canvas_of(self, worker: str) -> str | None:
        """Return the canvas whose own worker this is; None of a shared one."""
        known = self._workers.get(worker)
        return None if known is not None and known.record.kind == "shared" else worker

    def shared(self) -> list[WorkerRecord]:
        """Return the workers that canvases may share, by name."""
        found = [each.record for each in self._workers.values() if each.record.kind == "shared"]
        return sorted(found, key=lambda each: (each.name, each.id))

    async def get(self, worker: str) -> WorkerRecord:
        """Return a worker. Raises NotFound where there is neither one nor a canvas of that id."""
        return (await self._open(worker)).record

    async def create(self, record: WorkerRecord) -> WorkerRecord:
        """Add a shared worker."""
        kept = await self._records.put(record)
        self._enter(kept)
        return kept

    async def change(self, worker: str, **fields: Any) -> WorkerRecord:
        """Set fields of a worker's record. New limits hold for processes that are started from now on."""
        known = await self._open(worker)
        known.record = await self._records.put(replace(known.record, **fields))
        self._forget_specs(worker)
        if "requirements" in fields:
            self._provision_soon(worker)
        self.tell(worker)
        return known.record

    async def remove(self, worker: str) -> None:
        """Remove a worker: a shared one for good, a canvas's own becomes as it was at first."""
        on = self.canvases_of(worker)
        await self._records.remove(worker)
        for canvas in on:
            choice = self._choices.get(canvas)
            if choice is not None and choice.worker_id == worker:
                del self._choices[canvas]
        self._forget_specs(worker)
        known = self._workers.pop(worker, None)
        if known is not None:
            self._cool(known)
        self.pool.forget(worker)
        self.meters.forget(worker)
        self._names.forget(worker)
        await self.on_remove(worker)
        for canvas in on:
            self.tell(self.worker_of(canvas))
            self.on_move(canvas)

    async def choose(self, canvas: str, worker: str | None, actor: Actor) -> None:
        """Put a canvas on a shared worker, or on its own (None). Raises NotFound for one it may not use."""
        choice: Choice | None = None
        if worker is not None and worker != canvas:
            known = self._workers.get(worker)
            if known is None or not may_use(known.record, actor):
                raise NotFound(f"There is no worker {worker}", details={"worker": worker})
            choice = Choice(worker, actor.user_id)
        await self._records.choose(canvas, choice)
        if choice is None:
            self._choices.pop(canvas, None)
        else:
            self._choices[canvas] = choice
        self._specs.pop(canvas, None)
        await self._open(self.worker_of(canvas))
        self._find_out(canvas)
        self.tell(self.worker_of(canvas))
        self.on_move(canvas)

    def members_changed(self, canvas: str) -> None:
        """Look whether a canvas is still there; with it goes its worker."""
        if canvas in self._workers or canvas in self._choices:
            self._begin(self._see_off(canvas), "end of a canvas's worker")

    async def _see_off(self, canvas: str) -> None:
        try:
            await self._access(canvas)
        except NotFound:
            self._choices.pop(canvas, None)
            self._specs.pop(canvas, None)
            self._allowed.pop(canvas, None)
            known = self._workers.pop(canvas, None)
            if known is not None:
                self._cool(known)
            self.pool.forget(canvas)
            self.meters.forget(canvas)
            self._names.forget(canvas)
            self._without.discard(canvas)
            await self.on_remove(canvas)

    # The worker of a call

    async def spec_of(self, step: Step, context: Context) -> WorkerSpec:
        """Return the worker of a call, its environment made.

        Raises:
            StoppedWorker, EnvironmentFailed, WorkerNotAllowed: it can take none.
        """
        found = await self._find(context)
        if in_packages(step.type):
            context.has_packages(found.packages)
        return found.spec

    async def _find(self, context: Context) -> _Found:
        canvas = context.canvas
        if canvas is None:
            program = base_environment().program
            spec = WorkerSpec(context.run_id, program, self.pool.limits, self.pool.size)
            return _Found(spec, base_packages())
        known = self._specs.get(canvas)
        asked = canvas not in self._choices or self._allowed.get(canvas) == context.run_id
        if known is not None and asked:
            return known
        worker = await self._open(self.worker_of(canvas))
        if worker.record.stopped:
            raise StoppedWorker
        await self._check(canvas, worker)
        self._allowed[canvas] = context.run_id
        if (known := self._specs.get(canvas)) is not None:
            return known
        wanted = await self._wanted(worker)
        if not worker.provisioning.has(wanted):
            if wanted.lines:
                context.waits("worker", "waits for the packages of its worker")
            await self._provide(worker, wanted)
        found = _Found(self._spec(worker), self._names.of(worker.record, wanted))
        if not self._changed_since(worker, wanted):
            self._specs[canvas] = found
        return found

    async def packages(self, canvas: str | None) -> str:
        """Return what the packages of a canvas's worker are known by: part of the recipes of its calls.

        Nothing is made for it: those that are still to be locked have a name already.
        """
        if canvas is None:
            return base_packages()
        if (found := self._specs.get(canvas)) is not None:
            return found.packages
        record = await self._record(self.worker_of(canvas))
        return self._names.of(record, await self._wish(record))

    async def _record(self, worker: str) -> WorkerRecord:
        """Return what is kept of a worker; of a canvas that has none yet, what will be at first."""
        known = self._workers.get(worker)
        if known is not None and known.record.created_at:
            return known.record
        if worker not in self._without:
            record = await self._records.find(worker)
            if record is not None:
                return self._enter(record).record
            self._without.add(worker)
        return _fresh(worker)

    def program_of(self, canvas: str) -> Program | None:
        """Return what processes of a canvas's worker are started from, as it last was; nothing is made for it."""
        known = self._specs.get(canvas)
        return None if known is None else known.spec.program

    def limits(self, own: Mapping[str, Any]) -> WorkerLimits:
        """Return the limits of a worker: those of the server, but for what was set of the worker itself."""
        base = self.pool.limits
        fields = {name: value for name, value in own.items() if name != "output_bytes"}
        return replace(base, **fields) if fields else base

    def _spec(self, worker: _Worker) -> WorkerSpec:
        environment = worker.provisioning.environment or base_environment()
        record = worker.record
        return WorkerSpec(
            record.id, environment.program, self.limits(record.limits), record.processes
        )

    async def _check(self, canvas: str, worker: _Worker) -> None:
        choice = self._choices.get(canvas)
        if choice is None:
            return
        actor = await self._find_actor(choice.chosen_by)
        if actor is None or not may_use(worker.record, actor):
            raise WorkerNotAllowed

    async def _wanted(self, worker: _Worker) -> Wanted:
        wanted = await self._wish(worker.record)
        if worker.record.kind == "canvas":
            worker.seen = dict(wanted.requirements)
        return wanted

    async def _wish(self, record: WorkerRecord) -> Wanted:
        requirements: Mapping[str, str] = record.requirements
        if record.kind == "canvas":
            async with self._rooms.visit(record.id) as room:
                requirements = room.requirements
        packs = tuple(each["line"] for each in record.packs)
        pinned = {
            each["name"]: frozenset(each["sha256"]) for each in record.packs if each["sha256"]
        }
        return Wanted(dict(requirements), packs, pinned)

    def _changed_since(self, worker: _Worker, wanted: Wanted) -> bool:
        if worker.record.kind == "shared":
            return False
        room = self._rooms.find(worker.record.id)
        return room is None or dict(room.requirements) != dict(wanted.requirements)

    async def _provide(self, worker: _Worker, wanted: Wanted, *, anew: bool = False) -> None:
        """Make the environment; keep its lock. Raises EnvironmentFailed."""
        record = worker.record
        before = self._names.of(record, wanted)
        lock = record.lock if record.locked_for == wanted.key and not anew else ""
        try:
            made = await worker.provisioning.get(wanted, lock, again=anew)
        except EnvironmentFailed as error:
            self._teller(record.id, "error")(error.reason)
            raise
        finally:
            for canvas in self.canvases_of(record.id):
                self._find_out(canvas)
        if (worker.record.lock, worker.record.locked_for) != (made.lock, wanted.key) and (
            made.lock or worker.record.lock
        ):
            worker.record = await self._records.put(
                replace(worker.record, lock=made.lock, locked_for=wanted.key)
            )
        self._names.locked(worker.record, wanted)
        if self._names.of(worker.record, wanted) != before:
            self._packages_changed(record.id)
        if self._rooms.find(record.id) is not None and made.directory is not None:
            self._warm(worker)

    def _packages_changed(self, worker: str) -> None:
        """Have live mode look again: what was made with other packages is out of date."""
        self._forget_specs(worker)
        for canvas in self.canvases_of(worker):
            if (room := self._rooms.find(canvas)) is not None:
                room.look_again()

    # What is asked of one

    async def provision(self, worker: str, *, anew: bool = False) -> None:
        """Make a worker's environment; ``anew``: with the newest packages that fit. Raises EnvironmentFailed."""
        known = await self._open(worker)
        wanted = await self._wanted(known)
        self._forget_specs(worker)
        await self._provide(known, wanted, anew=anew or known.provisioning.error is not None)
        self.tell(worker)

    async def start(self, worker: str) -> None:
        """Start a worker's process. Raises NodeError where it does not come up."""
        known = await self._open(worker)
        if known.record.stopped:
            await self.change(worker, stopped=False)
        known.starting += 1
        known.fault = None
        self.tell(worker)
        try:
            wanted = await self._wanted(known)
            if not known.provisioning.has(wanted):
                await self._provide(known, wanted, anew=known.provisioning.error is not None)
            await self.pool.ensure(self._spec(known))
        except NodeError as error:
            known.fault = error.message
            raise
        finally:
            known.starting -= 1
            self.tell(worker)

    async def stop(self, worker: str) -> None:
        """Stop a worker until it is started; its calls fail."""
        await self.change(worker, stopped=True)
        self.pool.stop(worker)
        self.pool.log(worker).add("stopped")

    async def restart(self, worker: str) -> None:
        """End a worker's processes, and start it. Raises NodeError where it does not come up."""
        self.pool.stop(worker)
        self.pool.counts(worker)
        self.pool.log(worker).add("started anew")
        self.pool.note_restart(worker)
        await self.start(worker)

    async def set_packs(self, worker: str, packs: Sequence[PackSource]) -> Mapping[str, Resolved]:
        """Give a worker an environment with these packs and no other; see ``packs.workers``."""
        known = await self._open(worker)
        lines = [_pack_line(each) for each in packs]
        wanted = replace(
            await self._wanted(known),
            packs=tuple(each["line"] for each in lines),
            pinned={each["name"]: frozenset(each["sha256"]) for each in lines if each["sha256"]},
        )
        try:
            made = await Provisioning(
                self._environments, self._teller(worker), lambda: self.tell(worker)
            ).get(wanted)
        except EnvironmentFailed as error:
            raise PacksFailed(error.reason) from error
        if made.key != (known.provisioning.environment or base_environment()).key:
            self.pool.stop(worker)
        known.record = await self._records.put(
            replace(known.record, packs=lines, lock=made.lock, locked_for=wanted.key)
        )
        known.provisioning.forget()
        self._forget_specs(worker)
        locked = read_lock(made.lock)
        self.tell(worker)
        return {
            each.distribution: Resolved(found.version, found.hashes)
            for each in packs
            if (found := locked.get(normal(each.distribution))) is not None
        }

    # Telling

    def view(self, record: WorkerRecord) -> WorkerView:
        """Return what is told of a worker."""
        worker = self._workers.get(record.id)
        counts = self.pool.counts(record.id)
        meter = self.meters.of(record.id)
        limits = self.limits(record.limits)
        environment = None if worker is None else worker.provisioning.environment
        error = None if worker is None else worker.provisioning.error
        room = self._rooms.find(record.id)
        requirements = record.requirements or (None if worker is None else worker.seen) or {}
        if room is not None and record.kind == "canvas":
            requirements = dict(room.requirements)
        state, reason = self._state(record, worker, counts)
        confinement = self.pool.confinement_of(record.id)
        return WorkerView(
            id=record.id,
            name=record.name,
            kind=record.kind,
            canvas=record.canvas_id,
            owner=record.owner_id,
            processes=record.processes,
            limits=WorkerLimitsView(
                memory_mb=limits.memory_mb,
                cpu_seconds=limits.cpu_seconds,
                processes=limits.processes,
                files_mb=limits.files_mb,
                output_bytes=self._settings.max_output_bytes,
                wall_seconds=limits.wall_seconds,
            ),
            own_limits={name: value for name, value in record.limits.items() if value is not None},
            state=state,
            reason=reason,
            environment=WorkerEnvironment(
                key=None if environment is None else environment.key,
                requirements=dict(requirements),
                python=base_environment().python,
                locked=bool(record.lock),
            ),
            packs=[each["name"] for each in record.packs],
            confinement=confinement,
            metrics=WorkerMetrics(
                cpu_percent=meter.cpu_percent if counts.pids else None,
                memory_bytes=meter.memory_bytes if counts.pids else None,
                queue=counts.waiting,
                running=counts.running,
                calls=counts.calls,
                failures=counts.failures,
            ),
            restarts=counts.restarts,
            open=record.open,
            faults={} if error is None else dict.fromkeys(error.requirements, error.reason),
        )

    def _state(
        self, record: WorkerRecord, worker: _Worker | None, counts: Counts
    ) -> tuple[State, str | None]:
        alive, starting = bool(counts.pids), bool(counts.starting)
        if record.stopped:
            return "stopped", None
        if worker is not None:
            if worker.provisioning.running:
                return "provisioning", None
            if worker.provisioning.error is not None:
                return "failed", worker.provisioning.error.reason
            if (worker.starting or starting) and not alive:
                return "starting", None
            if worker.fault is not None and not alive:
                return "failed", worker.fault
        if counts.running:
            return "busy", None
        return ("ready", None) if alive else ("absent", None)

    def views(self, records: Iterable[WorkerRecord]) -> list[WorkerView]:
        """Return what is told of some workers."""
        return [self.view(each) for each in records]

    def tell(self, worker: str) -> None:
        """Tell the tabs of a worker's canvases how it is, soon: what follows meanwhile is told together."""
        known = self._workers.get(worker)
        if known is None or known.timer is not None or not self._running:
            return
        known.timer = asyncio.get_running_loop().call_later(TOLD_EVERY, self._told, worker)

    def _told(self, worker: str) -> None:
        known = self._workers.get(worker)
        if known is None:
            return
        known.timer = None
        lines, known.waiting_lines = known.waiting_lines, []
        body = self.view(known.record).model_dump(mode="json")
        said = [WorkerLine(at=each.at, level=each.level, text=each.text) for each in lines]
        for canvas in self.canvases_of(worker):
            self._channels.publish(f"canvas:{canvas}", "worker.changed", body)
            if said:
                event = {"id": worker, "lines": [each.model_dump(mode="json") for each in said]}
                self._channels.publish(f"canvas:{canvas}", "worker.lines", event)

    def _pool_changed(self, worker: str) -> None:
        self.tell(worker)

    def _heard(self, worker: str, line: LogLine) -> None:
        known = self._workers.get(worker)
        if known is not None:
            known.waiting_lines = [*known.waiting_lines[-200:], line]
            self.tell(worker)

    def _teller(self, worker: str, level: str = "info") -> Callable[[str], None]:
        """Return what logs an installer's words, and tells them. What code leaves behind is logged alone: runs may be private."""

        def tell(text: str) -> None:
            log = self.pool.log(worker)
            log.add(text, level)
            if log.lines:
                self._heard(worker, log.lines[-1])

        return tell

    # Edits

    def _edited(self, room: Room, _committed: Committed) -> None:
        canvas = room.canvas_id
        known = self._workers.get(canvas)
        before = None if known is None else known.seen
        if room.requirements == (before or {}):
            return
        if known is None:
            known = self._enter(_fresh(canvas))
        known.seen = dict(room.requirements)
        self._specs.pop(canvas, None)
        self._provision_soon(canvas)

    def _opened(self, room: Room) -> None:
        known = self._workers.get(room.canvas_id)
        if known is None and not room.requirements:
            return
        if room.requirements:
            self._spawn_later(room.canvas_id, 0.0)
        self._find_out(room.canvas_id)

    def _provision_soon(self, worker: str) -> None:
        self._spawn_later(worker, QUIET)

    def _spawn_later(self, worker: str, seconds: float) -> None:
        if not self._running:
            return
        known = self._workers.get(worker) or self._enter(_fresh(worker))
        if known.edited is not None:
            known.edited.cancel()
        known.edited = asyncio.get_running_loop().call_later(seconds, self._spawn, worker)

    def _spawn(self, worker: str) -> None:
        self._begin(self._provision_safely(worker), "environment of a worker")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something beside, until it is done or the server stops."""
        if not self._running:
            work.close()
            return
        task = self._tasks.create_task(work, name=name)
        self._loops.add(task)
        task.add_done_callback(self._loops.discard)

    async def _provision_safely(self, worker: str) -> None:
        try:
            known = await self._open(worker)
            wanted = await self._wanted(known)
            known.seen = dict(wanted.requirements)
            if self.worker_of(worker) != worker and known.record.kind == "canvas":
                return  # it is on another one
            if not known.provisioning.has(wanted):
                await self._provide(known, wanted)
        except EnvironmentFailed:
            pass  # it is told as the worker's state, and on the canvas
        except Exception:  # the edge of one worker: others go on
            logger.exception("could not make the environment of worker %s", worker)
        finally:
            self.tell(worker)

    def _find_out(self, canvas: str) -> None:
        """Put what is wrong with a canvas's requirements among its problems."""
        room = self._rooms.find(canvas)
        if room is None:
            return
        worker = self._workers.get(self.worker_of(canvas))
        error = None if worker is None else worker.provisioning.error
        found: list[dict[str, Any]] = []
        if error is not None:
            found = [
                {
                    "code": "environment_failed",
                    "message": error.message,
                    "severity": "error",
                    "details": {"requirements": list(error.requirements)},
                }
            ]
        if room.further.get("worker", []) != found:
            room.further = {**room.further, "worker": found}
            room.look_again()

    # In memory

    def _enter(self, record: WorkerRecord) -> _Worker:
        known = self._workers.get(record.id)
        if known is not None:
            known.record = record
            return known
        provisioning = Provisioning(
            self._environments, self._teller(record.id), lambda: self.tell(record.id)
        )
        self._workers[record.id] = known = _Worker(record, provisioning)
        return known

    async def _open(self, worker: str) -> _Worker:
        known = self._workers.get(worker)
        if known is not None and known.record.created_at:
            return known
        async with self._opening:
            known = self._workers.get(worker)
            if known is not None and known.record.created_at:
                return known
            record = await self._records.find(worker) or await self._records.put(_fresh(worker))
            return self._enter(record)

    def _forget_specs(self, worker: str) -> None:
        for canvas in [each for each in self._specs if self.worker_of(each) == worker]:
            del self._specs[canvas]

    def _warm(self, worker: _Worker) -> None:
        """Keep a process of its environment in reserve, as long as its canvas is open."""
        spec = self._spec(worker)
        if worker.warm is not None and worker.warm.program.key == spec.program.key:
            return
        self._cool(worker)
        worker.warm = spec
        self.pool.keep_warm(spec.program)

    def _cool(self, worker: _Worker) -> None:
        if worker.warm is not None:
            self.pool.let_cool(worker.warm.program)
            worker.warm = None

    # Now and then

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for worker, known in list(self._workers.items()):
                if known.warm is not None and self._rooms.find(worker) is None:
                    self._cool(known)
            pids = {
                worker: counts.pids
                for worker in self._workers
                if (counts := self.pool.counts(worker)).pids
            }
            changed = await asyncio.to_thread(self.meters.measure, pids)
            for worker in changed:
                self.tell(worker)

    async def _clean(self) -> None:
        while True:
            used = {
                each.provisioning.environment.key
                for each in self._workers.values()
                if each.provisioning.environment is not None
            }
            try:
                await self._environments.remove_unused(used)
            except OSError:
                logger.exception("could not remove unused environments")
            await asyncio.sleep(CLEAN_EVERY)

    def all(self) -> list[tuple[WorkerView, Meter]]:
        """Return every worker that is known now, with what it used so far."""
        return [(self.view(each.record), self.meters.of(id)) for id, each in self._workers.items()]


async def nothing_more(_worker: str) -> None:
    """Keep nothing else of workers."""


def may_use(record: WorkerRecord, actor: Actor) -> bool:
    """Say whether somebody may put canvases on a shared worker."""
    return record.kind == "shared" and (record.open or actor.is_admin)


def _pack_line(pack: PackSource) -> dict[str, Any]:
    line = f"{pack.distribution}{pack.specifier}"
    if pack.file is not None:
        line = f"{pack.distribution} @ {pack.file.resolve().as_uri()}"
    return {
        "name": normal(pack.distribution),
        "line": line,
        "sha256": sorted(pack.sha256 or ()),
    }


def _fresh(canvas: str) -> WorkerRecord:
    return WorkerRecord(canvas, "canvas", "", canvas_id=canvas)
