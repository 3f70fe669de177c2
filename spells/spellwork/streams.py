"""Streams: the chunks of an output while they come, and the whole value they add up to.

One writer, any number of readers, each at its own pace. All belong to one event
loop. What is kept is one list: the chunks that a reader takes, those that a slow
one has yet to take and the whole are the same objects, once. A reader takes a
batch at a time, so that a chunk costs no switch of tasks, no future and no event.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from .errors import StreamEnded
from .standstill import Party

CAPACITY = 256
"""Chunks that a writer may be ahead of the slowest reader, unless said otherwise."""

PIECE = 16 * 1024
"""Characters, or bytes, of a chunk that is cut off a whole text."""

_NEVER = sys.maxsize


def accumulate(chunks: Sequence[Any]) -> Any:
    """Return the whole that chunks add up to: texts and bytes are joined, anything else becomes a list."""
    if chunks:
        for kind, empty in ((str, ""), (bytes, b"")):
            if isinstance(chunks[0], kind):
                try:
                    return empty.join(chunks)
                except TypeError:
                    break
    return list(chunks)


def chunks_of(whole: Any) -> list[Any]:
    """Return a whole value as the chunks of a stream: items of a list, pieces of a text or of bytes."""
    if isinstance(whole, (list, tuple)):
        return list(whole)
    if isinstance(whole, (str, bytes)):
        return [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]
    return [whole]


class Stream:
    """The chunks of one output of one call.

    ``put`` waits when the slowest reader is ``capacity`` chunks behind.
    Readers count from their first chunk on: who has not begun holds nobody up
    and misses nothing. ``readers``: how many are expected.

    A writer in a hurry appends to ``chunks`` itself, and awaits ``room`` when
    there are ``limit`` of them.
    """

    def __init__(
        self,
        port: str = "",
        capacity: int = CAPACITY,
        *,
        readers: int = 0,
        writer: Party | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"the capacity of a stream is at least 1, not {capacity}")
        self.port = port
        self.capacity = capacity
        self.chunks: list[Any] = []
        self.limit = _NEVER
        """How many ``chunks`` there may be before the writer has to look for ``room``."""
        self.taken = False
        """Whether any reader has begun: from then on the chunks cannot be taken back."""
        self.writer = writer or Party()
        self._expected = readers
        self._readers: list[Reader] = []
        self._room: list[asyncio.Future[None]] = []
        self._error: BaseException | None = None
        self._ended = False
        self._whole: Any = _UNSET
        self._set_limit()

    # The writer's side

    @property
    def end(self) -> int:
        """How many chunks were put in all."""
        return len(self.chunks)

    @property
    def is_open(self) -> bool:
        """Whether chunks may still come."""
        return not self._ended

    @property
    def awaiting(self) -> list[Party]:
        """The readers who wait for the next chunk."""
        return [reader.party for reader in self._readers if reader.waiter is not None]

    def feed(self, chunk: Any) -> bool:
        """Add a chunk, whether there is room or not; return whether there is room for more."""
        if self._ended:
            raise StreamEnded(
                f"the stream {self.port!r} has ended; nothing more can be put into it"
            )
        self.chunks.append(chunk)
        return len(self.chunks) < self.limit or self.look()

    def look(self) -> bool:
        """Tell readers who wait of what has come; return whether there is room for more."""
        self._wake()
        if self._is_full() or len(self._readers) < self._expected:
            return False
        self._set_limit()
        return True

    async def put(self, chunk: Any) -> None:
        """Add a chunk, and wait until there is room for more.

        Raises:
            StreamEnded: it was closed, or given up by the run.
        """
        if not self.feed(chunk):
            await self.room()

    async def room(self) -> None:
        """Wait until the slowest reader is less than ``capacity`` behind."""
        if len(self._readers) < self._expected:
            await asyncio.sleep(0)  # those who would read get to begin
        while self._is_full() and not self._ended:
            wait = _ForRoom(self)
            self.writer.begin_wait(wait)
            try:
                await self._until_moved()
            finally:
                self.writer.end_wait(wait)
        self._set_limit()

    async def _until_moved(self) -> None:
        if not self._is_full():  # a standstill was undone
            return
        future = asyncio.get_running_loop().create_future()
        self._room.append(future)
        try:
            await future
        finally:
            if future in self._room:
                self._room.remove(future)

    @property
    def is_full(self) -> bool:
        """Whether the writer has to wait."""
        return self._is_full()

    def close(self) -> None:
        """End the stream: readers take what is left, and are through."""
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """End the stream with an error: readers take what is left, and then get ``error``."""
        self._end(error)

    def start_over(self) -> None:
        """Forget all chunks, for a writer that tries again. Only while ``taken`` is false."""
        assert not self.taken, "chunks that were taken cannot be taken back"
        self.chunks.clear()
        self._set_limit()

    def whole(self) -> Any:
        """Return what the chunks add up to, built once. The stream must have ended."""
        assert self._ended
        if self._whole is _UNSET:
            self._whole = accumulate(self.chunks)
        return self._whole

    def _end(self, error: BaseException | None) -> None:
        if self._ended:
            return
        self._ended, self._error = True, error
        self._let_writer_on()
        self._wake()

    # The readers' side

    def read(
        self, reader: Party | None = None, check: Callable[[Any], Any] | None = None
    ) -> Reader:
        """Return a reader of all chunks, from the first on. ``check`` is put before each chunk it gives."""
        return Reader(self, reader or Party(), check)

    @classmethod
    def of(cls, whole: Any) -> Stream:
        """Return a stream that has ended, with the chunks of a whole value."""
        stream = cls()
        stream.chunks = chunks_of(whole)
        stream._end(None)
        return stream

    def _begin(self, reader: Reader) -> None:
        self.taken = True
        self._readers.append(reader)

    def _leave(self, reader: Reader) -> None:
        if reader.begun:
            self._readers.remove(reader)
        self._expected = max(0, self._expected - 1)
        self._moved()

    def _moved(self) -> None:
        """See what a reader that went on, or away, changes for the writer."""
        if self._room:
            if not self._is_full():
                self._let_writer_on()
        else:
            self._set_limit()

    def _is_full(self) -> bool:
        room_from = self.end - self.capacity
        return any(reader.position <= room_from for reader in self._readers)

    def _behind(self) -> Iterable[Party]:
        """Return the readers for whom the writer waits."""
        room_from = self.end - self.capacity
        return [reader.party for reader in self._readers if reader.position <= room_from]

    def _set_limit(self) -> None:
        limit = _NEVER
        if self._readers:
            if any(reader.waiter is not None for reader in self._readers):
                limit = 0
            else:
                slowest = min(reader.position for reader in self._readers)
                limit = slowest + self.capacity
        if len(self._readers) < self._expected:
            limit = min(limit, len(self.chunks) + self.capacity)
        self.limit = limit

    def _let_writer_on(self) -> None:
        waiting, self._room = self._room, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _wake(self) -> None:
        for reader in self._readers:
            if reader.waiter is not None:
                reader.wake()


class _ForRoom:
    """A writer that waits for the slowest readers."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def waits_for(self) -> Iterable[Party]:
        return self._stream._behind()  # noqa: SLF001 - part of the stream

    def widen(self) -> None:
        stream = self._stream
        stream.capacity *= 2
        stream._let_writer_on()  # noqa: SLF001 - part of the stream


