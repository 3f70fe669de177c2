"""Tabs of the servers under test: each speaks one server's wire, all look alike to a measurement."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

from pycrdt import Doc, Map

from .frames import BINARY, TEXT, WebSocketClient, masked

PATIENCE = 60
"""Seconds that anything asked for may take."""

ACK = re.compile(rb"4[36](?:\d+-)?(\d+)")
SYNC, STEP_1, STEP_2, UPDATE = 0, 0, 1, 2
AUTHENTICATE, TOKEN = 2, 0


def var_uint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    return bytes((*out, value))


def var_bytes(value: bytes) -> bytes:
    return var_uint(len(value)) + value


def read_var_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes that stand after their length at ``at``, and where they end."""
    size = shift = 0
    while True:
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return data[at : at + size], at + size


class Tab(WebSocketClient):
    """A tab with one document open. Updates of others go to ``take``; by default they are kept."""

    def __init__(self, path: str, headers: dict[str, str], document: str) -> None:
        super().__init__(path, headers)
        self.document = document
        self.updates: list[bytes] = []
        self.take: Callable[[bytes], None] = self.updates.append
        self._answer: asyncio.Future[bytes] | None = None

    async def connect(self) -> None:
        """Prove who it is, as far as the server asks."""
        await asyncio.wait_for(self.shaken, PATIENCE)

    async def open(self, vector: bytes = b"\0") -> bytes:
        """Open the document; return, as a Yjs update, what a tab with ``vector`` lacks."""
        self._answer = asyncio.get_running_loop().create_future()
        self._ask(vector)
        return await asyncio.wait_for(self._answer, PATIENCE)

    def _ask(self, vector: bytes) -> None:
        raise NotImplementedError

    def _answered(self, update: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(update)

    def frames(self, update: bytes) -> bytes:
        """Return an edit as it goes on the wire."""
        raise NotImplementedError

    def edit(self, update: bytes) -> None:
        """Send an edit."""
        self.transport.write(self.frames(update))


class SyncTab(Tab):
    """y-protocols over a WebSocket: ours at /sync, and pycrdt-websocket."""

    prefix = b""

    def _ask(self, vector: bytes) -> None:
        body = self.prefix + bytes((SYNC, STEP_1)) + var_bytes(vector)
        self.transport.write(masked(BINARY, body))

    def frames(self, update: bytes) -> bytes:
        return masked(BINARY, self.prefix + bytes((SYNC, UPDATE)) + var_bytes(update))

    def binary(self, message: bytes) -> None:
        at = len(self.prefix)
        if message[at] != SYNC:
            return
        if message[at + 1] == UPDATE:
            self.take(read_var_bytes(message, at + 2)[0])
        elif message[at + 1] == STEP_2:
            self._answered(read_var_bytes(message, at + 2)[0])


class HocuspocusTab(SyncTab):
    """y-protocols with the document's name before every message, and a token first."""

    def __init__(self, path: str, headers: dict[str, str], document: str) -> None:
        super().__init__(path, headers, document)
        self.prefix = var_bytes(document.encode())
        self._authenticated: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        await super().connect()
        body = self.prefix + bytes((AUTHENTICATE, TOKEN)) + var_bytes(b"token")
        self.transport.write(masked(BINARY, body))
        await asyncio.wait_for(self._authenticated, PATIENCE)

    def binary(self, message: bytes) -> None:
        if message[len(self.prefix)] == AUTHENTICATE:
            self._authenticated.set_result(None)
        else:
            super().binary(message)


class SocketTab(Tab):
    """Our Socket.IO events. Acknowledgements of edits are timed from ``edit``."""

    _clients = 0

    def __init__(self, path: str, headers: dict[str, str], document: str, token: str) -> None:
        super().__init__(path, headers, document)
        SocketTab._clients += 1
        self.client_id = SocketTab._clients
        """The Yjs client id it opens with; a writer sets that of its document."""
        self.acknowledged: list[float] = []
        """Seconds from each edit to its acknowledgement, which says that it is durable."""
        self._token = token
        self._sent: dict[int, float] = {}
        self._edits = 0
        self._event: bytes = b""
        self._awaited = 0
        self._parts: list[bytes] = []
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle = asyncio.Event()
        self._idle.set()

    async def connect(self) -> None:
        await super().connect()
        await asyncio.wait_for(self._connected, PATIENCE)

    async def all_acknowledged(self) -> None:
        """Wait until every edit is durable."""
        await asyncio.wait_for(self._idle.wait(), PATIENCE)

    def _ask(self, vector: bytes) -> None:
        fields = {"canvas": self.document, "client_id": self.client_id, "state_vector": _PART}
        text = b"451-0" + json.dumps(["canvas.open", fields]).encode()
        self.transport.write(masked(TEXT, text) + masked(BINARY, vector))

    def frames(self, update: bytes) -> bytes:
        self._edits += 1
        fields = {"canvas": self.document, "msg_id": self._edits, "update": _PART}
        text = b"451-%d" % self._edits + json.dumps(["canvas.update", fields]).encode()
        return masked(TEXT, text) + masked(BINARY, update)

    def edit(self, update: bytes) -> None:
        frames = self.frames(update)
        self._idle.clear()
        self._sent[self._edits] = time.monotonic()
        self.transport.write(frames)

    def text(self, message: bytes) -> None:
        if message[:2] in (b"45", b"46"):
            self._event = message
            self._awaited = int(message[2 : message.index(b"-")])
            self._parts = []
        elif message[:2] == b"43":
            self._acknowledge(message)
        elif message[:1] == b"0":
            self.transport.write(masked(TEXT, b"40" + json.dumps({"token": self._token}).encode()))
        elif message[:2] == b"40":
            self._connected.set_result(None)
        elif message[:2] == b"44":
            self._connected.set_exception(ConnectionError(message.decode()))
        elif message == b"2":
            self.transport.write(masked(TEXT, b"3"))
        elif b"session.resync" in message[:24]:
            raise ConnectionError(message.decode())

    def binary(self, message: bytes) -> None:
        self._parts.append(message)
        if len(self._parts) < self._awaited:
            return
        if self._event[:2] == b"46":
            self._acknowledge(self._event)
        elif b'"canvas.updates"' in self._event[:24]:
            for update in self._parts:
                self.take(update)

    def _acknowledge(self, message: bytes) -> None:
        found = ACK.match(message)
        assert found is not None
        assert b'"ok":true' in message, message.decode()
        number = int(found[1])
        if number == 0:
            answer: dict[str, Any] = json.loads(message[found.end() :])[0]
            self._answered(self._parts[answer["diff"]["num"]])
            return
        self.acknowledged.append(self.arrived - self._sent.pop(number))
        if not self._sent:
            self._idle.set()


_PART = {"_placeholder": True, "num": 0}


class Writing:
    """A document like a browser's with small nodes on it, and the edits made to it."""

    def __init__(self, client_id: int | None = None) -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self._made: list[bytes] = []
        self._watch = self.doc.observe(lambda event: self._made.append(event.update))
        self.nodes: Map[Any] = self.doc.get("nodes", type=Map)

    def add_nodes(self, count: int) -> bytes:
        """Draw nodes in one transaction; return the update."""
        with self.doc.transaction():
            for number in range(count):
                self.nodes[f"n{number}"] = Map(
                    {
                        "type": "core.value",
                        "inputs": Map({"value": ""}),
                        "settings": Map({}),
                        "position": [number % 40 * 240.0, number // 40 * 120.0],
                    }
                )
        return self._made.pop()

    def fill_in(self, number: int, text: str) -> bytes:
        """Type a value into a node; return the update."""
        self.nodes[f"n{number}"]["inputs"]["value"] = text
        return self._made.pop()

    def move(self, number: int, x: float, y: float) -> bytes:
        """Move a node; return the update."""
        self.nodes[f"n{number}"]["position"] = [x, y]
        return self._made.pop()

    def forget(self) -> None:
        """Drop the updates of others that were taken."""
        self._made.clear()

    def check(self, *updates: bytes) -> None:
        """Raise AssertionError when the updates do not give this very document, to the last edit."""
        other: Doc[Any] = Doc()
        for update in updates:
            other.apply_update(update)
        mine, others = self.doc.get_state(), other.get_state()
        nodes: Map[Any] = other.get("nodes", type=Map)
        assert nodes.to_py() == self.nodes.to_py(), "a reader's document differs"
        assert clocks(mine).items() <= clocks(others).items(), "edits did not arrive"


def clocks(vector: bytes) -> dict[int, int]:
    """Return a state vector as a mapping of client to clock."""
    numbers, value, shift = [], 0, 0
    for byte in vector:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
    return dict(zip(numbers[1::2], numbers[2::2], strict=True))
