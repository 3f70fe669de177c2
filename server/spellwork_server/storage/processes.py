"""The server processes on this database: who is there, and until when that is taken to be so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from .clock import Clock, database_time
from .database import Database
from .schema import PROCESSES


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process. ``queues`` is None for one that takes from all; times are by the database's clock."""

    id: str
    name: str
    queues: tuple[str, ...] | None
    started_at: float
    beat_at: float
    expires_at: float

    @property
    def expired(self) -> bool:
        """Whether it had expired when it was read: ``read_at`` is past ``expires_at``."""
        return self.read_at > self.expires_at

    read_at: float = 0.0


class ProcessRecords:
    """Keeps the rows of processes. ``clock`` is the database's own, but in tests."""

    def __init__(self, database: Database, clock: Clock = database_time) -> None:
        self._database = database
        self._clock = clock

    @property
    def is_shared(self) -> bool:
        """Whether the database may answer others while it does not answer here: any but a file of this machine."""
        return not self._database.is_sqlite

    async def add(self, id: str, name: str, queues: Sequence[str] | None, seconds: float) -> None:
        """Note a process that has begun, for ``seconds``."""
        async with self._database.write() as conn:
            now = await self._clock(conn)
            await conn.execute(
                insert(PROCESSES).values(
                    id=id,
                    name=name,
                    queues=None if queues is None else list(queues),
                    started_at=now,
                    beat_at=now,
                    expires_at=now + seconds,
                )
            )

    async def beat(self, id: str, seconds: float) -> bool:
        """Say that a process is there for ``seconds`` more; False where it was declared dead meanwhile."""
        async with self._database.write() as conn:
            now = await self._clock(conn)
            beaten = await conn.execute(
                update(PROCESSES)
                .where(PROCESSES.c.id == id)
                .values(beat_at=now, expires_at=now + seconds)
            )
        return beaten.rowcount == 1

    async def find(self) -> list[ProcessRecord]:
        """Return all processes that nobody has declared dead, oldest first."""
        async with self._database.read() as conn:
            now = await self._clock(conn)
            rows = await conn.execute(
                select(PROCESSES).order_by(PROCESSES.c.started_at, PROCESSES.c.id)
            )
            return [
                ProcessRecord(
                    row.id,
                    row.name,
                    None if row.queues is None else tuple(row.queues),
                    row.started_at,
                    row.beat_at,
                    row.expires_at,
                    now,
                )
                for row in rows
            ]

    async def remove(self, id: str) -> None:
        """Forget a process that ended and carries nothing any more."""
        async with self._database.write() as conn:
            await conn.execute(delete(PROCESSES).where(PROCESSES.c.id == id))
