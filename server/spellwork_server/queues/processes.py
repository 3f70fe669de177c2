"""This process among those on the same database: its heartbeat, and its eye on the others.

**Whose clock.** A beat says "for so many seconds more", and the row is written
by the database's clock; no process compares its wall clock with another's.
A wall clock may jump, also the database's, so nobody is declared dead by it
alone. Each process watches the others' beats by its own monotonic clock: one
whose row has not changed for ``expires`` seconds of watching is dead, whatever
any wall clock says. Where the row says that its time is up, two beats of
watching are enough; a jump forward makes all rows say so, but those who live
beat meanwhile. And one whose lock of the data folder is free has ended for
certain (``lifeline.py``).

**Oneself.** A process that could not beat for ``expires`` less one beat, by its
own monotonic clock, takes itself to be declared dead: it drops at once what
others may carry on. Where it can beat again and its row is still there, nobody
did; else it begins anew under another id. None of this is what keeps runs
apart: the fence of each claim does (``storage/journal.py``). It only keeps
calls from being made twice for longer than need be.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self
from uuid import uuid4

from spellwork_server.errors import Unavailable
from spellwork_server.storage.processes import ProcessRecord, ProcessRecords

from .lifeline import Lifeline

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a process says that it is there, and how long that is believed; seconds."""

    beat: float = 2.0
    expires: float = 10.0


class Carrying(Protocol):
    """What a process does for the runs in it and around it."""

    async def take_over(self, process: str, dead: Sequence[str]) -> None:
        """Take the runs of processes that are dead, or of none, for ``process``."""

    def drop_claimed(self, why: str) -> None:
        """Stop at once carrying what another process may carry on."""

    async def renounce(self) -> None:
        """Let what was dropped wait again, where it is nobody else's yet."""

    def drop_all(self, why: str) -> None:
        """Stop at once carrying anything: another process has taken it."""

    async def leave(self) -> None:
        """Let what is still carried wait for others: the process ends."""


@dataclass(slots=True)
class _Watched:
    """When a beat was first seen, by this process's monotonic clock."""

    beat_at: float
    since: float


class Processes:
    """This process, as an async context manager: registered while it is entered.

    Entering takes over the runs of those known to be dead; ``carrying`` must be
    set before.
    """

    carrying: Carrying

    def __init__(
        self,
        records: ProcessRecords,
        *,
        name: str = "",
        queues: Sequence[str] | None = None,
        lifeline: Lifeline | None = None,
        rhythm: Rhythm = Rhythm(),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.id = uuid4().hex
        """Under which runs are carried; another one at each start, and after each time it was declared dead."""
        self.name = name or platform.node() or "server"
        self.queues = None if queues is None else tuple(queues)
        self._records = records
        self._lifeline = lifeline or Lifeline(None)
        self._rhythm = rhythm
        self._monotonic = monotonic
        self._sleep = sleep
        self._beaten = 0.0
        self._fenced = False
        self._watched: dict[str, _Watched] = {}
        self._task: asyncio.Task[None] | None = None
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._begin()
        await self.sweep()
        await self._tasks.__aenter__()
        self._task = self._tasks.create_task(self._live(), name="heartbeat")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._tasks.__aexit__(None, None, None)
        with suppress(Unavailable):  # others find out by the lease
            await self.carrying.leave()
            await self._records.remove(self.id)
        self._lifeline.let_go(self.id)

    @property
    def is_fenced(self) -> bool:
        """Whether it takes itself to be declared dead: it claims nothing then."""
        return self._fenced or self._is_late()

    async def find(self) -> list[ProcessRecord]:
        """Return the processes whose time is not up, as the database tells it."""
        return [each for each in await self._records.find() if not each.expired]

    async def _begin(self) -> None:
        self._lifeline.hold(self.id)
        begun = self._monotonic()
        await self._records.add(self.id, self.name, self.queues, self._rhythm.expires)
        self._beaten = begun
        self._fenced = False

    def _is_late(self) -> bool:
        late = self._monotonic() - self._beaten
        return late > self._rhythm.expires - self._rhythm.beat

    async def _live(self) -> None:
        while True:
            asleep = self._monotonic()
            await self._sleep(self._rhythm.beat)
            slept = self._monotonic() - asleep
            # A file's database that answers nobody lets nobody take over, either: then only a sleep counts.
            if self._is_late() and (self._records.is_shared or slept > 2 * self._rhythm.beat):
                self._fence()
            try:
                await self.beat()
                await self.sweep()
            except Unavailable as error:
                logger.warning("heartbeat: %s", error.message)
            except Exception:  # the edge of the heartbeat: without one, others take over
                logger.exception("fault in the heartbeat")

    def _fence(self) -> None:
        if not self._fenced:
            self._fenced = True
            logger.warning("process %s could not say that it is there; it drops its runs", self.id)
            self.carrying.drop_claimed("it could not be told apart from a dead one")

    async def beat(self) -> None:
        """Say once that this process is there; where it was declared dead, begin anew under another id."""
        begun = self._monotonic()
        if await self._records.beat(self.id, self._rhythm.expires):
            self._beaten = begun
            if self._fenced:
                await self.carrying.renounce()
                self._fenced = False
            return
        logger.warning("process %s was declared dead; it begins anew", self.id)
        self._fenced = True
        self.carrying.drop_all("another process has taken its runs")
        self._lifeline.let_go(self.id)
        self.id = uuid4().hex
        await self._begin()

    async def sweep(self) -> None:
        """Take over the runs of processes that are dead."""
        dead = self._dead(await self._records.find())
        await self.carrying.take_over(self.id, dead)
        for each in dead:
            self._lifeline.let_go(each)
            self._watched.pop(each, None)

    def _dead(self, records: Sequence[ProcessRecord]) -> list[str]:
        now = self._monotonic()
        dead = []
        for each in records:
            if each.id == self.id:
                continue
            seen = self._watched.get(each.id)
            if seen is None or seen.beat_at != each.beat_at:
                seen = self._watched[each.id] = _Watched(each.beat_at, now)
            quiet = now - seen.since
            if (
                self._lifeline.is_dead(each.id)
                or quiet >= self._rhythm.expires
                or (each.expired and quiet >= 2 * self._rhythm.beat)
            ):
                dead.append(each.id)
                logger.warning(
                    "process %s (%s) is dead; its runs go on elsewhere", each.name, each.id
                )
        for gone in self._watched.keys() - {each.id for each in records}:
            del self._watched[gone]
        return dead
