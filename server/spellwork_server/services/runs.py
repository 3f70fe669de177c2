"""Runs: start them, wait for them, follow them, steer them, and read what they left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import msgspec

from spellwork_server.errors import BadRequest, Conflict, NotFound, TooLarge
from spellwork_server.identity import Actor, require
from spellwork_server.queues.endings import Endings
from spellwork_server.queues.steering import Steering
from spellwork_server.runs.carrying import Fork
from spellwork_server.runs.errors import RunElsewhere, RunEnded, RunNotFound
from spellwork_server.runs.inside_rights import HIDDEN
from spellwork_server.runs.journal import Journal
from spellwork_server.runs.pages import Pages, ValuePage
from spellwork_server.runs.queueing import Queueing
from spellwork_server.runs.run import Run
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.runners import Runners
from spellwork_server.runs.spell_runner import Queued, RunRequest
from spellwork_server.runs.streams import Access
from spellwork_server.runs.views import (
    CanvasLive,
    EventsFlowing,
    EventsStalled,
    RunEvents,
    RunStatus,
    RunView,
    ValuesGone,
)
from spellwork_server.runs.writer import TERMINAL
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.run_records import OPEN, RunRecord, remove_run
from spellwork_server.storage.steering import NOT_THERE, What

from .events import views
from .queue_models import CancelledRuns, CancelRuns
from .registry import Registry
from .run_models import (
    CreateRun,
    EventPage,
    ForkRun,
    GetRun,
    OneRun,
    Previewed,
    PreviewInputs,
    ReadEvents,
    ReadOutput,
    Steered,
    SteerRun,
)
from .service import Call, Done, EventStream, ServerSentEvent, Service, operation

RECHECK = 2.0
"""Seconds after which a stream of a run's events looks again at whether it may be read, before it goes on."""

CANCEL_WAIT = 2.0
"""Seconds that a cancel waits for the end it asked for."""


