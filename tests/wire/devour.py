"""Feed mutated updates to a room without a disk, in a process of its own, because a bad one might end it.

``python -m tests.wire.devour SEED COUNT < corpus.json`` prints what became of them as a JSON object.
After every LIFE of them the document must still be one: it can be read strictly, loaded, and a real
edit goes on.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import psutil
import uvloop

from spellwork_server.errors import ServerError
from spellwork_server.identity import Actor
from spellwork_server.rooms.archive import load
from spellwork_server.rooms.intake import Limits
from spellwork_server.rooms.replica import Replica
from spellwork_server.rooms.room import Room
from spellwork_server.rooms.update_parser import parse_state_vector, parse_update
from spellwork_server.storage.update_log import CanvasLog, LoggedSnapshot, LoggedUpdate
from tests.server.rooms.house import Heard
from tests.server.rooms.tab import Tab
from tests.wire.corpus import mutated

LIFE = 2_000
"""Inputs that one room takes."""

KNOWN = 0.5
"""Share of the corpus that the room has already; the rest are edits that it might take."""

ADA = Actor("ada", "ada@example.org", "Ada", "member")


class NoDisk:
    """Takes the place of the update log: what is written is durable at once."""

    async def append(
        self,
        canvas_id: str,
        rows: Callable[[], list[LoggedUpdate]],
        meanwhile: Callable[[], None],
    ) -> None:
        rows()
        meanwhile()

    async def keep(self, canvas_id: str, snapshot: LoggedSnapshot) -> None:
        """Keep nothing."""


async def feed(corpus: Sequence[bytes], chance: random.Random, count: int) -> Counter[str]:
    """Give a new room ``count`` mutated updates; return how often each outcome came."""
    base = corpus[: int(len(corpus) * KNOWN)]
    rows = tuple(LoggedUpdate(at, body, "ada") for at, body in enumerate(base, 1))
    log: Any = NoDisk()
    heard = Heard()
    room = Room("c", load("c", CanvasLog("e", (), rows)), log, heard, Limits(2**21, 5_000, 2**26))
    outcomes: Counter[str] = Counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(room.run())
        for _ in range(count):
            try:
                await room.apply_update(ADA, mutated(corpus, chance))
                outcomes["taken"] += 1
            except ServerError as error:
                outcomes[error.code] += 1
        await check(room)
        room.close()
    room.free()
    return outcomes


async def check(room: Room) -> None:
    """See that the document is whole, and that people can go on."""
    assert room.fault is None, room.fault
    whole = room.diff()
    parse_update(whole)
    copy = Replica([whole])
    assert parse_state_vector(copy.state_vector()) == parse_state_vector(room.state_vector())
    copy.close()
    await room.apply_update(ADA, Tab().add("still_here"))
    assert "still_here" in room.spell().nodes


async def main(seed: int, count: int) -> None:
    corpus = [base64.b64decode(each) for each in json.load(sys.stdin)]
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    process = psutil.Process()
    resident: list[int] = []
    for start in range(0, count, LIFE):
        outcomes += await feed(corpus, chance, min(LIFE, count - start))
        resident.append(process.memory_info().rss)
    json.dump({"outcomes": outcomes, "resident": resident}, sys.stdout)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
