"""Streams at the worker's end: credit for the chunks it makes, and chunks for the streams that it reads."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .frames import Feed, FeedEnd
from .values import to_plain

NO_CHUNKS: Iterator[Any] = iter(())


class StreamFailedError(Exception):
    """The node that fills a stream failed while this code read it."""

    retryable = False
    port = None

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


class Inlet:
    """What comes for one call while it runs: who reads the pipe puts it in, the code takes it out.

    ``credit``: chunks that may be sent before more are allowed; 0 for any number.
    ``attend`` has the pipe read from now on.
    """

    def __init__(self, call: int, credit: int, attend: Callable[[], None]) -> None:
        self.call = call
        self._attend = attend
        self._credit = credit
        self._limited = credit > 0
        self._more: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._spending = threading.Lock()
        self._fed: dict[str, queue.SimpleQueue[Feed | FeedEnd]] = {}

    def open(self, stream: str) -> None:
        """Take note of a stream that will be pulled."""
        self._fed[stream] = queue.SimpleQueue()

    def feed(self, record: Feed | FeedEnd) -> None:
        """Take the next chunks of a stream, or its end."""
        if record.stream in self._fed:
            self._fed[record.stream].put(record)

    def next(self, stream: str) -> Feed | FeedEnd:
        """Wait for the next chunks of a stream."""
        self._attend()
        return self._fed[stream].get()

    def credit(self, chunks: int) -> None:
        """Allow so many more chunks."""
        self._more.put(chunks)

    def spend(self) -> None:
        """Wait until one more chunk may be sent."""
        if not self._limited:
            return
        with self._spending:
            if not self._credit:
                self._attend()
                self._credit = self._more.get()
            self._credit -= 1


class Chunks:
    """A stream as the code reads it: by ``for`` or ``async for``, once. It asks for chunks as it runs out of them."""

    def __init__(
        self,
        inlet: Inlet,
        stream: str,
        pull: Callable[[str], None],
        fill: Callable[[Feed], list[Any]],
    ) -> None:
        self._inlet = inlet
        self._fill = fill
        self._stream = stream
        self._pull = pull
        self._batch = NO_CHUNKS
        self._ended = False
        inlet.open(stream)

    def __iter__(self) -> Chunks:
        return self

    def __next__(self) -> Any:
        for chunk in self._batch:
            return chunk
        if not self._ended:
            self._pull(self._stream)
            self._take(self._inlet.next(self._stream))
            for chunk in self._batch:
                return chunk
        raise StopIteration

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> Any:
        for chunk in self._batch:
            return chunk
        if not self._ended:
            self._pull(self._stream)
            loop = asyncio.get_running_loop()
            self._take(await loop.run_in_executor(None, self._inlet.next, self._stream))
            for chunk in self._batch:
                return chunk
        raise StopAsyncIteration

    def _take(self, record: Feed | FeedEnd) -> None:
        if isinstance(record, Feed):
            self._batch = iter(self._fill(record) if record.given else record.chunks)
            return
        self._ended = True
        if record.error is not None:
            raise StreamFailedError(record.error, record.code)


def plain_chunk(chunk: Any, where: str) -> Any:
    """Return a chunk as plain values; bytes stay bytes, for their whole is put together elsewhere.

    Raises:
        NotTransferableError: it, or something in it, has no plain form.
    """
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return bytes(chunk)
    return to_plain(chunk, where)
