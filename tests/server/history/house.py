"""A canvas in a real database whose versions are kept, with every setting of time within reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spellwork import Library
from spellwork.spell import Spell
from spellwork_server.history.keeper import VersionKeeper
from spellwork_server.identity import Actor
from spellwork_server.rooms import Rooms
from spellwork_server.settings import Settings
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.update_log import UpdateLog
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords
from spellwork_server.storage.versions import VersionRecord, VersionRecords
from tests.server.rooms.house import Heard
from tests.server.storage.databases import placed

NEVER = 3_600.0


@dataclass
class House:
    """``now`` is what the keeper's clock says."""

    rooms: Rooms
    records: VersionRecords
    canvases: CanvasRecords
    database: Database
    canvas: str
    ada: Actor
    bob: Actor
    keeper: VersionKeeper
    told: list[VersionRecord] = field(default_factory=list)
    now: float = 1_000_000.0

    async def draw(self, actor: Actor | None, **nodes: Any) -> None:
        """Make the canvas hold core.value nodes with these values, and let it rest."""
        async with self.rooms.visit(self.canvas) as room:
            await room.replace_spell(actor, values(**nodes))

    async def versions(self, count: int) -> list[VersionRecord]:
        """Return the canvas's versions, newest first, once there are so many."""
        async with asyncio.timeout(60):
            while len(found := await self.records.find(self.canvas)) < count:
                await asyncio.sleep(0.005)
        assert len(found) == count
        return found


def values(**nodes: Any) -> Spell:
    return Spell.model_validate(
        {
            "name": "Test",
            "nodes": {
                key: {"type": "core.value", "inputs": {"value": value}}
                for key, value in nodes.items()
            },
        }
    )


@asynccontextmanager
async def house(
    folder: Path, kind: str = "file", canvas: str | None = None, **options: Any
) -> AsyncIterator[House]:
    """Open the database and a canvas in it; nothing is written before the end unless ``options`` say so."""
    settings = Settings(
        data=folder,
        **({"grace": 60, "version_quiet": NEVER, "version_longest": NEVER} | options),
    )
    with placed(kind, folder) as url:
        async with opened(url, settings, canvas) as made:
            yield made


@asynccontextmanager
async def opened(url: str, settings: Settings, canvas: str | None) -> AsyncIterator[House]:
    """Do the same on a database."""
    async with Database(url) as database:
        await upgrade(database)
        users, canvases = UserRecords(database), CanvasRecords(database)
        people = []
        for name in ("ada", "bob"):
            email = f"{name}@example.org"
            user = await users.by_email(email) or await users.create(email, name=name.title())
            people.append(Actor(user.id, user.email, user.name, user.role))
        canvas = canvas or (await canvases.create("Test", people[0].user_id)).id
        async with GroupCommit(database, interval=0.001) as commits:
            records = VersionRecords(database, commits)
            rooms = Rooms(settings, UpdateLog(database, commits), Heard(), Library(()))
            told: list[VersionRecord] = []

            async def tell(record: VersionRecord) -> None:
                told.append(record)

            keeper = VersionKeeper(settings, records, rooms, tell, lambda: made.now)
            rooms.watch(keeper.committed)
            rooms.greet(keeper.opened)
            ada, bob = people
            made = House(rooms, records, canvases, database, canvas, ada, bob, keeper, told)
            async with keeper, rooms:
                yield made
