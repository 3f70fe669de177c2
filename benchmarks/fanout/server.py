"""A server to be measured: ours, or stock python-socketio. Both on aiohttp and uvloop.

    python -m benchmarks.fanout.server ours|stock

Prints its port. ``POST /go?events=N&rate=R`` sends N events of about 200 bytes to everybody (R a
second, or at full speed for 0); ``GET /cpu`` tells the CPU seconds used so far.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import socketio
import uvloop
from aiohttp import web

from spellwork_server.identity import Actor
from spellwork_server.services.registry import Registry
from spellwork_server.settings import Settings
from spellwork_server.sockets import Channels, Session, SocketServer
from spellwork_server.sockets.seats import Seats

Send = Callable[[dict[str, object]], Awaitable[None]]

TEXT = "x" * 150
"""With its name, number and time an event then has about 200 bytes."""


MOST = 1_000_000
"""Connections of the one user who stands for all readers."""


class AnyToken:
    """Everybody is let in: signing in is not what is measured."""

    async def authenticate(self, token: str) -> Actor:
        return Actor(token, f"{token}@example.org", token, "member")

    async def current(self, actor: Actor) -> Actor:
        return actor


async def ours(app: web.Application) -> Send:
    channels = Channels()
    server = SocketServer(Settings(), AnyToken(), Registry(), channels, Seats(MOST))

    async def join(session: Session) -> None:
        channels.join(session, "all")

    server.on_connect(join)
    server.attach(app)
    await server.__aenter__()

    async def send(event: dict[str, object]) -> None:
        channels.publish("all", "tick", event)
        await asyncio.sleep(0)

    return send


async def stock(app: web.Application) -> Send:
    server = socketio.AsyncServer(async_mode="aiohttp")
    server.attach(app)

    @server.event
    async def connect(sid: str, *_: object) -> None:
        await server.enter_room(sid, "all")

    async def send(event: dict[str, object]) -> None:
        await server.emit("tick", event, room="all")

    return send


async def publish(send: Send, events: int, rate: float) -> None:
    began = time.monotonic()
    for number in range(events):
        if rate:
            await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
        await send({"n": number, "at": time.monotonic(), "text": TEXT})


async def serve(kind: str) -> None:
    app = web.Application()
    send = await (ours if kind == "ours" else stock)(app)

    async def go(request: web.Request) -> web.Response:
        await publish(send, int(request.query["events"]), float(request.query["rate"]))
        return web.Response()

    async def cpu(_request: web.Request) -> web.Response:
        return web.json_response(time.process_time())

    app.router.add_post("/go", go)
    app.router.add_get("/cpu", cpu)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
