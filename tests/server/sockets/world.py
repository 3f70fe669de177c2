"""A real socket server on a free port, with small services to talk to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import socketio
from aiohttp import web

from spellwork_server.errors import Forbidden, Unauthenticated
from spellwork_server.identity import Actor
from spellwork_server.services.registry import Registry
from spellwork_server.services.service import Call, Request, Service, View, operation
from spellwork_server.settings import Settings
from spellwork_server.sockets import Channels, Session, SocketServer
from spellwork_server.sockets.seats import Seats

ADA = Actor("u-ada", "ada@example.org", "Ada", "member")
BOB = Actor("u-bob", "bob@example.org", "Bob", "member")
ROOT = Actor("u-root", "root@example.org", "Root", "admin")


@dataclass
class Tokens:
    """An authenticator whose tokens are names."""

    actors: dict[str, Actor] = field(default_factory=lambda: {"ada": ADA, "bob": BOB, "root": ROOT})
    delay: float = 0

    async def authenticate(self, token: str) -> Actor:
        await asyncio.sleep(self.delay)
        actor = self.actors.get(token)
        if actor is None:
            raise Unauthenticated("That token is not known", code="token_invalid")
        return actor

    async def current(self, actor: Actor) -> Actor:
        if actor not in self.actors.values():
            raise Unauthenticated("That sign-in was revoked", code="token_revoked")
        return actor


class Words(Request):
    text: str
    blob: bytes | None = None


class Echo(View):
    text: str
    blob: bytes | None = None


class Number(Request):
    n: int


class Numbers(View):
    n: int
    seen: list[int]


class Size(Request):
    size: int


class EchoService(Service):
    name = "echo"

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.seen: list[int] = []
        self.hold = asyncio.Event()

    @operation(summary="Say it back", binary=True)
    async def say(self, call: Call, request: Words) -> Echo:
        return Echo(text=request.text, blob=request.blob)

    @operation(summary="Note the order")
    async def note(self, call: Call, request: Number) -> Numbers:
        await asyncio.sleep(0.002 if request.n % 3 == 0 else 0)
        self.seen.append(request.n)
        return Numbers(n=request.n, seen=[])

    @operation(summary="Wait until let go")
    async def wait(self, call: Call, request: Number) -> Numbers:
        assert call.session is not None
        if request.n:
            call.session.release_turn()
        await self.hold.wait()
        return Numbers(n=request.n, seen=[])

    @operation(summary="Refuse")
    async def refuse(self, call: Call, request: Number) -> Numbers:
        raise Forbidden("Not you", details={"n": request.n})

    @operation(summary="Break")
    async def broken(self, call: Call, request: Number) -> Numbers:
        raise RuntimeError("a secret in the traceback")

    @operation(summary="Join the club")
    async def join(self, call: Call, request: Number) -> Numbers:
        assert call.session is not None
        self.channels.join(call.session, "club")
        return Numbers(n=request.n, seen=[])

    @operation(summary="A large answer")
    async def large(self, call: Call, request: Size) -> Echo:
        return Echo(text="x" * request.size)


@dataclass
class World:
    """The server and what is behind it."""

    url: str
    port: int
    server: SocketServer
    channels: Channels
    echo: EchoService
    tokens: Tokens
    runner: web.AppRunner
    connected: list[Session]
    left: list[Session]

    @asynccontextmanager
    async def client(
        self, token: str | None = "ada", **options: Any
    ) -> AsyncIterator[socketio.AsyncClient]:
        """Give a connected python client."""
        client = socketio.AsyncClient(reconnection=False)
        options.setdefault("transports", ["websocket"])
        auth = {"token": token} if token is not None else None
        await client.connect(self.url, auth=auth, **options)
        try:
            yield client
        finally:
            await client.disconnect()

    async def until(self, true: Any, seconds: float = 60) -> None:
        """Wait until a condition holds, which some event is about to bring."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serve(**settings: Any) -> AsyncIterator[World]:
    channels = Channels()
    registry = Registry()
    echo = EchoService(channels)
    registry.add(echo)
    tokens = Tokens()
    connected: list[Session] = []
    left: list[Session] = []

    async def note_connect(session: Session) -> None:
        connected.append(session)

    async def note_left(session: Session) -> None:
        left.append(session)

    made = Settings(**settings)
    server = SocketServer(made, tokens, registry, channels, Seats(made.max_sockets))
    server.on_connect(note_connect)
    server.on_disconnect(note_left)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=1)
    async with server:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        try:
            yield World(
                f"http://127.0.0.1:{port}",
                port,
                server,
                channels,
                echo,
                tokens,
                runner,
                connected,
                left,
            )
        finally:
            await runner.cleanup()
