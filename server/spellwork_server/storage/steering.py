"""What one process asks of a run that another carries, and what that answers: rows that live for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.sql.selectable import Exists

from .clock import Clock, database_time
from .database import Database
from .schema import RUN_STEERING, RUNS

What = Literal["pause", "play", "step"]

STALE = 30.0
"""Seconds after which nobody waits for an answer any more: what was asked then is not done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is to do."""

    id: str
    run: str
    what: What


@dataclass(frozen=True, slots=True)
class Told:
    """The status of a run after it did what it was asked, or did not (``done``); "" where it does not go there."""

    status: str
    done: bool


NOT_THERE = Told("", False)


class SteerStore:
    """Hands on what is asked: each to the process that it is for, and once."""

    def __init__(self, database: Database, clock: Clock = database_time) -> None:
        self._database = database
        self._clock = clock

    async def ask(self, run: str, process: str, what: What) -> str:
        """Ask something of a run that a process carries; return the id by which the answer is found.

        Of a run that was removed nothing is asked, and ``told`` says that it is not there.
        """
        id = uuid4().hex
        async with self._database.write() as conn:
            row = select(
                literal(id),
                RUNS.c.id,
                literal(process),
                literal(what),
                literal(await self._clock(conn)),
            ).where(RUNS.c.id == run)
            names = ["id", "run", "process_id", "what", "asked_at"]
            await conn.execute(insert(RUN_STEERING).from_select(names, row))
        return id

    async def told(self, id: str) -> Told | None:
        """Return what was answered; None as long as nothing was. Of a run that was removed: that it is not there."""
        query = select(RUN_STEERING.c.status, RUN_STEERING.c.done).where(RUN_STEERING.c.id == id)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).first()
        if row is None:
            return NOT_THERE
        return None if row.status is None else Told(row.status, row.done)

    async def withdraw(self, id: str) -> None:
        """Forget what was asked, and its answer."""
        async with self._database.write() as conn:
            await conn.execute(delete(RUN_STEERING).where(RUN_STEERING.c.id == id))

    async def take(self, process: str) -> list[Asked]:
        """Return what is asked of a process's runs, oldest first; nobody is given it again."""
        columns = RUN_STEERING.c
        async with self._database.write() as conn:
            stale = columns.asked_at < await self._clock(conn) - STALE
            await conn.execute(delete(RUN_STEERING).where(stale))
            mine = (columns.process_id == process) & ~columns.taken
            query = select(columns.id, columns.run, columns.what).where(mine)
            rows = await conn.execute(query.order_by(columns.asked_at, columns.id))
            found = [Asked(*row) for row in rows]
            ids = [each.id for each in found]
            await conn.execute(update(RUN_STEERING).where(columns.id.in_(ids)).values(taken=True))
        return found

    async def answer(self, answers: Mapping[str, Told]) -> None:
        """Tell what became of what was asked, by id."""
        async with self._database.write() as conn:
            for id, told in answers.items():
                await conn.execute(
                    update(RUN_STEERING)
                    .where(RUN_STEERING.c.id == id)
                    .values(status=told.status, done=told.done)
                )


def is_asked(process: str) -> Exists:
    """Return the condition that something is asked of a process's runs."""
    mine = (RUN_STEERING.c.process_id == process) & ~RUN_STEERING.c.taken
    return select(literal(1)).where(mine).exists()
