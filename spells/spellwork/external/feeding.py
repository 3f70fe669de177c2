"""Streams that a method reads, at both ends: a batch goes out when the method asks for it, and no sooner."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from spellwork.errors import NodeError
from spellwork.handing import decoded
from spellwork.input_streams import InputStreams
from spellwork.values import to_json

from .frames import MAX_MESSAGE, Feed, FeedEnd, Pull, encode

Send = Callable[[bytes], None]


class Feeder(InputStreams):
    """The server's end: takes chunks from readers and sends them."""

    def __init__(self, call: int, send: Send) -> None:
        super().__init__()
        self.call = call
        self._send = send

    async def feed(self, stream: str) -> None:
        """Send the next chunks of a stream, or its end; what goes wrong is told to who reads."""
        end = FeedEnd(self.call, stream)
        try:
            chunks = [await decoded(each) for each in await self._readers[stream].take()]
            messages = self._messages(stream, chunks) if chunks else [encode(end)]
        except NodeError as error:
            messages = [encode(FeedEnd(self.call, stream, error.message, error.code))]
        self._asked.discard(stream)
        for message in messages:
            self._send(message)

    def _messages(self, stream: str, chunks: list[Any]) -> list[bytes]:
        try:
            message = encode(Feed(self.call, stream, chunks))
        except (TypeError, ValueError, OverflowError, RecursionError):
            message = encode(Feed(self.call, stream, [_plain(each) for each in chunks]))
        if len(message) <= MAX_MESSAGE:
            return [message]
        if len(chunks) == 1:
            raise NodeError(
                f"a chunk of {stream!r} is {len(message):,} bytes; at most {MAX_MESSAGE:,} can go to a worker",
                code="input_too_large",
                retryable=False,
            )
        half = len(chunks) // 2
        return self._messages(stream, chunks[:half]) + self._messages(stream, chunks[half:])


def _plain(chunk: Any) -> Any:
    return bytes(chunk) if isinstance(chunk, (bytes, bytearray)) else to_json(chunk)


class Inflow:
    """The worker's end: the streams of one call. ``post`` sends a record, on the loop's thread."""

    def __init__(self, call: int, post: Callable[[Pull], None]) -> None:
        self._call = call
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._came: dict[str, queue.SimpleQueue[Feed | FeedEnd]] = {}
        self._signals: dict[str, asyncio.Event] = {}
        self._over = False

    def take(self, record: Feed | FeedEnd) -> None:
        """Take the next chunks of a stream, or its end."""
        if record.stream in self._came:
            self._came[record.stream].put(record)
            self._signals[record.stream].set()

    def end(self) -> None:
        """Let nobody wait for chunks any more."""
        self._over = True
        for stream in self._came:
            self.take(FeedEnd(self._call, stream, "the call has ended", "cancelled"))

    def blocking(self, stream: str) -> Iterator[Any]:
        """Return a stream to be read by a thread."""
        self._open(stream)
        return self._blocking(stream)

    def awaited(self, stream: str) -> AsyncIterator[Any]:
        """Return a stream to be read by a coroutine."""
        self._open(stream)
        return self._awaited(stream)

    def _open(self, stream: str) -> None:
        self._came[stream] = queue.SimpleQueue()
        self._signals[stream] = asyncio.Event()

    def _blocking(self, stream: str) -> Iterator[Any]:
        came = self._came[stream]
        while not self._over:
            if threading.get_ident() == self._thread:
                raise RuntimeError("a stream of a method in a thread is read there")
            if came.empty():
                self._loop.call_soon_threadsafe(self._post, Pull(self._call, stream))
            chunks = _chunks(came.get())
            if chunks is None:
                return
            yield from chunks

    async def _awaited(self, stream: str) -> AsyncIterator[Any]:
        came, signal = self._came[stream], self._signals[stream]
        while not self._over:
            if came.empty():
                signal.clear()
                self._post(Pull(self._call, stream))
                await signal.wait()
            chunks = _chunks(came.get_nowait())
            if chunks is None:
                return
            for chunk in chunks:
                yield chunk


def _chunks(record: Feed | FeedEnd) -> list[Any] | None:
    """Return what came, None at the end; raises NodeError where who fills the stream failed."""
    if isinstance(record, Feed):
        return record.chunks
    if record.error is not None:
        raise NodeError(record.error, code=record.code or "stream_failed", retryable=False)
    return None
