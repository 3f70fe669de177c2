"""Looks after the times of tasks: one timer for all, over restarts, beside those of other processes."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

from spellwork_server.errors import ServerError

from .tasks import Tasks

LOOK = 30.0
"""Seconds after which it looks what other processes have asked, and what fell between a crash and a restart."""

logger = logging.getLogger(__name__)


class TaskTimer:
    """As an async context manager, entered when runs can go on."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._group = asyncio.TaskGroup()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._keeper = self._group.create_task(self._keep_time(), name="tasks")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        await self._group.__aexit__(None, None, None)

    async def _keep_time(self) -> None:
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