class RunService(Service):
    """Runs of canvases, and of spells that come with the request."""

    name: ClassVar[str] = "runs"

    def __init__(
        self,
        runners: Runners,
        reader: RunReader,
        journal: Journal,
        commits: GroupCommit,
        access: Access,
        *,
        max_spell_nodes: int,
        pages: Pages,
        queueing: Queueing,
        endings: Endings,
        steering: Steering,
    ) -> None:
        self._steering = steering
        self._queueing = queueing
        self._endings = endings
        self._pages = pages
        self._runners = runners
        self._reader = reader
        self._journal = journal
        self._commits = commits
        self._access = access
        self._max_nodes = max_spell_nodes

    @operation(
        summary="Run a canvas or a spell",
        rest=("POST", "/v1/runs"),
        status=201,
        errors=(
            "cycle",
            "unknown_node_type",
            "unknown_port",
            "invalid_input",
            "no_value",
            "run_busy",
            "too_many_runs",
            "queue_draining",
            "dedupe_key_taken",
        ),
        cost=5,
    )
    async def create(self, call: Call, request: CreateRun) -> RunView:
        """Answer at once with the run, or with how it ended when ``wait`` is long enough.

        Failures of nodes are in ``errors``; the run completes all the same. With
        ``queue`` it waits for a process that takes from there; where an open run
        of the queue has its ``dedupe_key``, that one is the answer, to those who may read it.
        """
        actor = await self._may_run(call, request)
        place = request.place()
        if place is not None:
            order = replace(_order(request), actor=actor)
            queued = await self._queueing.put(actor.user_id, request.canvas, order, place)
            return await self._queued(call, actor, queued, request.wait)
        runner = await self._runners.acquire(actor.user_id, request.canvas)
        try:
            order = replace(_order(request), actor=actor)
            if order.mode == "live":
                run = await self._runners.play(actor, runner, order)
            else:
                run = await self._runners.start(runner, order)
        finally:
            self._runners.release(runner)
        if not request.wait:
            return self._head(run)
        await self._wait(call, run.id, request.wait)
        return await self._reader.view(actor, await self._reader.record(actor, run.id))

    @operation(summary="Read a run and what it left", rest=("GET", "/v1/runs/{id}"))
    async def get(self, call: Call, request: GetRun) -> RunView:
        """Give the run with its outputs; with ``wait``, once it has ended or the time is up."""
        record = await self._reader.record(call.actor, request.id)
        if request.wait and record.status in OPEN:
            await self._wait(call, record.id, request.wait)
            record = await self._reader.record(call.actor, request.id)
        return await self._reader.view(call.actor, record)

    @operation(summary="Cancel a run", rest=("POST", "/v1/runs/{id}/cancel"))
    async def cancel(self, call: Call, request: OneRun) -> RunView:
        """End a run within a second; one that has ended is given back as it is."""
        record = await self._reader.record(call.actor, request.id, "run.steer")
        if record.status in OPEN:
            await self._queueing.cancel([record])
            await self._wait(call, record.id, CANCEL_WAIT)
            record = await self._reader.record(call.actor, request.id)
        return await self._reader.view(call.actor, record)

    @operation(summary="Cancel several runs", rest=("POST", "/v1/runs/cancel"), cost=5)
    async def cancel_many(self, call: Call, request: CancelRuns) -> CancelledRuns:
        """End all runs that fit, as far as the caller may steer them: those of a canvas, those named, or the caller's own."""
        actor = require(call.actor, "run.create")
        where: dict[str, Any] = {"status": request.status} if request.status else {}
        if request.canvas is not None:
            where["canvas_id"] = request.canvas
        if request.queue is not None:
            where["queue"] = request.queue
        if request.ids is not None:
            where["id"] = request.ids
        elif request.canvas is None and not actor.is_admin:
            where["user_id"] = actor.user_id
        found = [
            record
            for record in await self._queueing.open_runs(**where)
            if await self._reader.allows(actor, record, "run.steer")
        ]
        return CancelledRuns(cancelled=await self._queueing.cancel(found))

    @operation(
        summary="Go on with a run that was interrupted",
        rest=("POST", "/v1/runs/{id}/resume"),
        errors=("run_open", "not_resumable", "too_many_runs", "unknown_node_type"),
        cost=5,
    )
    async def resume(self, call: Call, request: OneRun) -> RunView:
        """Run what of it had not ended, as the same run and for whoever started it; nothing that had ended runs again.

        A run that waits for people goes on when it is answered; ``runs.fork`` begins anew from one that has ended.
        """
        record = await self._reader.record(call.actor, request.id, "run.steer")
        return self._head(await self._runners.resume(record))

    @operation(
        summary="Start a run from what another one left",
        rest=("POST", "/v1/runs/{id}/fork"),
        status=201,
        errors=(
            "cycle",
            "unknown_node_type",
            "unknown_port",
            "invalid_input",
            "no_value",
            "not_resumable",
            "too_many_runs",
        ),
        cost=5,
    )
    async def fork(self, call: Call, request: ForkRun) -> RunView:
        """Start a run that has the outputs of another one, but for ``from``, ``inputs`` and what depends on these.

        What is kept is told as ``kept``. Of a run that goes on it is what was committed so far.
        """
        record = await self._reader.record(call.actor, request.id)
        if record.canvas_id is not None:
            actor = require(call.actor, "canvas.run", await self._access(record.canvas_id))
        else:
            actor = require(call.actor, "run.create")
        fork = Fork(request.from_, request.inputs, request.spell, request.durable)
        insides = await self._reader.insides.of_record(actor, record)
        run = await self._runners.fork(actor, record, fork, insides)
        if not request.wait:
            return self._head(run)
        await self._wait(call, run.id, request.wait)
        return await self._reader.view(actor, await self._reader.record(actor, run.id))

    @operation(
        summary="Pause a run, or leave live mode",
        rest=("POST", "/v1/runs/pause"),
        errors=("run_ended", "run_elsewhere"),
    )
    async def pause(self, call: Call, request: SteerRun) -> Steered:
        """Start no further node of a run until it is played; with ``canvas``, leave live mode there."""
        if request.canvas is not None:
            actor = require(call.actor, "canvas.read", await self._access(request.canvas))
            self._runners.leave_live(actor.user_id, request.canvas)
            return Steered(run=None, live=False)
        return await self._steer(call, request.id or "", "pause")

    @operation(
        summary="Let a paused run go on, or enter live mode",
        rest=("POST", "/v1/runs/play"),
        errors=("run_ended", "run_elsewhere"),
    )
    async def play(self, call: Call, request: SteerRun) -> Steered:
        """Go on with a run; with ``canvas``, run what changes there from now on, the whole canvas first."""
        if request.canvas is None:
            return await self._steer(call, request.id or "", "play")
        actor = require(call.actor, "canvas.run", await self._access(request.canvas))
        runner = await self._runners.acquire(actor.user_id, request.canvas)
        try:
            run = await self._runners.play(
                actor, runner, RunRequest(actor=actor, mode="live", audience=request.audience)
            )
        finally:
            self._runners.release(runner)
        return Steered(run=self._head(run), live=True)

    @operation(
        summary="Let a paused run go on by one node",
        rest=("POST", "/v1/runs/{id}/step"),
        errors=("run_ended", "run_elsewhere", "run_not_paused"),
    )
    async def step(self, call: Call, request: OneRun) -> Steered:
        """Start exactly one more node: one that is ready, or else the next to be."""
        return await self._steer(call, request.id, "step")

    @operation(
        summary="Try drafts of inputs while in live mode",
        rest=("POST", "/v1/runs/preview"),
        errors=("not_live",),
    )
    async def preview(self, call: Call, request: PreviewInputs) -> Previewed:
        """Run the nodes of ``preview`` types that the drafts reach through such nodes; nothing is kept or told."""
        actor = require(call.actor, "canvas.run", await self._access(request.canvas))
        outputs = await self._runners.preview(actor.user_id, request.canvas, request.inputs)
        if outputs is None:
            raise Conflict("Enter live mode first", code="not_live")
        return Previewed(outputs=outputs)

    @operation(summary="Forget a run", rest=("DELETE", "/v1/runs/{id}"), errors=("run_open",))
    async def remove(self, call: Call, request: OneRun) -> Done:
        """Forget a run that has ended, and what it left. Its events keep their numbers and say nothing."""
        record = await self._reader.record(call.actor, request.id, "run.steer")
        if self._runners.find(record.id) is not None or record.status in OPEN:
            raise Conflict(f"Run {record.id} goes on; cancel it first", code="run_open")
        await self._commits.submit(lambda conn: remove_run(conn, record.id))
        return Done()

    @operation(
        summary="Read a run's events, or follow them as server-sent events",
        rest=("GET", "/v1/runs/{id}/events"),
    )
    async def events(self, call: Call, request: ReadEvents) -> EventPage | EventStream:
        """Give events after ``after_seq`` as JSON, or by ``Accept: text/event-stream`` until the run's last one.

        With ``node``, those of a node and of what it ran inside itself (``sub``, ``map[3]``).
        A reconnecting ``EventSource`` goes on after its ``Last-Event-ID``.
        """
        record = await self._reader.record(call.actor, request.id)
        actor = require(call.actor, "run.create")
        if call.request is not None and "text/event-stream" in call.request.headers.get(
            "Accept", ""
        ):
            after = _last_event_id(call.request.headers.get("Last-Event-ID"), request.after_seq)
            return EventStream(self._follow(actor, record, after))
        await self._journal.up_to_date(record.stream)
        events = await self._journal.read(
            record.stream,
            after=request.after_seq,
            limit=request.limit,
            run=record.id,
            node=request.node,
        )
        shown = await self._reader.insides.shown(actor, events)
        return EventPage(
            events=views(event for event in shown if event.kind != HIDDEN),
            seq=events[-1].seq if events else request.after_seq,
            more=len(events) == request.limit,
        )

    @operation(
        summary="Read what a run left on a port",
        rest=("GET", "/v1/runs/{id}/outputs/{node}/{port}"),
        errors=("value_not_found", "value_gone", "worker_busy", "not_transferable"),
    )
    async def output(self, call: Call, request: ReadOutput) -> ValuePage:
        """Give a page of a value: items of a list, characters of a text, fields of an object."""
        record = await self._reader.record(call.actor, request.id)
        ref = await self._reader.on_port(call.actor, record, request.node, request.port)
        return await self._pages.page(ref.hash, partial(self._reader.left, ref), request)

    async def _may_run(self, call: Call, request: CreateRun) -> Actor:
        if request.canvas is not None:
            return require(call.actor, "canvas.run", await self._access(request.canvas))
        actor = require(call.actor, "run.create")
        count = len(request.spell.nodes) if request.spell else 0
        if count > self._max_nodes:
            raise TooLarge(
                f"The spell has {count:,} nodes; at most {self._max_nodes:,} are allowed",
                details={"limit": self._max_nodes, "nodes": count},
            )
        return actor

    async def _steer(self, call: Call, run_id: str, what: What) -> Steered:
        """Have whoever carries a run steer it."""
        record = await self._reader.record(call.actor, run_id, "run.steer")
        if record.status not in OPEN:
            raise RunEnded(record.id, record.status)
        told = await self._steering.steer(record, what)
        if told is None:
            raise RunElsewhere(record.id, record.status, record.process_id)
        if told == NOT_THERE:
            raise RunNotFound(record.id)
        if told.status not in OPEN:
            raise RunEnded(record.id, told.status)
        if not told.done:
            first = "it has not begun; play" if told.status == "paused" else "pause"
            raise Conflict(
                f"Run {record.id} is {told.status}; {first} it first", code="run_not_paused"
            )
        return self._steered(call, replace(record, status=told.status))

    async def _wait(self, call: Call, run: str, seconds: float) -> None:
        if call.session is not None:
            call.session.release_turn()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._endings.wait(run)

    async def _queued(
        self, call: Call, actor: Actor, queued: Queued, wait: float | None
    ) -> RunView:
        record = queued.record
        if queued.deduplicated:
            record = await self._same(actor, record.id)
        if not wait:
            view = self._reader.heads([record])[0]
        else:
            await self._wait(call, record.id, wait)
            view = await self._reader.view(actor, await self._reader.record(actor, record.id))
        return view.model_copy(update={"deduplicated": queued.deduplicated})

    async def _same(self, actor: Actor, run: str) -> RunRecord:
        """Return the run that has the dedupe key of a new one; to those who may not read it, only that there is one."""
        try:
            return await self._reader.record(actor, run)
        except NotFound as error:
            raise Conflict(
                "Another run of the queue has this dedupe_key, and has not ended",
                code="dedupe_key_taken",
            ) from error

    async def _follow(
        self, actor: Actor, record: RunRecord, after: int
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield a run's events until the last one, or until the actor may not read it any more."""
        over = record.status not in OPEN
        log = await self._journal.log(record.stream)

        def ended() -> None:
            nonlocal over
            over = True
            log.wake()

        stop = self._endings.watch(record.id, ended)
        try:
            async for event in self._follow_while(actor, record, after, lambda: not over):
                yield event
        finally:
            stop()

    async def _follow_while(
        self, actor: Actor, record: RunRecord, after: int, is_open: Callable[[], bool]
    ) -> AsyncIterator[ServerSentEvent]:
        looked = time.monotonic()
        async for event in self._journal.follow(
            record.stream, after=after, run=record.id, is_open=is_open
        ):
            if time.monotonic() - looked > RECHECK:
                looked = time.monotonic()
                if not await self._may_still_read(actor, record):
                    return
            (shown,) = await self._reader.insides.shown(actor, [event])
            if shown.kind != HIDDEN:
                yield ServerSentEvent(msgspec.Raw(shown.json), shown.kind, str(shown.seq))
            if event.kind in TERMINAL or event.kind == "run.removed":
                return

    async def _may_still_read(self, actor: Actor | None, record: RunRecord) -> bool:
        try:
            await self._reader.record(actor, record.id)
        except NotFound:
            return False
        return True

    def _head(self, run: Run) -> RunView:
        assert run.kept is not None
        return self._reader.heads([run.kept])[0]

    def _steered(self, call: Call, record: RunRecord) -> Steered:
        live = (
            call.actor is not None
            and record.canvas_id is not None
            and self._runners.is_live(call.actor.user_id, record.canvas_id)
        )
        return Steered(run=self._reader.heads([record])[0], live=live)


def _order(request: CreateRun) -> RunRequest:
    inline = request.canvas is None
    return RunRequest(
        spell=request.spell,
        inputs=request.inputs,
        scope=request.scope,
        reach=request.reach,
        timeout=request.timeout,
        mode=request.mode,
        audience=request.audience or ("private" if inline else "shared"),
        on_busy=request.on_busy or ("parallel" if inline else "replace"),
        durable=request.durable,
    )


def _last_event_id(header: str | None, after_seq: int) -> int:
    if header is None:
        return after_seq
    if not (header.isascii() and header.isdigit()):
        raise BadRequest.field("Last-Event-ID", "is the number of an event")
    return max(int(header), after_seq)


def announce_runs(registry: Registry) -> None:
    """Document the events that runs send to sockets."""
    registry.announce("run.events", RunEvents, "Events of runs, committed, in order")
    registry.announce("run.status", RunStatus, "A run is queued, paused or goes on")
    registry.announce("events.stalled", EventsStalled, "The store takes no events now; runs go on")
    registry.announce("events.flowing", EventsFlowing, "The store takes events again")
    registry.announce("values.gone", ValuesGone, "Values that runs left in workers are gone")
    registry.announce("canvas.live", CanvasLive, "Live mode of a user was turned on or off")
