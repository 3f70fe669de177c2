"""Who stands still with the writers' turn on PostgreSQL loses it, also where the server's own timeout does not see it.

``idle_in_transaction_session_timeout`` ends who has said all of a statement and
nothing after it. The driver says a statement in two parts, and a process that
is stopped between them (a machine that sleeps, a debugger) is not idle to the
server but active: it would keep its turn, and all others waiting, for ever.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from sqlalchemy import text

from spellwork_server.background import Background
from spellwork_server.errors import StoreUnavailable

from .database import Database
from .postgres import WRITERS

LOOK_SECONDS = 5.0

STANDS_SECONDS = 15.0
"""Seconds without a word in the middle of a statement after which a session is ended."""

_FIND = text(
    """
    SELECT held.pid, session.state_change
    FROM pg_locks held JOIN pg_stat_activity session ON session.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (held.classid::bigint << 32) + held.objid::bigint = :turn
      AND session.state = 'active' AND session.wait_event = 'ClientRead'
      AND session.state_change < clock_timestamp() - make_interval(secs => :stands)
    """
)
"""The number of the lock is kept in two halves. What a session does and what it waits for are not read at one
moment, so only one that two looks find alike is taken to stand still."""

_END = text("SELECT pg_terminate_backend(:pid)")

logger = logging.getLogger(__name__)


class Turns(Background):
    """Looks every 5 s for who stands still; as an async context manager. Each process looks after all."""

    name = "turns"

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._found: set[tuple[int, datetime]] = set()

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StoreUnavailable as error:
                logger.warning("could not look for writers that stand still: %s", error.message)
            except Exception:  # a database that does not let us end sessions is no reason to stop
                logger.exception("fault while looking for writers that stand still")

    async def look(self, stands: float = STANDS_SECONDS) -> int:
        """End the session that has the turn, where it stands still for so many seconds, and did so at the last look.

        Return how many were ended. Raises StoreUnavailable.
        """
        async with self._database.read() as conn:
            values = {"turn": WRITERS, "stands": stands}
            found = {(pid, since) for pid, since in await conn.execute(_FIND, values)}
            still = [pid for pid, _ in found & self._found]
            for pid in still:
                await conn.execute(_END, {"pid": pid})
        for pid in still:
            logger.warning("ended session %s, which stood still while others waited to write", pid)
        self._found = found
        return len(still)
