"""A whole server whose triggers go by a clock that the test sets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from spellwork_server.triggers.triggers import Triggers
from tests.server.services.house import HELLO, Answer, Caller, House, house

START = float(int(time.time()))
"""Now: a server that starts has nothing due yet, and sees no clock that was put back."""


class Triggered(House):
    """The server, Ada and her canvas, and the clock."""

    ada: Caller
    canvas: str

    def __init__(self, h: House, now: float = START) -> None:
        super().__init__(h.server, h.parts)
        self.clients = h.clients
        self.now = now
        self.triggers.firer.clock = lambda: self.now
        self.parts.stores.triggers.clock = lambda: self.now

    @property
    def triggers(self) -> Triggers:
        return self.parts.triggering.triggers

    async def pass_to(self, now: float) -> None:
        """Put the clock there and let the timer look; all that it starts has been noted then."""
        self.now = now
        await self.triggers.timer.fire_due()

    async def make(self, settings: dict, who: Caller | None = None, **more: Any) -> Answer:
        fields = {"canvas": self.canvas, "name": "It", "settings": settings} | more
        return await (who or self.ada).post("/v1/triggers", fields)

    async def made(self, settings: dict, who: Caller | None = None, **more: Any) -> dict[str, Any]:
        answer = await self.make(settings, who, **more)
        assert answer.status == 201, answer.body
        trigger: dict[str, Any] = answer.body["trigger"]
        return trigger | {"secret": answer.body["secret"]}

    async def read(self, trigger: dict) -> dict[str, Any]:
        answer = await self.ada.get(f"/v1/triggers/{trigger['id']}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body
        return found

    async def firings(self, trigger: dict) -> list[dict[str, Any]]:
        """The trigger's firings, oldest first."""
        answer = await self.ada.get(f"/v1/triggers/{trigger['id']}/firings?limit=200")
        return list(reversed(answer.body["items"]))

    async def ended(self, run: str) -> dict[str, Any]:
        """A run once it has ended."""
        answer = await self.ada.get(f"/v1/runs/{run}?wait=30")
        found: dict[str, Any] = answer.body
        return found

    async def canvas_of(self, who: Caller, spell: Any = None) -> str:
        body = {"name": "Hers", "spell": spell or HELLO}
        return str((await who.post("/v1/canvases", body)).body["id"])


@asynccontextmanager
async def triggered(folder: Path, **settings: Any) -> AsyncIterator[Triggered]:
    async with house(folder, **settings) as found:
        h = Triggered(found)
        h.ada = await h.person("ada")
        h.canvas = await h.canvas_of(h.ada)
        yield h
