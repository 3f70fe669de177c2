"""Subscribers are told every event at least once and in order, whatever becomes of them; Redis exactly once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select

from spellwork_server.outbox import Outbox, ToldEvent
from spellwork_server.outbox import pump as module
from spellwork_server.outbox.redis_stream import SUBSCRIBER, RedisStream
from spellwork_server.runs.journal import Journal
from spellwork_server.storage.database import MEMORY, Database
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.outbox import OutboxStore
from spellwork_server.storage.run_records import RunRecord, insert_run
from spellwork_server.storage.schema import RUNS
from spellwork_server.storage.upgrade import upgrade
from tests.real_servers import RedisServer
from tests.server.runs.house import until
from tests.server.storage.databases import placed

pytestmark = pytest.mark.anyio

SHARED, PRIVATE = "canvas:c1", "canvas:c1:user:ada"
KEY = "spellwork:events"

RUN = RunRecord("r1", None, "ada", SHARED, "running", "auto", "shared", 0.0, spell={}, request={})


class Author:
    def committed(self, size: int) -> None: ...

    def broken(self, error: Exception) -> None:
        raise error


class Nobody:
    def followed(self, channel: str) -> bool:
        return False

    def publish(self, channel: str, event: str, data: Any) -> None: ...


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.commits = GroupCommit(database, interval=0.001)
        store = JournalStore(database)
        self.journal = Journal(store, self.commits, Nobody())
        self.outbox = Outbox(OutboxStore(database), store, self.journal, self.commits)

    async def write(self, count: int, stream: str = SHARED, **fields: Any) -> None:
        """Write events of run r1, and wait until they are kept."""
        log = await self.journal.log(stream)
        after = log.published
        for number in range(count):
            event: dict[str, Any] = {"run": "r1", "kind": "node.log", "at": 1.5}
            event |= {"message": str(number)} | fields
            body = msgspec.json.encode(event)
            self.journal.append(log, Author(), [Entry("r1", event["kind"], None, 1.5, body)])
        await until(lambda: log.published == after + count)


@asynccontextmanager
async def world(url: str = MEMORY) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url))
        await upgrade(database)
        made = World(database)
        async with database.write() as conn:
            if not await conn.scalar(select(func.count()).select_from(RUNS)):
                await insert_run(conn, RUN)
        for part in (made.commits, made.journal):
            await stack.enter_async_context(part)
        yield made


class Told:
    """A subscriber in this process."""

    def __init__(self) -> None:
        self.events: list[ToldEvent] = []
        self.fails = 0

    async def __call__(self, events: Sequence[ToldEvent]) -> None:
        if self.fails:
            self.fails -= 1
            raise ValueError("not now")
        self.events += events

    def numbers(self, stream: str = SHARED) -> list[int]:
        return [each.seq for each in self.events if each.stream == stream]


async def entries(redis: Redis) -> list[dict[str, Any]]:
    found: Any = await redis.xrange(KEY)
    return [json.loads(fields[b"event"]) for _, fields in found]


@pytest.mark.rule("O5")
async def test_a_subscriber_is_told_what_comes_from_then_on_also_after_a_restart(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}"
    async with world(url) as w:
        await w.write(2)
        first = Told()
        w.outbox.subscribe("ears", first)
        async with w.outbox:
            await w.commits.submit(OutboxStore(w.database).beginning("ears"))
            await w.write(3)
            await until(lambda: len(first.events) == 3)
        await w.write(2, PRIVATE)  # while nobody is told
    async with world(url) as w:
        second = Told()
        w.outbox.subscribe("ears", second)
        async with w.outbox:
            await until(lambda: len(second.events) == 2)
            await w.write(1)
            await until(lambda: len(second.events) == 3)
    assert first.numbers() == [3, 4, 5]
    assert (second.numbers(PRIVATE), second.numbers()) == ([1, 2], [6])


@pytest.mark.rule("O5")
async def test_who_fails_is_told_again_in_order_and_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LAST_RETRY", 0.05)
    async with world() as w:
        bad, good = Told(), Told()
        bad.fails = 5
        w.outbox.subscribe("bad", bad)
        w.outbox.subscribe("good", good, kinds={"node.log"})
        async with w.outbox:
            await w.commits.submit(OutboxStore(w.database).beginning("bad"))
            await w.write(4)
            await until(lambda: len(good.events) == 4)
            await until(lambda: w.outbox.report()["bad"]["state"] == "failing")
            await w.write(2, kind="run.completed", message="end")
            await until(lambda: len(bad.events) == 6)
            assert bad.numbers() == [1, 2, 3, 4, 5, 6]
            assert good.numbers() == [1, 2, 3, 4]
            await until(lambda: w.outbox.report()["bad"] == {"state": "ok", "streams": 0})


@pytest.mark.rule("O5")
@pytest.mark.parametrize("way", ["leave", "unsubscribe"])
async def test_a_subscriber_that_loses_a_cancel_is_told_no_more(way: str) -> None:
    told: list[ToldEvent] = []
    called = asyncio.Event()

    async def deaf(events: Sequence[ToldEvent]) -> None:
        called.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3_600)
        told.extend(events)

    async with world() as w, asyncio.timeout(60):
        w.outbox.subscribe("deaf", deaf)
        async with w.outbox:
            await w.commits.submit(OutboxStore(w.database).beginning("deaf"))
            await w.write(2)
            await called.wait()
            if way == "unsubscribe":
                w.outbox.unsubscribe("deaf")
                await w.write(2)
        assert len(told) <= 2


@pytest.mark.rule("O6")
async def test_redis_gets_checked_events_in_an_envelope(redis_url: str) -> None:
    async with world() as w, Redis.from_url(redis_url) as redis, subscribed(w, redis_url):
        await w.write(1, kind="node.log", message="hello")
        await w.write(1, kind="no.kind")
        await w.write(1, PRIVATE)
        await arrival(redis, 2)
        shared, private = await entries(redis)
        assert shared == {
            "specversion": "1.0",
            "id": "canvas:c1:1",
            "source": "http://here",
            "type": "spellwork.node.log",
            "subject": "r1",
            "time": "1970-01-01T00:00:01.500000+00:00",
            "datacontenttype": "application/json",
            "stream": SHARED,
            "seq": 1,
            "private": False,
            "canvas": "c1",
            "data": {"seq": 1, "run": "r1", "kind": "node.log", "at": 1.5, "message": "hello"},
        }
        assert (private["private"], private["user"], private["canvas"]) == (True, "ada", "c1")


@pytest.mark.rule("O6")
@pytest.mark.requires("redis")
async def test_redis_that_is_down_killed_or_slow_has_every_event_once_in_order() -> None:
    with RedisServer() as server:
        async with world() as w, Redis.from_url(server.url) as redis, subscribed(w, server.url):
            await w.write(50)
            await arrival(redis, 50)
            server.stop()
            await w.write(300)
            await until(lambda: w.outbox.report()[SUBSCRIBER]["state"] == "failing")
            await asyncio.to_thread(server.start)
            for _ in range(3):
                server.say("CLIENT KILL TYPE normal")
                await w.write(100)
            server.say("CLIENT PAUSE 300 ALL")
            await w.write(100)
            await arrival(redis, 750)
            assert [each["seq"] for each in await entries(redis)] == list(range(1, 751))
            await until(lambda: w.outbox.report()[SUBSCRIBER] == {"state": "ok", "streams": 0})


@pytest.mark.rule("O6")
@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_several_processes_that_tell_the_same_tell_it_once(
    kind: str, tmp_path: Path, redis_url: str
) -> None:
    with placed(kind, tmp_path) as url:
        async with (
            world(url) as one,
            world(url) as two,
            Redis.from_url(redis_url) as redis,
            subscribed(one, redis_url),
            subscribed(two, redis_url),
        ):
            one.journal.watch(two.outbox._grown)
            two.journal.watch(one.outbox._grown)
            await asyncio.gather(one.write(100), two.write(100, PRIVATE))
            await arrival(redis, 200)
            told = await entries(redis)
            for stream in (SHARED, PRIVATE):
                numbers = [each["seq"] for each in told if each["stream"] == stream]
                assert numbers == list(range(1, 101))


@asynccontextmanager
async def subscribed(w: World, url: str) -> AsyncIterator[None]:
    async with RedisStream(url, KEY, 100_000, "http://here") as stream:
        w.outbox.subscribe(SUBSCRIBER, stream.deliver)
        await w.commits.submit(OutboxStore(w.database).beginning(SUBSCRIBER))
        async with w.outbox:
            yield


async def arrival(redis: Redis, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError, RedisError):  # it may be down
                if await redis.xlen(KEY) >= count:
                    return
            await asyncio.sleep(0.01)
