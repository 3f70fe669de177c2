"""Looks after the times of tasks: one timer for all, over restarts, beside those of other processes."""

from __future__ import annotations

import asyncio
import logging

from spellwork_server.background import Background
from spellwork_server.errors import ServerError

from .tasks import Tasks

LOOK = 30.0
"""Seconds after which it looks what other processes have asked, and what fell between a crash and a restart."""

logger = logging.getLogger(__name__)


class TaskTimer(Background):
    """As an async context manager, entered when runs can go on."""

    name = "tasks"

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks

    async def _go(self) -> None:
        loop = asyncio.get_running_loop()
        looked = -LOOK
        while True:
            wait = LOOK
            try:
                if loop.time() - looked >= LOOK:
                    looked = loop.time()
                    await self._tasks.make_good()
                await self._tasks.look()
                wait = await self._tasks.rest(LOOK)
            except ServerError as error:
                logger.warning("could not look after tasks: %s", error)
            except Exception:  # it must go on: other tasks have their times, too
                logger.exception("fault while looking after tasks")
            try:
                async with asyncio.timeout(wait):
                    await self._tasks.asked.wait()
            except TimeoutError:
                pass
            self._tasks.asked.clear()
