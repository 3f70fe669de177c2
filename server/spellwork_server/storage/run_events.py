"""Reads the events of one run, of some kinds, for whoever wants to know how far it came."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .event_rows import Event, read_events
from .schema import EVENTS, RUN_OUTPUTS
from .small_values import forget_small, places_of_small


class RunEventStore:
    """Reads what runs told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(
        self, run: str, kinds: Sequence[str], *, after: int, limit: int
    ) -> list[Event]:
        """Return the run's events of these kinds with numbers beyond ``after``, oldest first."""
        async with self._database.read() as conn:
            return await read_events(
                conn, EVENTS.c.run == run, after=after, limit=limit, kinds=kinds
            )

    async def places_of(self, run: str) -> frozenset[str]:
        """Return the paths of the nodes that left anything in the run: outputs, or large chunks of streams."""
        query = select(RUN_OUTPUTS.c.node).where(RUN_OUTPUTS.c.run == run).distinct()
        async with self._database.read() as conn:
            return frozenset(await conn.scalars(query)) | await places_of_small(conn, run)


async def forget_left(conn: AsyncConnection, run: str, nodes: Sequence[str]) -> None:
    """Forget what nodes left in a run, as they run there again."""
    await forget_small(conn, run, frozenset(nodes))
    for start in range(0, len(nodes), 500):
        part = nodes[start : start + 500]
        await conn.execute(
            delete(RUN_OUTPUTS).where(RUN_OUTPUTS.c.run == run, RUN_OUTPUTS.c.node.in_(part))
        )
