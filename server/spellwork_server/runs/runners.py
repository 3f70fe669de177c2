"""All runners of this server: one per user and canvas, kept while anybody needs it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import Event
from spellwork.encoding import weight
from spellwork.library import Libraries
from spellwork_server.errors import NotFound, ServerError, Unauthenticated, Unavailable
from spellwork_server.identity import Actor, allowed
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.journal import RunGoneError
from spellwork_server.storage.run_figures import write_figures
from spellwork_server.storage.run_progress import forget_progress
from spellwork_server.storage.run_records import OPEN, RunRecord, RunRecords, mark_ended
from spellwork_server.storage.run_states import end_lying, put_back, take_up

from .carrying import Carrying, Fork, Ready
from .errors import NotResumable, RunNotFound, RunOpen, TooManyRuns
from .insides import Insides
from .live import LiveMode
from .preview_pace import PreviewPace
from .references import encode
from .run import Machinery, Run
from .spell_runner import CanvasRoom, RunRequest, SpellRunner
from .streams import Access, stream_of
from .views import Status
from .wire import Wire

OPEN_RUNS = 32
"""Runs, queued ones included, that one user may have at a time."""

RESTARTED = "interrupted by a restart of the server"
STOPPING = "interrupted: the server stopped"

logger = logging.getLogger(__name__)

Key = tuple[str, str | None]
"""A user, and a canvas; None for spells that come with the request."""


class CanvasRooms(Protocol):
    """What runners need of ``rooms.Rooms``."""

    async def open(self, canvas_id: str) -> CanvasRoom:
        """Return the canvas's room, kept until it is released as often as it was opened."""

    async def release(self, canvas_id: str) -> None:
        """Give the room back."""


@dataclass(slots=True)
class _Place:
    """A runner with its users. ``timer`` goes while there are none."""

    runner: SpellRunner
    users: int = 0
    live: LiveMode | None = None
    timer: asyncio.TimerHandle | None = None
    expired: bool = False


