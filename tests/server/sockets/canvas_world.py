"""A real server with canvases in SQLite behind its sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio
from aiohttp import web

from spellwork import Library
from spellwork_server.identity import Actor
from spellwork_server.rooms import Rooms
from spellwork_server.services.registry import Registry
from spellwork_server.settings import Settings
from spellwork_server.sockets import Channels, Session, SocketServer
from spellwork_server.sockets.canvas_service import CanvasSockets
from spellwork_server.sockets.seats import Seats
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.update_log import UpdateLog
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords
from tests.server.rooms.tab import Tab
from tests.server.sockets.world import Tokens


@dataclass
class Runs:
    """Takes the place of the runs behind a canvas."""

    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    async def open(self, session: Session, canvas_id: str) -> Mapping[str, Any]:
        self.opened.append(canvas_id)
        return {"streams": {f"canvas:{canvas_id}": 7}, "live": False}

    def close(self, session: Session, canvas_id: str) -> None:
        self.closed.append(canvas_id)


@dataclass
class CanvasWorld:
    url: str
    canvas: str
    records: CanvasRecords
    rooms: Rooms
    runs: Runs
    server: SocketServer
    people: dict[str, Actor]

    @asynccontextmanager
    async def client(self, token: str = "ada") -> AsyncIterator[socketio.AsyncClient]:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            self.url, auth={"token": token}, transports=["websocket"], wait_timeout=30
        )
        try:
            yield client
        finally:
            await client.disconnect()

    async def open(self, client: socketio.AsyncClient, tab: Tab, **more: Any) -> dict:
        """Open the canvas for a tab, which takes over what it lacks."""
        request = {
            "canvas": self.canvas,
            "client_id": tab.doc.client_id,
            "state_vector": tab.doc.get_state(),
        }
        answer: dict = await client.call("canvas.open", request | more)
        if answer["ok"]:
            tab.apply(answer["diff"])
        return answer

    async def update(self, client: socketio.AsyncClient, update: bytes, msg_id: Any = "m") -> dict:
        request = {"canvas": self.canvas, "msg_id": msg_id, "update": update}
        answer: dict = await client.call("canvas.update", request)
        return answer


@asynccontextmanager
async def serve_canvases(
    folder: Path, *, canvas: str | None = None, port: int = 0, **options: Any
) -> AsyncIterator[CanvasWorld]:
    """Serve the database in ``folder``: Ada owns a canvas, Bob edits it, Eve only looks."""
    settings = Settings(data=folder, **options)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database))
        await upgrade(database)
        users, records = UserRecords(database), CanvasRecords(database)
        people: dict[str, Actor] = {}
        for name in ("ada", "bob", "eve", "mallory"):
            email = f"{name}@example.org"
            user = await users.by_email(email) or await users.create(email, name=name.title())
            people[name] = Actor(user.id, user.email, user.name, user.role)
        if canvas is None:
            canvas = (await records.create("Test", people["ada"].user_id)).id
            await records.set_member(canvas, people["bob"].user_id, "editor")
            await records.set_member(canvas, people["eve"].user_id, "viewer")
        channels, registry, runs = Channels(), Registry(), Runs()
        commits = await stack.enter_async_context(GroupCommit(database))
        rooms = await stack.enter_async_context(
            Rooms(settings, UpdateLog(database, commits), channels, Library(()))
        )
        canvases = await stack.enter_async_context(CanvasSockets(records, rooms, channels, runs))
        registry.add(canvases)
        server = await stack.enter_async_context(
            SocketServer(settings, Tokens(people), registry, channels, Seats(settings.max_sockets))
        )
        server.on_disconnect(canvases.leave_all)
        app = web.Application()
        server.attach(app)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield CanvasWorld(url, canvas, records, rooms, runs, server, people)
