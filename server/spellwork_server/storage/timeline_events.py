"""The events of a run that say when something began or ended; of others only when they were."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, null, select

from .database import Database
from .schema import EVENTS

SILENT = ("node.chunk", "node.progress", "node.log", "node.preview")
"""Kinds whose bodies say nothing of time, and may be large."""


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """An event; ``body`` is None where only its time matters."""

    seq: int
    kind: str
    node: str | None
    at: float
    body: bytes | None


class TimelineEvents:
    """Reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, run: str, *, after: int, limit: int) -> list[TimelineEvent]:
        """Return events of a run after a number, oldest first."""
        columns = EVENTS.c
        body = case((columns.kind.in_(SILENT), null()), else_=columns.body)
        query = (
            select(columns.seq, columns.kind, columns.node, columns.at, body)
            .where(columns.run == run, columns.seq > after)
            .order_by(columns.seq)
            .limit(limit)
        )
        async with self._database.read() as conn:
            return [TimelineEvent(*row) for row in await conn.execute(query)]

    async def starts(self, run: str) -> dict[str, int]:
        """Return how often nodes of a run were started, by path."""
        columns = EVENTS.c
        query = (
            select(columns.node, func.count())
            .where(columns.run == run, columns.kind == "node.started")
            .group_by(columns.node)
        )
        async with self._database.read() as conn:
            return {row[0]: row[1] for row in await conn.execute(query)}
