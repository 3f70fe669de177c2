"""The journal's tables: events by stream and number, written with the values they name.

A stream's numbers have no gaps: they are taken from its counter row in the
transaction that writes the events, so the order of numbers is the order of
commits, also with several writers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Update,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import Prepared, insert_many, param, upsert
from .database import Database
from .event_rows import COLUMNS, ROW_STEPS, Entry, count_of, read_events, rows_of
from .group_commit import Job
from .outputs import inserting_outputs
from .schema import EVENTS, PROCESSES, RUNS, STREAMS


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


class FencedError(RunGoneError):
    """The run is there, and another process has claimed it since: what comes under an older claim is not written."""


Claim = tuple[str, int]
"""A run, and the fence under which somebody carries it."""


def claims_of(entries: Iterable[Entry]) -> set[Claim]:
    """Return the claims under which entries are written."""
    return {(each.run, each.fence) for each in entries}


def appending(stream: str, entries: Sequence[Entry]) -> Job[int]:
    """Return the job that writes ``entries`` at the end of ``stream``, and returns the number of the last one.

    What needs no database is done at once: where they were made the entries are at hand, and in
    the thread of the database they are not. The job raises RunGoneError where a run is removed,
    FencedError where it is somebody else's by now; nothing is written then. On PostgreSQL the runs
    are held until the end of the transaction, so that nobody claims one between the look at its
    fence and the commit.
    """
    count = count_of(entries)
    claims = claims_of(entries)
    insert = inserting_outputs([row for entry in entries for row in entry.outputs])
    rows = rows_of(stream, 1, entries)

    async def write(conn: AsyncConnection) -> int:
        last = await _advance(conn, stream, count, claims)
        await insert(conn)
        before = last - count
        here = [(stream, seq + before, *rest) for _, seq, *rest in rows]
        await insert_many(conn, EVENTS, COLUMNS, here)
        return last

    return write


async def find_written(
    conn: AsyncConnection, stream: str, after: int, entries: Sequence[Entry]
) -> int | None:
    """Return the number of the last of ``entries`` where they are in the stream after ``after``; else None.

    For whoever lost the store while it committed them, and does not know whether it did.
    """
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(stream, 1, entries)]
    ends = rows[0], rows[-1]
    query = select(EVENTS.c.seq, EVENTS.c.body).where(
        EVENTS.c.stream == stream,
        EVENTS.c.seq > after,
        EVENTS.c.run.in_({each["run"] for each in ends}),
        EVENTS.c.body.in_({each["body"] for each in ends}),
    )
    found: dict[int, bytes] = {row.seq: row.body for row in await conn.execute(query)}
    for seq, body in found.items():
        last = int(seq + ends[1]["seq"] - ends[0]["seq"])
        if body == ends[0]["body"] and found.get(last) == ends[1]["body"]:
            return last
    return None


async def _advance(conn: AsyncConnection, stream: str, count: int, claims: set[Claim]) -> int:
    """Move the stream's counter on by ``count`` if all ``claims`` hold; return where it stands then."""
    moved: Sequence[Any]
    if len(claims) == 1:
        ((run, fence),) = claims
        moved = await _ADVANCING.execute(
            conn, of_stream=stream, more=count, of_run=run, under=fence
        )
    else:
        held = _advancing(stream, count, _claimed(claims), len(claims))
        moved = (await conn.execute(held)).all()
    if moved:
        return int(moved[0][0])
    await check_claims(conn, claims)
    begun = upsert(conn.dialect, STREAMS).values(id=stream, seq=count)
    begun = begun.on_conflict_do_update(  # another process began the stream meanwhile
        index_elements=[STREAMS.c.id], set_={"seq": STREAMS.c.seq + count}
    )
    return int((await conn.execute(begun.returning(STREAMS.c.seq))).scalar_one())


def _advancing(stream: Any, count: Any, held: ColumnElement[bool], claims: Any) -> Update:
    """Return the statement that moves a stream's counter on where as many runs as ``claims`` are ``held``."""
    runs = select(RUNS.c.id).where(held).with_for_update(read=True).subquery()
    kept = select(func.count()).select_from(runs).scalar_subquery()
    return (
        update(STREAMS)
        .where(STREAMS.c.id == stream, kept == claims)
        .values(seq=STREAMS.c.seq + count)
        .returning(STREAMS.c.seq)
    )


_ADVANCING = Prepared(
    lambda _: _advancing(
        param("of_stream", STREAMS.c.id),
        param("more", STREAMS.c.seq),
        and_(
            RUNS.c.id == param("of_run", RUNS.c.id),
            RUNS.c.fence == param("under", RUNS.c.fence),
        ),
        literal_column("1"),
    )
)
"""For the events of one run, as they mostly come."""


def _claimed(claims: set[Claim]) -> ColumnElement[bool]:
    """Return the condition that a run is among the claims, under the fence that is named there."""
    runs: dict[int, list[str]] = {}
    for run, fence in sorted(claims):
        runs.setdefault(fence, []).append(run)
    return or_(*(and_(RUNS.c.fence == fence, RUNS.c.id.in_(ids)) for fence, ids in runs.items()))


async def check_claims(conn: AsyncConnection, claims: set[Claim]) -> None:
    """Raise RunGoneError or FencedError unless all runs are there and under these fences."""
    query = select(RUNS.c.id, RUNS.c.fence).where(RUNS.c.id.in_({run for run, _ in claims}))
    found = {row.id: row.fence for row in await conn.execute(query)}
    gone = sorted(run for run, _ in claims if run not in found)
    if gone:
        raise RunGoneError(", ".join(gone))
    stale = sorted(run for run, fence in claims if found[run] != fence)
    if stale:
        raise FencedError(", ".join(stale))


class JournalStore:
    """Reads streams; ``appending`` above is what writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self, stream: str) -> int:
        """Return the number of the stream's last event, 0 when it has none."""
        async with self._database.read() as conn:
            seq = await conn.scalar(select(STREAMS.c.seq).where(STREAMS.c.id == stream))
        return int(seq or 0)

    async def lasts(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the last events of these streams; those without events are left out."""
        found: dict[str, int] = {}
        async with self._database.read() as conn:
            for start in range(0, len(streams), 500):
                query = select(STREAMS).where(STREAMS.c.id.in_(streams[start : start + 500]))
                found.update({row.id: row.seq for row in await conn.execute(query)})
        return found

    async def processes(self) -> int:
        """Return how many processes there are on this database."""
        async with self._database.read() as conn:
            return int(await conn.scalar(select(func.count()).select_from(PROCESSES)) or 0)

    async def first(self, stream: str) -> int | None:
        """Return the number of the oldest event still kept, None when there is none."""
        async with self._database.read() as conn:
            oldest = select(EVENTS.c.seq - EVENTS.c.covers + 1).where(EVENTS.c.stream == stream)
            seq = await conn.scalar(oldest.order_by(EVENTS.c.seq).limit(1))
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
        columns = EVENTS.c
        mine = and_(
            columns.stream == stream,
            columns.seq < upto + 2 * ROW_STEPS,  # for the index
            columns.seq - columns.covers < upto,
        )
        if run is not None:
            mine &= columns.run == run
        async with self._database.read() as conn:
            events = await read_events(conn, mine, after=after, limit=limit, node=node)
        return [
            StoredEvent(event.seq, event.kind, numbered(event.seq, event.body))
            for event in events
            if event.seq <= upto
        ]
