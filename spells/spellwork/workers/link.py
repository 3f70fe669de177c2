"""The pool's end of a worker's pipe: splits bytes into frames, and trusts none of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from spellwork_worker.frames import HEADER

MAX_WAITING = 4 * 1024 * 1024
"""Bytes of unread frames above which the worker has to wait."""

_STDOUT = 1


class Link(asyncio.SubprocessProtocol):
    """Frames that came and were not yet taken; end of pipe; exit of the process."""

    def __init__(
        self,
        limit: int,
        on_raw: Callable[[bytes], None],
        aside: Callable[[bytes], bool],
        on_end: Callable[[], None],
    ) -> None:
        self._limit = limit
        self._on_raw = on_raw
        self._aside = aside
        """Takes frames that are not for who reads calls, and says so."""
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._frames: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.SubprocessTransport | None = None
        self.ended = False
        self.oversize: int | None = None
        """The size of a frame over the limit, which ends the link."""
        self.exited: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, whose pipe may have to wait."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take bytes: frames, or what a library wrote past Python."""
        if fd != _STDOUT:
            self._on_raw(data)
        elif not self.ended and not self._whole(data):
            self._buffer += data
            self._split()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note that no more frames will come."""
        if fd == _STDOUT:
            self._end()

    def process_exited(self) -> None:
        """Note that the process is gone."""
        if not self.exited.done():
            self.exited.set_result(None)
        self._end()

    async def frame(self) -> bytes | None:
        """Return the body of the next frame; None when the worker is gone. One taker at a time."""
        while not self._frames:
            if self.ended:
                return None
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._frames.popleft()
        self._waiting -= len(frame)
        if self._paused and self._waiting <= MAX_WAITING // 2:
            self._pause(paused=False)
        return frame

    def _whole(self, data: bytes) -> bool:
        """Take bytes that are one frame and nothing else, as most are; return whether they were."""
        if self._buffer or len(data) < HEADER.size:
            return False
        (size,) = HEADER.unpack_from(data)
        if size != len(data) - HEADER.size or size > self._limit:
            return False
        self._take(data[HEADER.size :])
        return True

    def _take(self, body: bytes) -> None:
        if self._aside(body):
            return
        self._frames.append(body)
        self._waiting += len(body)
        self._wake()
        if self._waiting > MAX_WAITING and not self._paused:
            self._pause(paused=True)

    def _split(self) -> None:
        while len(self._buffer) >= HEADER.size:
            (size,) = HEADER.unpack_from(self._buffer)
            if size > self._limit:
                self.oversize = size
                self._end()
                return
            end = HEADER.size + size
            if len(self._buffer) < end:
                return
            body = bytes(memoryview(self._buffer)[HEADER.size : end])
            del self._buffer[:end]
            self._take(body)

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        if self._transport is None or self.ended:
            return
        pipe = cast("asyncio.ReadTransport", self._transport.get_pipe_transport(_STDOUT))
        (pipe.pause_reading if paused else pipe.resume_reading)()

    def _end(self) -> None:
        self.ended = True
        self._buffer.clear()
        self._on_end()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
