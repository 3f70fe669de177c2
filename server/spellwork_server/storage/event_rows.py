"""How events lie in rows: each in its own, but for steps that ran at once, of which many share one.

Of a node that waited for nothing both events come together, and hundreds of
them in a burst. Such a row has the number of its last event, ``covers`` of how
many there are, and in its body the ``node.done`` of each as a JSON array, but
for its run and kind; the ``node.started`` before each is made from that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Row, Select, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .outputs import OutputRow
from .schema import EVENTS

RAN = "node.ran"
"""The kind of an entry that is the start and the end of a step, and of a row of those."""

ROW_STEPS = 64
ROW_BYTES = 32 * 1024
"""Steps, and bytes of them, that share a row, about."""

STEP_KINDS = frozenset(("node.started", "node.done"))
"""The kinds of the events in such a row."""

FIRST_ROWS = 100
"""Rows that are read at first, and where several events share them: with 32 KB each they are no more than needed."""

COLUMNS = ("stream", "seq", "run", "kind", "node", "at", "body", "covers")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event on its way into a stream, with the values that go with it.

    ``body`` is the event as a JSON object without its number; it is never empty.
    ``fence`` is the claim of the run under which it is written. Of the kind
    ``node.ran`` it is two events, and ``body`` the second without its run and kind.
    """

    run: str
    kind: str
    node: str | None
    at: float
    body: bytes
    outputs: tuple[OutputRow, ...] = ()
    fence: int = 0

    @property
    def size(self) -> int:
        """How many bytes of memory the entry holds, about."""
        size = len(self.body) + 200
        for output in self.outputs:
            size += len(output.body)
        return size

    @property
    def count(self) -> int:
        """How many events it is."""
        return 2 if self.kind == RAN else 1

    @property
    def bodies(self) -> tuple[bytes, ...]:
        """Its events as JSON objects, without their numbers."""
        if self.kind != RAN:
            return (self.body,)
        return _start_of(self.run, self.body).body, _whole(self.run, self.body)


class Event(NamedTuple):
    """An event as it lies in a row. ``body`` is its JSON without its number."""

    seq: int
    run: str
    kind: str
    node: str | None
    at: float
    body: bytes


class _Done(msgspec.Struct):
    at: float
    node: str
    why: str | None = None
    duration: float = 0.0


class _Node(msgspec.Struct):
    node: str


class _Started(msgspec.Struct, omit_defaults=True):
    run: str
    kind: str
    at: float
    node: str
    why: str | None = None


class _Start(NamedTuple):
    """A ``node.started``, and when its node was done."""

    node: str
    at: float
    body: bytes
    ended: float


_done = msgspec.json.Decoder(_Done)
_nodes = msgspec.json.Decoder(list[_Node])
_several = msgspec.json.Decoder(list[msgspec.Raw])
_json = msgspec.json.Encoder()


def _start_of(run: str, done: bytes | msgspec.Raw) -> _Start:
    step = _done.decode(done)
    at = step.at - step.duration
    started = _json.encode(_Started(run, "node.started", at, step.node, step.why))
    return _Start(step.node, at, started, step.at)


def _whole(run: str, done: bytes) -> bytes:
    """Return a ``node.done`` with its run and kind."""
    return b'{"run":"%b","kind":"node.done",%b' % (run.encode(), done[1:])


def count_of(entries: Iterable[Entry]) -> int:
    """Return how many events entries are."""
    return sum([entry.count for entry in entries])


def rows_of(stream: str, first: int, entries: Sequence[Entry]) -> list[tuple[Any, ...]]:
    """Return entries as rows, in the order of ``COLUMNS``; the first event has the number ``first``."""
    rows: list[tuple[Any, ...]] = []
    last = first - 1
    for (run, kind), group in groupby(entries, lambda entry: (entry.run, entry.kind)):
        if kind != RAN:
            for entry in group:
                last += 1
                rows.append((stream, last, run, kind, entry.node, entry.at, entry.body, 1))
            continue
        for steps in _in_rows(group):
            last += 2 * len(steps)
            body = b"[" + b",".join([entry.body for entry in steps]) + b"]"
            rows.append((stream, last, run, kind, None, steps[-1].at, body, 2 * len(steps)))
    return rows


