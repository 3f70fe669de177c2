"""The journal: every event of every run, numbered, kept, and only then told.

A run writes through the ``Author`` it gets from ``open``; what it appends is
committed with the values it names, in order, and published to the stream's
channel after the commit. The journal is its own outbox: whoever missed
something reads it from here by number.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self
from weakref import WeakValueDictionary

import msgspec

from spellwork_server.errors import ServerError, Unavailable
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.journal import JournalStore, StoredEvent, numbered

from .stream_log import Author, Packet, StreamLog
from .streams import channel_of

KEPT_LOGS = 500
"""Streams whose end is remembered while nobody holds or follows them; the least recently used go first. Each is
2.5 kB; a forgotten one costs a look into the database."""

LOOKED_AT = 2
"""How many of the least recently used are looked at, for one that is used: more than come anew."""

FOLLOW_PAGE = 200
"""Events that ``follow`` reads at a time."""

logger = logging.getLogger(__name__)


class Publisher(Protocol):
    """What the journal needs of ``sockets.Channels``. ``data`` may hold ``msgspec.Raw``: JSON as it is."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""

    def followed(self, channel: str) -> bool:
        """Say whether anybody is on the channel."""
        ...


Grown = Callable[[str, int], None]
"""Is told that this process wrote events of a stream, and at which number it is now."""


