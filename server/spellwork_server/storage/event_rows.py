"""How events lie in rows: each in its own, but for steps that ran at once, of which many share one.

Of a node that waited for nothing both events come together, and hundreds of
them in a burst. Such a row has the number of its last event, ``covers`` of how
many there are, and in its body the ``node.done`` of each as a JSON array, but
for its run and kind; the ``node.started`` before each is made from that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import holds
from .outputs import OutputRow
from .schema import EVENTS

RAN = "node.ran"
"""The kind of an entry that is the start and the end of a step, and of a row of those."""

ROW_STEPS = 64
"""Steps that share a row, at most. It may grow, but not become less: the rows that there are would not be found."""

ROW_BYTES = 32 * 1024
"""Bytes of steps that share a row, about."""

STEP_KINDS = frozenset(("node.started", "node.done"))
"""The kinds of the events in such a row."""

MOST_ROWS = 100
"""Rows that are read at once where it is not known how many of their events are wanted."""

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
    def bodies(self) -> tuple[bytes, ...]:
        """Its events as JSON objects, without their numbers."""
        if self.kind != RAN:
            return (self.body,)
        start = _start_of(self.run, _done.decode(self.body))
        return start[1], _whole(self.run, self.body)


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


_done = msgspec.json.Decoder(_Done)
_nodes = msgspec.json.Decoder(list[_Node])
_several = msgspec.json.Decoder(list[msgspec.Raw])
_json = msgspec.json.Encoder()
_run_and_kind = attrgetter("run", "kind")


def _start_of(run: str, done: _Done) -> tuple[float, bytes]:
    """Return when a step started that is done, and its ``node.started``."""
    at = done.at - done.duration
    return at, _json.encode(_Started(run, "node.started", at, done.node, done.why))


def _whole(run: str, done: bytes) -> bytes:
    """Return a ``node.done`` with its run and kind."""
    return b'{"run":"%b","kind":"node.done",%b' % (run.encode(), done[1:])


def count_of(entries: Iterable[Entry]) -> int:
    """Return how many events entries are."""
    return sum([2 if entry.kind == RAN else 1 for entry in entries])


def rows_of(stream: str, first: int, entries: Sequence[Entry]) -> list[tuple[Any, ...]]:
    """Return entries as rows, in the order of ``COLUMNS``; the first event has the number ``first``."""
    rows: list[tuple[Any, ...]] = []
    last = first - 1
    for (run, kind), group in groupby(entries, _run_and_kind):
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


def events_of(
    row: Row[Any], kinds: Collection[str] | None = None, node: str | None = None
) -> Iterator[Event]:
    """Yield the events of a row of ``COLUMNS``, in their order; where given, of some kinds, and of a node and what is inside it.

    One of whose several events nothing is kept (``run.removed``) has each of them so.
    """
    seq = row.seq - row.covers
    if row.kind != RAN:
        if (kinds is None or row.kind in kinds) and _is_at(row.node, node):
            for number in range(row.covers):
                yield Event(seq + number + 1, row.run, row.kind, row.node, row.at, row.body)
        return
    starts = kinds is None or "node.started" in kinds
    ends = kinds is None or "node.done" in kinds
    for body in _several.decode(row.body):
        seq += 2
        step = _done.decode(body)
        if not _is_at(step.node, node):
            continue
        if starts:
            start = _start_of(row.run, step)
            yield Event(seq - 1, row.run, "node.started", step.node, start[0], start[1])
        if ends:
            done = _whole(row.run, bytes(body))
            yield Event(seq, row.run, "node.done", step.node, step.at, done)


def _is_at(node: str | None, path: str | None) -> bool:
    """Say whether an event of a node is of one at ``path``, or inside it; None is everywhere."""
    if path is None or node == path:
        return True
    return node is not None and node.startswith((f"{path}/", f"{path}["))


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
    query = _rows(conn, mine, kinds, node, silent)
    by_number = kinds is None and node is None  # where all are wanted, numbers say how far they lie
    last, shared = after, True
    while len(found) < limit:
        missing = limit - len(found)
        asked = min(missing // ROW_STEPS + 2, MOST_ROWS) if shared else MOST_ROWS
        part = query.where(EVENTS.c.seq > last)
        if by_number:
            asked = missing
            part = part.where(EVENTS.c.seq < last + missing + 2 * ROW_STEPS)
        rows = (await conn.execute(part.limit(asked))).all()
        for row in rows:
            found += [event for event in events_of(row, kinds, node) if event.seq > after]
        if rows:
            last = rows[-1].seq
            shared = any(row.covers > 1 for row in rows)
        if len(rows) < asked and not by_number:
            break
        by_number = False  # there are gaps, if there are any more
    return found[:limit]


def _rows(
    conn: AsyncConnection,
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
        begins = holds(conn, EVENTS.c.body, b'"node":%b' % _json.encode(node)[:-1])
        query = query.where(or_(and_(EVENTS.c.kind == RAN, begins), _at_or_inside(node)))
    return query


def _at_or_inside(path: str) -> ColumnElement[bool]:
    """Return the condition that an event is of the node at a path, or of one inside it (LIKE would not mind case)."""
    head = func.substr(EVENTS.c.node, 1, len(path) + 1)
    return or_(EVENTS.c.node == path, head == f"{path}/", head == f"{path}[")
