"""How far open runs are, as other processes may tell it: a narrow row each, for a run's own is as wide as what it was asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .schema import RUN_PROGRESS, RUNS

Claim = tuple[str, int]
"""A run, and the fence under which it is carried."""


async def write_progress(conn: AsyncConnection, told: Mapping[Claim, dict[str, Any]]) -> None:
    """Keep how far runs are that are carried under these claims; nothing for those that are not any more, or ended."""
    query = select(RUNS.c.id, RUNS.c.fence).where(
        RUNS.c.id.in_([run for run, _ in told]), RUNS.c.ended_at.is_(None)
    )
    claims = [(row.id, row.fence) for row in await conn.execute(query)]
    rows = [{"run": run, "told": told[run, fence]} for run, fence in claims if (run, fence) in told]
    if rows:
        runs = [row["run"] for row in rows]
        await conn.execute(delete(RUN_PROGRESS).where(RUN_PROGRESS.c.run.in_(runs)))
        await conn.execute(insert(RUN_PROGRESS), rows)


async def forget_progress(conn: AsyncConnection, run: str) -> None:
    """Forget how far a run was that ends."""
    await conn.execute(delete(RUN_PROGRESS).where(RUN_PROGRESS.c.run == run))


class ProgressRecords:
    """How far runs are that this process does not carry: as who carries or carried them last wrote it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, runs: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return what is kept, by run."""
        if not runs:
            return {}
        query = select(RUN_PROGRESS.c.run, RUN_PROGRESS.c.told).where(
            RUN_PROGRESS.c.run.in_(list(runs))
        )
        async with self._database.read() as conn:
            return {row.run: row.told for row in await conn.execute(query)}
