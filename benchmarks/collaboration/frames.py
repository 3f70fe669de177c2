"""A WebSocket client that is as cheap as can be, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from struct import pack
from typing import cast

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a final frame as a client must send it; a mask of zeros is a mask."""
    size = len(payload)
    if size < 126:
        head = pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


class WebSocketClient(asyncio.Protocol):
    """One WebSocket: shakes hands, splits frames. Subclasses say what a message means.

    What arrives is read once everything that came with it, on other sockets too, has its time of arrival:
    else each reader would be timed with the reading of those before it.
    """

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        self._path = path
        self._headers = headers
        self._buffer = b""
        self._waiting: list[bytes] = []
        self._shaken = False
        self.arrived = 0.0
        """When what is read now was there: monotonic seconds."""
        self.shaken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def text(self, message: bytes) -> None:
        """Take a text message."""

    def binary(self, message: bytes) -> None:
        """Take a binary message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade"}
        headers |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"} | self._headers
        lines = [
            f"GET {self._path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        if not self.shaken.done():
            self.shaken.set_exception(ConnectionError(f"{self._path}: the server hung up"))

    def data_received(self, data: bytes) -> None:
        self.arrived = time.monotonic()
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._read)
        self._waiting.append(data)

    def _read(self) -> None:
        data = self._buffer + b"".join(self._waiting)
        self._waiting.clear()
        at = 0
        if not self._shaken:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            if b" 101 " not in data[:16]:
                self.shaken.set_exception(ConnectionError(data[:200].decode(errors="replace")))
                self.transport.abort()
                return
            self._shaken, at = True, end + 4
            self.shaken.set_result(None)
        total = len(data)
        while total - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if total < start + size:
                break
            self._take(data[at] & 0x0F, data[start : start + size])
            at = start + size
        self._buffer = data[at:]

    def _take(self, opcode: int, message: bytes) -> None:
        if opcode == BINARY:
            self.binary(message)
        elif opcode == TEXT:
            self.text(message)
        elif opcode == PING:
            self.transport.write(masked(PONG, message))
        elif opcode == CLOSE:
            self.transport.close()

    def close(self) -> None:
        """Leave without further words."""
        self.transport.abort()
