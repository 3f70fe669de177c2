"""All triggers of this server: one timer, the addresses that are looked at, the ends of runs, and webhooks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from spellwork_server.errors import ServerError, Unavailable
from spellwork_server.storage.triggers import FiringRecord, TriggerRecord, TriggerRecords

from .endings import Endings
from .firing import Came, Firer, NotNow, nothing
from .polling import Poller
from .timer import Timer

MOST_LOOKS = 20
"""Addresses that are looked at side by side."""

logger = logging.getLogger(__name__)


class Triggers:
    """Fires triggers while it is entered, as an async context manager."""

    def __init__(
        self,
        records: TriggerRecords,
        firer: Firer,
        poller: Poller,
        endings: Endings,
    ) -> None:
        self.records = records
        self.firer = firer
        self.endings = endings
        self.poller = poller
        self.timer = Timer(records, firer, self._look, self._sweep)
        self._looks = asyncio.Semaphore(MOST_LOOKS)
        self._looking: set[str] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self._asking: set[asyncio.Task[Any]] = set()
        """Those that wait for a host, and have noted nothing."""
        self._ended: set[str] = set()

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._spawn(self.timer.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        self.timer.stop()
        for task in self._asking:  # what has begun to fire is kept, or refused, in a moment
            task.cancel()
        await tasks.__aexit__(None, None, None)

    def changed(self) -> None:
        """Look again at what is due and what is waited for: a trigger was made, changed or removed."""
        self.timer.wake()

    def run_ended(self, canvas: str | None, trigger: str | None = None) -> None:
        """Learn that a run on a canvas ended here, which ``trigger`` started. Costs nothing where none waits for it."""
        if trigger is not None:
            self._spawn(self.firer.changed(trigger))
        if canvas in self.endings.canvases and canvas not in self._ended:
            assert canvas is not None
            self._ended.add(canvas)
            self._spawn(self._on_end(canvas))

    async def fire_by_hand(self, trigger: TriggerRecord, values: dict[str, Any]) -> FiringRecord:
        """Fire now, with ``values`` in the place of what would have come. Raises Unavailable."""
        now = self.firer.clock()
        seen = (trigger.cursor or {}).get("value") if trigger.kind == "poll" else None
        known = {"value": seen, "previous": seen} if trigger.kind == "poll" else {}
        came = Came(f"hand:{uuid4().hex}", now, {"due": now} | known | values)
        try:
            fired = await self.firer.fire(trigger, came, nothing)
        except NotNow as error:
            raise Unavailable(str(error)) from error
        if fired is None:
            raise Unavailable("The trigger was removed meanwhile")
        return fired

    async def _on_end(self, canvas: str) -> None:
        self._ended.discard(canvas)
        await self.endings.ended(canvas)

    async def _sweep(self) -> None:
        try:
            await self.endings.sweep()
        except NotNow as error:
            logger.info("ends of runs are looked at again: %s", error)

    def _look(self, trigger: TriggerRecord) -> None:
        if trigger.id not in self._looking:
            self._looking.add(trigger.id)
            self._spawn(self._look_once(trigger))

    async def _look_once(self, trigger: TriggerRecord) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            self._asking.add(task)
            try:
                async with self._looks:
                    now = await self.records.find(trigger.id)
                    if now is None or not now.enabled:
                        return
                    found = await self.poller.find(now)
            finally:
                self._asking.discard(task)
            await self.poller.take(now, found)
        finally:
            self._looking.discard(trigger.id)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._tasks is None:
            work.close()
            return
        self._tasks.create_task(_safely(work))


async def _safely(work: Awaitable[None]) -> None:
    try:
        await work
    except (NotNow, ServerError) as error:
        logger.info("a trigger is looked at again later: %s", error)
    except Exception:  # the edge of work nobody waits for: other triggers go on
        logger.exception("fault in a trigger")