def _in_rows(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    steps: list[Entry] = []
    size = 0
    for entry in entries:
        steps.append(entry)
        size += len(entry.body)
        if len(steps) == ROW_STEPS or size >= ROW_BYTES:
            yield steps
            steps, size = [], 0
    if steps:
        yield steps


def events_of(row: Row[Any]) -> Iterator[Event]:
    """Yield the events of a row of ``COLUMNS``, in their order.

    One of whose several events nothing is kept (``node.hidden``, ``run.removed``) has each of them so.
    """
    seq = row.seq - row.covers
    if row.kind != RAN:
        for number in range(row.covers):
            yield Event(seq + number + 1, row.run, row.kind, row.node, row.at, row.body)
        return
    for body in _several.decode(row.body):
        start = _start_of(row.run, body)
        yield Event(seq + 1, row.run, "node.started", start.node, start.at, start.body)
        seq += 2
        yield Event(
            seq, row.run, "node.done", start.node, start.ended, _whole(row.run, bytes(body))
        )


def nodes_of(body: bytes) -> list[str]:
    """Return the paths of the nodes in the body of a row of the kind ``node.ran``."""
    return [each.node for each in _nodes.decode(body)]


async def read_events(
    conn: AsyncConnection,
    mine: ColumnElement[bool],
    *,
    after: int,
    limit: int,
    kinds: Collection[str] | None = None,
    node: str | None = None,
    silent: Collection[str] = (),
) -> list[Event]:
    """Return the events of the rows that are ``mine`` with numbers beyond ``after``, oldest first.

    Where given, those of some kinds, and those of one node and what it runs inside itself. Those of
    ``silent`` kinds have empty bodies.
    """
    found: list[Event] = []
    asked = min(limit, FIRST_ROWS)
    query = _rows(mine, kinds, node, silent)
    last = after
    while True:
        rows = (await conn.execute(query.where(EVENTS.c.seq > last).limit(asked))).all()
        for row in rows:
            for event in events_of(row):
                if event.seq > after and _is_wanted(event, kinds, node):
                    found.append(event)
                    if len(found) == limit:
                        return found
        if len(rows) < asked:
            return found
        last = rows[-1].seq
        shared = any(row.covers > 1 for row in rows)
        asked = min(limit - len(found), FIRST_ROWS) if shared else limit - len(found)


def _rows(
    mine: ColumnElement[bool],
    kinds: Collection[str] | None,
    node: str | None,
    silent: Collection[str],
) -> Select[Any]:
    body: ColumnElement[Any] = EVENTS.c.body
    if silent:
        body = case((EVENTS.c.kind.in_(silent), literal(b"")), else_=body).label("body")
    columns = [EVENTS.c[name] for name in COLUMNS if name != "body"]
    query = select(*columns, body).where(mine).order_by(EVENTS.c.seq)
    if kinds is not None:
        rows = {*kinds, RAN} if STEP_KINDS & set(kinds) else kinds
        query = query.where(EVENTS.c.kind.in_(rows))
    if node is not None:
        query = query.where(or_(EVENTS.c.kind == RAN, _at_or_inside(node)))
    return query


def _is_wanted(event: Event, kinds: Collection[str] | None, node: str | None) -> bool:
    if kinds is not None and event.kind not in kinds:
        return False
    if node is None or event.node == node:
        return True
    return event.node is not None and event.node.startswith((f"{node}/", f"{node}["))


def _at_or_inside(path: str) -> ColumnElement[bool]:
    """Return the condition that an event is of the node at a path, or of one inside it (LIKE would not mind case)."""
    head = func.substr(EVENTS.c.node, 1, len(path) + 1)
    return or_(EVENTS.c.node == path, head == f"{path}/", head == f"{path}[")
