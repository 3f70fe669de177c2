"""Group commit: many small writes share one transaction, and so one fsync.

A job submitted while the store is idle is committed at once; jobs that arrive
while a commit is under way, or sooner than ``interval`` after the last one
began, wait and go together. An urgent one waits for the commit that is under
way and for no interval, and those that wait go along with it. A future resolves
only after its job's commit, so whoever acknowledges on it acknowledges what is
durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import StoreUnavailable, Unavailable

from .database import Database
from .failures import is_store_failure

T = TypeVar("T")
Job = Callable[[AsyncConnection], Awaitable[T]]
"""Writes through the connection it is given, and waits for nothing else: it may be
called in another thread (see ``Database.carry_out``). It must be repeatable: a
batch that fails is rolled back and its jobs are called again, one by one."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting(Generic[T]):
    job: Job[T]
    future: asyncio.Future[T]


class GroupCommit:
    """Commits submitted jobs in order, in batches, by one flusher.

    Jobs of one batch see each other's writes, in the order of submission. A
    job that raises fails alone; the others of its batch are committed. When
    the store fails, the futures of that batch get StoreUnavailable and
    ``failing`` says why until a commit succeeds again.
    """

    def __init__(
        self, database: Database, *, interval: float = 0.005, max_batch: int = 256
    ) -> None:
        self._database = database
        self._interval = interval
        self._max_batch = max_batch
        self._waiting: deque[_Waiting[Any]] = deque()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set while something urgent waits, and when what waits has waited long enough."""
        self._stopping = False
        self._tasks = asyncio.TaskGroup()
        self.failing: str | None = None
        """Why the last batch could not be written, or None when it was."""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.create_task(self._flush_forever(), name="group-commit")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Refuse new jobs, commit those that wait, then stop."""
        self._stopping = True
        self._wake.set()
        self._hurry.set()
        await self._tasks.__aexit__(None, None, None)

    def submit(self, job: Job[T], *, urgent: bool = False) -> asyncio.Future[T]:
        """Queue ``job``; the future gives what it returned, once that is committed.

        ``urgent`` is for what comes once in a while, and somebody waits for.
        Raises Unavailable when the store is closing.
        """
        if self._stopping:
            raise Unavailable("The server is stopping and takes no more writes")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(job, future))
        self._wake.set()
        if urgent:
            self._hurry.set()
        return future

    async def _flush_forever(self) -> None:
        loop = asyncio.get_running_loop()
        earliest = 0.0
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            if len(self._waiting) < self._max_batch and loop.time() < earliest:
                timer = loop.call_at(earliest, self._hurry.set)
                await self._hurry.wait()
                timer.cancel()
            earliest = loop.time() + self._interval
            await self._flush(self._take())

    def _take(self) -> list[_Waiting[Any]]:
        """Return what goes into the next transaction: all that waits, or as much as it may hold."""
        if len(self._waiting) <= self._max_batch and not self._stopping:
            self._hurry.clear()
        count = min(self._max_batch, len(self._waiting))
        return [self._waiting.popleft() for _ in range(count)]

    async def _flush(self, batch: list[_Waiting[Any]]) -> None:
        try:
            await self._commit(batch)
        except Exception as error:  # noqa: BLE001 - the store's edge: jobs fail, the flusher lives
            if is_store_failure(error):
                self._fail(batch, error)
            elif len(batch) == 1:
                _reject(batch[0], error)
            else:
                await self._flush_one_by_one(batch)

    async def _flush_one_by_one(self, batch: list[_Waiting[Any]]) -> None:
        for waiting in batch:
            await self._flush([waiting])

    async def _commit(self, batch: list[_Waiting[Any]]) -> None:
        await self._database.carry_out([each.job for each in batch], partial(self._resolve, batch))

    def _resolve(self, batch: list[_Waiting[Any]], results: list[Any]) -> None:
        """Tell who waits that it is durable; it never raises, as for a commit that failed all would be written again."""
        self.failing = None
        for waiting, result in zip(batch, results, strict=False):
            if not waiting.future.done():
                waiting.future.set_result(result)

    def _fail(self, batch: list[_Waiting[Any]], error: BaseException) -> None:
        self.failing = str(error)
        logger.error("could not write %d jobs: %s", len(batch), error)
        for waiting in batch:
            refusal = StoreUnavailable("The change could not be stored; it was not made")
            refusal.__cause__ = error
            _reject(waiting, refusal)


def _reject(waiting: _Waiting[Any], error: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
