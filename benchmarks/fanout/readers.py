"""Clients that read as cheaply as can be, so that the server is what is measured.

    python -m benchmarks.fanout.readers PORT COUNT EVENTS

Opens COUNT sockets, prints ``ready``, waits for EVENTS events on each and prints how long each took
to arrive, as JSON: the median and the 99th percentile in milliseconds.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import statistics
import sys
import time
from typing import cast

import uvloop

TEXT, PING, PONG = 0x81, b"2", b"3"
TIME = re.compile(rb'"at":([0-9.]+)')


def masked(payload: bytes) -> bytes:
    """Return a text frame as a client must send it; a mask of zeros is a mask."""
    return bytes((TEXT, 0x80 | len(payload))) + bytes(4) + payload


class Reader(asyncio.Protocol):
    """One socket: shakes hands, connects, counts events."""

    def __init__(self, events: int) -> None:
        loop = asyncio.get_running_loop()
        self.ready = loop.create_future()
        self.done = loop.create_future()
        self.delays: list[float] = []
        self._missing = events
        self._buffer = b""
        self._shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        at = 0
        if not self._shaken:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            self._shaken, at = True, end + 4
        while len(data) - at >= 4:
            size, head = data[at + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            if len(data) - at < head + size:
                break
            self._take(data[at + head : at + head + size])
            at += head + size
        self._buffer = data[at:]

    def _take(self, message: bytes) -> None:
        if message.startswith(b"42"):
            found = TIME.search(message)
            assert found is not None
            self.delays.append(time.monotonic() - float(found[1]))
            self._missing -= 1
            if not self._missing:
                self.done.set_result(None)
        elif message.startswith(b"0"):
            self._transport.write(masked(b'40{"token":"t"}'))
        elif message.startswith(b"40"):
            self.ready.set_result(None)
        elif message == PING:
            self._transport.write(masked(PONG))


async def read(port: int, count: int, events: int) -> None:
    loop = asyncio.get_running_loop()
    readers = [Reader(events) for _ in range(count)]
    for reader in readers:
        await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", port)  # type: ignore[misc]
        await reader.ready
    print("ready", flush=True)
    await asyncio.gather(*(reader.done for reader in readers))
    delays = sorted(delay * 1_000 for reader in readers for delay in reader.delays)
    p99 = delays[int(len(delays) * 0.99)]
    print(json.dumps({"p50": statistics.median(delays), "p99": p99}), flush=True)


if __name__ == "__main__":
    uvloop.run(read(*(int(argument) for argument in sys.argv[1:4])))
