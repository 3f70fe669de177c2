"""What is old goes: nothing of runs that are open or wait, and nothing that the outbox has not told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from spellwork_server.runs import retention as module
from spellwork_server.runs.retention import Keeping, Retention
from spellwork_server.storage.database import Database
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore, appending
from spellwork_server.storage.outbox import OutboxStore
from spellwork_server.storage.output_refs import SMALL_BYTES, ref_to
from spellwork_server.storage.outputs import OutputRow
from spellwork_server.storage.relayed import KEPT_SECONDS, Relayed, RelayStore
from spellwork_server.storage.retention import drop_runs
from spellwork_server.storage.run_records import RunRecord, RunRecords, insert_run
from spellwork_server.storage.run_states import take_up
from spellwork_server.storage.schema import (
    CANVASES,
    FIRINGS,
    OUTPUTS,
    RUN_OUTPUTS,
    RUN_SPELLS,
    RUNS,
    TASKS,
    TRIGGERS,
    USERS,
)
from tests.server.storage.databases import opened

pytestmark = pytest.mark.anyio

STREAM = "canvas:c"
LARGE = b'"%b"' % (b"x" * SMALL_BYTES)
"""A value that is kept apart from the runs that left it."""
OLD = Keeping(
    runs=100, details_seconds=500.0, firing_seconds=500.0, task_seconds=500.0, run_seconds=5_000.0
)

RUN = RunRecord("r", None, "ada", STREAM, "completed", "auto", "shared", 0.0, spell={}, request={})


class World:
    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self.now = time.time()
        self.database = database
        self.commits = commits
        self.journal = JournalStore(database)
        self.subscribers: tuple[str, ...] = ()
        self.retention = Retention(
            database, RunRecords(database), commits, OLD, lambda: self.subscribers
        )

    async def run(
        self,
        id: str,
        ended_at: float | None,
        status: str = "completed",
        *,
        words: int = 210,
        **more: Any,
    ) -> None:
        """Keep a run that left a value, a large chunk and many words."""
        record = replace(RUN, id=id, status=status, ended_at=ended_at, **more)
        value, chunk = (
            OutputRow(id, ref_to("a", "out", f"{id}-{part}", LARGE), LARGE, part) for part in (0, 1)
        )
        events = [
            entry(id, "run.started"),
            entry(id, "node.started"),
            *(entry(id, "node.progress") for _ in range(3)),
            replaced(entry(id, "node.chunk"), chunk),
            *(entry(id, "node.log", message=str(number)) for number in range(words)),
            replaced(entry(id, "node.done"), value),
            entry(id, "run.completed"),
        ]
        async with self.database.write() as conn:
            await insert_run(conn, record)
            await appending(STREAM, events)(conn)

    async def events(self, run: str) -> list[dict[str, Any]]:
        found = await self.journal.read(STREAM, after=0, upto=10**6, limit=10**6, run=run)
        return [json.loads(event.json) for event in found]

    async def kinds(self, run: str) -> dict[str, int]:
        kinds = [event["kind"] for event in await self.events(run)]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    async def hashes(self) -> set[str]:
        async with self.database.read() as conn:
            return set(await conn.scalars(select(OUTPUTS.c.hash)))


def entry(run: str, kind: str, **fields: Any) -> Entry:
    body = json.dumps({"run": run, "kind": kind, "at": 1.0} | fields).encode()
    return Entry(run, kind, "a", 1.0, body)


def replaced(made: Entry, row: OutputRow) -> Entry:
    return Entry(made.run, made.kind, made.node, made.at, made.body, (row,))


@pytest.fixture(params=["file", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with opened(request.param, tmp_path) as database, GroupCommit(database) as commits:
        yield World(database, commits)


WHOLE = {
    "run.started": 1,
    "node.started": 1,
    "node.progress": 3,
    "node.chunk": 1,
    "node.log": 210,
    "node.done": 1,
    "run.completed": 1,
}
COMPACTED = {
    "run.started": 1,
    "node.started": 1,
    "node.hidden": 14,
    "node.log": 200,
    "node.done": 1,
    "run.completed": 1,
}


@pytest.mark.rule("O7")
async def test_an_old_run_keeps_what_it_did_and_not_how_it_came_to_that(world: World) -> None:
    await world.run("old", world.now - 600)
    await world.run("new", world.now - 400)
    await world.run("open", None, "waiting")
    await world.retention.sweep(world.now)
    assert await world.kinds("old") == COMPACTED
    assert await world.kinds("new") == await world.kinds("open") == WHOLE
    events = await world.events("old")
    assert [event["seq"] for event in events] == list(range(1, 219))
    assert next(event["message"] for event in events if event["kind"] == "node.log") == "10"
    await world.retention.sweep(
        world.now + 4_000
    )  # an hour later the chunk's value is named by nobody
    assert await world.hashes() == {"old-0", "new-0", "open-0", "open-1"}


@pytest.mark.rule("O7")
async def test_a_run_that_is_too_old_goes_and_one_that_waits_never(world: World) -> None:
    await world.run("waits", None, "waiting")
    await world.run("old", world.now - 6_000)
    await world.run("new", world.now - 10)
    await world.retention.sweep(world.now)
    async with world.database.read() as conn:
        assert set(await conn.scalars(select(RUNS.c.id))) == {"waits", "new"}
    assert await world.kinds("waits") == WHOLE
    await world.retention.sweep(world.now + 10_000)
    assert await world.hashes() == {"waits-0", "waits-1"}


@pytest.mark.rule("O7")
async def test_what_a_subscriber_has_not_been_told_stays(world: World) -> None:
    store = OutboxStore(world.database)
    world.subscribers = ("redis",)
    await world.commits.submit(store.beginning("redis"))
    await world.run("old", world.now - 6_000)
    await world.run("some", world.now - 600)
    await world.commits.submit(store.advancing("redis", {STREAM: 3}))
    await world.retention.sweep(world.now)
    assert len(await world.events("old")) == 218 - 3
    assert await world.kinds("some") == WHOLE
    await world.commits.submit(store.advancing("redis", {STREAM: 10**6}))
    await world.retention.sweep(world.now)
    assert await world.kinds("some") == COMPACTED
    async with world.database.read() as conn:
        parts = select(func.max(RUN_OUTPUTS.c.part)).where(RUN_OUTPUTS.c.run == "some")
        assert await conn.scalar(parts) == 0


@pytest.mark.rule("O7")
async def test_old_firings_and_settled_tasks_of_ended_runs_go(world: World) -> None:
    await world.run("ended", world.now - 600)
    await world.run("open", None, "waiting")
    async with world.database.write() as conn:
        person = {"id": "ada", "email": "a@example.org", "name": "Ada", "role": "member"}
        await conn.execute(insert(USERS).values(person | {"created_at": 0.0}))
        times = {"created_at": 0.0, "updated_at": 0.0}
        canvas = {"id": "c", "name": "C", "owner_id": "ada", "epoch": "e"}
        await conn.execute(insert(CANVASES).values(canvas | times))
        trigger = {"id": "t", "canvas_id": "c", "user_id": "ada", "name": "T", "kind": "cron"}
        rest = {"settings": {}, "inputs": {}, "run": {}, "missed": "skip", "enabled": True}
        await conn.execute(insert(TRIGGERS).values(trigger | rest | times))
        for key, at in (("old", world.now - 600), ("new", world.now)):
            firing = {"id": key, "trigger_id": "t", "key": key, "due_at": at, "fired_at": at}
            await conn.execute(insert(FIRINGS).values(firing | {"outcome": "started"}))
        for run, node, state in (
            ("ended", "a", "answered"),
            ("ended", "b", "open"),
            ("open", "a", "answered"),
        ):
            task = {"id": run + node, "run": run, "node": node, "kind": "form", "state": state}
            words = {
                "title": "",
                "text": "",
                "question": {},
                "created_by": "ada",
                "created_at": 0.0,
            }
            await conn.execute(insert(TASKS).values(task | words))
    await world.retention.sweep(world.now)
    async with world.database.read() as conn:
        assert list(await conn.scalars(select(FIRINGS.c.id))) == ["new"]
        assert set(await conn.scalars(select(TASKS.c.id))) == {"endedb", "opena"}


OPEN = ("queued", "running", "paused", "waiting")


@pytest.mark.rule("O7", "G11")
async def test_a_run_that_has_not_ended_stays_however_old_it_is_and_what_came_after_it_goes(
    world: World,
) -> None:
    for status in OPEN:
        await world.run(status, None, status, durable=True, queue="work", created_at=-1_000.0)
    for number in range(102):
        await world.run(f"r{number}", world.now, words=0, created_at=float(number))
    await world.retention.sweep(world.now)
    async with world.database.read() as conn:
        left = set(await conn.scalars(select(RUNS.c.id)))
    assert left == {*OPEN, *(f"r{number}" for number in range(2, 102))}
    for status in OPEN:
        assert await world.kinds(status) == WHOLE


@pytest.mark.rule("O7", "G11")
async def test_calls_of_placed_nodes_push_no_run_out_and_stay_while_theirs_goes_on(
    world: World,
) -> None:
    await world.run("a", world.now - 10, created_at=1.0)
    await world.run("goes", None, "running", created_at=0.0)
    for number in range(102):
        await world.run(f"a{number}", world.now, words=0, parent_id="a", created_at=10.0 + number)
    await world.run("call", world.now, parent_id="goes", created_at=3.0)
    await world.run("lost", world.now, parent_id="removed", created_at=5.0)
    await world.retention.sweep(world.now)
    async with world.database.read() as conn:
        left = set(await conn.scalars(select(RUNS.c.id)))
    assert left == {"a", "goes", "call", *(f"a{number}" for number in range(2, 102))}


@pytest.mark.rule("O7")
async def test_a_run_that_is_resumed_while_old_ones_are_thrown_away_stays(world: World) -> None:
    await world.run("old", world.now - 6_000, "interrupted")
    found = await RunRecords(world.database).expired(100, world.now - 5_000)
    assert found == ["old"]
    async with world.database.write() as conn:
        assert await take_up(conn, "old", ("interrupted",), None) is not None
    await world.commits.submit(lambda conn: drop_runs(conn, found))
    await world.retention.sweep(world.now)
    assert await world.kinds("old") == WHOLE


@pytest.mark.rule("O7")
async def test_a_fork_has_all_it_kept_when_what_it_was_forked_from_is_gone(world: World) -> None:
    await world.run("origin", world.now - 6_000)
    await world.run("fork", world.now - 10, forked_from="origin")
    row = OutputRow("fork", ref_to("kept", "out", "origin-0", LARGE), LARGE)
    async with world.database.write() as conn:
        await appending(STREAM, [replaced(entry("fork", "node.done"), row)])(conn)
    await world.retention.sweep(world.now)
    await world.retention.sweep(world.now + 4_000)
    record = await RunRecords(world.database).get("fork")
    assert record is not None
    assert record.forked_from == "origin"
    assert await RunRecords(world.database).get("origin") is None
    assert await world.hashes() == {"origin-0", "fork-0"}


@pytest.mark.rule("O7")
async def test_a_spell_is_kept_once_and_as_long_as_a_run_of_it(world: World) -> None:
    await world.run("old", world.now - 6_000, spell={"name": "old"})
    await world.run("older", world.now - 7_000, spell={"name": "new"})
    await world.run("new", world.now - 10, spell={"name": "new"})
    async with world.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(RUN_SPELLS)) == 2
    await world.retention.sweep(world.now)
    async with world.database.read() as conn:
        assert list(await conn.scalars(select(RUN_SPELLS.c.body))) == [{"name": "new"}]


async def test_a_run_that_goes_on_again_is_not_compacted(world: World) -> None:
    await world.run("old", world.now - 600)
    async with world.database.write() as conn:
        await conn.execute(update(RUNS).values(status="running", ended_at=None))
    await world.retention.sweep(world.now)
    assert await world.kinds("old") == WHOLE


async def test_a_clock_that_was_set_throws_nothing_away_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    looks = 0
    looks_at_sweep: list[int] = []

    def ahead() -> float:
        nonlocal looks
        looks += 1
        return 0.0 if looks == 1 else 1e9

    async with opened("memory", tmp_path) as database, GroupCommit(database) as commits:
        retention = World(database, commits).retention
        swept = asyncio.Event()

        async def sweep(now: float | None = None) -> None:
            looks_at_sweep.append(looks)
            swept.set()

        monkeypatch.setattr(retention, "sweep", sweep)
        monkeypatch.setattr(retention, "_ahead", ahead)
        async with retention, asyncio.timeout(30):
            await swept.wait()
    assert looks_at_sweep[0] == 5  # at the start, twice when it had jumped, and twice after


@pytest.mark.rule("O8")
async def test_what_processes_told_each_other_goes_and_its_numbers_do_not_come_again(
    world: World,
) -> None:
    store = RelayStore(world.database)
    told = [Relayed("c", "run.status", b"{}")] * 2
    last = await world.commits.submit(store.writing("one", told))
    await world.retention.sweep(time.time())
    assert len((await store.of_others("two", 0))[0]) == 2
    await world.retention.sweep(time.time() + KEPT_SECONDS + 1)
    assert await store.of_others("two", 0) == ([], 0)
    assert await world.commits.submit(store.writing("one", told)) > last + 1
