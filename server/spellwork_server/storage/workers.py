"""The tables of workers, and of the canvases that use one which is not their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update

from .database import Database
from .schema import CANVAS_WORKERS, WORKERS

Kind = Literal["canvas", "shared"]


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """What was set of a worker. A canvas's own has the id of the canvas, and is kept once something differs.

    ``requirements`` are a shared worker's; a canvas's own has those of its canvas. ``lock``
    is that of the requirements whose digest is ``locked_for``. ``packs`` is what runtime
    packs add to the environment, as they put it. ``open``: who may edit a canvas may put it
    on this worker.
    """

    id: str
    kind: Kind
    name: str
    canvas_id: str | None = None
    owner_id: str | None = None
    processes: int = 1
    limits: dict[str, Any] = field(default_factory=dict)
    requirements: dict[str, str] = field(default_factory=dict)
    packs: list[dict[str, Any]] = field(default_factory=list)
    open: bool = False
    stopped: bool = False
    lock: str = ""
    locked_for: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The worker that a canvas was put on, and by whom."""

    worker_id: str
    chosen_by: str


class WorkerRecords:
    """Workers by id."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def find(self, worker_id: str) -> WorkerRecord | None:
        """Return a worker, or None where nothing of it is kept."""
        async with self._database.read() as conn:
            query = select(WORKERS).where(WORKERS.c.id == worker_id)
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else _record(row)

    async def shared(self) -> list[WorkerRecord]:
        """Return the workers that canvases may share, by name."""
        query = select(WORKERS).where(WORKERS.c.kind == "shared")
        async with self._database.read() as conn:
            rows = await conn.execute(query.order_by(WORKERS.c.name, WORKERS.c.id))
            return [_record(row) for row in rows]

    async def locks(self) -> list[str]:
        """Return the lock of every worker that has one: their environments are in use."""
        query = select(WORKERS.c.lock).where(WORKERS.c.lock != "")
        async with self._database.read() as conn:
            return list(await conn.scalars(query))

    async def put(self, record: WorkerRecord) -> WorkerRecord:
        """Keep a worker, in place of what was kept of it."""
        now = self._clock()
        kept = replace(record, created_at=record.created_at or now, updated_at=now)
        values = {name: getattr(kept, name) for name in WorkerRecord.__slots__}
        async with self._database.write() as conn:
            changed = await conn.execute(
                update(WORKERS).where(WORKERS.c.id == kept.id).values(values)
            )
            if not changed.rowcount:
                await conn.execute(insert(WORKERS).values(values))
        return kept

    async def remove(self, worker_id: str) -> None:
        """Forget a worker; canvases on it are on their own again."""
        async with self._database.write() as conn:
            await conn.execute(delete(WORKERS).where(WORKERS.c.id == worker_id))

    async def choices(self) -> dict[str, Choice]:
        """Return the canvases that are on a worker which is not their own."""
        async with self._database.read() as conn:
            rows = await conn.execute(select(CANVAS_WORKERS))
            return {row.canvas_id: Choice(row.worker_id, row.chosen_by) for row in rows}

    async def choose(self, canvas_id: str, choice: Choice | None) -> None:
        """Put a canvas on a worker, or on its own."""
        async with self._database.write() as conn:
            await conn.execute(
                delete(CANVAS_WORKERS).where(CANVAS_WORKERS.c.canvas_id == canvas_id)
            )
            if choice is not None:
                await conn.execute(
                    insert(CANVAS_WORKERS).values(
                        canvas_id=canvas_id, worker_id=choice.worker_id, chosen_by=choice.chosen_by
                    )
                )


def _record(row: Any) -> WorkerRecord:
    return WorkerRecord(**{name: getattr(row, name) for name in WorkerRecord.__slots__})
