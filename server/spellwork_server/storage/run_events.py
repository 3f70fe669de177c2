"""Reads the events of one run, of some kinds, for whoever wants to know how far it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .schema import EVENTS, RUN_OUTPUTS


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a run, with its number in the stream. ``body`` is its JSON without that."""

    seq: int
    kind: str
    node: str | None
    at: float
    body: bytes


class RunEventStore:
    """Reads what runs told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(
        self, run: str, kinds: Sequence[str], *, after: int, limit: int
    ) -> list[RunEvent]:
        """Return the run's events of these kinds with numbers beyond ``after``, oldest first."""
        query = (
            select(EVENTS.c.seq, EVENTS.c.kind, EVENTS.c.node, EVENTS.c.at, EVENTS.c.body)
            .where(EVENTS.c.run == run, EVENTS.c.seq > after, EVENTS.c.kind.in_(kinds))
            .order_by(EVENTS.c.seq)
            .limit(limit)
        )
        async with self._database.read() as conn:
            return [RunEvent(*row) for row in await conn.execute(query)]

    async def places_of(self, run: str) -> frozenset[str]:
        """Return the paths of the nodes that left anything in the run: outputs, or large chunks of streams."""
        query = select(RUN_OUTPUTS.c.node).where(RUN_OUTPUTS.c.run == run).distinct()
        async with self._database.read() as conn:
            return frozenset(await conn.scalars(query))


async def forget_left(conn: AsyncConnection, run: str, nodes: Sequence[str]) -> None:
    """Forget what nodes left in a run, as they run there again."""
    for start in range(0, len(nodes), 500):
        part = nodes[start : start + 500]
        await conn.execute(
            delete(RUN_OUTPUTS).where(RUN_OUTPUTS.c.run == run, RUN_OUTPUTS.c.node.in_(part))
        )