class Runners:
    """Runners by user and canvas, as an async context manager.

    Leaving ends the runs that go on, lays durable ones down, and waits for that
    to be kept. What a crash left open is for ``queues.Processes`` to take over;
    without processes, entering does so, as if nobody else were there.
    """

    def __init__(
        self,
        *,
        libraries: Libraries,
        machinery: Machinery,
        commits: GroupCommit,
        records: RunRecords,
        rooms: CanvasRooms,
        access: Access,
        grace: float,
        carrying: Carrying,
        current: Callable[[Actor], Awaitable[Actor]] | None = None,
    ) -> None:
        self._carrying = carrying
        self._libraries = libraries
        self._machinery = machinery
        self._commits = commits
        self._records = records
        self._rooms = rooms
        self._access = access
        self._current = current or _as_it_was
        self._grace = grace
        self._places: dict[Key, _Place] = {}
        self._previews = PreviewPace()
        self._opening: dict[Key, asyncio.Lock] = {}
        self._tasks = asyncio.TaskGroup()
        self._early: list[Coroutine[Any, Any, None]] | None = []
        """Work of the time before it was entered; None from then on."""
        self._stopping = False
        self._end_watchers: list[Callable[[Run], None]] = []
        self._stored_end_watchers: list[Callable[[str], None]] = []

    @property
    def machinery(self) -> Machinery:
        """What its runs run with."""
        return self._machinery

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        early, self._early = self._early or (), None
        for work in early:
            self.spawn(work)
        if self._machinery.process() is None:
            await self._close_interrupted()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        for place in list(self._places.values()):
            if place.live is not None:
                place.live.stop()
            for run in list(place.runner.runs.values()):
                run.leave(STOPPING)
            self._free(place)
        await self._tasks.__aexit__(None, None, None)

    # Runners

    async def acquire(self, user: str, canvas: str | None) -> SpellRunner:
        """Return the runner of a user on a canvas, made where there is none; ``release`` it once for each call.

        Raises NotFound where there is no such canvas. What the user may do is
        for the caller to check.
        """
        key = (user, canvas)
        lock = self._opening.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return await self._hold(key)
        finally:
            if not lock.locked():
                self._opening.pop(key, None)

    async def _hold(self, key: Key) -> SpellRunner:
        if self._stopping:
            raise Unavailable("The server is stopping and starts no more runs")
        place = self._places.get(key)
        if place is None:
            place = await self._make_place(*key)
        place.users += 1
        place.expired = False
        if place.timer is not None:
            place.timer.cancel()
            place.timer = None
        return place.runner

    async def _make_place(self, user: str, canvas: str | None) -> _Place:
        room = None if canvas is None else await self._rooms.open(canvas)
        other = self._places.get((user, canvas))
        if other is not None:  # whoever held the lock gave up, and two came after it
            if canvas is not None:
                await self._rooms.release(canvas)
            return other
        place = self._places[user, canvas] = _Place(self._make(user, canvas, room))
        return place

    def release(self, runner: SpellRunner) -> None:
        """Give a runner back. After the last one, and a grace, it is freed as soon as its runs have ended."""
        place = self._places.get((runner.user, runner.canvas))
        if place is None or place.runner is not runner:
            return
        place.users -= 1
        if place.users == 0 and not self._stopping:
            place.timer = asyncio.get_running_loop().call_later(self._grace, self._expire, place)

    def __len__(self) -> int:
        return len(self._places)

    def _make(self, user: str, canvas: str | None, room: CanvasRoom | None) -> SpellRunner:
        return SpellRunner(
            user,
            canvas,
            room,
            libraries=self._libraries,
            machinery=self._machinery,
            commits=self._commits,
            launch=self._launch,
        )

    def _expire(self, place: _Place) -> None:
        place.timer = None
        place.expired = True
        if place.live is not None:
            place.live.stop()
        self._free_if_done(place)

    def _free_if_done(self, place: _Place) -> None:
        if place.expired and not place.users and not place.runner.runs:
            self._free(place)

    def _free(self, place: _Place) -> None:
        runner = place.runner
        if self._places.get((runner.user, runner.canvas)) is not place:
            return
        del self._places[runner.user, runner.canvas]
        if place.timer is not None:
            place.timer.cancel()
        self._close_seat(runner)
        runner.forget()
        if runner.canvas is not None:
            self._tasks.create_task(self._rooms.release(runner.canvas))

    # Runs

    def find(self, run: str) -> Run | None:
        """Return a run that has not ended."""
        return next((each for each in self.open_runs() if each.id == run), None)

    def open_runs(self) -> Iterator[Run]:
        """Return the runs that have not ended."""
        return (
            run for place in list(self._places.values()) for run in list(place.runner.runs.values())
        )

    def going(self, canvas: str, reader: str) -> tuple[RunRecord, ...]:
        """Return the runs on a canvas that have not ended and that ``reader`` may see, newest first; no calls that runs placed."""
        kept = [
            run.kept
            for run in self.open_runs()
            if run.order.canvas == canvas
            and (run.order.user == reader or run.order.audience == "shared")
            and run.kept is not None
            and run.kept.parent_id is None
        ]
        return tuple(sorted(kept, key=lambda record: record.created_at, reverse=True))

    async def start(self, runner: SpellRunner, request: RunRequest) -> Run:
        """Start a run on a runner that is held; returns once its record is durable."""
        if self._stopping:
            raise Unavailable("The server is stopping and starts no more runs")
        if request.on_busy != "replace":
            self._check_room(runner.user)
        return await runner.start(request)

    def _check_room(self, user: str) -> None:
        if sum(run.order.user == user for run in self.open_runs()) >= OPEN_RUNS:
            raise TooManyRuns(OPEN_RUNS)

    # Runs in the store

    async def carry(self, record: RunRecord, fence: int) -> Run:
        """Set a stored run going that this process has claimed under ``fence``; what of it had ended is not done again.

        Raises:
            NotResumable, SpellRefused, BadRequest: it cannot go on; it is ended as ``interrupted``, saying why.
            Unavailable: not now; the claim stays as it is.
        """
        run = self.find(record.id)
        if run is not None and run.fence == fence:
            return run
        if run is not None:  # it was dropped here, and is taken up again
            await run.ended.wait()
        whole = record if record.spell is not None else await self._records.get(record.id)
        if whole is None:
            raise RunNotFound(record.id)
        whole = replace(whole, fence=fence)
        try:
            return await self._set_going(whole, await self._carrying.ready(whole))
        except Unavailable:
            raise
        except ServerError as error:
            await self.interrupt(whole, f"it cannot go on: {error.message}")
            raise

    async def _set_going(self, record: RunRecord, ready: Ready) -> Run:
        """Start what is ready; with a record, the run goes on under its fence."""
        runner = await self.acquire(record.user_id, record.canvas_id)
        try:
            return await runner.start_plan(
                ready.spell,
                ready.plan,
                ready.request,
                children=ready.children,
                origin=replace(ready.origin, record=record),
                fence=record.fence,
            )
        finally:
            self.release(runner)

    async def resume(self, record: RunRecord) -> Run:
        """Go on with a run that was interrupted, or that waits and has its answer.

        Raises:
            RunOpen: it goes on.
            NotResumable: it has come to its end, waits for an answer, or cannot go on.
            SpellRefused, BadRequest: its spell does not run any more.
        """
        if self._stopping:
            raise Unavailable("The server is stopping and starts no more runs")
        await self._check_resumable(record)
        ready = await self._carrying.ready(record)
        self._check_room(record.user_id)
        try:
            taken = await self._commits.submit(
                lambda conn: take_up(
                    conn, record.id, ("interrupted", "waiting"), self._machinery.process()
                )
            )
        except IntegrityError as error:
            raise NotResumable(
                record.id, "another run with its dedupe_key has not ended"
            ) from error
        if taken is None:
            raise RunOpen(record.id, "running")
        return await self._set_going(taken, ready)

    async def _check_resumable(self, record: RunRecord) -> None:
        asking = self._machinery.asking
        if record.status == "waiting":
            if asking is None or not await asking.is_answered(record.id):
                raise NotResumable(record.id, "it waits for an answer")
        elif self.find(record.id) is not None or record.status in OPEN:
            raise RunOpen(record.id, record.status)
        elif record.status != "interrupted":
            raise NotResumable(
                record.id, f"it has come to its end ({record.status}); it can be forked"
            )

    async def fork(self, actor: Actor, record: RunRecord, fork: Fork, insides: Insides) -> Run:
        """Start a new run of the actor's that begins with what ``fork`` keeps of one; returns once its record is durable.

        Raises BadRequest, SpellRefused, TooManyRuns.
        """
        runner = await self.acquire(actor.user_id, record.canvas_id)
        try:
            self._check_room(actor.user_id)
            now = None
            if fork.spell == "now":
                if runner.room is not None:
                    await runner.room.settled()
                now = runner.spell()
            ready = await self._carrying.fork(record, actor, fork, now, insides)
            return await runner.start_plan(
                ready.spell,
                ready.plan,
                ready.request,
                children=ready.children,
                origin=ready.origin,
            )
        finally:
            self.release(runner)

    async def answered(self, run: str) -> None:
        """Let a run go on whose question was answered, if that is what it waits for; else nothing happens.

        One that is not waiting yet finds the answer when it asks, or comes to rest.
        """
        record = await self._records.get(run)
        if record is None or record.status != "waiting" or self._stopping:
            return
        if record.queue is not None:  # whoever listens to its queue takes it
            await self._commits.submit(lambda conn: put_back(conn, run, ("waiting",)))
            return
        taken = await self._commits.submit(
            lambda conn: take_up(conn, run, ("waiting",), self._machinery.process())
        )
        if taken is not None:
            await self.carry(taken, taken.fence)

    async def _go_on_if_answered(self, run: str) -> None:
        asking = self._machinery.asking
        if asking is not None and await asking.is_answered(run):
            await self.answered(run)

    async def end_stored(
        self, record: RunRecord, status: Status = "cancelled", message: str | None = None
    ) -> bool:
        """End a run that nobody carries, without loading it; False where somebody does by now, or it has ended."""
        used = await self._used(record)

        async def write(conn: AsyncConnection) -> None:
            await end_lying(conn, record.id, record.fence, status, at, used or None)
            await write_figures(conn, record.id, at, used, lying=True)
            await forget_progress(conn, record.id)

        at = time.time()
        return await self._tell_end(record, status, message, at, write)

    async def interrupt(self, record: RunRecord, why: str) -> bool:
        """End a run as interrupted that nobody carries on: its process is dead, or it cannot go on here."""
        return await self.end_claimed(record, "interrupted", why)

    async def end_failed(self, record: RunRecord, code: str, message: str) -> bool:
        """End a run as failed that this process has claimed, and does not carry."""
        return await self.end_claimed(record, "failed", error={"code": code, "message": message})

    async def end_claimed(
        self,
        record: RunRecord,
        status: Status,
        why: str | None = None,
        error: dict[str, Any] | None = None,
    ) -> bool:
        """End a run under its claim without loading it; False where another process has it by now."""
        used = await self._used(record)
        result = used if error is None else {"error": error} | used

        async def write(conn: AsyncConnection) -> None:
            await mark_ended(conn, record.id, status, at, result or None)
            await forget_progress(conn, record.id)

        at = time.time()
        return await self._tell_end(record, status, why, at, write, error)

    async def _used(self, record: RunRecord) -> dict[str, Any]:
        """Return what the result of a run tells that ends without being loaded: what its nodes reported of tokens."""
        if record.started_at is None:
            return {}
        whole = record if record.spell is not None else await self._records.get(record.id)
        usage = [] if whole is None else await self._carrying.usage(whole)
        return {"usage": usage} if usage else {}

    async def _tell_end(
        self,
        record: RunRecord,
        status: Status,
        why: str | None,
        at: float,
        write: Job[None],
        error: dict[str, Any] | None = None,
    ) -> bool:
        """Commit the last event of a run that is not in memory; say whether it was the last."""
        log = await self._machinery.journal.log(record.stream)
        event = Event(
            kind="run.failed" if status == "failed" else "run.cancelled",
            at=at,
            message=why,
            error=error,
            data={"status": status},
        )
        entry = Wire(record.id, self._machinery.inline_bytes, record.fence).entry(event)
        nobody = _Nobody()
        await self._machinery.journal.commit(log, nobody, entry, write)
        if nobody.error is not None and not isinstance(nobody.error, RunGoneError):
            raise nobody.error
        if nobody.error is None and status != "interrupted":
            for callback in self._stored_end_watchers:
                callback(record.id)
        return nobody.error is None

    def _launch(self, runner: SpellRunner, run: Run) -> None:
        self._tasks.create_task(self._drive(runner, run), name=f"run {run.id}")

    async def _drive(self, runner: SpellRunner, run: Run) -> None:
        try:
            if self._stopping:
                run.leave(STOPPING)
            await run.go()
        except Exception:  # the edge of one run: others go on
            logger.exception("fault at the end of run %s", run.id)
        finally:
            runner.note_end(run)
            if run.status == "waiting":
                self.spawn(self._go_on_if_answered(run.id))
            elif not run.is_open:
                for callback in self._end_watchers:
                    callback(run)
            place = self._places.get((runner.user, runner.canvas))
            if place is not None:
                self._free_if_done(place)

    def watch_ends(self, callback: Callable[[Run], None]) -> None:
        """Call ``callback(run)`` after a run has ended here; it must not raise."""
        self._end_watchers.append(callback)

    def watch_stored_ends(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(id)`` after a run was ended here for good that nobody carried; it must not raise."""
        self._stored_end_watchers.append(callback)

    def watch_canvas(self, canvas: str) -> None:
        """Look at a canvas whose members changed, or that was deleted: end there what must end."""
        if any(each == canvas for _, each in self._places):
            self.spawn(self._recheck(canvas))

    async def _recheck(self, canvas: str) -> None:
        try:
            await self._access(canvas)
        except NotFound:
            self.end_canvas(canvas)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work of runs in the background; leaving waits for it. What it raises is logged."""
        if self._early is not None:  # ``Processes`` take over before
            self._early.append(work)
            return
        self._tasks.create_task(_safely(work))

    def end_canvas(self, canvas: str) -> None:
        """End the runs and live modes of a canvas that was deleted."""
        for (_, each), place in list(self._places.items()):
            if each == canvas:
                if place.live is not None:
                    place.live.stop()
                for run in list(place.runner.runs.values()):
                    run.cancel("the canvas was deleted")

    # Live mode

    def is_live(self, user: str, canvas: str) -> bool:
        """Tell whether a user's runner is in live mode."""
        place = self._places.get((user, canvas))
        return place is not None and place.live is not None

    def live_notice(self, user: str, canvas: str) -> dict[str, Any] | None:
        """Return why a user's live mode does not run, as ``canvas.live`` told it; None while it does, or is off."""
        place = self._places.get((user, canvas))
        said = None if place is None or place.live is None else _notices(place.live)
        return said if said and any(said.values()) else None

    def live_users(self, canvas: str, reader: str) -> list[str]:
        """Return who is in live mode on a canvas, as far as ``reader`` may see it."""
        return [
            user
            for (user, each), place in self._places.items()
            if each == canvas
            and place.live is not None
            and (user == reader or place.live.audience == "shared")
        ]

    async def play(self, actor: Actor, runner: SpellRunner, request: RunRequest) -> Run:
        """Turn live mode on, in place of the one that is, and return its first run."""
        canvas = runner.canvas
        place = self._places.get((runner.user, canvas))
        if canvas is None or place is None or self._stopping:
            raise NotFound("Live mode follows a canvas that is open")
        if place.live is not None:
            place.live.stop()

        async def may_run() -> Actor | None:
            try:
                now = await self._current(actor)
            except Unauthenticated:
                return None
            return now if allowed(now, "canvas.run", await self._access(canvas)) else None

        def on_end(ended: LiveMode) -> None:
            self._close_seat(runner)
            if place.live is ended:
                place.live = None
                self._tell_live(runner, ended, on=False)

        def tell(live: LiveMode) -> None:
            self._tell_live(runner, live, on=True)

        place.live = live = LiveMode(runner, request, may_run, on_end, tell)
        run = await live.start()
        tell(live)
        self._tasks.create_task(live.follow(), name=f"live {canvas}")
        return run

    def _close_seat(self, runner: SpellRunner) -> None:
        seat = runner.take_seat()
        if seat is not None:
            self._tasks.create_task(_safely(seat.close()))

    async def preview(
        self, user: str, canvas: str, inputs: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]] | None:
        """Return what cheap nodes give for drafts of inputs, or None where the user's live mode is off.

        Values too large for an event are left out.
        """
        place = self._places.get((user, canvas))
        if place is None or place.live is None:
            return None
        found = await self._previews.run(user, partial(place.runner.preview, inputs)) or {}
        most = self._machinery.inline_bytes
        return {
            node: {
                port: msgspec.json.decode(body)
                for port, value in ports.items()
                if (body := _small(value, most)) is not None
            }
            for node, ports in found.items()
        }

    def leave_live(self, user: str, canvas: str) -> None:
        """Turn live mode off; what is in flight goes on. Nothing happens where it is off."""
        place = self._places.get((user, canvas))
        if place is not None and place.live is not None:
            place.live.stop()

    def _tell_live(self, runner: SpellRunner, live: LiveMode, *, on: bool) -> None:
        self._machinery.journal.tell(
            stream_of(runner.canvas, runner.user, live.audience),
            "canvas.live",
            {
                "canvas": runner.canvas,
                "user": runner.user,
                "live": on,
                "audience": live.audience,
            }
            | (_notices(live) if on else {"error": None, "waiting": None}),
        )

    # After a crash

    async def _close_interrupted(self) -> None:
        """End the runs that the last process left open, as their tabs would have been told.

        Durable ones go on, and those that wait for people wait.
        """
        for record in await self._records.open():
            if record.status == "waiting":
                continue
            if record.durable and record.mode != "live":
                self.spawn(self._go_on(record))
            else:
                await self.interrupt(record, RESTARTED)

    async def _go_on(self, record: RunRecord) -> None:
        taken = await self._commits.submit(
            lambda conn: take_up(conn, record.id, (record.status,), self._machinery.process())
        )
        if taken is not None and not self._stopping:
            await self.carry(taken, taken.fence)


def _notices(live: LiveMode) -> dict[str, Any]:
    """Return why a live mode cannot run, and why it waits; None for what does not keep it."""
    told = (("error", live.error), ("waiting", live.waiting))
    return {name: None if said is None else said.model_dump() for name, said in told}


def _small(value: Any, most: int) -> bytes | None:
    """Return a value as JSON, or None where it is too large: then it is not written first to find out."""
    if weight(value, most) >= most:
        return None
    body = encode(value).body
    return body if len(body) <= most else None


async def _as_it_was(actor: Actor) -> Actor:
    return actor


async def _safely(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (
        Exception
    ):  # the edge of work that nobody waits for: a store that fails must not end the server
        logger.exception("fault in the background of runs")


class _Nobody:
    """The author of events whose run is in no process."""

    error: Exception | None = None

    def committed(self, size: int) -> None:
        """Do nothing."""

    def broken(self, error: Exception) -> None:
        """Learn that the event was refused."""
        self.error = error
