"""When each node of a run was ready, waited and ran: from its events, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from spellwork_server.storage.event_rows import Event

from .insides import Insides
from .writer import TERMINAL

State = Literal["queued", "waiting", "running"]

ENDS = {"node.done": "done", "node.failed": "failed", "node.skipped": "skipped"}

STANDING = frozenset(("cached", "kept", "pinned", "muted", "bypassed", "given"))


class _Body(msgspec.Struct):
    """What of an event's JSON a timeline needs."""

    why: str | None = None
    duration: float | None = None
    data: dict[str, Any] | None = None


@dataclass(slots=True)
class Span:
    """A stretch of time in one state; ``end`` is None while it goes on. ``attempt`` counts from 1."""

    state: State
    start: float
    end: float | None = None
    waits_for: str | None = None
    until: float | None = None
    attempt: int = 0


@dataclass(slots=True)
class Row:
    """A node, by its path, with its spans in order."""

    node: str
    spans: list[Span] = field(default_factory=list)
    why: str | None = None
    state: str | None = None
    """How it ended; None while it goes on."""
    attempts: int = 0

    @property
    def start(self) -> float:
        """When it was first heard of."""
        return self.spans[0].start

    def close(self, at: float) -> None:
        """End what it is in."""
        if self.spans and self.spans[-1].end is None:
            self.spans[-1].end = at

    def enter(self, state: State, at: float, **more: Any) -> None:
        """End what it is in, and begin another stretch."""
        self.close(at)
        if self.spans and self.spans[-1].start == at and self.spans[-1].state != "running":
            self.spans.pop()  # it took no time
        self.spans.append(Span(state, at, attempt=self.attempts, **more))


@dataclass(slots=True)
class Timeline:
    """Rows in the order in which their nodes began, those inside a node after it; ``run`` has the run's own spans."""

    rows: list[Row]
    run: list[Span]


class TimelineMaker:
    """Takes the events of a run, in order, page by page."""

    def __init__(self, created_at: float, insides: Insides) -> None:
        self._rows: dict[str, Row] = {}
        self._insides = insides
        self._run = [Span("queued", created_at)]
        self._attempt = 0

    def take(self, events: Iterable[Event]) -> None:
        """Take further events."""
        for event in events:
            if event.node is None:
                self._take_run(event)
            elif not self._insides.hides(event.node):
                row = self._rows.get(event.node)
                if row is None:
                    row = self._rows[event.node] = Row(event.node)
                _take(row, event)

    def made(self) -> Timeline:
        """Return what they make."""
        rows = [row for row in self._rows.values() if row.spans]
        firsts: dict[str, float] = {}
        for row in rows:
            firsts[row.node] = min(row.start, firsts.get(row.node, row.start))
        rows.sort(key=lambda row: _place(row.node, firsts))
        return Timeline(rows, self._run)

    def _take_run(self, event: Event) -> None:
        last = self._run[-1]
        if last.end is None:
            last.end = event.at
        if event.kind in ("run.started", "run.resumed"):
            self._attempt += 1
            for row in self._rows.values():
                row.close(event.at)
            self._run.append(Span("running", event.at, attempt=self._attempt))
        elif event.kind in TERMINAL:
            for row in self._rows.values():
                row.close(event.at)
                row.state = row.state or "cancelled"


def _take(row: Row, event: Event) -> None:
    at = event.at
    if not event.body:  # it says something: what it waited for while it ran is over
        if row.spans and row.spans[-1].state == "waiting" and row.attempts:
            row.enter("running", at)
        return
    body = msgspec.json.decode(event.body, type=_Body)
    data = body.data or {}
    if event.kind == "node.queued":
        row.state = None
        row.enter("queued", at)
    elif event.kind == "node.waiting":
        until = data.get("until")
        row.enter(
            "waiting",
            at,
            waits_for=str(data.get("for", "wait")),
            until=until if isinstance(until, (int, float)) else None,
        )
    elif event.kind == "node.started":
        row.attempts += 1
        row.why = body.why or row.why
        row.state = None
        row.enter("running", at)
    elif event.kind in ENDS:
        row.why = body.why or row.why
        row.state = body.why if body.why in STANDING else ENDS[event.kind]
        if not row.spans:  # nothing was told before: it ended at once, or was not called
            state: State = "queued" if event.kind == "node.skipped" else "running"
            row.enter(state, at - (body.duration or 0.0))
        row.close(at)


def _place(path: str, firsts: dict[str, float]) -> list[tuple[float, str]]:
    """Return where a row stands: each part of its path by when that began."""
    parts = path.split("/")
    place = []
    for depth in range(1, len(parts) + 1):
        head = "/".join(parts[:depth])
        owner = "/".join([*parts[: depth - 1], parts[depth - 1].partition("[")[0]])
        place.append((firsts.get(head, firsts.get(owner, 0.0)), parts[depth - 1]))
    return place
