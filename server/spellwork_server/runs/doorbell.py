"""How this process learns that another wrote a stream that somebody follows here, or told its tabs something.

On PostgreSQL each process rings: stream S is at number n. Whoever follows S
reads what it lacks from the log, by number, so a ring that is lost, doubled or
late costs time and nothing else. Where there is no bell, or it does not ring
for a while, the numbers themselves are looked at. What is told and not kept
has numbers of its own (``sockets/relay.py``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self
from uuid import uuid4

from spellwork_server.errors import ServerError
from spellwork_server.storage.database import Database
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.notices import MAX_WORD, Line, listening

from .journal import Journal

LOOK_SECONDS = 0.5
"""Between two looks at the numbers, where there are other processes and no bell."""

ALONE_SECONDS = 2.0
"""Between two looks at whether there are other processes."""

SURE_SECONDS = 5.0
"""Between two looks where there is a bell: it may have been lost."""

FIRST_RETRY = 0.2
LAST_RETRY = 5.0
"""Seconds between two attempts to hang up the bell."""

RELAYED = "@relayed"
"""Rung as a stream's name: what is told and not kept. No stream has such a name."""

logger = logging.getLogger(__name__)


class Relay(Protocol):
    """What the doorbell needs of ``sockets.relay.Relay``."""

    others: bool
    """Whether there are other processes."""

    def watch(self, written: Callable[[int], None]) -> None:
        """Have ``written`` called with the number of what this process wrote for others."""

    async def look(self) -> None:
        """Tell the tabs here what other processes wrote. Raises Unavailable."""


class Doorbell:
    """Rings and listens while it is entered."""

    def __init__(
        self, database: Database, store: JournalStore, journal: Journal, relay: Relay
    ) -> None:
        self._database = database
        self._store = store
        self._journal = journal
        self._relay = relay
        self._name = uuid4().hex[:12]
        self._ringing: dict[str, int] = {}
        self._rung = asyncio.Event()
        self._line: Line | None = None
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._relay_rung = asyncio.Event()
        journal.watch(self._grown)
        relay.watch(lambda number: self._grown(RELAYED, number))

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        if not self._database.in_memory:
            self._running.append(self._tasks.create_task(self._look_forever(), name="look"))
        if not self._database.is_sqlite:
            self._running.append(self._tasks.create_task(self._listen_forever(), name="doorbell"))
            self._running.append(self._tasks.create_task(self._relay_forever(), name="relay"))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def hangs(self) -> bool:
        """Whether there is a bell that rings."""
        return self._line is not None

    def _grown(self, stream: str, seq: int) -> None:
        if not self._database.is_sqlite:
            self._ringing[stream] = seq
            self._rung.set()

    def _hear(self, word: str) -> None:
        name, _, rings = word.partition("\n")
        if name == self._name:
            return
        self._relay.others = True
        for ring in rings.split("\n"):
            stream, _, seq = ring.rpartition(" ")
            if stream == RELAYED:
                self._relay_rung.set()
                continue
            with suppress(ValueError):  # somebody else's word on our channel
                self._journal.heard(stream, int(seq))

    async def _relay_forever(self) -> None:
        while True:
            await self._relay_rung.wait()
            self._relay_rung.clear()
            try:
                await self._relay.look()
            except ServerError as error:  # the next look at the numbers tries again
                logger.debug("what others told could not be read: %s", error.message)
            except Exception:  # the next look may do better
                logger.exception("what others told could not be read")

    async def _listen_forever(self) -> None:
        wait = FIRST_RETRY
        while True:
            try:
                async with listening(self._database.url, self._hear, self._rung.set) as line:
                    self._line, wait = line, FIRST_RETRY
                    await self._look()  # what was not heard until now
                    await self._ring(line)
            except ServerError as error:
                logger.warning("there is no doorbell: %s", error.message)
            except Exception:  # the edge of the driver; streams are looked at meanwhile
                logger.exception("the doorbell broke")
            finally:
                self._line = None
            await asyncio.sleep(wait)
            wait = min(wait * 2, LAST_RETRY)

    async def _ring(self, line: Line) -> None:
        """Say what is to be said until the connection is lost."""
        while not line.is_lost:
            self._rung.clear()
            while self._ringing and not line.is_lost:
                await line.say(self._word())
            if not line.is_lost:
                await self._rung.wait()

    def _word(self) -> str:
        """Take what is to be said next."""
        word = self._name
        for stream in list(self._ringing):
            ring = f"\n{stream} {self._ringing[stream]}"
            if len(word) + len(ring) > MAX_WORD:
                break
            word += ring
            del self._ringing[stream]
        return word

    async def _look_forever(self) -> None:
        while True:
            alone = True
            try:
                alone = await self._store.processes() < 2
                self._relay.others = not alone
                if not alone:
                    await self._look()
            except ServerError as error:
                logger.debug("streams could not be looked at: %s", error.message)
            except Exception:  # the next look may do better
                logger.exception("streams could not be looked at")
            pause = ALONE_SECONDS if alone else SURE_SECONDS if self.hangs else LOOK_SECONDS
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        for stream, seq in (await self._store.lasts(self._journal.known)).items():
            self._journal.heard(stream, seq)
        await self._relay.look()
