"""External workers: whose they are, by what token they connect, and which canvases they were given to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update

from .database import Database
from .schema import EXTERNAL_WORKERS
from .users import Clock


@dataclass(frozen=True, slots=True)
class ExternalWorkerRecord:
    """A worker that connects from elsewhere. The token itself is not kept; ``told`` is its Hello when it last came.

    ``canvases`` are those it was given to, and by whom.
    """

    id: str
    name: str
    owner_id: str
    token_hash: str
    canvases: dict[str, str] = field(default_factory=dict)
    told: dict[str, Any] | None = field(default=None)
    created_at: float = 0
    last_seen_at: float | None = None


class ExternalWorkerRecords:
    """External workers by id, token and owner."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(self, owner_id: str, name: str, token_hash: str) -> ExternalWorkerRecord:
        """Keep a new worker, given to no canvas."""
        record = ExternalWorkerRecord(
            uuid4().hex, name, owner_id, token_hash, created_at=self._clock()
        )
        values = {column: getattr(record, column) for column in ExternalWorkerRecord.__slots__}
        async with self._database.write() as conn:
            await conn.execute(insert(EXTERNAL_WORKERS).values(values))
        return record

    async def change(self, worker_id: str, **values: Any) -> None:
        """Change some columns of a worker."""
        change = update(EXTERNAL_WORKERS).where(EXTERNAL_WORKERS.c.id == worker_id)
        async with self._database.write() as conn:
            await conn.execute(change.values(values))

    async def seen(self, worker_id: str, told: dict[str, Any]) -> None:
        """Note that a worker connected, and what it said of itself."""
        await self.change(worker_id, told=told, last_seen_at=self._clock())

    async def remove(self, worker_id: str) -> None:
        """Forget a worker, and with it its token."""
        async with self._database.write() as conn:
            await conn.execute(delete(EXTERNAL_WORKERS).where(EXTERNAL_WORKERS.c.id == worker_id))

    async def get(self, worker_id: str) -> ExternalWorkerRecord | None:
        """Return a worker, or None."""
        found = await self._all(select(EXTERNAL_WORKERS).where(EXTERNAL_WORKERS.c.id == worker_id))
        return found[0] if found else None

    async def by_token(self, token_hash: str) -> ExternalWorkerRecord | None:
        """Return the worker whose token has this hash, or None."""
        query = select(EXTERNAL_WORKERS).where(EXTERNAL_WORKERS.c.token_hash == token_hash)
        found = await self._all(query)
        return found[0] if found else None

    async def all(self) -> list[ExternalWorkerRecord]:
        """Return every worker, the oldest first."""
        return await self._all(select(EXTERNAL_WORKERS))

    async def _all(self, query: Any) -> list[ExternalWorkerRecord]:
        ordered = query.order_by(EXTERNAL_WORKERS.c.created_at, EXTERNAL_WORKERS.c.id)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(ordered)]


def _record(row: Row[Any]) -> ExternalWorkerRecord:
    values = {column: getattr(row, column) for column in ExternalWorkerRecord.__slots__}
    if isinstance(row.canvases, list):  # as it was kept before: its owner gave it
        values["canvases"] = dict.fromkeys(row.canvases, row.owner_id)
    return ExternalWorkerRecord(**values)
