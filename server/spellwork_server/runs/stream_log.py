"""One stream while it is written: what waits, what is committed, who is told.

One batch is under way at a time, so that batches are committed and published
in the order their entries came, whatever is retried in between.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import Unavailable
from spellwork_server.storage.event_rows import Entry, count_of
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.journal import (
    FencedError,
    RunGoneError,
    StoredEvent,
    appending,
    check_claims,
    claims_of,
    find_written,
)

BATCH_ENTRIES = 2_000
BATCH_BYTES = 4 * 1024 * 1024
"""A batch takes no more than this, and at least one entry."""

GATHER_TURNS = 8
GATHER_LOOKS = 4
"""Turns of the loop between two looks at whether a burst of events goes on, and how many looks at most."""

GATHER_SECONDS = 0.01
"""Seconds after which there is no further turn: turns are short when nothing else goes on."""

FIRST_RETRY = 0.05
LAST_RETRY = 5.0
"""Seconds between two attempts on a store that fails; doubled each time, up to the last."""

logger = logging.getLogger(__name__)


class Author(Protocol):
    """Whose entries they are: told when they are safe, or never will be."""

    def committed(self, size: int) -> None:
        """Learn that ``size`` bytes of entries are durable."""

    def broken(self, error: Exception) -> None:
        """Learn that an entry was refused for good, and no further one is taken."""


class Audience(Protocol):
    """Who follows the stream."""

    def publish(self, stream: str, first: int, entries: Sequence[Entry], told: int) -> None:
        """Learn of committed entries; they are numbered from ``first``, and known up to ``told``."""

    def stalled(self, stream: str, message: str, retry_in: float) -> None:
        """Learn that the store does not take events now; they wait in memory."""

    def flowing(self, stream: str) -> None:
        """Learn that the store takes events again."""

    def followed(self, stream: str) -> bool:
        """Say whether anybody is to be told of events that another process wrote."""
        ...

    async def missed(self, stream: str, after: int, upto: int) -> list[StoredEvent]:
        """Return the oldest of the events of these numbers, and none when there are none left."""
        ...

    def relay(self, stream: str, events: Sequence[StoredEvent]) -> None:
        """Learn of events that another process wrote."""

    def grown(self, stream: str, seq: int) -> None:
        """Learn that this process wrote events of a stream, up to number ``seq``."""


class Packet(msgspec.Struct, frozen=True):
    """Entries of one author that are committed together, with what ``before`` writes before them and ``also`` after; none for who only waits.

    ``kept``: ``before`` keeps what all else of the author stands on. It is done once that is durable,
    and fails with what keeps it from being so; nothing of the author's is written then.
    """

    author: Author
    entries: tuple[Entry, ...]
    size: int
    """Bytes of memory the entries hold."""
    also: Job[None] | None = None
    before: Job[None] | None = None
    done: asyncio.Future[None] | None = None
    kept: asyncio.Future[None] | None = None

    def finish(self, error: Exception | None = None) -> None:
        """Tell whoever waits that the packet is committed, or given up."""
        if self.done is not None and not self.done.done():
            self.done.set_result(None)
        if self.kept is not None and not self.kept.done():
            if error is None:
                self.kept.set_result(None)
            else:
                self.kept.set_exception(error)


class StreamLog:
    """The end of one stream. ``published`` is the number of the last event that everybody was told of."""

    def __init__(
        self, stream: str, published: int, commits: GroupCommit, audience: Audience
    ) -> None:
        self.stream = stream
        self.published = published
        self.writing = False
        """Whether ``drain`` is under way."""
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, whenever ``published`` moves or a run of the stream ends."""
        self._commits = commits
        self._audience = audience
        self._packets: deque[Packet] = deque()
        self._closing = False
        self._telling = asyncio.Lock()
        self._again = asyncio.Event()
        """Set when a store that failed is to be tried again before its time: who starts a run is told at once whether it may."""
        self._heard = 0
        """The highest number that another process said the stream is at."""

    def put(self, packet: Packet) -> None:
        """Take a packet; whoever owns the log sees to it that ``drain`` runs."""
        self._packets.append(packet)
        if packet.kept is not None:
            self._again.set()

    def wake(self) -> None:
        """Let those who wait for a change look again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """Let ``drain`` give up on a store that fails rather than wait for it."""
        self._closing = True

    def heard(self, seq: int) -> bool:
        """Note that another process wrote up to ``seq``; say whether ``catch_up`` must be run for it."""
        if seq <= max(self._heard, self.published):
            return False
        self._heard = seq
        return not self._telling.locked()

    async def catch_up(self) -> None:
        """Tell of what other processes wrote, as far as is known. Raises Unavailable where the store fails."""
        async with self._telling:
            while self.published < self._heard:
                await self._relay(self._heard)

    async def _relay(self, upto: int) -> None:
        """Tell of events up to ``upto`` that are in the store and not told of yet."""
        followed = self._audience.followed(self.stream)
        while followed and self.published < upto:
            events = await self._audience.missed(self.stream, self.published, upto)
            if not events:
                break
            self._audience.relay(self.stream, events)
            self.published = events[-1].seq
            self.wake()
        self.published = max(self.published, upto)
        self.wake()

    async def _tell(self, first: int, entries: Sequence[Entry]) -> None:
        """Tell of what was committed just now: once, and after what others wrote before it."""
        last = first + count_of(entries) - 1
        async with self._telling:
            while first > self.published + 1:
                try:
                    await self._relay(first - 1)
                except Unavailable as error:
                    if self._closing:
                        return
                    logger.warning("stream %s waits for the store: %s", self.stream, error)
                    await asyncio.sleep(FIRST_RETRY)
            if last > self.published:
                self._audience.publish(self.stream, first, entries, self.published)
                self.published = last
            while self.published < self._heard:  # told of while this went on
                await self._relay(self._heard)

    async def drain(self) -> None:
        """Write what waits until nothing does. Never raises but for cancellation."""
        try:
            if not await self._gather() and (begun := self._take_begun()):
                await self._write(begun)
            while self._packets:
                await self._write(self._take())
        finally:
            self.writing = False

    async def _gather(self) -> bool:
        """Let a burst come to its end, or to who waits for what is in it, and say whether it has: a short run is then one transaction, not three."""
        until = time.perf_counter() + GATHER_SECONDS
        for _ in range(GATHER_LOOKS):
            waiting = len(self._packets)
            for _ in range(GATHER_TURNS):
                if self._packets and self._packets[-1].done is not None:  # somebody waits
                    return True
                if time.perf_counter() > until:
                    return False
                await asyncio.sleep(0)
            if len(self._packets) == waiting:
                return True
        return False

    def _take_begun(self) -> list[Packet]:
        """Take what comes up to the last author that is to be kept: of a run that goes on, who started it need not wait for more."""
        count = 0
        for number, packet in enumerate(self._packets, 1):
            if packet.kept is not None:
                count = number
        return [self._packets.popleft() for _ in range(count)]

    def _take(self) -> list[Packet]:
        batch = [self._packets.popleft()]
        count, size = len(batch[0].entries), batch[0].size
        while self._packets and count < BATCH_ENTRIES and size < BATCH_BYTES:
            packet = self._packets.popleft()
            batch.append(packet)
            count += len(packet.entries)
            size += packet.size
        return batch

    async def _write(self, batch: list[Packet]) -> None:
        if not any(packet.entries or packet.before or packet.also for packet in batch):
            for packet in batch:  # whoever only waits for what came before
                packet.finish()
            return
        wait = FIRST_RETRY
        stalled = False
        before = self.published
        urgent = any(packet.done is not None or packet.kept is not None for packet in batch)
        lost: list[list[Packet]] = []
        while True:
            try:
                job = self._job(batch, before, lost)
                last, batch = await self._commits.submit(job, urgent=urgent)
                break
            except Unavailable as error:
                if self._closing:
                    self._refuse(batch, error)
                    return
                if not lost or lost[-1] is not batch:
                    lost.append(batch)
                batch = self._without_new(batch, error)
                if not batch:
                    return
                if not stalled:
                    logger.warning("stream %s waits for the store: %s", self.stream, error)
                stalled = True
                self._audience.stalled(self.stream, error.message, wait)
                await self._rest(wait * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load, hides nothing
                wait = min(wait * 2, LAST_RETRY)
            except Exception as error:  # noqa: BLE001 - the edge of the store: a refused entry fails its own run
                await self._isolate(batch, error)
                return
        if stalled:
            self._audience.flowing(self.stream)
        await self._publish(batch, last)

    def _job(
        self, batch: list[Packet], published: int, lost: Sequence[list[Packet]]
    ) -> Job[tuple[int | None, list[Packet]]]:
        """Return what writes a batch, and returns its last number and what was written.

        ``lost`` is what the batch was when the store failed with it, while the stream was at
        ``published``: one that is lost while it commits may have done so.
        """
        entries = [entry for packet in batch for entry in packet.entries]
        stream = self.stream
        append = appending(stream, entries) if entries else None
        new = _new_authors(batch)
        known = [packet for packet in batch if id(packet.author) not in new]
        taken_up = any(packet.before is not None for packet in known)

        async def write(conn: AsyncConnection) -> tuple[int | None, list[Packet]]:
            for tried in lost:
                told = [entry for packet in tried for entry in packet.entries]
                if told and (at := await find_written(conn, stream, published, told)) is not None:
                    return at, tried
            if taken_up:
                earlier = [entry for packet in known for entry in packet.entries]
                await check_claims(conn, claims_of(earlier))
            for packet in batch:
                if packet.before is not None:
                    await packet.before(conn)
            last = None if append is None else await append(conn)
            for packet in batch:
                if packet.also is not None:
                    await packet.also(conn)
            return last, batch

        return write

    async def _isolate(self, batch: list[Packet], error: Exception) -> None:
        """Write each author's packets alone, and give up on the one whose packets are at fault."""
        authors = {id(packet.author): packet.author for packet in batch}
        if len(authors) == 1:
            if _new_authors(batch):
                logger.info("stream %s: a run could not be kept: %s", self.stream, error)
            elif isinstance(error, FencedError):
                logger.info(
                    "stream %s: run %s is carried by somebody else by now; it is dropped here",
                    self.stream,
                    error,
                )
            elif isinstance(error, RunGoneError):
                logger.info("stream %s: run %s is gone; its events end here", self.stream, error)
            else:
                logger.error("stream %s: a run's events were refused", self.stream, exc_info=error)
            self._refuse(batch, error)
            return
        new = _new_authors(batch)
        for author in sorted(authors.values(), key=lambda each: id(each) not in new):
            await self._write([packet for packet in batch if packet.author is author])

    async def _rest(self, seconds: float) -> None:
        """Wait until a store that failed is to be tried again."""
        self._again.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()

    def _without_new(self, batch: list[Packet], error: Exception) -> list[Packet]:
        """Give up on authors that are still to be kept, of a batch and of what waits behind it; return what is left of the batch."""
        new = _new_authors([*batch, *self._packets])
        if not new:
            return batch
        waiting = [*batch, *self._packets]
        self._refuse([packet for packet in waiting if id(packet.author) in new], error)
        return [packet for packet in batch if id(packet.author) not in new]

    def _refuse(self, batch: list[Packet], error: Exception) -> None:
        """Give up on these packets, and on whatever else waits of their authors."""
        authors = {id(packet.author): packet.author for packet in batch}
        rest = [packet for packet in self._packets if id(packet.author) in authors]
        self._packets = deque(
            packet for packet in self._packets if id(packet.author) not in authors
        )
        for author in authors.values():
            author.broken(error)
        for packet in [*batch, *rest]:
            packet.finish(error)

    async def _publish(self, batch: list[Packet], last: int | None) -> None:
        for packet in batch:
            if last is None or packet.kept is not None:
                packet.finish()
        if last is None:
            return
        entries = [entry for packet in batch for entry in packet.entries]
        try:
            await self._tell(last - count_of(entries) + 1, entries)
        except (
            Exception
        ):  # the edge of the sockets: what is kept can be resumed, and its runs go on
            logger.exception("stream %s: committed events could not be sent", self.stream)
        self.published = max(self.published, last)
        self.wake()
        self._audience.grown(self.stream, last)
        for packet in batch:
            if packet.entries:
                packet.author.committed(packet.size)
            packet.finish()


def _new_authors(batch: Iterable[Packet]) -> set[int]:
    """Return the ids of the authors that are to be kept with a batch."""
    return {id(packet.author) for packet in batch if packet.kept is not None}
