"""A real server with people on it, started once and killed as often as a test likes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.update_log import CanvasLog, UpdateLog
from tests.server_process import ServerProcess

from .typist import Typist

LIGHT = {"SPELLWORK_WORKERS": "1", "SPELLWORK_LOG_LEVEL": "warning"}
"""The least of a server: these tests run no code."""


UNUSED = ("unused 1", "unused 2")
"""Names of keys of Ada's that nobody has used yet."""


@dataclass(frozen=True)
class People:
    """A data folder with accounts, and the API key of each by name."""

    data: Path
    keys: Mapping[str, str]


@dataclass
class Served:
    """A server process, and a canvas on it that Ada owns."""

    process: ServerProcess
    key: str
    canvas: str

    @property
    def url(self) -> str:
        return self.process.url

    def typists(self, count: int) -> list[Typist]:
        return [Typist(self.canvas, f"n{number}") for number in range(count)]

    @asynccontextmanager
    async def online(self, typists: Sequence[Typist]) -> AsyncIterator[None]:
        """Connect tabs, each with a socket of its own."""
        async with AsyncExitStack() as stack:
            await asyncio.gather(
                *(stack.enter_async_context(each.online(self.url, self.key)) for each in typists)
            )
            yield

    async def check(self, typists: Sequence[Typist]) -> dict[str, Any]:
        """See by one look at the canvas that it has what it must have of each tab."""
        reader = Typist(self.canvas, "reader")
        async with self.online([reader]):
            opened = await reader.ask("canvas.open", client_id=reader.client_id)
        assert opened["ok"], opened
        for typist in typists:
            typist.check(opened)
        return opened

    async def log(self) -> CanvasLog:
        """Read the canvas's log out of the database."""
        async with (
            Database(self.process._settings().database) as database,
            GroupCommit(database) as commits,
        ):
            return await UpdateLog(database, commits).load(self.canvas)

    async def check_numbers(self, seq: int) -> None:
        """See that the log's numbers have no gap up to ``seq``."""
        log = await self.log()
        numbers = [each.seq for each in log.updates]
        oldest = log.snapshots[-1].seq if log.snapshots else 0
        first = numbers[0] if numbers else oldest + 1
        assert numbers == list(range(first, first + len(numbers)))
        assert first <= oldest + 1, "edits between the snapshot and the log are gone"
        assert seq == (numbers[-1] if numbers else oldest)

    def health(self) -> dict[str, Any]:
        report: dict[str, Any] = httpx.get(f"{self.url}/healthz", timeout=60, verify=False).json()
        return report


def copied(people: People, folder: Path) -> Path:
    """Return a copy of the data that a server may have for itself."""
    data = folder / "data"
    shutil.copytree(people.data, data)
    return data


@contextmanager
def served(
    people: People, folder: Path, *, lock_wait: float = 5.0, **environment: str
) -> Iterator[Served]:
    """Serve a new canvas of Ada's. ``lock_wait``: seconds to wait for a database that is held."""
    data = copied(people, folder)
    url = f"{Settings(data=data).database}?timeout={lock_wait}"
    process = ServerProcess(data, environment=LIGHT | {"SPELLWORK_DATABASE_URL": url} | environment)
    with process, process.http(people.keys["ada"]) as http:
        canvas = http.post("/v1/canvases", json={"name": "Typed"}).json()["id"]
        yield Served(process, people.keys["ada"], canvas)
