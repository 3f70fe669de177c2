"""What is kept of every run: who ran what, when, how, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from .bulk import Prepared, insert_many, json_text, param
from .database import Database
from .run_figures import write_figures
from .run_spells import SPELL, keep_spell
from .schema import EVENTS, RUNS

OPEN = ("queued", "running", "paused", "waiting")
"""Statuses of a run that has not ended."""

CARRIED = ("running", "paused")
"""Statuses of a run that goes, and takes a place of its queue."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A row of ``runs``. ``spell`` is the spell as it ran; lists leave it and ``result`` out."""

    id: str
    canvas_id: str | None
    user_id: str
    stream: str
    status: str
    mode: str
    audience: str
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    spell: Any = None
    request: Any = None
    result: Any = None
    durable: bool = False
    queue: str | None = None
    priority: int = 0
    not_before: float | None = None
    deadline: float | None = None
    dedupe_key: str | None = None
    attempt: int = 1
    retry: Any = None
    process_id: str | None = None
    fence: int = 0
    claimed_at: float | None = None
    cancel_at: float | None = None
    trigger_id: str | None = None
    forked_from: str | None = None
    parent_id: str | None = None
    lent: int = 0
    takeovers: int = 0
    takeover_nodes: int = 0
    ran: float = 0.0
    paused: bool = False


WHOLE = tuple(SPELL if name == "spell" else RUNS.c[name] for name in RunRecord.__dataclass_fields__)
"""What a record is read from."""

LISTED = tuple(column for column in WHOLE if column.key not in ("spell", "result"))
"""What lists read of a run."""

_NAMES = tuple(column.key for column in RUNS.c)
_JSON = tuple(place for place, name in enumerate(_NAMES) if isinstance(RUNS.c[name].type, JSON))


_ENDING = Prepared(
    lambda _: (
        update(RUNS)
        .where(RUNS.c.id == param("of_run", RUNS.c.id))
        .values(
            status=param("status", RUNS.c.status),
            ended_at=param("ended_at", RUNS.c.ended_at),
            result=param("result", RUNS.c.result),
            ran=RUNS.c.ran + param("more", RUNS.c.ran),
        )
    )
)


async def insert_run(conn: AsyncConnection, record: RunRecord) -> None:
    """Keep a new run."""
    named = await row_of(conn, record)
    values = [named[name] for name in _NAMES]
    for place in _JSON:
        values[place] = json_text(values[place])
    await insert_many(conn, RUNS, _NAMES, [tuple(values)])


async def row_of(conn: AsyncConnection, record: RunRecord) -> dict[str, Any]:
    """Return the row of a new run, by column; its spell is kept."""
    values = {
        name: getattr(record, name) for name in RunRecord.__dataclass_fields__ if name != "spell"
    }
    return values | {"spell_hash": await keep_spell(conn, record.spell)}


async def mark_started(conn: AsyncConnection, run: str, at: float) -> None:
    """Note that a queued run goes on now."""
    await conn.execute(update(RUNS).where(RUNS.c.id == run).values(status="running", started_at=at))


async def mark_ended(
    conn: AsyncConnection, run: str, status: str, at: float, result: Any, ran: float = 0.0
) -> None:
    """Note how a run ended; one that may go on, for how many seconds it went until then."""
    await write_figures(conn, run, at, result)
    await _ENDING.execute(
        conn, of_run=run, status=status, ended_at=at, result=json_text(result), more=ran
    )


async def remove_run(conn: AsyncConnection, run: str) -> None:
    """Forget a run and what it left. Its events keep their numbers but say nothing any more."""
    body = b'{"run":"%b","kind":"run.removed","at":0}' % run.encode()
    blank = {"kind": "run.removed", "node": None, "at": 0.0, "body": body}
    await conn.execute(update(EVENTS).where(EVENTS.c.run == run).values(blank))
    await conn.execute(delete(RUNS).where(RUNS.c.id == run))


class RunRecords:
    """Reads runs; the functions above write them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, run: str) -> RunRecord | None:
        """Return one run, whole."""
        async with self._database.read() as conn:
            row = (await conn.execute(select(*WHOLE).where(RUNS.c.id == run))).first()
        return None if row is None else RunRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it

    async def of_canvas(
        self, canvas: str, reader: str | None, *, limit: int, before: float | None = None
    ) -> list[RunRecord]:
        """Return runs of a canvas, newest first: shared ones, and those of ``reader`` (None: everybody's); no calls that runs placed."""
        query = select(*LISTED).where(RUNS.c.canvas_id == canvas, RUNS.c.parent_id.is_(None))
        if reader is not None:
            query = query.where((RUNS.c.audience == "shared") | (RUNS.c.user_id == reader))
        return await self._newest(query, limit, before)

    async def of_stream(self, stream: str, *, limit: int) -> list[RunRecord]:
        """Return the runs whose events are in a stream, newest first."""
        return await self._newest(select(*LISTED).where(RUNS.c.stream == stream), limit, None)

    async def open(self) -> list[RunRecord]:
        """Return the runs that have not ended, oldest first."""
        query = select(*LISTED).where(RUNS.c.status.in_(OPEN)).order_by(RUNS.c.created_at)
        async with self._database.read() as conn:
            return [RunRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - as above

    async def expired(self, keep: int, ended_before: float | None = None) -> list[str]:
        """Return the ended runs beyond the newest ``keep`` of their stream, and those that ended before a time.

        Those that other runs placed are counted apart; they stay as long as such a run goes on, and go when it is gone.
        """
        place = func.row_number().over(
            partition_by=(RUNS.c.stream, RUNS.c.parent_id.is_(None)),
            order_by=RUNS.c.created_at.desc(),
        )
        kept = (RUNS.c.id, RUNS.c.status, RUNS.c.ended_at, RUNS.c.parent_id)
        ranked = select(*kept, place.label("place")).subquery()
        parent = RUNS.alias()
        parents = select(parent.c.id).where(parent.c.id == ranked.c.parent_id)
        old = (ranked.c.place > keep) | (ranked.c.parent_id.is_not(None) & ~parents.exists())
        if ended_before is not None:
            old |= ranked.c.ended_at < ended_before
        goes_on = parents.where(parent.c.status.in_(OPEN)).exists()
        query = select(ranked.c.id).where(old, ranked.c.status.not_in(OPEN), ~goes_on)
        async with self._database.read() as conn:
            found: Sequence[str] = (await conn.scalars(query)).all()
        return list(found)

    async def _newest(
        self, query: Select[Any], limit: int, before: float | None
    ) -> list[RunRecord]:
        if before is not None:
            query = query.where(RUNS.c.created_at < before)
        query = query.order_by(RUNS.c.created_at.desc(), RUNS.c.id).limit(limit)
        async with self._database.read() as conn:
            return [RunRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - as above
