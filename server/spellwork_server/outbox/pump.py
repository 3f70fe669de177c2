"""Brings one subscriber what it has not been told yet, stream by stream, and notes how far it came."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

from pydantic import ValidationError

from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.outbox import OutboxStore

from .told import ToldEvent, checked

Deliver = Callable[[Sequence[ToldEvent]], Awaitable[None]]
"""Takes events of one stream, in order. What it raises is tried again; it may get the same events twice."""

PAGE = 200
PAGE_BYTES = 1024 * 1024
"""What is delivered at once, about."""

GATHER = 0.01
"""Seconds in which events gather after the first."""

LOOK_SECONDS = 5.0
"""Between two looks for what another process wrote, and left untold."""

STREAMS = 1_000
"""Streams that one look finds; the next finds others."""

FIRST_RETRY = 0.05
LAST_RETRY = 1.0
"""Seconds between two attempts; doubled each time, up to the last."""

logger = logging.getLogger(__name__)


class Pump:
    """One subscriber. ``run`` never returns; nobody waits for it."""

    def __init__(
        self,
        name: str,
        deliver: Deliver,
        kinds: Collection[str] | None,
        store: OutboxStore,
        journal: JournalStore,
        commits: GroupCommit,
    ) -> None:
        self.name = name
        self.failing: str | None = None
        """Why nothing is delivered now, or None."""
        self._deliver = deliver
        self._kinds = kinds
        self._store = store
        self._journal = journal
        self._commits = commits
        self._grown: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many streams have events that are not delivered, as far as this process knows."""
        return len(self._grown)

    def grown(self, stream: str, seq: int) -> None:
        """Learn that a stream has events up to ``seq``."""
        self._grown[stream] = seq
        self._awake.set()

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Deliver until ``end``."""
        self._task = tasks.create_task(self._run(), name=f"tell {self.name}")

    def end(self) -> None:
        """Deliver no more.

        A subscriber may lose a cancel: ``asyncio.wait_for``, with which the client of Redis
        writes, does so until Python 3.12 where what it waits for ends at the same moment.
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._awake.set()

    async def _run(self) -> None:
        wait = FIRST_RETRY
        begun, look_at = False, 0.0
        own = asyncio.current_task()
        while self._task is own:
            try:
                if not begun:
                    await self._commits.submit(self._store.beginning(self.name))
                    begun = True
                if time.monotonic() >= look_at:
                    await self._look()
                    look_at = time.monotonic() + LOOK_SECONDS
                await self._deliver_all()
                self.failing, wait = None, FIRST_RETRY
                await self._rest(look_at)
            except Exception as error:  # noqa: BLE001 - the edge of the subscriber: it is tried again, for ever
                if self.failing is None:
                    logger.warning("%s is not told what happens: %s", self.name, error)
                self.failing = str(error) or type(error).__name__
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_RETRY)

    async def _rest(self, until: float) -> None:
        """Wait for events, and a little for those that follow at once."""
        self._awake.clear()
        if self._task is None:
            return
        if not self._grown:
            try:
                async with asyncio.timeout(max(until - time.monotonic(), 0)):
                    await self._awake.wait()
            except TimeoutError:
                return
        await asyncio.sleep(GATHER)

    async def _look(self) -> None:
        for each in await self._store.behind(self.name, STREAMS):
            self._grown[each.stream] = max(each.last, self._grown.get(each.stream, 0))

    async def _deliver_all(self) -> None:
        try:
            for stream in list(self._grown):
                last = self._grown[stream]
                await self._deliver_stream(stream, last)
                if self._grown[stream] == last and self._task is not None:
                    del self._grown[stream]
        finally:
            if self._told:
                told, self._told = self._told, {}
                await self._commits.submit(self._store.advancing(self.name, told))

    async def _deliver_stream(self, stream: str, last: int) -> None:
        after = await self._store.told(self.name, stream)
        while after < last and self._task is not None:
            page = await self._journal.read(stream, after=after, upto=last, limit=PAGE)
            if not page:  # they are not kept any more
                self._told[stream] = last
                return
            batch: list[ToldEvent] = []
            size = 0
            for event in page:
                if batch and size > PAGE_BYTES:
                    break
                after = event.seq
                if self._kinds is not None and event.kind not in self._kinds:
                    continue
                try:
                    batch.append(checked(stream, event))
                    size += len(event.json)
                except ValidationError as error:
                    faults = error.error_count()
                    logger.warning("event %s:%d is not told: %d faults", stream, event.seq, faults)
            if batch:
                await self._deliver(batch)
            self._told[stream] = after
