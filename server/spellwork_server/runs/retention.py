"""Throws away, now and then, what is too old: runs, their events, cached outputs, values that nothing names."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from types import TracebackType
from typing import Self

from spellwork_server.errors import ServerError
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.retention import (
    BATCH,
    drop_expired,
    drop_oldest_cached,
    drop_runs,
    drop_unnamed,
)
from spellwork_server.storage.run_records import RunRecords

INTERVAL = 600.0
"""Seconds between two sweeps."""

CACHE_SECONDS = 30 * 86_400.0
"""How long a cached output is kept."""

UNUSED_SECONDS = 3_600.0
"""How long a value that nothing names is kept: whoever just got its hash may still ask for it."""

logger = logging.getLogger(__name__)


class Retention:
    """Sweeps every INTERVAL seconds while it is entered."""

    def __init__(self, records: RunRecords, commits: GroupCommit, keep_runs: int) -> None:
        self._records = records
        self._commits = commits
        self._keep = keep_runs
        self._tasks = asyncio.TaskGroup()
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._sweeper = self._tasks.create_task(self._sweep_forever(), name="retention")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def sweep(self, now: float | None = None) -> None:
        """Throw away what is too old at ``now``, in small transactions."""
        now = time.time() if now is None else now
        expired = await self._records.expired(self._keep)
        for start in range(0, len(expired), BATCH):
            runs = expired[start : start + BATCH]
            await self._commits.submit(partial(drop_runs, runs=runs))
        await self._commits.submit(lambda conn: drop_expired(conn, now))
        await self._commits.submit(lambda conn: drop_oldest_cached(conn, now - CACHE_SECONDS))
        while (
            await self._commits.submit(lambda conn: drop_unnamed(conn, now - UNUSED_SECONDS))
            == BATCH
        ):
            pass

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.sweep()
            except ServerError as error:
                logger.warning("old runs were not thrown away: %s", error.message)
            except Exception:  # a failed sweep must not end the server; the next may do better
                logger.exception("old runs were not thrown away")
