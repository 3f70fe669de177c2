"""The journal's tables: events by stream and number, written with the values they name.

A stream's numbers have no gaps: they are taken from its counter row in the
transaction that writes the events, so the order of numbers is the order of
commits, also with several writers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import insert_many
from .database import Database
from .outputs import OutputRow, insert_outputs
from .schema import EVENTS, RUNS, STREAMS

COLUMNS = ("stream", "seq", "run", "kind", "node", "at", "body")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event on its way into a stream, with the values that go with it.

    ``body`` is the event as a JSON object without its number; it is never empty.
    """

    run: str
    kind: str
    node: str | None
    at: float
    body: bytes
    outputs: tuple[OutputRow, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes of memory the entry holds, about."""
        size = len(self.body) + 200
        for output in self.outputs:
            size += len(output.body)
        return size


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of a stream: its number, and its JSON as it goes on the wire."""

    seq: int
    kind: str
    json: bytes


def numbered(seq: int, body: bytes) -> bytes:
    """Return the JSON object ``body`` with ``seq`` as its first field."""
    return b'{"seq":%d,%b' % (seq, body[1:])


class RunGoneError(Exception):
    """The run that entries speak of is not kept any more: it, or its canvas, was removed."""


async def append(conn: AsyncConnection, stream: str, entries: Sequence[Entry]) -> int:
    """Write ``entries`` at the end of ``stream``; return the number of the last one. Raises RunGoneError."""
    last = await _advance(conn, stream, len(entries), {entry.run for entry in entries})
    first = last - len(entries) + 1
    await insert_outputs(conn, [row for entry in entries for row in entry.outputs])
    rows = [
        (stream, seq, entry.run, entry.kind, entry.node, entry.at, entry.body)
        for seq, entry in enumerate(entries, first)
    ]
    await insert_many(conn, EVENTS, COLUMNS, rows)
    return last


async def _advance(conn: AsyncConnection, stream: str, count: int, runs: set[str]) -> int:
    """Move the stream's counter on by ``count`` if all ``runs`` are kept; return where it stands then."""
    kept = select(func.count()).select_from(RUNS).where(RUNS.c.id.in_(runs)).scalar_subquery()
    moved = await conn.execute(
        update(STREAMS)
        .where(STREAMS.c.id == stream, kept == len(runs))
        .values(seq=STREAMS.c.seq + count)
        .returning(STREAMS.c.seq)
    )
    row = moved.first()
    if row is not None:
        return int(row.seq)
    found = set(await conn.scalars(select(RUNS.c.id).where(RUNS.c.id.in_(runs))))
    if found != runs:
        raise RunGoneError(", ".join(sorted(runs - found)))
    await conn.execute(insert(STREAMS).values(id=stream, seq=count))
    return count


class JournalStore:
    """Reads streams; ``append`` above is what writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, stream: str) -> int:
        """Return the number of the stream's last event, 0 when it has none."""
        async with self._database.read() as conn:
            seq = await conn.scalar(select(STREAMS.c.seq).where(STREAMS.c.id == stream))
        return int(seq or 0)

    async def first(self, stream: str) -> int | None:
        """Return the number of the oldest event still kept, None when there is none."""
        async with self._database.read() as conn:
            seq = await conn.scalar(select(func.min(EVENTS.c.seq)).where(EVENTS.c.stream == stream))
        return None if seq is None else int(seq)

    async def read(
        self,
        stream: str,
        *,
        after: int,
        upto: int,
        limit: int,
        run: str | None = None,
        node: str | None = None,
    ) -> list[StoredEvent]:
        """Return the events after ``after``, up to and with ``upto``, oldest first.

        Where given, those of one run only, and of one node and what it runs inside itself.
        """
        query = (
            select(EVENTS.c.seq, EVENTS.c.kind, EVENTS.c.body)
            .where(EVENTS.c.stream == stream, EVENTS.c.seq > after, EVENTS.c.seq <= upto)
            .order_by(EVENTS.c.seq)
            .limit(limit)
        )
        if run is not None:
            query = query.where(EVENTS.c.run == run)
        if node is not None:
            query = query.where(_at_or_inside(node))
        async with self._database.read() as conn:
            rows: Sequence[Any] = (await conn.execute(query)).all()
        return [StoredEvent(row.seq, row.kind, numbered(row.seq, row.body)) for row in rows]


def _at_or_inside(path: str) -> ColumnElement[bool]:
    """Return the condition that an event is of the node at a path, or of one inside it (LIKE would not mind case)."""
    head = func.substr(EVENTS.c.node, 1, len(path) + 1)
    return or_(EVENTS.c.node == path, head == f"{path}/", head == f"{path}[")
