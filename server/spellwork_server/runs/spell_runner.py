"""The runs of one user on one canvas: shared by that user's tabs, unknown to everybody else's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import InvalidInput, Plan, RunMemory, Spell, SpellInvalid
from spellwork import compile as compile_spell
from spellwork.analysis import Analysis
from spellwork.library import Libraries
from spellwork.reaching import Reach, feeding_nodes
from spellwork_server.child_spells import NONE, Found
from spellwork_server.errors import BadRequest, SpellRefused
from spellwork_server.identity import Actor
from spellwork_server.storage.clock import database_time
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.queues import enqueue
from spellwork_server.storage.run_records import RunRecord, insert_run

from .errors import RunBusy
from .insides import Insides
from .live_seat import LiveSeat
from .origin import Origin
from .run import Machinery, Run, RunOrder
from .run_end import Left
from .stream_log import StreamLog
from .streams import calls_of, stream_of
from .views import Audience, Mode, OnBusy

QUEUE_LIMIT = 16
"""Runs that may wait behind each other in one runner."""


class CanvasRoom(Protocol):
    """What a runner needs of ``rooms.Room``."""

    def spell(self) -> Spell:
        """Return the canvas as it is now."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after each change; return what ends that."""

    async def settled(self) -> None:
        """Wait until the edits that came before are durable, or refused."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What somebody asked to run. ``spell`` is None for the canvas as it is."""

    spell: Spell | None = None
    actor: Actor | None = None
    """Who asks; without it, what a user may do is told by their roles alone."""
    inputs: Mapping[str, Any] | None = None
    scope: Sequence[str] | None = None
    reach: Reach = "needed"
    timeout: float | None = None
    mode: Mode = "once"
    audience: Audience = "shared"
    on_busy: OnBusy = "replace"
    durable: bool = False
    trigger: str | None = None
    """The trigger that fired it."""
    depth: int = 0
    """How many runs led to it, each ended run firing the next."""
    also: Callable[[AsyncConnection, str], Awaitable[None]] | None = None
    """Writes, given the run's id, in the transaction that keeps its record; what it raises keeps neither."""

    def to_json(self) -> dict[str, Any]:
        """Return what the run's record keeps of it."""
        return {
            "inputs": dict(self.inputs or {}),
            "scope": None if self.scope is None else list(self.scope),
            "reach": self.reach,
            "timeout": self.timeout,
            "on_busy": self.on_busy,
            "durable": self.durable,
            "trigger": self.trigger,
            "depth": self.depth,
        }


