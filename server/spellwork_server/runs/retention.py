"""Throws away, now and then, what is too old: runs, their events and tasks, firings, cached outputs, values that nothing names.

What processes told each other goes, too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from spellwork_server.background import Background
from spellwork_server.errors import ServerError
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.relayed import KEPT_SECONDS, drop_relayed
from spellwork_server.storage.retention import (
    BATCH,
    compact_runs,
    drop_expired,
    drop_firings,
    drop_oldest_cached,
    drop_runs,
    drop_tasks,
    drop_unnamed,
    find_compactable,
)
from spellwork_server.storage.run_records import RunRecords
from spellwork_server.storage.run_spells import drop_unrun_spells

INTERVAL = 600.0
"""Seconds between two sweeps."""

CACHE_SECONDS = 30 * 86_400.0
"""How long a cached output is kept."""

UNUSED_SECONDS = 3_600.0
"""How long a value that nothing names is kept: whoever just got its hash may still ask for it."""

JUMP = 3_600.0
"""Seconds by which the clock may be set between two sweeps; after a larger jump one is left out, for it may be put right."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long what is kept; None is for ever."""

    runs: int
    """Runs of a stream."""
    run_seconds: float | None = None
    """After the end of a run."""
    details_seconds: float | None = None
    """The same, for what it told of how outputs came to be."""
    firing_seconds: float = 90 * 86_400.0
    task_seconds: float = 90 * 86_400.0
    """After the end of the run that asked."""


class Retention(Background):
    """Sweeps every INTERVAL seconds while it is entered.

    ``subscribers`` returns the names of those whom the outbox tells: what they
    have not been told is kept. What is open, or waits, is not touched.
    """

    name = "retention"

    def __init__(
        self,
        database: Database,
        records: RunRecords,
        commits: GroupCommit,
        keeping: Keeping,
        subscribers: Callable[[], Collection[str]] = tuple,
    ) -> None:
        super().__init__()
        self._database = database
        self._records = records
        self._commits = commits
        self._keeping = keeping
        self._subscribers = subscribers
        self._compacted = 0.0
        """Runs that ended until then are compacted."""

    async def sweep(self, now: float | None = None) -> None:
        """Throw away what is too old at ``now``, in small transactions."""
        now = time.time() if now is None else now
        keeping, told = self._keeping, self._subscribers()
        old = None if keeping.run_seconds is None else now - keeping.run_seconds
        expired = await self._records.expired(keeping.runs, old)
        for start in range(0, len(expired), BATCH):
            runs = expired[start : start + BATCH]
            await self._commits.submit(partial(drop_runs, runs=runs, subscribers=told))
        if keeping.details_seconds is not None:
            await self._compact(now - keeping.details_seconds)
        await self._drop_all(lambda conn: drop_firings(conn, now - keeping.firing_seconds))
        await self._drop_all(lambda conn: drop_tasks(conn, now - keeping.task_seconds))
        await self._commits.submit(lambda conn: drop_relayed(conn, now - KEPT_SECONDS))
        await self._commits.submit(lambda conn: drop_expired(conn, now))
        await self._commits.submit(lambda conn: drop_oldest_cached(conn, now - CACHE_SECONDS))
        await self._drop_all(lambda conn: drop_unnamed(conn, now - UNUSED_SECONDS))
        await self._drop_all(lambda conn: drop_unrun_spells(conn, BATCH))

    async def _compact(self, before: float) -> None:
        """Blank the details of runs that ended before a time; those that had to be spared are looked at again."""
        after, spared = self._compacted, False
        while True:
            found = await find_compactable(self._database, after, before)
            if not found:
                break
            runs = {run: stream for run, stream, _ in found}
            job = partial(compact_runs, runs=runs, subscribers=self._subscribers())
            spared |= not await self._commits.submit(job)
            after = found[-1][2]
            if not spared:
                self._compacted = after

    async def _drop_all(self, job: Job[int]) -> None:
        """Do a job, batch by batch, until it drops nothing more."""
        while await self._commits.submit(job) == BATCH:
            pass

    @staticmethod
    def _ahead() -> float:
        """Return how far the clock is ahead of one that nobody sets."""
        return time.time() - time.monotonic()

    async def _go(self) -> None:
        clock = self._ahead()
        while True:
            await asyncio.sleep(INTERVAL)
            jump, clock = self._ahead() - clock, self._ahead()
            if abs(jump) > JUMP:
                logger.warning("the clock was set by %.0f s; nothing is thrown away yet", jump)
                continue
            try:
                await self.sweep()
            except ServerError as error:
                logger.warning("old runs were not thrown away: %s", error.message)
            except Exception:  # a failed sweep must not end the server; the next may do better
                logger.exception("old runs were not thrown away")