class Reader(AsyncIterator[Any]):
    """Takes the chunks of a stream, in order, from the first on.

    One coroutine at a time may take chunks. ``aclose`` goes away: from then on
    it holds nobody up. What its iteration raises is the writer's error, or
    that of ``check``.
    """

    __slots__ = (
        "_blocked",
        "_check",
        "_end",
        "_gone",
        "batch",
        "begun",
        "party",
        "position",
        "stream",
        "waiter",
    )

    def __init__(
        self, stream: Stream, party: Party, check: Callable[[Any], Any] | None = None
    ) -> None:
        self.stream = stream
        self.party = party
        self.position = 0
        """How many chunks it is done with: those before the batch in its hands."""
        self.begun = False
        self.waiter: asyncio.Future[None] | None = None
        self._check = check
        self.batch: Iterator[Any] = iter(())
        """The chunks that are there to be taken, without waiting."""
        self._end = 0
        self._gone = False
        self._blocked = _ForChunk(self)

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> Any:
        for chunk in self.batch:
            return chunk
        if await self.refill():
            for chunk in self.batch:
                return chunk
        raise StopAsyncIteration

    async def take(self) -> list[Any]:
        """Return the chunks that are there, at least one and at most half of what the stream holds; [] at its end."""
        left = list(self.batch)
        if not left and await self.refill():
            left = list(self.batch)
        return left

    async def refill(self) -> bool:
        """Wait for chunks, and lay them out to be taken; return False at the end of the stream."""
        stream = self.stream
        if self._gone:
            return False
        if not self.begun:
            self.begun = True
            stream._begin(self)  # noqa: SLF001 - part of the stream
        self.position = self._end
        while not (ready := stream.end - self.position):
            stream._moved()  # noqa: SLF001
            if not stream.is_open:
                self._go()
                if stream._error is not None:  # noqa: SLF001
                    raise stream._error  # noqa: SLF001
                return False
            if not await self._wait():
                return False
        self._end = self.position + min(ready, max(1, stream.capacity // 2))
        batch = stream.chunks[self.position : self._end]
        self.batch = iter(batch) if self._check is None else map(self._check, batch)
        stream._moved()  # noqa: SLF001
        return True

    async def _wait(self) -> bool:
        """Wait for a chunk, or the end; return False when it was told to go away meanwhile."""
        if self.waiter is not None:
            raise RuntimeError("a stream is read by one coroutine at a time")
        self.waiter = waiter = asyncio.get_running_loop().create_future()
        self.stream.limit = 0
        self.party.begin_wait(self._blocked)
        try:
            await waiter
        finally:
            self.wake()
        return not self._gone

    def wake(self) -> None:
        """Let it go on where it waits; from now on it counts as one that does."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            self.party.end_wait(self._blocked)
            if not waiter.done():
                waiter.set_result(None)

    async def aclose(self) -> None:
        """Go away; idempotent."""
        self._go()

    def close(self) -> None:
        """Go away; idempotent."""
        self._go()

    def _go(self) -> None:
        if self._gone:
            return
        self._gone = True
        self.batch = iter(())
        self.wake()
        self.stream._leave(self)  # noqa: SLF001 - part of the stream


class _ForChunk:
    """A reader that waits for the writer."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def waits_for(self) -> Iterable[Party]:
        return (self._reader.stream.writer,)

    def widen(self) -> None:
        """Do nothing: what is missing here is no room."""


_UNSET: Any = object()
