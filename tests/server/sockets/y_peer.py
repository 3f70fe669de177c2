"""A y-websocket peer for tests: says what the standard provider says, and keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from spellwork_server.rooms.lib0 import Reader, write_bytes
from spellwork_server.rooms.presence import encode_states, parse_states
from spellwork_server.sockets import y_messages
from tests.server.rooms.tab import Tab
from tests.server.services.house import Caller

QUERY_AWARENESS = bytes((y_messages.QUERY_AWARENESS,))


@dataclass
class Peer:
    """One connection with a document of its own."""

    socket: ClientWebSocketResponse
    tab: Tab = field(default_factory=Tab)
    synced: bool = False
    asked: bool = False
    documents: int = 0
    """How often it was answered what it lacks."""
    edits: list[bytes] = field(default_factory=list)
    presence: list[dict[int, Any]] = field(default_factory=list)
    people: dict[int, Any] = field(default_factory=dict)
    denied: list[str] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    answers: bool = True
    """Whether it answers the server's step 1 by itself."""

    @property
    def open(self) -> bool:
        return self.closed is None

    async def read(self) -> None:
        """Take what comes until the connection is closed."""
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.BINARY:
                await self._take(message.data)
            elif message.type is WSMsgType.CLOSE:
                self.closed = (message.data, message.extra or "")
            else:
                self.closed = self.closed or (self.socket.close_code or 1006, "")
                return

    async def _take(self, data: bytes) -> None:
        if data[0] == y_messages.AUTH:
            reader = Reader(data)
            assert (reader.uint(), reader.uint()) == (2, 0)
            self.denied.append(reader.string())
            return
        message = y_messages.read_message(data)
        match message.kind:
            case "step 1":
                self.asked = True
                if self.answers:
                    await self.say(y_messages.step_2(self.tab.doc.get_update(message.body)))
            case "step 2":
                self.tab.apply(message.body)
                self.synced = True
                self.documents += 1
            case "update":
                self.edits.append(message.body)
                self.tab.apply(message.body)
            case "awareness":
                told = parse_states(message.body)
                self.presence.append(told)
                self.people |= {client: state for client, (_, state) in told.items()}

    async def say(self, message: bytes) -> None:
        await self.socket.send_bytes(message)

    async def sync(self) -> None:
        """Ask for the document, as a provider does when it is connected."""
        await self.say(y_messages.step_1(self.tab.doc.get_state()))

    async def edit(self, update: bytes) -> None:
        await self.say(y_messages.update(update))

    async def be(self, clock: int, state: Any, client: int | None = None) -> None:
        """Say where one is."""
        who = self.tab.doc.client_id if client is None else client
        await self.tell({who: (clock, state)})

    async def tell(self, states: dict[int, tuple[int, Any]]) -> None:
        await self.say(y_messages.awareness(encode_states(states)))

    async def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        """Wait until a condition holds, which some message is about to bring."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def connect(
    caller: Caller, canvas: str, *, tab: Tab | None = None, sync: bool = True, **options: Any
) -> AsyncIterator[Peer]:
    """Connect somebody to a canvas; their token goes in the query, as the provider puts it."""
    params = {"token": caller.token} if caller.token else None
    options.setdefault("params", params)
    answers = options.pop("answers", True)
    async with (
        caller.client.ws_connect(
            f"/v1/canvases/{canvas}/sync", autoclose=True, **options
        ) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        peer = Peer(socket, tab or Tab(), answers=answers)
        reader = tasks.create_task(peer.read())
        if sync:
            await peer.sync()
            await peer.until(lambda: peer.synced)
        try:
            yield peer
        finally:
            await socket.close()
            reader.cancel()


def lying(kind: int, size: int) -> bytes:
    """A sync message whose length is not that of its body."""
    return bytes((y_messages.SYNC, kind)) + write_bytes(b"x" * size)[:-1]
