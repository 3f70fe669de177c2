"""What processes tell each other's sockets: the newest events that are told and not kept, in the order of their commits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .group_commit import Job
from .schema import RELAYED

KEPT_SECONDS = 600.0
"""For how long an event stays that may never be read: nobody may be there any more."""

KEPT = 2_000
"""Events that stay, for processes that have yet to read them."""

PAGE = 200
"""Events that are read at a time."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """An event for all on a channel; ``body`` is its data as JSON."""

    channel: str
    event: str
    body: bytes


async def drop_relayed(conn: AsyncConnection, before: float) -> None:
    """Forget events that were written before a time. Their numbers do not come again."""
    await conn.execute(delete(RELAYED).where(RELAYED.c.at < before))


class RelayStore:
    """Reads what other processes wrote; the jobs it gives write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        """Return the number of the newest event, 0 where there is none."""
        async with self._database.read() as conn:
            return int(await conn.scalar(select(func.max(RELAYED.c.id))) or 0)

    async def of_others(self, process: str, after: int) -> tuple[list[Relayed], int]:
        """Return the oldest events after a number that another process wrote, and up to which number these are all."""
        query = select(RELAYED).where(RELAYED.c.id > after).order_by(RELAYED.c.id).limit(PAGE)
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        found = [
            Relayed(row.channel, row.event, row.body) for row in rows if row.process != process
        ]
        return found, rows[-1].id if rows else after

    def writing(self, process: str, events: Sequence[Relayed]) -> Job[int]:
        """Return the job that writes events, and returns the number of the last."""
        told = {"process": process, "at": time.time()}
        rows = [
            told | {"channel": each.channel, "event": each.event, "body": each.body}
            for each in events
        ]

        async def write(conn: AsyncConnection) -> int:
            written = await conn.execute(insert(RELAYED).values(rows).returning(RELAYED.c.id))
            last = int(max(written.scalars()))
            await conn.execute(delete(RELAYED).where(RELAYED.c.id <= last - KEPT))
            return last

        return write
