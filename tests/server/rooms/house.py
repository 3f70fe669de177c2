"""Rooms over a real SQLite file, with what they publish written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spellwork import Library
from spellwork_server.identity import Actor
from spellwork_server.rooms import Rooms
from spellwork_server.settings import Settings
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.update_log import UpdateLog
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords


@dataclass
class Heard:
    """Takes the place of channels, and remembers."""

    events: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def encode(self, channel: str, event: str, data: Any) -> Any:
        return channel, event, data

    def publish(
        self,
        channel: str,
        event: str,
        data: Any,
        *,
        skip: Any = None,
        source: Any = None,
        ready: Any = None,
    ) -> None:
        assert ready in (None, (channel, event, data))
        self.events.append((channel, event, data, skip))

    def of(self, event: str) -> list[Any]:
        return [data for _, name, data, _ in self.events if name == event]


@dataclass
class House:
    rooms: Rooms
    heard: Heard
    database: Database
    commits: GroupCommit
    log: UpdateLog
    records: CanvasRecords
    canvas: str
    ada: Actor
    bob: Actor

    async def until(self, true: Any, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def house(folder: Path, canvas: str | None = None, **options: Any) -> AsyncIterator[House]:
    """Open the database in ``folder`` and a canvas in it: the one named, or a new one."""
    settings = Settings(data=folder, **({"grace": 0} | options))
    heard = Heard()
    async with Database(settings.database) as database:
        await upgrade(database)
        users, records = UserRecords(database), CanvasRecords(database)
        people = []
        for name in ("ada", "bob"):
            email = f"{name}@example.org"
            user = await users.by_email(email) or await users.create(email, name=name.title())
            people.append(Actor(user.id, user.email, user.name, user.role))
        canvas = canvas or (await records.create("Test", people[0].user_id)).id
        async with GroupCommit(database, interval=0.001) as commits:
            log = UpdateLog(database, commits)
            async with Rooms(settings, log, heard, Library(())) as rooms:
                yield House(rooms, heard, database, commits, log, records, canvas, *people)
