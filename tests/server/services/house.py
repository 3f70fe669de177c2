"""A whole server in this process, and people who call it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from spellwork_server.app import PARTS, make_app
from spellwork_server.assembly.parts import Parts
from spellwork_server.identity.keys import make_api_key
from spellwork_server.settings import Settings
from spellwork_server.storage.users import UserRecord

PASSWORD = "correct horse"

HELLO: dict[str, Any] = {
    "schema": 1,
    "name": "Hello",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2}, "position": [0, 0]},
        "b": {"type": "core.value", "position": [240, 0]},
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "value"}},
}


@dataclass
class Answer:
    """What the server said."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


@dataclass
class Caller:
    """Somebody who calls, with their own cookies; ``token`` goes along when there is one."""

    client: TestClient
    user: UserRecord | None = None
    token: str | None = None

    async def call(
        self, method: str, path: str, body: Any = None, headers: dict | None = None, **options: Any
    ) -> Answer:
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            options["json"] = body
        async with self.client.request(method, path, headers=sent, **options) as response:
            text = await response.text()
            json = response.content_type == "application/json"
            return Answer(
                response.status, await response.json() if json else text, response.headers
            )

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("POST", path, body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("PUT", path, body, **options)

    async def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("PATCH", path, body, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.call("DELETE", path, **options)


class House:
    """The server, and who comes."""

    def __init__(self, server: TestServer, parts: Parts) -> None:
        self.server = server
        self.parts = parts
        self.clients: list[TestClient] = []

    @property
    def origin(self) -> str:
        return str(self.server.make_url("/")).rstrip("/")

    def stranger(self) -> Caller:
        """Somebody who is not signed in."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return Caller(client)

    async def person(self, name: str, role: Any = "member", password: str | None = None) -> Caller:
        """Somebody with an account, signed in by an API key."""
        caller = self.stranger()
        caller.user = await self.parts.identity.accounts.create(
            f"{name}@example.org", role=role, password=password
        )
        _, caller.token = await make_api_key(self.parts.stores.api_keys, caller.user.id, "test")
        return caller

    async def signed_in(self, name: str) -> Caller:
        """Somebody with an account, signed in by password."""
        caller = await self.person(name, password="correct horse")
        entry = {"email": f"{name}@example.org", "password": "correct horse"}
        caller.token = (await self.stranger().post("/v1/auth/login", entry)).body["access_token"]
        return caller


@asynccontextmanager
async def house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Give a running server with an empty database of its own."""
    chosen: dict[str, Any] = {"data": folder / "data", "workers": 1, "grace": 0} | settings
    app = make_app(Settings(**chosen))
    # Most tests run no code: a process starts where one is called, and none waits for a call.
    app[PARTS].running.workers._refill = lambda _program: None  # type: ignore[method-assign, assignment]
    server = TestServer(app)
    await server.start_server()
    made = House(server, app[PARTS])
    try:
        yield made
    finally:
        for client in made.clients:
            await client.session.close()
        await server.close()
