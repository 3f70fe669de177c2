"""How long runs take from the order to their committed end, inside the server's process.

The parts are those of `spellwork serve`, on a SQLite file; only sockets and REST are left out. Each
round gives another input, so that all 200 nodes run and none comes from the cache. A durable run
has the same way: one insert, its events in groups, its end.

Between the rounds, in turns with them, the bare limit: the engine on the same spell in memory,
told to nobody, and one commit of as many bytes by SQLite's driver.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from aiohttp import web

from spellwork import Execution, Library, Pack, Spell, compile, node
from spellwork_server.app import PARTS, make_app
from spellwork_server.commands.accounts import add_account
from spellwork_server.garbage import Garbage
from spellwork_server.identity import Actor
from spellwork_server.runs.runners import Runners
from spellwork_server.runs.spell_runner import RunRequest
from spellwork_server.serve import SWITCH_SECONDS
from spellwork_server.settings import Settings

LAYERS, WIDTH = 20, 10
ROUNDS, WARM_UP = 60, 8
AT_ONCE = 20
FEWER = 12
"""Rounds of many runs at once."""

ROWS, ROW_BYTES = 16, 4096
"""What a run of 200 such nodes writes, about."""


@node("bench.noop", title="No operation", output="value")
async def noop(a: Any, b: Any = None, n: int = 0) -> Any:  # noqa: ARG001 - ``n`` keeps nodes apart for the cache
    """Give what came first."""
    return a


def spell() -> Spell:
    """Return 200 such nodes in 20 layers, each wired to two of the layer before."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for layer in range(LAYERS):
        for place in range(WIDTH):
            name = f"n{layer}_{place}"
            typed_in = {"n": layer * WIDTH + place} | ({"a": place} if layer == 0 else {})
            nodes[name] = {"type": "bench.noop", "inputs": typed_in}
            for port, source in (("a", place), ("b", (place + 1) % WIDTH)) if layer else ():
                edges[f"{name}{port}"] = {
                    "source": f"n{layer - 1}_{source}",
                    "output": "value",
                    "target": name,
                    "input": port,
                }
    return Spell.model_validate({"schema": 1, "name": "200", "nodes": nodes, "edges": edges})


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[Runners, Actor]]:
    """Give the runners of a server that listens nowhere, and somebody with an account there."""
    settings = Settings(data=folder)
    await asyncio.to_thread(
        add_account, settings, "bench@example.org", password="correct horse", role="member", name=""
    )
    installed = Library.installed()
    pack = Pack(name="bench", version="1", title="Bench", nodes=(noop,))
    Library.installed = classmethod(lambda _cls: installed.extended([pack], {}))  # type: ignore[method-assign, assignment]
    app = web.AppRunner(make_app(settings))
    await app.setup()
    garbage = Garbage()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        garbage.begin()  # both as `spellwork serve` does
        parts = app.app[PARTS]
        user = await parts.stores.users.by_email("bench@example.org")
        assert user is not None
        yield parts.running.runners, Actor(user.id, user.email, user.name, user.role)
    finally:
        garbage.end()
        await app.cleanup()


class Bare:
    """What a run cannot be had for less than: its nodes called, and its bytes on the disk."""

    def __init__(self, file: Path) -> None:
        self._plan = compile(spell(), Library.installed())
        self._file = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute("CREATE TABLE events (body BLOB)")
        self.taken: list[float] = []
        """Seconds of each time."""

    async def run(self) -> None:
        """Do both once."""
        began = time.perf_counter()
        result = await Execution(self._plan).run()
        self._file.execute("BEGIN IMMEDIATE")
        rows = [(bytes(ROW_BYTES),)] * ROWS
        self._file.executemany("INSERT INTO events VALUES (?)", rows)
        self._file.execute("COMMIT")
        self.taken.append(time.perf_counter() - began)
        assert result.status == "completed", result.status

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Carried:
    """Starts runs of one spell, and waits for their committed ends; no two have the same input."""

    def __init__(self, runners: Runners, actor: Actor) -> None:
        self._runners = runners
        self._actor = actor
        self._spell = spell()
        self._rounds = 0

    async def run(self, *, durable: bool = False) -> None:
        """Run once, to the end."""
        self._rounds += 1
        inputs = {f"n0_{place}.a": [self._rounds, place] for place in range(WIDTH)}
        runner = await self._runners.acquire(self._actor.user_id, None)
        try:
            run = await self._runners.start(
                runner,
                RunRequest(
                    spell=self._spell,
                    actor=self._actor,
                    inputs=inputs,
                    on_busy="parallel",
                    audience="private",
                    durable=durable,
                ),
            )
        finally:
            self._runners.release(runner)
        await run.ended.wait()
        assert run.status == "completed", run.status

    async def time(
        self,
        count: int = 1,
        rounds: int = ROUNDS,
        *,
        durable: bool = False,
        bare: Bare | None = None,
    ) -> float:
        """Return the median milliseconds until as many runs at once have ended; ``bare`` has its turn after each."""
        taken = []
        for round_ in range(WARM_UP + rounds):
            began = time.perf_counter()
            await asyncio.gather(*(self.run(durable=durable) for _ in range(count)))
            if round_ >= WARM_UP:
                taken.append(time.perf_counter() - began)
                if bare is not None:
                    await bare.run()
        return statistics.median(taken) * 1e3


async def measure(folder: Path) -> tuple[float, float, float, float]:
    """Return the milliseconds of an interactive run, of the bare limit, of a durable run, and of 20 durable ones at once."""
    async with server(folder / "data") as (runners, actor):
        carried = Carried(runners, actor)
        with closing(Bare(folder / "bare.db")) as bare:
            interactive = await carried.time(bare=bare)
        return (
            interactive,
            statistics.median(bare.taken) * 1e3,
            await carried.time(durable=True),
            await carried.time(AT_ONCE, FEWER, durable=True),
        )
