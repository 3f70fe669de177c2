"""Look into past runs: find them, what went into their nodes, when these ran, how two differ, what all cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from spellwork_server.identity import Actor, require
from spellwork_server.runs.comparing import Side, compare
from spellwork_server.runs.recorded_inputs import InputReader
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.streams import Access
from spellwork_server.runs.timeline import Row, TimelineMaker
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.run_figures import DAY, RunFigures, TokenRow, UsageRow
from spellwork_server.storage.run_search import RunQuery, RunSearch
from spellwork_server.storage.timeline_events import TimelineEvents
from spellwork_server.storage.users import UserRecords

from .run_models import RunList
from .run_reading_models import (
    CompareRuns,
    FindRuns,
    ReadInputs,
    ReadTimeline,
    ReadUsage,
    RecordedInputsView,
    RunComparison,
    RunTimeline,
    SpanView,
    TimelineNode,
    TokenUsage,
    Usage,
    UsageFigures,
    UsageGroup,
    compared,
)
from .service import Call, Service, operation

MOST_EVENTS = 200_000
"""Events of a run that its timeline is made from; further ones are left out, and that is said."""

EVENT_PAGE = 5_000

USAGE_DAYS = 30

MOST_SMALL = 1_000
"""Small values that a comparison tells in full; further ones it tells by hash and size."""


@dataclass(frozen=True, slots=True)
class RunLooks:
    """What runs are looked into with."""

    search: RunSearch
    figures: RunFigures
    events: TimelineEvents
    inputs: InputReader
    outputs: OutputStore
    users: UserRecords
    canvases: CanvasRecords


class RunReadingService(Service):
    """What past runs were, for those who may read them."""

    name: ClassVar[str] = "runs"

    def __init__(self, reader: RunReader, looks: RunLooks, access: Access) -> None:
        self._reader = reader
        self._looks = looks
        self._access = access

    @operation(summary="Find runs, newest first", rest=("GET", "/v1/runs"))
    async def find(self, call: Call, request: FindRuns) -> RunList:
        """Give the runs of a canvas that the caller may see, or the caller's own, or all, a page at a time."""
        everybody = request.all and request.canvas is None
        actor = require(call.actor, "users.manage" if everybody else "run.create")
        if request.canvas is not None:
            require(actor, "canvas.read", await self._access(request.canvas))
        query = RunQuery(
            reader=None if everybody else actor.user_id,
            canvas=request.canvas,
            status=request.status,
            failed=request.failed,
            queue=request.queue,
            trigger=request.trigger,
            forked_from=request.forked_from,
            parent=request.parent,
            user=request.user,
            text=request.search,
            since=request.since,
            before=request.before,
            after=request.after,
            limit=request.limit,
        )
        found = await self._looks.search.find(query)
        ahead = await self._looks.search.ahead(found.records)
        views = await self._reader.with_progress(self._reader.heads(found.records))
        return RunList(
            items=[
                view.model_copy(
                    update={
                        "ahead": ahead.get(view.id),
                        "failed_nodes": found.failed.get(view.id),
                        "user_name": found.names.get(view.user),
                    }
                )
                for view in views
            ],
            next=found.next,
        )

    @operation(
        summary="Read what went into a node of a run",
        rest=("GET", "/v1/runs/{id}/inputs/{node}"),
        errors=("value_not_found", "not_kept"),
    )
    async def inputs(self, call: Call, request: ReadInputs) -> RecordedInputsView:
        """Give a node's inputs from the recorded spell and the kept outputs. Nothing is called."""
        actor = require(call.actor, "run.create")
        record = await self._reader.record(actor, request.id)
        insides = await self._reader.insides.of_record(actor, record)
        found = await self._looks.inputs.of(actor, record, request.node, insides)
        return RecordedInputsView(
            run=record.id, node=request.node, inputs=found.inputs, not_kept=found.not_kept
        )

    @operation(
        summary="Compare two runs node by node", rest=("GET", "/v1/runs/{id}/compare/{other}")
    )
    async def compare(self, call: Call, request: CompareRuns) -> RunComparison:
        """Give what is the same in two runs that the caller may read, and what is not."""
        actor = require(call.actor, "run.create")
        before, after = [await self._side(actor, id) for id in (request.id, request.other)]
        made = await asyncio.to_thread(compare, before, after)
        small = [
            ref
            for pair in made.nodes
            for port in pair.ports
            for ref in (port.before, port.after)
            if ref is not None and ref.preview is None
        ]
        bodies = await self._looks.outputs.values(small[:MOST_SMALL])
        values = {key: msgspec.json.decode(body) for key, body in bodies.items()}
        heads = self._reader.heads([before.record, after.record])
        return RunComparison(
            before=heads[0],
            after=heads[1],
            nodes=[compared(pair, values) for pair in made.nodes],
            changes=made.changes,
        )

    @operation(
        summary="Read when the nodes of a run waited and ran",
        rest=("GET", "/v1/runs/{id}/timeline"),
    )
    async def timeline(self, call: Call, request: ReadTimeline) -> RunTimeline:
        """Give the spans of each node, a page of rows at a time."""
        actor = require(call.actor, "run.create")
        record = await self._reader.record(actor, request.id)
        maker = TimelineMaker(
            record.created_at, await self._reader.insides.of_record(actor, record)
        )
        complete = await self._read_events(record.id, maker)
        made = await asyncio.to_thread(maker.made)
        rows = [row for row in made.rows if _is_wanted(row, request)]
        page = rows[request.offset : request.offset + request.limit]
        owners = {_owner(row.node) for row in made.rows if "/" in row.node}
        nodes = (record.spell or {}).get("nodes") or {}
        head = self._reader.heads([record])[0]
        return RunTimeline(
            run=record.id,
            status=head.status,
            created_at=head.created_at,
            started_at=head.started_at,
            ended_at=head.ended_at,
            spans=[SpanView.of(span) for span in made.run],
            nodes=[
                TimelineNode.of(
                    row, (nodes.get(row.node) or {}).get("name"), inside=row.node in owners
                )
                for row in page
            ],
            total=len(rows),
            more=request.offset + len(page) < len(rows),
            complete=complete,
        )

    @operation(summary="Read what runs took", rest=("GET", "/v1/usage"))
    async def usage(self, call: Call, request: ReadUsage) -> Usage:
        """Add up runs, nodes, time and tokens of a canvas, of the caller, or (administrators) of everybody."""
        actor = require(call.actor, "users.manage" if request.all else "run.create")
        if request.canvas is not None:
            require(actor, "canvas.read", await self._access(request.canvas))
        since = time.time() - USAGE_DAYS * DAY if request.since is None else request.since
        rows = await self._looks.figures.usage(
            request.by,
            since=since,
            canvas=request.canvas,
            reader=None if request.all else actor.user_id,
        )
        names = await self._names(actor, request.by, rows, everybody=request.all)
        groups = [
            UsageGroup(key=_key(row), name=names.get(str(row.key)), **_figures(row)) for row in rows
        ]
        total = UsageFigures(
            **{
                name: sum(getattr(group, name) for group in groups)
                for name in UsageFigures.model_fields
            }
        )
        taken = await self._looks.figures.tokens(
            since=since, canvas=request.canvas, reader=None if request.all else actor.user_id
        )
        return Usage(
            by=request.by,
            since=since,
            total=total,
            groups=groups,
            tokens=[_tokens(row) for row in taken],
        )

    async def _side(self, actor: Actor, run: str) -> Side:
        record = await self._reader.record(actor, run)
        left: dict[str, dict[str, OutputRef]] = {}
        for ref in await self._looks.outputs.of_run(record.id):
            if "/" not in ref.node:
                left.setdefault(ref.node, {})[ref.port] = ref
        return Side(
            record=record,
            left=left,
            started=await self._looks.events.starts(record.id),
            insides=await self._reader.insides.of_record(actor, record),
        )

    async def _read_events(self, run: str, maker: TimelineMaker) -> bool:
        """Give all events of a run to the maker; say whether that was all."""
        after = taken = 0
        while taken < MOST_EVENTS:
            events = await self._looks.events.of_run(run, after=after, limit=EVENT_PAGE)
            await asyncio.to_thread(maker.take, events)
            if len(events) < EVENT_PAGE:
                return True
            after = events[-1].seq
            taken += len(events)
        return False

    async def _names(
        self, actor: Actor, by: str, rows: Sequence[UsageRow], *, everybody: bool
    ) -> dict[str, str]:
        keys = [str(row.key) for row in rows if row.key is not None]
        if by == "user":
            return {user.id: user.name or user.email for user in await self._looks.users.find(keys)}
        if by == "canvas":
            seen = await self._looks.canvases.seen_by(None if everybody else actor.user_id)
            return {canvas.id: canvas.name for canvas, _ in seen}
        return {}


def _is_wanted(row: Row, request: ReadTimeline) -> bool:
    node = request.node
    if node is not None and not (row.node == node or row.node.startswith((f"{node}/", f"{node}["))):
        return False
    return request.nested or "/" not in row.node


def _owner(path: str) -> str:
    """Return the node that ran the one at a path, without the number of its round."""
    head = path.rpartition("/")[0]
    return head.rpartition("[")[0] if head.endswith("]") else head


def _key(row: UsageRow) -> str | None:
    if isinstance(row.key, int):
        return datetime.fromtimestamp(row.key * DAY, UTC).date().isoformat()
    return row.key


def _tokens(row: TokenRow) -> TokenUsage:
    return TokenUsage(
        type=row.type or None,
        provider=row.provider or None,
        model=row.model or None,
        runs=row.runs,
        calls=row.calls,
        prompt_tokens=row.prompt,
        completion_tokens=row.completion,
        total_tokens=row.total,
    )


def _figures(row: UsageRow) -> dict[str, float]:
    return {
        "runs": row.runs,
        "seconds": round(row.seconds, 6),
        "nodes": row.ran,
        "cached": row.cached,
        "failed": row.failed,
        "skipped": row.skipped,
        "tokens": row.tokens,
    }
