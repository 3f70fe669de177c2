"""What is thrown away, and when: old runs, expired cache entries, values that nothing names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Dialect, delete, exists, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import NamedFromClause

from .database import Database
from .outbox import all_told
from .schema import CACHE, EVENTS, FIRINGS, OUTPUTS, RUN_OUTPUTS, RUNS, TASKS

BATCH = 200
"""Rows that one transaction throws away, so that writers do not wait for long."""


COMPACTED = ("node.chunk", "node.progress", "node.preview")
"""Kinds of events that say how an output came to be; neither going on with a run, its replay nor its timeline needs them."""

LOG_LINES = 200
"""Lines of log that a compacted run keeps: its last."""


async def drop_runs(
    conn: AsyncConnection, runs: Sequence[str], subscribers: Collection[str] = ()
) -> None:
    """Forget runs, and the events of each stream up to the last of theirs that no kept run comes before.

    One that goes on again stays. A stream loses its oldest events only, so
    that what is left has no gap, and none that ``subscribers`` of the outbox
    have not been told.
    """
    streams = list(await conn.scalars(select(RUNS.c.stream).where(RUNS.c.id.in_(runs)).distinct()))
    told = await all_told(conn, streams, subscribers)
    await conn.execute(delete(RUNS).where(RUNS.c.id.in_(runs), RUNS.c.ended_at.is_not(None)))
    for stream in streams:
        kept = exists().where(RUNS.c.id == EVENTS.c.run)
        first = await conn.scalar(
            select(EVENTS.c.seq - EVENTS.c.covers + 1)
            .where(EVENTS.c.stream == stream, kept)
            .order_by(EVENTS.c.seq)
            .limit(1)
        )
        query = delete(EVENTS).where(EVENTS.c.stream == stream)
        if first is not None:
            query = query.where(EVENTS.c.seq < first)
        if stream in told:
            query = query.where(EVENTS.c.seq <= told[stream])
        await conn.execute(query)


async def find_compactable(
    database: Database, after: float, before: float
) -> list[tuple[str, str, float]]:
    """Return (id, stream, time of its end) of runs that ended in this time and were not compacted, oldest first."""
    silent = exists().where(EVENTS.c.run == RUNS.c.id, EVENTS.c.kind.in_((*COMPACTED, "node.log")))
    query = (
        select(RUNS.c.id, RUNS.c.stream, RUNS.c.ended_at)
        .where(RUNS.c.ended_at > after, RUNS.c.ended_at <= before, silent)
        .order_by(RUNS.c.ended_at)
        .limit(BATCH)
    )
    async with database.read() as conn:
        return [(row.id, row.stream, row.ended_at) for row in await conn.execute(query)]


async def compact_runs(
    conn: AsyncConnection, runs: Mapping[str, str], subscribers: Collection[str] = ()
) -> bool:
    """Blank what runs ({run: stream}) told of how outputs came to be; say whether all was that might be.

    The events keep their numbers, as those of a removed run do. Whatever
    ``subscribers`` have not been told stays as it is, and so does a run that
    goes on again.
    """
    streams = sorted(set(runs.values()))
    told = await all_told(conn, streams, subscribers)
    ended = set(
        await conn.scalars(
            select(RUNS.c.id).where(RUNS.c.id.in_(list(runs)), RUNS.c.ended_at.is_not(None))
        )
    )
    whole = True
    for run, stream in runs.items():
        if run not in ended:
            continue
        upto = told.get(stream)
        if upto is not None:
            last = await conn.scalar(select(func.max(EVENTS.c.seq)).where(EVENTS.c.run == run))
            if last is None or last <= upto:
                upto = None
            else:
                whole = False
        await _compact(conn, run, upto)
    return whole


async def _compact(conn: AsyncConnection, run: str, upto: int | None) -> None:
    mine = EVENTS.c.run == run
    if upto is not None:
        mine &= EVENTS.c.seq <= upto
    lines = select(EVENTS.c.seq).where(EVENTS.c.run == run, EVENTS.c.kind == "node.log")
    oldest_kept = await conn.scalar(
        lines.order_by(EVENTS.c.seq.desc()).offset(LOG_LINES - 1).limit(1)
    )
    gone = EVENTS.c.kind.in_(COMPACTED)
    if oldest_kept is not None:
        gone |= (EVENTS.c.kind == "node.log") & (EVENTS.c.seq < oldest_kept)
    body = b'{"run":"%b","kind":"node.hidden","at":0}' % run.encode()
    blank = {"kind": "node.hidden", "node": None, "body": body}
    await conn.execute(update(EVENTS).where(mine, gone).values(blank))
    if upto is None:
        await conn.execute(
            delete(RUN_OUTPUTS).where(RUN_OUTPUTS.c.run == run, RUN_OUTPUTS.c.part > 0)
        )


async def drop_firings(conn: AsyncConnection, before: float) -> int:
    """Forget firings before a time; return how many."""
    old = select(FIRINGS.c.id).where(FIRINGS.c.fired_at < before).limit(BATCH)
    gone = await conn.execute(delete(FIRINGS).where(FIRINGS.c.id.in_(old)))
    return int(gone.rowcount)


async def drop_tasks(conn: AsyncConnection, before: float) -> int:
    """Forget what people were asked, and is settled, of runs that ended before a time; return how many."""
    old = (
        select(TASKS.c.id)
        .join(RUNS, RUNS.c.id == TASKS.c.run)
        .where(TASKS.c.state != "open", RUNS.c.ended_at < before)
        .limit(BATCH)
    )
    gone = await conn.execute(delete(TASKS).where(TASKS.c.id.in_(old)))
    return int(gone.rowcount)


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
            ~exists().where(RUN_OUTPUTS.c.hash == OUTPUTS.c.hash, RUN_OUTPUTS.c.body.is_(None)),
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
