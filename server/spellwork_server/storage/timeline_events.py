"""The events of a run that say when something began or ended; of others only when they were."""

from __future__ import annotations

from sqlalchemy import func, select

from .database import Database
from .event_rows import RAN, Event, nodes_of, read_events
from .schema import EVENTS

SILENT = ("node.chunk", "node.progress", "node.log", "node.preview")
"""Kinds whose bodies say nothing of time, and may be large."""


class TimelineEvents:
    """Reads them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, run: str, *, after: int, limit: int) -> list[Event]:
        """Return events of a run after a number, oldest first; those of ``SILENT`` kinds without their bodies."""
        async with self._database.read() as conn:
            return await read_events(
                conn, EVENTS.c.run == run, after=after, limit=limit, silent=SILENT
            )

    async def starts(self, run: str) -> dict[str, int]:
        """Return how often nodes of a run were started, by path."""
        columns = EVENTS.c
        query = (
            select(columns.node, func.count())
            .where(columns.run == run, columns.kind == "node.started")
            .group_by(columns.node)
        )
        together = select(columns.body).where(columns.run == run, columns.kind == RAN)
        async with self._database.read() as conn:
            found = {row[0]: row[1] for row in await conn.execute(query)}
            for body in await conn.scalars(together):
                for node in nodes_of(body):
                    found[node] = found.get(node, 0) + 1
        return found
