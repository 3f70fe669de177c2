"""What is thrown away, and when: old runs, expired cache entries, values that nothing names."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Dialect, delete, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import NamedFromClause

from .schema import CACHE, EVENTS, OUTPUTS, RUN_OUTPUTS, RUNS

BATCH = 200
"""Rows that one transaction throws away, so that writers do not wait for long."""


async def drop_runs(conn: AsyncConnection, runs: Sequence[str]) -> None:
    """Forget runs, and the events of each stream up to the last of theirs that no kept run comes before.

    A stream loses its oldest events only, so that what is left has no gap.
    """
    streams = list(await conn.scalars(select(RUNS.c.stream).where(RUNS.c.id.in_(runs)).distinct()))
    await conn.execute(delete(RUNS).where(RUNS.c.id.in_(runs)))
    for stream in streams:
        kept = exists().where(RUNS.c.id == EVENTS.c.run)
        first = await conn.scalar(
            select(func.min(EVENTS.c.seq)).where(EVENTS.c.stream == stream, kept)
        )
        query = delete(EVENTS).where(EVENTS.c.stream == stream)
        if first is not None:
            query = query.where(EVENTS.c.seq < first)
        await conn.execute(query)


async def drop_expired(conn: AsyncConnection, now: float) -> int:
    """Forget cache entries whose time is over."""
    gone = await conn.execute(
        delete(CACHE).where(CACHE.c.expires_at.is_not(None), CACHE.c.expires_at <= now)
    )
    return int(gone.rowcount)


async def drop_oldest_cached(conn: AsyncConnection, before: float) -> int:
    """Forget cache entries kept before a time."""
    gone = await conn.execute(delete(CACHE).where(CACHE.c.created_at < before))
    return int(gone.rowcount)


async def drop_unnamed(conn: AsyncConnection, unused_since: float) -> int:
    """Forget values that no run and no cache entry names and nobody used since; return how many."""
    each = _outputs_of_cached(conn.dialect)
    named = select(each.c.value).select_from(CACHE).join(each, true())
    unnamed = (
        select(OUTPUTS.c.hash)
        .where(
            OUTPUTS.c.last_used_at < unused_since,
            ~exists().where(RUN_OUTPUTS.c.hash == OUTPUTS.c.hash),
            OUTPUTS.c.hash.not_in(named),
        )
        .limit(BATCH)
    )
    gone = await conn.execute(delete(OUTPUTS).where(OUTPUTS.c.hash.in_(unnamed)))
    return int(gone.rowcount)


def _outputs_of_cached(dialect: Dialect) -> NamedFromClause:
    """Return the (port, hash) pairs that a cache entry names, as a table."""
    if dialect.name == "postgresql":
        pairs = func.json_each_text(CACHE.c.outputs["outputs"]).table_valued("key", "value")
        return pairs.lateral()  # it speaks of the row beside it
    return func.json_each(CACHE.c.outputs, "$.outputs").table_valued("value")
