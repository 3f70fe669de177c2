"""Processes on one database tell those who follow a stream of each other's events: each once, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from spellwork_server.errors import StoreUnavailable, Unavailable
from spellwork_server.runs import doorbell as module
from spellwork_server.runs.doorbell import Doorbell
from spellwork_server.runs.journal import Journal
from spellwork_server.sockets import Channels
from spellwork_server.sockets.relay import Relay
from spellwork_server.storage.database import Database
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.relayed import RelayStore
from spellwork_server.storage.run_records import RunRecord, insert_run
from spellwork_server.storage.schema import PROCESSES
from spellwork_server.storage.upgrade import upgrade
from tests.server.storage.databases import placed

from .house import until

pytestmark = pytest.mark.anyio

STREAM = "user:ada"


class Author:
    def committed(self, size: int) -> None: ...

    def broken(self, error: Exception) -> None:
        raise error


class Tabs:
    """A channel that somebody follows."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def followed(self, channel: str) -> bool:
        return channel == f"stream:{STREAM}"

    def publish(self, channel: str, event: str, data: Any) -> None:
        if event == "run.events":
            self.seen += msgspec.json.decode(msgspec.json.encode(data))["events"]


class Process:
    """What a server process has of the journal, under a name that runs have, too."""

    def __init__(self, name: str, database: Database) -> None:
        self.name = name
        self.tabs = Tabs()
        self.database = database
        self.commits = GroupCommit(database, interval=0.001)
        store = JournalStore(database)
        self.journal = Journal(store, self.commits, self.tabs)
        self.relay = Relay(Channels(), RelayStore(database), self.commits)
        self.doorbell = Doorbell(database, store, self.journal, self.relay)

    async def write(self, count: int) -> None:
        log = await self.journal.log(STREAM)
        for number in range(count):
            body = msgspec.json.encode({"run": self.name, "number": number})
            entry = Entry(self.name, "node.log", None, 1.0, body)
            self.journal.append(log, Author(), [entry])
            if number % 5 == 0:
                await asyncio.sleep(0.001)

    def numbers(self) -> list[int]:
        return [each["seq"] for each in self.tabs.seen]


@asynccontextmanager
async def processes(url: str) -> AsyncIterator[tuple[Process, Process]]:
    """Give two, each with its own connections."""
    async with AsyncExitStack() as stack:
        made = []
        for name in ("one", "two"):
            database = await stack.enter_async_context(Database(url))
            await upgrade(database)
            process = Process(name, database)
            async with database.write() as conn:
                await insert_run(conn, run_of(name))
                row: dict[str, Any] = {"id": name, "name": name, "queues": []}
                times = {"started_at": 0.0, "beat_at": 0.0, "expires_at": 9e9}
                await conn.execute(insert(PROCESSES).values(row | times))
            for part in (process.commits, process.journal, process.relay, process.doorbell):
                await stack.enter_async_context(part)
            await process.journal.log(STREAM)
            made.append(process)
        yield made[0], made[1]


def run_of(name: str) -> RunRecord:
    return RunRecord(
        name, None, "ada", STREAM, "running", "auto", "private", 0.0, spell={}, request={}
    )


@pytest.mark.rule("O4")
@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_who_follows_is_told_what_both_processes_write_each_once_and_in_order(
    kind: str, tmp_path: Path
) -> None:
    with placed(kind, tmp_path) as url:
        async with processes(url) as (one, two):
            await asyncio.gather(one.write(60), two.write(60))
            await until(lambda: len(one.tabs.seen) >= 120 and len(two.tabs.seen) >= 120)
            assert one.numbers() == two.numbers() == list(range(1, 121))
            assert one.tabs.seen == two.tabs.seen
            for name in ("one", "two"):
                mine = [each["number"] for each in one.tabs.seen if each["run"] == name]
                assert mine == list(range(60))


class Refused(Author):
    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def broken(self, error: Exception) -> None:
        self.errors.append(error)


async def test_who_writes_to_a_journal_that_is_closed_learns_of_it(tmp_path: Path) -> None:
    with placed("file", tmp_path) as url:
        async with processes(url) as (one, _):
            log = await one.journal.log(STREAM)
        author, entry = Refused(), Entry("one", "node.log", None, 1.0, b'{"run":"one"}')

        async def nothing(_conn: Any) -> None:
            pass

        one.journal.append(log, author, [entry])
        await one.journal.commit(log, author, entry, nothing)
        assert [type(error) for error in author.errors] == [Unavailable, Unavailable]


@pytest.mark.rule("O4")
async def test_who_asks_is_given_what_another_process_has_written_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    monkeypatch.setattr(module, "ALONE_SECONDS", 3600.0)
    with placed("file", tmp_path) as url:
        async with processes(url) as (one, two):
            await two.write(3)
            await until(lambda: len(two.tabs.seen) == 3)
            assert not await one.journal.is_forgotten(STREAM, 3)
            assert (await one.journal.up_to_date(STREAM)).published == 3
            found = await one.journal.read(STREAM, after=0, limit=10)
            assert [event.seq for event in found] == [1, 2, 3]
            assert one.numbers() == [1, 2, 3]
            assert await one.journal.read(STREAM, after=3, limit=10) == []


@pytest.mark.rule("O4")
async def test_a_bell_that_is_lost_is_hung_up_again_and_nothing_is_missed(
    postgres: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SURE_SECONDS", 3600.0)
    monkeypatch.setattr(module, "ALONE_SECONDS", 3600.0)
    async with processes(postgres_url) as (one, two):
        await until(lambda: one.doorbell.hangs and two.doorbell.hangs)
        await two.write(3)
        await until(heard(one, 3))
        await asyncio.to_thread(cut_off, postgres)
        await until(lambda: not one.doorbell.hangs)
        await two.write(3)
        await until(heard(one, 6))
        assert one.numbers() == list(range(1, 7))


@pytest.mark.rule("O3")
async def test_what_was_committed_when_the_store_was_lost_is_not_written_again(
    postgres_url: str,
) -> None:
    async with processes(postgres_url) as (one, two):
        database = one.commits._database
        carry_out = database.carry_out
        lost = 0

        async def lose(jobs: Any, _durable: Any) -> list[Any]:
            nonlocal lost
            await carry_out(jobs)
            database.carry_out = carry_out  # type: ignore[method-assign]
            lost += 1
            raise StoreUnavailable("the connection was lost")

        database.carry_out = lose  # type: ignore[method-assign, assignment]
        await asyncio.gather(one.write(10), two.write(10))
        await until(lambda: len(one.tabs.seen) >= 20 and len(two.tabs.seen) >= 20)
        await until(lambda: not one.journal._logs[STREAM].writing)
        assert lost == 1
        assert one.numbers() == two.numbers() == list(range(1, 21))


async def test_a_stream_that_nobody_follows_is_not_read_and_its_end_known_all_the_same(
    postgres_url: str,
) -> None:
    async with processes(postgres_url) as (one, two):
        one.tabs.followed = lambda channel: False  # type: ignore[method-assign]
        await two.write(3)
        log = await one.journal.log(STREAM)
        await until(lambda: log.published == 3)
        assert one.tabs.seen == []
        assert [each.seq for each in await one.journal.read(STREAM, after=1, limit=9)] == [2, 3]


def heard(process: Process, count: int) -> Callable[[], bool]:
    return lambda: len(process.tabs.seen) >= count


def cut_off(postgres: Any) -> None:
    postgres.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'spellwork doorbell'"
    )
