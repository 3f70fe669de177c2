"""Up to which event of each stream a subscriber has been told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import upsert
from .database import Database
from .group_commit import Job
from .schema import OUTBOX, STREAMS

BEGUN = ""
"""In place of a stream's name: the subscriber is known, and streams without a row of theirs are new."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A stream with events that a subscriber has not been told: those after ``told``, up to ``last``."""

    stream: str
    told: int
    last: int


class OutboxStore:
    """Reads the cursors; the jobs it gives write them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def behind(self, subscriber: str, limit: int) -> list[Behind]:
        """Return streams that the subscriber lags behind."""
        told = func.coalesce(OUTBOX.c.seq, 0)
        mine = and_(OUTBOX.c.stream == STREAMS.c.id, OUTBOX.c.subscriber == subscriber)
        query = (
            select(STREAMS.c.id, told.label("told"), STREAMS.c.seq)
            .outerjoin(OUTBOX, mine)
            .where(STREAMS.c.seq > told)
            .limit(limit)
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [Behind(row.id, row.told, row.seq) for row in rows]

    async def told(self, subscriber: str, stream: str) -> int:
        """Return up to which event of a stream the subscriber has been told."""
        query = select(OUTBOX.c.seq).where(
            OUTBOX.c.subscriber == subscriber, OUTBOX.c.stream == stream
        )
        async with self._database.read() as conn:
            return int(await conn.scalar(query) or 0)

    def beginning(self, subscriber: str) -> Job[None]:
        """Return the job that makes a subscriber known: one that is new is told what comes from now on."""

        async def write(conn: AsyncConnection) -> None:
            known = select(OUTBOX.c.seq).where(
                OUTBOX.c.subscriber == subscriber, OUTBOX.c.stream == BEGUN
            )
            if (await conn.execute(known)).first() is not None:
                return
            now = select(literal(subscriber), STREAMS.c.id, STREAMS.c.seq)
            await conn.execute(insert(OUTBOX).from_select(["subscriber", "stream", "seq"], now))
            await conn.execute(insert(OUTBOX).values(subscriber=subscriber, stream=BEGUN, seq=0))

        return write

    def advancing(self, subscriber: str, told: Mapping[str, int]) -> Job[None]:
        """Return the job that notes what a subscriber was told; a cursor never goes back."""
        rows = [
            {"subscriber": subscriber, "stream": stream, "seq": seq} for stream, seq in told.items()
        ]

        async def write(conn: AsyncConnection) -> None:
            put = upsert(conn.dialect, OUTBOX)
            new, old = put.excluded.seq, OUTBOX.c.seq
            further = case((new > old, new), else_=old)
            put = put.on_conflict_do_update(
                index_elements=["subscriber", "stream"], set_={"seq": further}
            )
            await conn.execute(put, rows)

        return write


async def all_told(
    conn: AsyncConnection, streams: Sequence[str], subscribers: Collection[str]
) -> dict[str, int]:
    """Return up to which event of each stream all of ``subscribers`` have been told; streams without limit are left out."""
    if not subscribers:
        return {}
    query = select(OUTBOX.c.stream, OUTBOX.c.subscriber, OUTBOX.c.seq).where(
        OUTBOX.c.stream.in_(streams), OUTBOX.c.subscriber.in_(subscribers)
    )
    found: dict[str, dict[str, int]] = {stream: {} for stream in streams}
    for row in await conn.execute(query):
        found[row.stream][row.subscriber] = row.seq
    return {
        stream: min(told.get(subscriber, 0) for subscriber in subscribers)
        for stream, told in found.items()
    }
