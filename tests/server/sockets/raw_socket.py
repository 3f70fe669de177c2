"""A Socket.IO client over a bare TCP connection: it reads when it is told to, and sends whatever it likes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from struct import pack
from typing import Any

TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
SMALL_WINDOW = 16 * 1024
"""Bytes that the kernel takes in for a client that does not read."""


class HungUp(Exception):
    """The server closed the connection."""


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame; a mask of zeros is a mask."""
    size = len(payload)
    if size < 126:
        head = pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65_536:
        head = pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + bytes(4) + payload


class RawSocket:
    """One connection. Nothing is read, and pings go unanswered, but in ``receive`` and what uses it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.taken = 0
        """Bytes read so far."""

    async def send(self, text: str, *attachments: bytes) -> None:
        """Send an Engine.IO message, such as ``420["event",{}]``, and what it announces."""
        frames = [frame(TEXT, text.encode()), *(frame(BINARY, each) for each in attachments)]
        await self.write(b"".join(frames))

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise HungUp from error

    async def receive(self) -> bytes:
        """Return the next message; answer pings. Raises HungUp."""
        while True:
            opcode, payload = await self._frame()
            if opcode == CLOSE:
                raise HungUp
            if payload == b"2" and opcode == TEXT:
                await self.send("3")
            elif opcode in (TEXT, BINARY):
                return payload

    async def event(self) -> tuple[str, Any, list[bytes]]:
        """Return the next event or answer: its head (``42``, ``430``, ...), its JSON, its attachments."""
        message = (await self.receive()).decode()
        at = min(each for each in (message.find("["), message.find("{")) if each >= 0)
        head = message[:at]
        count = int(head[2 : head.index("-")]) if "-" in head else 0
        return head, json.loads(message[at:]), [await self.receive() for _ in range(count)]

    async def until(self, head: str) -> Any:
        """Return the JSON of the next message with this head; the rest is dropped."""
        while True:
            found, body, _ = await self.event()
            if found == head:
                return body

    async def connect(self, token: str) -> None:
        """Prove who it is."""
        await self.send("40" + json.dumps({"token": token}))
        while not (await self.receive()).startswith(b"40"):
            pass

    async def gone(self) -> None:
        """Read until the server has hung up."""
        try:
            while True:
                await self.receive()
        except (HungUp, asyncio.IncompleteReadError, ConnectionError):
            return

    def abort(self) -> None:
        """Vanish, as a client whose network is gone."""
        self._writer.transport.abort()

    async def _frame(self) -> tuple[int, bytes]:
        try:
            first, size = await self._reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            payload = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise HungUp from error
        self.taken += size
        return first & 0x0F, payload


@asynccontextmanager
async def raw_socket(
    url: str, *, token: str | None = None, window: int = SMALL_WINDOW
) -> AsyncIterator[RawSocket]:
    """Open a WebSocket to the server at ``url``; with a token, prove who it is."""
    opened = await dial(url, window)
    try:
        if token is not None:
            await opened.connect(token)
        yield opened
    finally:
        opened.abort()


async def dial(url: str, window: int = SMALL_WINDOW) -> RawSocket:
    """Open a WebSocket; nothing is said on it yet. Raises HungUp where the server refuses."""
    host, port = url.removeprefix("http://").split(":")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plain, limit=window)
    writer.write(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
        f"Host: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise HungUp from error
    if b" 101 " not in head.splitlines()[0]:
        writer.transport.abort()
        raise HungUp(head.decode())
    return RawSocket(reader, writer)
