"""The packs that are installed into workers, and what they brought."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, union, update

from .database import Database
from .schema import CANVASES, PACKS, WORKERS
from .users import Clock

PackState = Literal["installing", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class PackRecord:
    """A distribution in a worker's environment that brings packs.

    ``specifier`` is what was asked for (``==1.2``, ``>=1``, or empty) unless it came as a
    file, whose hash ``file_hash`` is. ``version`` and ``pin`` (the SHA-256 it may have,
    separated by spaces) are what was resolved. ``told`` are its packs as they described themselves. ``configs``
    are the configurations of their objects, by PACK.OBJECT, without secrets; ``sealed``
    is the same with them, encrypted.
    """

    id: str
    worker_id: str
    distribution: str
    specifier: str = ""
    file_hash: str | None = None
    file_name: str | None = None
    version: str | None = None
    pin: str | None = None
    state: PackState = "installing"
    reason: str | None = None
    traceback: str | None = None
    told: list[dict[str, Any]] = field(default_factory=list)
    configs: dict[str, Any] = field(default_factory=dict)
    sealed: bytes | None = None
    installed_by: str | None = None
    created_at: float = 0

    @property
    def bound_to(self) -> str:
        """What ``sealed`` is bound to: it is no use in another worker."""
        return f"pack:{self.worker_id}:{self.distribution}"


class PackRecords:
    """Installed packs by id and by worker."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def put(self, record: PackRecord) -> PackRecord:
        """Keep a pack, in the place of that distribution's record in that worker; return it with id and time."""
        kept = replace(record, id=record.id or uuid4().hex, created_at=self._clock())
        values = {column: getattr(kept, column) for column in PackRecord.__slots__}
        same = (PACKS.c.worker_id == kept.worker_id) & (PACKS.c.distribution == kept.distribution)
        async with self._database.write() as conn:
            await conn.execute(delete(PACKS).where(same))
            await conn.execute(insert(PACKS).values(values))
        return kept

    async def change(self, pack_id: str, **values: Any) -> None:
        """Change some columns of a pack."""
        async with self._database.write() as conn:
            await conn.execute(update(PACKS).where(PACKS.c.id == pack_id).values(values))

    async def remove(self, pack_id: str) -> None:
        """Forget a pack."""
        async with self._database.write() as conn:
            await conn.execute(delete(PACKS).where(PACKS.c.id == pack_id))

    async def get(self, pack_id: str) -> PackRecord | None:
        """Return a pack, or None."""
        found = await self._all(select(PACKS).where(PACKS.c.id == pack_id))
        return found[0] if found else None

    async def of_worker(self, worker_id: str) -> list[PackRecord]:
        """Return a worker's packs, by the name of their distribution."""
        return await self._all(select(PACKS).where(PACKS.c.worker_id == worker_id))

    async def all(self) -> list[PackRecord]:
        """Return every pack of every worker."""
        return await self._all(select(PACKS))

    async def prune(self) -> None:
        """Forget the packs of workers that are gone with their canvases. Meant for the start."""
        known = union(select(WORKERS.c.id), select(CANVASES.c.id))
        async with self._database.write() as conn:
            await conn.execute(delete(PACKS).where(PACKS.c.worker_id.not_in(known)))

    async def files(self) -> set[str]:
        """Return the hashes of the files that packs came from."""
        async with self._database.read() as conn:
            rows = await conn.execute(select(PACKS.c.file_hash).distinct())
            return {row[0] for row in rows if row[0] is not None}

    async def _all(self, query: Any) -> list[PackRecord]:
        ordered = query.order_by(PACKS.c.worker_id, PACKS.c.distribution)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(ordered)]


def _record(row: Row[Any]) -> PackRecord:
    return PackRecord(**{column: getattr(row, column) for column in PackRecord.__slots__})
