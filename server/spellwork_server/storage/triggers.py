"""Triggers, and every time that one fired or should have.

What makes a firing happen once: its key is unique for its trigger, and whoever fires a due
time first moves ``next_at`` on, both in the transaction that keeps the run it starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Row, delete, exists, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import Conflict, NotFound

from .database import Database
from .run_figures import LAID_DOWN
from .run_records import OPEN
from .schema import FIRINGS, RUN_FIGURES, RUNS, TRIGGERS
from .users import Clock

MOST_TRIGGERS = 100
"""Triggers that one canvas may have."""

KEPT_FIRINGS = 1_000
KEPT_SECONDS = 3_600.0
"""Of a trigger the newest firings stay, and all of the last hour: their keys are what a repetition is known by."""

Kind = Literal["cron", "interval", "webhook", "poll", "event"]
Outcome = Literal["started", "missed", "skipped", "refused"]


class TakenError(Exception):
    """Another process was first, or the trigger changed or went meanwhile: there is nothing to do."""


class FiredError(Exception):
    """The trigger has a firing with this key already."""


class OverlapError(Exception):
    """A run that the trigger started goes on still: ``run`` is its id."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.run = run


@dataclass(frozen=True, slots=True)
class TriggerRecord:
    """A row of ``triggers``; times are Unix seconds."""

    id: str
    canvas_id: str
    user_id: str
    name: str
    kind: Kind
    settings: dict[str, Any]
    inputs: dict[str, Any]
    run: dict[str, Any]
    missed: str
    enabled: bool
    next_at: float | None
    cursor: dict[str, Any] | None
    sealed: bytes | None
    fault: str | None
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class FiringRecord:
    """A row of ``firings``, with how the run that it started stands.

    ``status`` is None where that is gone, ``failed_nodes`` until it has ended.
    """

    id: str
    trigger_id: str
    key: str
    due_at: float
    fired_at: float
    outcome: Outcome
    run_id: str | None = None
    reason: str | None = None
    status: str | None = None
    failed_nodes: int | None = None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that ended, as triggers on its canvas learn of it."""

    id: str
    user_id: str
    status: str
    ended_at: float
    request: dict[str, Any]
    result: dict[str, Any]


# What is written within the transaction that keeps a run


async def move_on(conn: AsyncConnection, trigger: TriggerRecord, next_at: float | None) -> None:
    """Take the time that is due. Raises TakenError where another did, or the trigger is not as it was."""
    moved = await conn.execute(
        update(TRIGGERS)
        .where(
            TRIGGERS.c.id == trigger.id,
            TRIGGERS.c.next_at == trigger.next_at,
            TRIGGERS.c.enabled,
            TRIGGERS.c.updated_at == trigger.updated_at,
        )
        .values(next_at=next_at)
    )
    if not moved.rowcount:
        raise TakenError(trigger.id)


async def put_cursor(conn: AsyncConnection, trigger: TriggerRecord, cursor: dict[str, Any]) -> None:
    """Note what was seen last. Raises TakenError where the trigger is not as it was."""
    noted = await conn.execute(
        update(TRIGGERS)
        .where(TRIGGERS.c.id == trigger.id, TRIGGERS.c.updated_at == trigger.updated_at)
        .values(cursor=cursor)
    )
    if not noted.rowcount:
        raise TakenError(trigger.id)


async def put_fault(conn: AsyncConnection, trigger: str, fault: str | None) -> None:
    """Note why a trigger does not fire, or that it does."""
    await conn.execute(
        update(TRIGGERS)
        .where(TRIGGERS.c.id == trigger, TRIGGERS.c.fault.is_distinct_from(fault))
        .values(fault=fault)
    )


async def insert_firings(conn: AsyncConnection, firings: Iterable[FiringRecord]) -> None:
    """Keep firings. Raises FiredError where one has fired, TakenError where the trigger is gone."""
    for firing in firings:
        same = (FIRINGS.c.trigger_id == firing.trigger_id) & (FIRINGS.c.key == firing.key)
        if await conn.scalar(select(exists().where(same))):
            raise FiredError(firing.key)
        values = {name: getattr(firing, name) for name in FiringRecord.__slots__}
        del values["status"], values["failed_nodes"]
        try:
            await conn.execute(insert(FIRINGS).values(values))
        except IntegrityError as error:
            raise TakenError(firing.trigger_id) from error


async def known_keys(conn: AsyncConnection, trigger: str, keys: Sequence[str]) -> set[str]:
    """Return which of the keys have a firing."""
    query = select(FIRINGS.c.key).where(FIRINGS.c.trigger_id == trigger, FIRINGS.c.key.in_(keys))
    return set(await conn.scalars(query))


async def require_idle(conn: AsyncConnection, trigger: str) -> None:
    """Raise OverlapError while a run that the trigger started goes on."""
    going = await conn.scalar(
        select(RUNS.c.id).where(RUNS.c.trigger_id == trigger, RUNS.c.status.in_(OPEN)).limit(1)
    )
    if going is not None:
        raise OverlapError(str(going))


class TriggerRecords:
    """Triggers by id, and their firings. They go with the canvas, and with whose they are."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self.clock = clock

    async def create(
        self,
        canvas: str,
        user: str,
        values: Mapping[str, Any],
        seal: Callable[[str], bytes | None] = lambda _id: None,
    ) -> TriggerRecord:
        """Keep a new trigger; ``seal`` gives its secret, encrypted for its id. Raises Conflict where the canvas has too many, NotFound where it is gone."""
        now = self.clock()
        id = uuid4().hex
        row: dict[str, Any] = {
            "id": id,
            "canvas_id": canvas,
            "user_id": user,
            "next_at": None,
            "cursor": None,
            "sealed": seal(id),
            "fault": None,
            "created_at": now,
            "updated_at": now,
        } | dict(values)
        record = TriggerRecord(**row)
        count = select(func.count()).select_from(TRIGGERS).where(TRIGGERS.c.canvas_id == canvas)
        async with self._database.write() as conn:
            if (await conn.scalar(count) or 0) >= MOST_TRIGGERS:
                raise Conflict(
                    f"A canvas has at most {MOST_TRIGGERS} triggers", code="too_many_triggers"
                )
            try:
                await conn.execute(insert(TRIGGERS).values(row))
            except IntegrityError as error:
                raise NotFound("There is no such canvas any more") from error
        return record

    async def find(self, id: str) -> TriggerRecord | None:
        """Return a trigger, or None."""
        async with self._database.read() as conn:
            row = (await conn.execute(select(TRIGGERS).where(TRIGGERS.c.id == id))).one_or_none()
        return None if row is None else _record(row)

    async def get(self, id: str) -> TriggerRecord:
        """Return a trigger. Raises NotFound."""
        record = await self.find(id)
        if record is None:
            raise NotFound(f"There is no trigger {id}", details={"trigger": id})
        return record

    async def of_canvas(self, canvas: str) -> list[TriggerRecord]:
        """Return a canvas's triggers, the oldest first."""
        query = select(TRIGGERS).where(TRIGGERS.c.canvas_id == canvas)
        return await self._all(query.order_by(TRIGGERS.c.created_at, TRIGGERS.c.id))

    async def due(self, now: float, limit: int) -> list[TriggerRecord]:
        """Return triggers whose time has come, the longest due first."""
        query = select(TRIGGERS).where(TRIGGERS.c.enabled, TRIGGERS.c.next_at <= now)
        return await self._all(query.order_by(TRIGGERS.c.next_at).limit(limit))

    async def next_at(self) -> float | None:
        """Return when the first is due; None where none ever is."""
        query = select(func.min(TRIGGERS.c.next_at)).where(TRIGGERS.c.enabled)
        async with self._database.read() as conn:
            found = await conn.scalar(query)
        return None if found is None else float(found)

    async def enabled(self, *kinds: Kind) -> list[TriggerRecord]:
        """Return the triggers of these kinds that are on."""
        return await self._all(
            select(TRIGGERS).where(TRIGGERS.c.enabled, TRIGGERS.c.kind.in_(kinds))
        )

    async def put(self, before: TriggerRecord, values: Mapping[str, Any]) -> TriggerRecord:
        """Change a trigger. Raises Conflict where somebody else did meanwhile, NotFound where it is gone."""
        now = max(self.clock(), before.updated_at + 1e-6)
        same = (TRIGGERS.c.id == before.id) & (TRIGGERS.c.updated_at == before.updated_at)
        async with self._database.write() as conn:
            changed = await conn.execute(
                update(TRIGGERS).where(same).values(dict(values) | {"updated_at": now})
            )
        record = await self.get(before.id)
        if not changed.rowcount:
            raise Conflict("Somebody else changed this trigger meanwhile; look at it again")
        return record

    async def remove(self, id: str) -> None:
        """Forget a trigger and its firings. Runs that it started stay."""
        async with self._database.write() as conn:
            await conn.execute(delete(TRIGGERS).where(TRIGGERS.c.id == id))

    # Firings

    async def firings(
        self, trigger: str, *, limit: int, before: float | None = None
    ) -> list[FiringRecord]:
        """Return a trigger's firings with where their runs stand, newest first."""
        query = _with_status().where(FIRINGS.c.trigger_id == trigger)
        if before is not None:
            query = query.where(FIRINGS.c.fired_at < before)
        query = query.order_by(FIRINGS.c.fired_at.desc(), FIRINGS.c.due_at.desc()).limit(limit)
        async with self._database.read() as conn:
            return [FiringRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def last_firings(self, triggers: Sequence[str]) -> dict[str, FiringRecord]:
        """Return the newest firing of each trigger that has one."""
        place = func.row_number().over(
            partition_by=FIRINGS.c.trigger_id,
            order_by=(FIRINGS.c.fired_at.desc(), FIRINGS.c.due_at.desc()),
        )
        ranked = (
            select(FIRINGS.c.id, place.label("place"))
            .where(FIRINGS.c.trigger_id.in_(triggers))
            .subquery()
        )
        query = _with_status().join(ranked, ranked.c.id == FIRINGS.c.id).where(ranked.c.place == 1)
        async with self._database.read() as conn:
            found = [FiringRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - as above
        return {each.trigger_id: each for each in found}

    async def firing(self, trigger: str, key: str) -> FiringRecord | None:
        """Return the firing of a trigger with a key, or None."""
        query = _with_status().where(FIRINGS.c.trigger_id == trigger, FIRINGS.c.key == key)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else FiringRecord(**row._mapping)  # noqa: SLF001 - as above

    async def trim(self, now: float, keep: int = KEPT_FIRINGS) -> int:
        """Forget firings beyond the newest ``keep`` of their trigger that are older than an hour; return how many."""
        place = func.row_number().over(
            partition_by=FIRINGS.c.trigger_id, order_by=FIRINGS.c.fired_at.desc()
        )
        ranked = select(FIRINGS.c.id, FIRINGS.c.fired_at, place.label("place")).subquery()
        old = select(ranked.c.id).where(
            ranked.c.place > keep, ranked.c.fired_at < now - KEPT_SECONDS
        )
        async with self._database.write() as conn:
            gone = await conn.execute(delete(FIRINGS).where(FIRINGS.c.id.in_(old)))
        return int(gone.rowcount)

    async def ended_runs(
        self, trigger: TriggerRecord, canvas: str, how: Sequence[str], *, since: float, limit: int
    ) -> list[EndedRun]:
        """Return shared runs of a canvas, and those of the trigger's owner, that ended and did not fire it; oldest first. Calls of placed nodes are no runs here.

        ``how``: ``completed``, ``failed`` or both; a run of which a node failed has failed.
        """
        errors = func.coalesce(RUNS.c.result["errors"].as_string(), "{}") != "{}"
        failed = (RUNS.c.status == "failed") | errors
        fired = exists().where(FIRINGS.c.trigger_id == trigger.id, FIRINGS.c.key == RUNS.c.id)
        query = (
            select(
                RUNS.c.id,
                RUNS.c.user_id,
                RUNS.c.status,
                RUNS.c.ended_at,
                RUNS.c.request,
                RUNS.c.result,
            )
            .where(
                RUNS.c.canvas_id == canvas,
                RUNS.c.ended_at >= since,
                RUNS.c.status.in_(("completed", "failed")),
                RUNS.c.mode == "once",
                RUNS.c.parent_id.is_(None),
                (RUNS.c.audience == "shared") | (RUNS.c.user_id == trigger.user_id),
                ~fired,
            )
            .where(failed if "completed" not in how else true() if "failed" in how else ~failed)
            .order_by(RUNS.c.ended_at, RUNS.c.id)
            .limit(limit)
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [
            EndedRun(
                row.id, row.user_id, row.status, row.ended_at, row.request or {}, row.result or {}
            )
            for row in rows
        ]

    async def _all(self, query: Any) -> list[TriggerRecord]:
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]


def _with_status() -> Any:
    """Return the query of firings with how their runs stand."""
    figures = (RUN_FIGURES.c.run == RUNS.c.id) & (RUN_FIGURES.c.day != LAID_DOWN)
    wanted = select(*FIRINGS.c, RUNS.c.status, RUN_FIGURES.c.failed.label("failed_nodes"))
    return wanted.outerjoin(RUNS, RUNS.c.id == FIRINGS.c.run_id).outerjoin(RUN_FIGURES, figures)


def _record(row: Row[Any]) -> TriggerRecord:
    return TriggerRecord(**{column: getattr(row, column) for column in TriggerRecord.__slots__})
