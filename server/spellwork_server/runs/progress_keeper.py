"""Keeps how far the runs of this process are, for other processes to tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

from spellwork_server.background import Background
from spellwork_server.errors import ServerError
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.run_progress import Claim, write_progress

from .run import Run

EVERY = 2.0
"""Seconds between two looks. What a run told in less than that, and has ended, is never written."""

logger = logging.getLogger(__name__)


class ProgressKeeper(Background):
    """As an async context manager. It writes what changed since it last looked, in one go."""

    name = "progress"

    def __init__(
        self, open_runs: Callable[[], Iterator[Run]], commits: GroupCommit, every: float = EVERY
    ) -> None:
        super().__init__()
        self._open_runs = open_runs
        self._commits = commits
        self._every = every
        self._seen: dict[Claim, dict[str, Any]] = {}

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except ServerError as error:
                logger.warning("how far runs are could not be kept: %s", error.message)
            except Exception:  # the next look may do better
                logger.exception("fault while keeping how far runs are")

    async def look(self) -> None:
        """Write of those runs that went at the last look, too, what is new."""
        now: dict[Claim, dict[str, Any]] = {}
        going: dict[Claim, Run] = {}
        for run in self._open_runs():
            progress = run.progress
            if progress is not None and run.kept is not None:
                now[run.id, run.fence] = progress.model_dump()
                going[run.id, run.fence] = run
        news = {
            claim: told
            for claim, told in now.items()
            if claim in self._seen and self._seen[claim] != told
        }
        self._seen = now | {
            claim: {} for claim in now.keys() - self._seen.keys()
        }  # one that is new is written at the next look
        for claim in news:
            going[claim].kept_aside = True
        if news:
            await self._commits.submit(lambda conn: write_progress(conn, news))