OWN_KEYS = "@"
"""What the dedupe keys begin with that the server gives, and nobody else may."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a run waits. ``delay`` is seconds from now, ``deadline`` Unix seconds."""

    queue: str
    priority: int = 0
    delay: float = 0.0
    deadline: float | None = None
    dedupe_key: str | None = None
    retry: Mapping[str, Any] | None = None
    """{attempts, backoff?, max_backoff?}"""
    parent: str | None = None
    """The run of which it is the call of a node."""

    def columns(self) -> dict[str, Any]:
        """Return what of it the run's row has as it is."""
        return {
            "durable": True,
            "queue": self.queue,
            "priority": self.priority,
            "deadline": self.deadline,
            "dedupe_key": self.dedupe_key,
            "retry": None if self.retry is None else dict(self.retry),
            "parent_id": self.parent,
        }


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that waits in its queue: a new one, or with ``deduplicated`` the one that was there."""

    record: RunRecord
    deduplicated: bool


class SpellRunner:
    """Starts runs, one after another or beside each other, and remembers what the last one left.

    ``launch`` sets a run going; ``Runners`` owns the tasks.
    """

    def __init__(
        self,
        user: str,
        canvas: str | None,
        room: CanvasRoom | None,
        *,
        libraries: Libraries,
        machinery: Machinery,
        commits: GroupCommit,
        launch: Callable[[SpellRunner, Run], None],
    ) -> None:
        self.user = user
        self.canvas = canvas
        self.room = room
        self.runs: dict[str, Run] = {}
        """The runs that have not ended, in the order they came."""
        self._libraries = libraries
        self._machinery = machinery
        self._commits = commits
        self._launch = launch
        self._memory = RunMemory()
        self._analysis: Analysis | None = None
        self._children = NONE
        self._packages = ""
        self._left: Left = {}
        self._seat: LiveSeat | None = None
        self._drawn: tuple[Spell, Any] | None = None

    def spell(self) -> Spell:
        """Return the canvas as it is now."""
        if self.room is None:
            raise BadRequest.field("spell", "a run without a canvas brings its own spell")
        return self.room.spell()

    async def prepare(self, request: RunRequest) -> None:
        """Find the canvases that the spell runs inside itself, and its packages, as they are now; before ``compile``."""
        self._packages = await self._machinery.packages(self.canvas)
        spell = self.spell() if request.spell is None else request.spell
        known = self._analysis  # with the children found last
        if known is None or known.spell is not spell or self._children.wanted:
            found = await self._machinery.children.for_actor(spell, self.user, request.actor)
            if (found.versions, found.wanted) != (self._children.versions, self._children.wanted):
                self._analysis = None
            self._children = found

    def watch_children(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after each change of the canvases found last; return what ends that."""
        return self._machinery.children.subscribe(self._children.wanted, callback)

    def compile(self, request: RunRequest) -> tuple[Spell, Plan]:
        """Return the spell and its plan; raises SpellRefused or BadRequest, saying what is wrong."""
        spell = self.spell() if request.spell is None else request.spell
        try:
            return spell, compile_spell(
                spell,
                self._libraries.of(self.canvas),
                inputs=request.inputs,
                scope=request.scope,
                reach=request.reach,
                memory=self._memory,
                packages=self._packages or None,
                analysis=self._analysis_of(spell),
            )
        except SpellInvalid as error:
            raise SpellRefused.of([problem.to_json() for problem in error.problems]) from error
        except InvalidInput as error:
            raise BadRequest(error.message, code=error.code, details=error.details) from error

    def _analysis_of(self, spell: Spell) -> Analysis:
        """Return what is known of the spell; a canvas that did not change is not read again."""
        library = self._libraries.of(self.canvas)
        known = self._analysis
        if known is None or known.spell is not spell or known.library is not library:
            known = self._analysis = Analysis(
                spell, library, self._children.spells.get, root=self.canvas
            )
        return known

    async def start(self, request: RunRequest) -> Run:
        """Compile and start; returns once the run's record is durable, which may be together with its first events."""
        if self.room is not None and request.spell is None:
            await self.room.settled()  # who edits and runs at once runs what was edited
        if request.reach != "needed" and request.scope is not None:
            await self.prepare(request)
            await self._recall(request)
        await self.prepare(
            request
        )  # from here to the plan nothing awaits: other requests have children of their own
        spell, plan = self.compile(request)
        return await self.start_plan(spell, plan, request)

    async def _recall(self, request: RunRequest) -> None:
        """Learn from the store what the last runs left, where this runner has not seen it."""
        spell = self.spell() if request.spell is None else request.spell
        feeding = feeding_nodes(self._analysis_of(spell), request.scope or (), request.reach)
        await self._machinery.last.recall(self._memory, self._stream(request), feeding)

    def _stream(self, request: RunRequest) -> str:
        return stream_of(self.canvas, self.user, request.audience if self.canvas else "private")

    async def start_plan(
        self,
        spell: Spell,
        plan: Plan,
        request: RunRequest,
        *,
        children: Found | None = None,
        origin: Origin | None = None,
        fence: int = 0,
    ) -> Run:
        """Start a plan that is compiled already, with ``children``, or those found last.

        With an ``origin`` it goes on from there; where that has a record, this process carries it under ``fence``.
        """
        audience: Audience = request.audience if self.canvas else "private"
        children = self._children if children is None else children
        known = None if origin is None else origin.record
        stream = self._stream(request) if known is None else known.stream
        asked = request.to_json() if known is None else known.request
        order = RunOrder(
            plan,
            spell,
            self.user,
            self.canvas,
            stream,
            audience,
            request.mode,
            asked | {"children": children.versions},
            request.timeout,
            Insides(await self._hidden(spell, audience, children)),
            self._as_json(spell),
        )
        log = await self._machinery.journal.log(stream)
        paused = request.mode == "live" and self._is_live_paused()
        run = self._line_up(order, log, request.on_busy, origin, fence)
        record = run.record()
        if known is not None:  # it is kept already
            if known.paused:
                run.pause()
            self._launch(self, run)
            return run

        async def keep(conn: AsyncConnection) -> None:
            if request.also is not None:
                await request.also(conn, record.id)
            await insert_run(conn, record)

        if request.also is None and request.mode != "live":
            await self._launch_unkept(run, log, keep)
        else:
            await self._launch_kept(run, keep, paused=paused)
        return run

    async def _launch_unkept(self, run: Run, log: StreamLog, keep: Job[None]) -> None:
        """Set a run going whose record is kept together with the first that it does, or not at all.

        Not for live mode: it waits for the store around no call, and the next run builds on it.
        """
        kept = self._machinery.journal.keep(log, run, keep)
        self._launch(self, run)
        try:
            await asyncio.shield(kept)
        except asyncio.CancelledError:  # whoever asked is gone
            run.cancel()
            raise
        if run.status == "queued":
            run.tell_status()

    async def _launch_kept(self, run: Run, keep: Job[None], *, paused: bool) -> None:
        """Set a run going once its record is kept."""
        try:
            kept = self._commits.submit(keep, urgent=True)
            await asyncio.shield(kept)
        except asyncio.CancelledError:  # whoever asked is gone, but the record is on its way
            run.cancel()
            kept.add_done_callback(lambda done: self._close_unheard(run, done))
            raise
        except BaseException:
            self._abandon(run)
            raise
        if paused:
            run.pause()
        elif run.status == "queued":
            run.tell_status()
        self._launch(self, run)

    async def queue(self, request: RunRequest, place: Place) -> Queued:
        """Keep a run for whoever listens to its queue; raises what keeps it from being compiled now.

        Where an open run of the queue has the same dedupe key, that one is returned, and nothing is kept.
        """
        if self.room is not None and request.spell is None:
            await self.room.settled()
        await self.prepare(request)  # from here to the plan nothing awaits, as in ``start``
        spell, _ = self.compile(request)
        children = self._children
        asked = replace(request, durable=True)
        stream = self._stream(request)
        if place.parent is not None:
            stream = calls_of(stream)
        record = RunRecord(
            id=uuid4().hex,
            canvas_id=self.canvas,
            user_id=self.user,
            stream=stream,
            status="queued",
            mode="once",
            audience=request.audience if self.canvas else "private",
            created_at=time.time(),
            spell=self._as_json(spell),
            request=asked.to_json() | {"children": children.versions},
            trigger_id=request.trigger,
            **place.columns(),
        )
        kept = await self._commits.submit(partial(_keep_queued, record, place, request.also))
        if kept.id == record.id:
            self._machinery.journal.tell(
                stream, "run.status", {"run": record.id, "status": "queued"}
            )
        return Queued(kept, deduplicated=kept.id != record.id)

    def _as_json(self, spell: Spell) -> Any:
        """Return a spell as its record has it; that of a canvas which did not change is not written down again."""
        if self._drawn is None or self._drawn[0] is not spell:
            self._drawn = (spell, spell.without_tests().to_json())
        return self._drawn[1]

    async def _hidden(self, spell: Spell, audience: Audience, found: Found) -> frozenset[str]:
        """Return the nodes that run canvases, where not all who see the run may read all of these."""
        if audience == "private" or self.canvas is None or not found.wanted:
            return frozenset()
        if await self._machinery.children.are_for_all(found.spells, self.canvas):
            return frozenset()
        return frozenset(
            id
            for id, node in spell.nodes.items()
            if node.settings.body is not None and node.settings.body.spell is not None
        )

    def _is_live_paused(self) -> bool:
        """Say whether the run from which live mode goes on is paused: then so is the next."""
        return self._seat is not None and any(
            run.is_paused and run.seat is self._seat and run.order.mode == "live"
            for run in self.runs.values()
        )

    def _close_unheard(self, run: Run, kept: asyncio.Future[None]) -> None:
        """Let a run that nobody waits for any more end as cancelled, if it was kept at all."""
        if kept.cancelled() or kept.exception() is not None:
            self._abandon(run)
        else:
            self._launch(self, run)

    def _abandon(self, run: Run) -> None:
        del self.runs[run.id]
        run.abandon()

    def _line_up(
        self,
        order: RunOrder,
        log: Any,
        on_busy: OnBusy,
        origin: Origin | None = None,
        fence: int = 0,
    ) -> Run:
        """Make the run and give it its place; nothing else of this runner happens in between."""
        before = list(self.runs.values())
        if on_busy == "parallel":
            run = Run(order, self._machinery, log, origin=origin, fence=fence)
        else:
            if on_busy == "queue" and len(before) > QUEUE_LIMIT:
                raise RunBusy(QUEUE_LIMIT)
            if on_busy == "replace":
                seat = self._live_seat() if order.mode == "live" else None
                for each in before:
                    each.give_way(seat)
            run = Run(
                order,
                self._machinery,
                log,
                memory=self._memory,
                kept=lambda: self._left,
                after=before,
                seat=self._seat,
            )
        self.runs[run.id] = run
        return run

    def _live_seat(self) -> LiveSeat:
        if self._seat is None:
            self._seat = LiveSeat()
        return self._seat

    async def preview(self, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return what cheap nodes give for drafts of inputs while live mode is on; raises BadRequest."""
        if self._seat is None:
            return {}
        try:
            return await self._seat.preview(inputs)
        except InvalidInput as error:
            raise BadRequest(error.message, code=error.code, details=error.details) from error

    def take_seat(self) -> LiveSeat | None:
        """Give away what live mode went on from: whoever takes it closes it."""
        seat, self._seat = self._seat, None
        return seat

    def note_end(self, run: Run) -> None:
        """Forget a run that has ended, but for where its values are."""
        self.runs.pop(run.id, None)
        if run.remembers and run.is_broken:  # what it left is nowhere
            self._memory.clear()
            self._left = {}
        elif run.remembers:
            nodes = run.order.spell.nodes
            self._left = {
                node: ports for node, ports in (self._left | run.left).items() if node in nodes
            }

    def forget(self) -> None:
        """Give back what the last run left."""
        self._memory = RunMemory()
        self._left = {}


async def _keep_queued(
    record: RunRecord,
    place: Place,
    also: Callable[[AsyncConnection, str], Awaitable[None]] | None,
    conn: AsyncConnection,
) -> RunRecord:
    if place.delay > 0:
        record = replace(record, not_before=await database_time(conn) + place.delay)
    kept = await enqueue(conn, record)
    if also is not None:
        await also(conn, kept.id)
    return kept
