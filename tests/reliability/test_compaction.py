"""RELIABILITY R9: whenever a compaction is killed, the document that is loaded afterwards is equal.

The server snapshots after every five edits. It is killed by SIGKILL at each step of writing one,
and at random moments; the document that the next server loads has the hash that the author's had
after the edit of that number, and no acknowledged edit is missing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.seeds import seeds
from tests.server.rooms.house import House, house
from tests.server.rooms.tab import Tab

from .sockets import Socket

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

STEPS = ("check", "compare", *(str(number) for number in range(1, 7)))
"""Reading back, comparing; INSERT, SELECT, DELETE, DELETE, COMMIT, and what comes after."""

MOST = 400
"""Edits after which a server that was to die at a step must have died."""


def hash_of(state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


class Author:
    """Draws, writes and erases, and remembers the hash of the document after each edit."""

    def __init__(self, seed: int) -> None:
        self.tab = Tab()
        self.hashes = [hash_of(self.tab.state())]
        self.acknowledged = 0
        self._chance = random.Random(seed)

    def edit(self) -> bytes:
        nodes = sorted(self.tab.state()["nodes"])
        name = self._chance.choice(nodes) if nodes else ""
        what = self._chance.random() if nodes else 0.0
        if what < 0.5:
            update = self.tab.code(f"n{len(self.hashes)}", "x = 1 # é😀\n")
        elif what < 0.9:
            code = self.tab["nodes"][name]["code"]
            update = self.tab.edit(lambda: code.insert(0, f"y = {what}\n"))
        else:
            update = self.tab.remove("nodes", name)
        self.hashes.append(hash_of(self.tab.state()))
        return update


@asynccontextmanager
async def compacting(folder: Path, step: str) -> AsyncIterator[tuple[Any, str, str]]:
    """Run a server that dies at a step; give its process, address and canvas."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.reliability.compacting_process",
        *(str(folder), "", step),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert running.stdout is not None
    try:
        url, canvas = (await running.stdout.readline()).decode().split()
        yield running, url, canvas
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def edit_until_dead(
    url: str,
    canvas: str,
    author: Author,
    begun: Callable[[], object] = lambda: None,
    most: int = MOST,
) -> None:
    """Send one edit after the other, until the server dies or has lived too long; say when it begins."""
    async with aiohttp.ClientSession() as http:
        socket = Socket(reconnection=False, http_session=http)
        answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        socket.on("disconnect", lambda *_: answers.put_nowait(None))
        await socket.connect(url, auth={"token": "ada"}, transports=["websocket"], wait_timeout=30)
        opening = {"canvas": canvas, "client_id": author.tab.doc.client_id}
        assert (await socket.call("canvas.open", opening))["ok"]
        begun()
        while len(author.hashes) <= most:
            message = {"canvas": canvas, "msg_id": 1, "update": author.edit()}
            await socket.emit("canvas.update", message, callback=answers.put_nowait)
            answer = await answers.get()
            if answer is None:
                break
            assert answer["ok"], answer
            author.acknowledged = answer["seq"]
        await socket.disconnect()


async def check(h: House, author: Author) -> None:
    """Compare the document that is loaded with the author's as it was after that edit."""
    async with h.rooms.visit(h.canvas) as room:
        reader = Tab()
        reader.apply(room.diff())
        assert author.acknowledged <= room.seq < len(author.hashes)
        assert hash_of(reader.state()) == author.hashes[room.seq]


@pytest.mark.rule("R1", "R3")
@pytest.mark.parametrize("step", STEPS)
async def test_a_compaction_killed_at_a_step_leaves_an_equal_document(
    tmp_path: Path, step: str
) -> None:
    author = Author(seed=7)
    async with compacting(tmp_path, step) as (server, url, canvas):
        await edit_until_dead(url, canvas, author)
        assert await server.wait() == -9, f"it never came to step {step}"
    async with house(tmp_path, canvas) as h:
        kept = [each.seq for each in (await h.log.load(canvas)).snapshots]
        assert kept == ([15, 10] if step == STEPS[-1] else [10, 5]), "whole or not at all"
        await check(h, author)
    spoil_newest_snapshot(tmp_path)
    async with house(tmp_path, canvas) as h:
        await check(h, author)


@pytest.mark.rule("R1", "R3")
@pytest.mark.parametrize("seed", seeds(1))
async def test_a_server_that_compacts_all_the_time_may_be_killed_at_any_time(
    tmp_path: Path, seed: int
) -> None:
    author = Author(seed)
    async with compacting(tmp_path, "never") as (server, url, canvas):
        later, moment = asyncio.get_running_loop().call_later, random.Random(seed).random() / 2
        await edit_until_dead(url, canvas, author, lambda: later(moment, server.kill), 10_000)
    async with house(tmp_path, canvas) as h:
        await check(h, author)
    spoil_newest_snapshot(tmp_path)
    async with house(tmp_path, canvas) as h:
        await check(h, author)


def spoil_newest_snapshot(folder: Path) -> None:
    """Cut the newest snapshot short, where there are two: the older one and the log must do."""
    database = sqlite3.connect(folder / "spellwork.db", isolation_level=None)
    (count,) = database.execute("SELECT count(*) FROM snapshots").fetchone()
    if count > 1:
        database.execute(
            "UPDATE snapshots SET body = substr(body, 1, length(body) / 2)"
            " WHERE seq = (SELECT max(seq) FROM snapshots)"
        )
    database.close()
