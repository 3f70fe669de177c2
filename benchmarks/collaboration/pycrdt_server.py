"""pycrdt-websocket with its SQLite store, on aiohttp and uvloop as ours is. Prints its port.

python -m benchmarks.collaboration.pycrdt_server DATABASE
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import anyio
import uvloop
from aiohttp import WSMsgType, web
from pycrdt import Channel
from pycrdt.store import SQLiteYStore, YDocNotFound
from pycrdt.websocket import WebsocketServer, YRoom


class Connection(Channel):
    """An aiohttp WebSocket as the library wants it."""

    def __init__(self, websocket: web.WebSocketResponse, path: str) -> None:
        self._websocket = websocket
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    def __aiter__(self) -> Connection:
        return self

    async def __anext__(self) -> bytes:
        return await self.recv()

    async def send(self, message: bytes) -> None:
        with suppress(ConnectionError):  # a client that leaves in mid-broadcast would end the room
            await self._websocket.send_bytes(message)

    async def recv(self) -> bytes:
        message = await self._websocket.receive()
        if message.type is not WSMsgType.BINARY:
            raise StopAsyncIteration
        return bytes(message.data)


class StoredServer(WebsocketServer):  # type: ignore[misc] # it is only installed in .venv-bench
    """The library's server with a room's document read from the store before it is served."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self._store = type("Store", (SQLiteYStore,), {"db_path": database})
        self._door = anyio.Lock()

    async def get_room(self, name: str) -> YRoom:
        async with self._door:  # without it some of those who open a room at once wait for ever
            if name not in self.rooms:
                store: Any = self._store(name)
                room = self.rooms[name] = YRoom(ready=False, ystore=store)
                await self.start_room(room)
                await store.started.wait()
                with suppress(YDocNotFound):
                    await store.apply_updates(room.ydoc)
                room.ready = True
                await room.ydoc_observed.wait()
            return self.rooms[name]


async def serve(database: str) -> None:
    async with StoredServer(database) as server:

        async def connect(request: web.Request) -> web.WebSocketResponse:
            websocket = web.WebSocketResponse(compress=False)
            await websocket.prepare(request)
            await server.serve(Connection(websocket, request.path))
            return websocket

        app = web.Application()
        app.router.add_get("/{document}", connect)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