class Journal:
    """Streams by name, as an async context manager: leaving it writes what waits.

    A stream has one log for as long as anybody holds it: who waits for it to change waits for what
    everybody else writes to it.
    """

    def __init__(self, store: JournalStore, commits: GroupCommit, publisher: Publisher) -> None:
        self._store = store
        self._commits = commits
        self._publisher = publisher
        self._logs: WeakValueDictionary[str, StreamLog] = WeakValueDictionary()
        self._recent: OrderedDict[str, StreamLog] = OrderedDict()
        """Those that are kept although nobody may hold them, the least recently used first."""
        self._loading: dict[str, asyncio.Lock] = {}
        self._watchers: list[Grown] = []
        self._tasks = asyncio.TaskGroup()
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for log in list(self._logs.values()):
            log.close()
        await self._tasks.__aexit__(None, None, None)
        self._closed = True

    def watch(self, watcher: Grown) -> None:
        """Have ``watcher`` told of every stream that this process writes, after each commit."""
        self._watchers.append(watcher)

    @property
    def known(self) -> Sequence[str]:
        """The streams whose end is remembered here."""
        return tuple(self._logs)

    def heard(self, stream: str, seq: int) -> None:
        """Learn that another process wrote a stream up to ``seq``: whoever follows it here is told what is missing."""
        log = self._logs.get(stream)
        if log is not None and log.heard(seq):
            self._tasks.create_task(self._catch_up(log), name=f"catch up {stream}")

    async def _catch_up(self, log: StreamLog) -> None:
        try:
            await log.catch_up()
        except ServerError as error:  # the next look at the stream's number tries again
            logger.warning("stream %s is behind: %s", log.stream, error.message)

    async def log(self, stream: str) -> StreamLog:
        """Return the end of a stream, read from the store where it is not known yet."""
        log = self._logs.get(stream) or await self._load(stream)
        self._keep(log)
        return log

    async def _load(self, stream: str) -> StreamLog:
        lock = self._loading.setdefault(stream, asyncio.Lock())
        try:
            async with lock:
                log = self._logs.get(stream)
                if log is None:
                    last = await self._store.last(stream)
                    log = StreamLog(stream, last, self._commits, self)
                return self._logs.setdefault(stream, log)
        finally:
            self._loading.pop(stream, None)

    def _keep(self, log: StreamLog) -> None:
        """Remember a log as the one used last, and let go of one that was used longest ago."""
        self._recent[log.stream] = log
        self._recent.move_to_end(log.stream)
        for _ in range(min(LOOKED_AT, len(self._recent) - KEPT_LOGS)):
            stream, oldest = self._recent.popitem(last=False)
            if self.followed(stream):  # or nobody would be told what other processes write
                self._recent[stream] = oldest

    def append(
        self,
        log: StreamLog,
        author: Author,
        entries: Sequence[Entry],
        *,
        size: int | None = None,
        before: Job[None] | None = None,
        also: Job[None] | None = None,
    ) -> None:
        """Queue ``entries`` for the end of the stream, with what is written in the same transaction: ``before`` them, and ``also``.

        ``size`` is how many bytes of memory they hold, where that was counted.
        """
        if size is None:
            size = sum(entry.size for entry in entries)
        self._put(log, Packet(author, tuple(entries), size, also, before=before))

    def commit(
        self, log: StreamLog, author: Author, entry: Entry, also: Job[None]
    ) -> asyncio.Future[None]:
        """Do the same; the future is done once that is committed and published.

        It never fails: where it is refused for good, ``author.broken`` was told.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(log, Packet(author, (entry,), entry.size, also, done=done))
        return done

    def keep(self, log: StreamLog, author: Author, job: Job[None]) -> asyncio.Future[None]:
        """Keep a new author's row: before whatever it appends from here on, and in one transaction with the first of that.

        The future is done once that is durable. It fails with what keeps it from being so: the
        store is not waited for, ``author.broken`` was told, and nothing of the author's is written.
        """
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(log, Packet(author, (), 0, before=job, kept=kept))
        return kept

    def settle(
        self, log: StreamLog, author: Author, also: Job[None] | None = None
    ) -> asyncio.Future[None]:
        """Return a future that is done once all that was queued before, and what ``also`` writes, is committed.

        It never fails: where that is refused for good, ``author.broken`` was told.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(log, Packet(author, (), 0, also, done=done))
        return done

    def _put(self, log: StreamLog, packet: Packet) -> None:
        if self._closed:  # nobody would write it, nor tell whose it is
            error = Unavailable("The server is stopping and takes no more events")
            packet.author.broken(error)
            packet.finish(error)
            return
        self._keep(log)
        log.put(packet)
        if not log.writing:
            log.writing = True
            self._tasks.create_task(log.drain(), name=f"journal {log.stream}")

    async def read(
        self,
        stream: str,
        *,
        after: int,
        limit: int,
        run: str | None = None,
        node: str | None = None,
        upto: int | None = None,
    ) -> list[StoredEvent]:
        """Return published events after ``after``, oldest first; of a run, of a node and those inside it."""
        published = (await self.log(stream)).published
        end = published if upto is None else min(upto, published)
        if after >= end:
            return []
        return await self._store.read(
            stream, after=after, upto=end, limit=limit, run=run, node=node
        )

    async def is_forgotten(self, stream: str, after: int) -> bool:
        """Tell whether events after ``after`` are missing here: too old to be kept, or never ours."""
        log = await self.log(stream)
        if after > log.published:
            log = await self.up_to_date(stream)
        if after >= log.published:
            return after > log.published
        first = await self._store.first(stream)
        return first is None or first > after + 1

    async def up_to_date(self, stream: str) -> StreamLog:
        """Return the end of a stream once all is published that other processes wrote by now: they may not have been heard yet."""
        log = await self.log(stream)
        log.heard(await self._store.last(stream))
        await log.catch_up()
        return log

    async def follow(
        self, stream: str, *, after: int, run: str | None, is_open: Callable[[], bool]
    ) -> AsyncIterator[StoredEvent]:
        """Yield the events of a run, or of all, after ``after`` as they are published, until ``is_open`` says no.

        Nothing is held for a slow reader: it reads from the store at its own pace.
        """
        while True:
            goes_on = is_open()
            log = await (self.log(stream) if goes_on else self.up_to_date(stream))
            changed, upto = log.changed, log.published
            page = await self.read(stream, after=after, limit=FOLLOW_PAGE, run=run, upto=upto)
            for event in page:
                yield event
            if len(page) == FOLLOW_PAGE:
                after = page[-1].seq
            elif goes_on:
                after = max(after, upto)
                await changed.wait()
            else:
                return

    def publish(self, stream: str, first: int, entries: Sequence[Entry], told: int) -> None:
        """Tell the stream's channel of committed entries, numbered from ``first``; up to ``told`` it knows them."""
        if not self.followed(stream):
            return
        bodies = [body for entry in entries for body in entry.bodies]
        events = b",".join(
            [numbered(seq, body) for seq, body in enumerate(bodies, first) if seq > told]
        )
        self.tell(stream, "run.events", {"events": msgspec.Raw(b"[" + events + b"]")})

    def followed(self, stream: str) -> bool:
        """Say whether anybody follows a stream's channel."""
        return self._publisher.followed(channel_of(stream))

    async def missed(self, stream: str, after: int, upto: int) -> list[StoredEvent]:
        """Return the oldest events between two numbers, a page at most."""
        return await self._store.read(stream, after=after, upto=upto, limit=FOLLOW_PAGE)

    def relay(self, stream: str, events: Sequence[StoredEvent]) -> None:
        """Tell the stream's channel of events that another process wrote."""
        body = b",".join(event.json for event in events)
        self.tell(stream, "run.events", {"events": msgspec.Raw(b"[" + body + b"]")})

    def grown(self, stream: str, seq: int) -> None:
        """Tell those who watch that a stream was written."""
        for watcher in self._watchers:
            watcher(stream, seq)

    def stalled(self, stream: str, message: str, retry_in: float) -> None:
        """Tell the stream's channel that events wait for the store."""
        self.tell(stream, "events.stalled", {"message": message, "retry_in": retry_in})

    def flowing(self, stream: str) -> None:
        """Tell the stream's channel that the store takes events again."""
        self.tell(stream, "events.flowing", {})

    def tell(self, stream: str, event: str, data: dict[str, Any]) -> None:
        """Send an event that is not kept to all who follow the stream."""
        self._publisher.publish(channel_of(stream), event, {"stream": stream} | data)
