"""What time it is for everybody: the database's own clock.

Processes on several machines share one database, and no two clocks agree. So
whatever one process writes down and another compares (leases, delays,
deadlines, rates) is measured by the clock they share.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Clock = Callable[[AsyncConnection], Awaitable[float]]
"""Returns Unix seconds."""

STATEMENTS = {
    "postgresql": text("SELECT extract(epoch FROM clock_timestamp())::float8"),
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
}


async def database_time(conn: AsyncConnection) -> float:
    """Return what time it is by the clock of the database, in Unix seconds; to the millisecond."""
    return float((await conn.execute(STATEMENTS[conn.dialect.name])).scalar_one())
