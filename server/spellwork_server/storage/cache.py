"""The table of cached outputs: a content key, and the hash of what came out on each port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork.node_type import CachePolicy

from .bulk import insert_many, json_text
from .database import Database
from .group_commit import Job
from .output_refs import is_small
from .outputs import insert_values
from .schema import CACHE, OUTPUTS

COLUMNS = ("key", "user_id", "type", "outputs", "policy", "created_at", "expires_at")


class CacheRow(msgspec.Struct, frozen=True, gc=False):
    """The outputs of one node call: {port: hash}, and the ports it skipped."""

    key: str
    user_id: str | None
    type: str
    outputs: dict[str, str]
    skipped: list[str]
    policy: CachePolicy
    created_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How much is cached. ``values`` are those that cache entries or runs name, small ones aside; ``size`` is their bytes."""

    entries: int
    values: int
    size: int


class CacheStore:
    """Reads and writes cached outputs; small values are in their row, the others in ``outputs``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self) -> list[str]:
        """Return every key."""
        async with self._database.read() as conn:
            return list(await conn.scalars(select(CACHE.c.key)))

    async def get_many(
        self, keys: Iterable[str], now: float
    ) -> list[tuple[CacheRow, dict[str, bytes]]]:
        """Return the entries that have not expired and whose values are all kept, with those values by hash."""
        wanted = list(keys)
        rows: list[CacheRow] = []
        bodies: dict[str, bytes] = {}
        small: dict[str, str] = {}
        async with self._database.read() as conn:
            for start in range(0, len(wanted), 500):
                query = select(CACHE).where(CACHE.c.key.in_(wanted[start : start + 500]))
                for row in await conn.execute(query):
                    rows.append(_row(row))
                    small |= row.outputs.get("values", {})
            bodies |= {key: text.encode() for key, text in small.items()}
            hashes = list({key for row in rows for key in row.outputs.values()} - bodies.keys())
            for start in range(0, len(hashes), 500):
                found = select(OUTPUTS.c.hash, OUTPUTS.c.body).where(
                    OUTPUTS.c.hash.in_(hashes[start : start + 500])
                )
                bodies |= {row.hash: row.body for row in await conn.execute(found)}
        return [
            (row, bodies)
            for row in rows
            if (row.expires_at is None or row.expires_at > now)
            and bodies.keys() >= set(row.outputs.values())
        ]

    def writing(self, entries: Sequence[tuple[CacheRow, dict[str, bytes]]]) -> Job[None]:
        """Return the job that keeps entries, each in place of an older one; with each its values by hash."""

        async def write(conn: AsyncConnection) -> None:
            bodies: dict[str, bytes] = {}
            for _, values in entries:
                bodies |= values
            await insert_values(conn, bodies)
            rows = [_columns(row, values) for row, values in entries]
            await insert_many(conn, CACHE, COLUMNS, rows, replace=True)

        return write

    def clearing(self, user: str | None) -> Job[int]:
        """Return the job that forgets a user's entries, or all for None."""

        async def write(conn: AsyncConnection) -> int:
            query = delete(CACHE) if user is None else delete(CACHE).where(CACHE.c.user_id == user)
            return int((await conn.execute(query)).rowcount)

        return write

    async def stats(self, user: str | None = None) -> CacheStats:
        """Return how much is cached, by one user or in all."""
        entries = select(func.count()).select_from(CACHE)
        if user is not None:
            entries = entries.where(CACHE.c.user_id == user)
        values = select(func.count(), func.coalesce(func.sum(OUTPUTS.c.size), 0)).select_from(
            OUTPUTS
        )
        async with self._database.read() as conn:
            count = await conn.scalar(entries)
            total = (await conn.execute(values)).one()
        return CacheStats(int(count or 0), int(total[0]), int(total[1]))


def _row(row: Any) -> CacheRow:
    return CacheRow(
        key=row.key,
        user_id=row.user_id,
        type=row.type,
        outputs=row.outputs["outputs"],
        skipped=row.outputs["skipped"],
        policy=row.policy,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _columns(row: CacheRow, values: Mapping[str, bytes]) -> tuple[Any, ...]:
    small = {key: body.decode() for key, body in values.items() if is_small(body)}
    outputs = json_text({"outputs": row.outputs, "skipped": row.skipped, "values": small})
    return (row.key, row.user_id, row.type, outputs, row.policy, row.created_at, row.expires_at)
