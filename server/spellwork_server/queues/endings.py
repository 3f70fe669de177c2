"""Waits for the end of runs, whichever process carries them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from spellwork_server.errors import Unavailable
from spellwork_server.storage.queues import QueueStore

LOOK_SECONDS = 0.25
"""Between two looks into the store, for all who wait together."""


class Endings:
    """Tells when runs have ended, as an async context manager. It looks only while somebody waits.

    ``find`` returns a run that this process carries (with ``ended``, an event),
    or None: for such a run nobody looks into the store.
    """

    def __init__(self, store: QueueStore, find: Callable[[str], Any]) -> None:
        self._store = store
        self._find = find
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._looking = self._tasks.create_task(self._look_forever(), name="endings")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for run in list(self._waiting):
            self._tell(run)
        await self._tasks.__aexit__(None, None, None)

    async def wait(self, run: str) -> None:
        """Return once the run has ended, is removed, or nobody here can tell any more."""
        here = self._find(run)
        if here is not None:
            await here.ended.wait()
            if not here.is_open:
                return
        if run in await self._store.ended([run]):
            return
        future = self._add(run)
        try:
            await future
        finally:
            self._drop(run, future)

    def watch(self, run: str, ended: Callable[[], None]) -> Callable[[], None]:
        """Call ``ended`` once the run has ended, or is removed; return what ends that."""
        future = self._add(run)
        future.add_done_callback(lambda done: None if done.cancelled() else ended())

        def stop() -> None:
            self._drop(run, future)
            future.cancel()

        return stop

    def _add(self, run: str) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run, []).append(future)
        self._wanted.set()
        return future

    def _drop(self, run: str, future: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(run, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(run, None)

    async def has_ended(self, run: str) -> bool:
        """Say whether the run has ended, or is not kept any more."""
        return run in await self._store.ended([run])

    def note(self, run: str) -> None:
        """Learn that a run has ended here."""
        self._tell(run)

    async def _look_forever(self) -> None:
        while True:
            if not self._waiting:
                self._wanted.clear()
                await self._wanted.wait()
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(Unavailable):
                for run in await self._store.ended(list(self._waiting)) if self._waiting else ():
                    self._tell(run)

    def _tell(self, run: str) -> None:
        for future in self._waiting.pop(run, []):
            if not future.done():
                future.set_result(None)
