"""Streams of events: what a socket missed, and then live; or page by page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

import msgspec
from pydantic import Field

from spellwork_server.errors import BadRequest, Internal
from spellwork_server.identity import require
from spellwork_server.runs.journal import Journal
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.spell_manager import SpellManager
from spellwork_server.runs.streams import Access, require_stream
from spellwork_server.runs.views import EventView, RunView
from spellwork_server.storage.journal import StoredEvent

from .service import Call, Request, Service, View, operation

RECENT_RUNS = 20


class ReadStream(Request):
    """A stream by its name: canvas:ID, canvas:ID:user:USER or user:USER."""

    stream: str = Field(max_length=200)
    after_seq: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=1_000, ge=1, le=5_000)


class StreamPage(View):
    """Events in order, each exactly once.

    Where ``more`` is true, ask again after ``seq``. Where it is false, the
    socket that asked follows the stream from ``seq`` on.
    """

    stream: str
    events: list[EventView]
    seq: int
    more: bool
    snapshot_required: bool = Field(
        default=False,
        description="What follows after_seq is not kept any more: start anew from runs, and follow from seq on.",
    )
    runs: list[RunView] = Field(
        default_factory=list,
        description="With snapshot_required: the stream's newest runs, whose outputs stand in for the events.",
    )


class EventService(Service):
    """Streams of run events."""

    name: ClassVar[str] = "events"

    def __init__(self, journal: Journal, reader: RunReader, access: Access) -> None:
        self._journal = journal
        self._reader = reader
        self._access = access

    @operation(
        summary="Catch up with a stream, then follow it",
        errors=("stream_not_found", "forbidden"),
    )
    async def resume(self, call: Call, request: ReadStream) -> StreamPage:
        """Give what the socket missed after ``after_seq``; with the last page it follows the stream.

        Between the pages nothing of the stream is sent to the socket.
        """
        actor = require(call.actor, "run.create")
        if call.session is None:
            raise BadRequest("events.resume is for sockets; over REST use GET /v1/events")
        await require_stream(actor, request.stream, self._access)
        manager = call.session.state.get(SpellManager)
        if not isinstance(manager, SpellManager):
            raise Internal("The socket has no spell manager")
        runs: list[RunView] = []
        if await self._journal.is_forgotten(request.stream, request.after_seq):
            runs = await self._reader.of_stream(request.stream, limit=RECENT_RUNS)
        replay = await manager.resume(
            request.stream,
            request.after_seq,
            request.limit,
            partial(self._reader.insides.shown, actor),
        )
        return StreamPage(
            stream=request.stream,
            events=views(replay.events),
            seq=replay.seq,
            more=replay.more,
            snapshot_required=replay.snapshot_required,
            runs=runs,
        )

    @operation(
        summary="Read a stream's events", rest=("GET", "/v1/events"), errors=("stream_not_found",)
    )
    async def find(self, call: Call, request: ReadStream) -> StreamPage:
        """Give events after ``after_seq``, and nothing more."""
        actor = require(call.actor, "run.create")
        await require_stream(actor, request.stream, self._access)
        await self._journal.up_to_date(request.stream)
        if await self._journal.is_forgotten(request.stream, request.after_seq):
            seq = (await self._journal.log(request.stream)).published
            return StreamPage(
                stream=request.stream,
                events=[],
                seq=seq,
                more=False,
                snapshot_required=True,
                runs=await self._reader.of_stream(request.stream, limit=RECENT_RUNS),
            )
        events = await self._journal.read(
            request.stream, after=request.after_seq, limit=request.limit
        )
        events = await self._reader.insides.shown(actor, events)
        seq = events[-1].seq if events else request.after_seq
        more = seq < (await self._journal.log(request.stream)).published
        return StreamPage(stream=request.stream, events=views(events), seq=seq, more=more)


def views(events: Iterable[StoredEvent]) -> list[EventView]:
    """Return stored events as answers give them; for runs, too."""
    return [EventView.model_construct(**msgspec.json.decode(event.json)) for event in events]
