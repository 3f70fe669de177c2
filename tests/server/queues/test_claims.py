"""Runs leave queues by priority and age, under every limit, each to one process: over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.storage.database import Database
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.journal import FencedError, appending
from spellwork_server.storage.processes import ProcessRecords
from spellwork_server.storage.queues import Claimant, QueueRecord, QueueStore, _late, enqueue
from spellwork_server.storage.run_records import RunRecord, RunRecords, mark_ended
from spellwork_server.storage.run_states import lay_down, put_back, take_up
from spellwork_server.storage.schema import RUN_FIGURES, RUNS
from tests.server.storage.databases import opened

pytestmark = pytest.mark.anyio

DATABASES = pytest.mark.parametrize("kind", ["file", "postgres"])

HERE, THERE = Claimant("here"), Claimant("there")


@dataclass
class Desk:
    """A store with a clock that the test sets."""

    database: Database
    store: QueueStore
    time: list[float] = field(default_factory=lambda: [1_000.0])
    count: int = 0

    async def put(self, queue: str | None = "work", **more: Any) -> str:
        self.count += 1
        record = RunRecord(
            id=f"r{self.count}",
            canvas_id=None,
            user_id="ada",
            stream="user:ada",
            status="queued",
            mode="once",
            audience="private",
            created_at=float(self.count),
            spell={},
            request={},
            queue=queue,
            durable=True,
        )
        kept = RunRecord(**{name: getattr(record, name) for name in record.__slots__} | more)
        async with self.database.write() as conn:
            return (await enqueue(conn, kept)).id

    async def claim(self, who: Claimant = HERE, most: int = 10) -> list[str]:
        return [run.id for run in await self.store.claim(who, most)]

    async def end(self, run: str) -> None:
        async with self.database.write() as conn:
            await mark_ended(conn, run, "completed", self.time[0], None)

    async def row(self, run: str) -> RunRecord:
        record = await RunRecords(self.database).get(run)
        assert record is not None
        return record


@asynccontextmanager
async def desk(kind: str, folder: Path) -> AsyncIterator[Desk]:
    async with opened(kind, folder) as database:
        time = [1_000.0]

        async def clock(_conn: AsyncConnection) -> float:
            return time[0]

        yield Desk(database, QueueStore(database, clock), time)


@pytest.mark.rule("Q1")
@DATABASES
async def test_the_highest_priority_goes_first_then_the_oldest(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        for priority in (0, 5, 0, 5):
            await d.put(priority=priority)
        assert await d.claim(most=3) == ["r2", "r4", "r1"]
        assert await d.claim() == ["r3"]
        row = await d.row("r2")
        assert (row.status, row.process_id, row.fence, row.claimed_at) == (
            "running",
            "here",
            1,
            1_000.0,
        )


@pytest.mark.rule("Q2")
@DATABASES
async def test_no_run_is_given_to_two_who_claim_at_once(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        for _ in range(40):
            await d.put()
        claims = await asyncio.gather(
            *(d.claim(who, 7) for who in (HERE, THERE, HERE, THERE, HERE, THERE))
        )
        found = [run for claim in claims for run in claim]
        assert len(found) == len(set(found)) == 40


@pytest.mark.rule("Q3")
@DATABASES
async def test_a_process_takes_only_from_the_queues_it_listens_to(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put("gpu")
        await d.put("work")
        await d.put(None)
        assert await d.claim(Claimant("p", ("gpu",))) == ["r1"]
        assert await d.claim(Claimant("p", ("other",))) == []
        assert await d.claim() == ["r2", "r3"]


@pytest.mark.rule("Q4")
@DATABASES
async def test_a_delayed_run_waits_and_a_late_one_is_only_taken_to_be_ended(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put(not_before=1_010.0)
        await d.put(deadline=1_005.0)
        d.time[0] = 1_006.0
        look = await d.store.look(HERE)
        assert (look.claimable, look.late) == (False, True)
        assert await d.claim() == []
        assert [run.id for run in await d.store.take_late("here")] == ["r2"]
        d.time[0] = 1_010.0
        assert await d.claim() == ["r1"]


@pytest.mark.rule("Q4")
@DATABASES
async def test_a_run_that_waits_for_people_past_its_deadline_is_taken_to_be_ended(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put(None, status="waiting", deadline=1_005.0)
        await d.put(None, status="waiting")
        assert not (await d.store.look(HERE)).late
        d.time[0] = 1_006.0
        assert (await d.store.look(HERE)).late
        assert [run.id for run in await d.store.take_late("here")] == ["r1"]


@pytest.mark.rule("Q5")
@DATABASES
async def test_limits_of_a_queue_hold_over_all_processes(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.store.put(QueueRecord("work", concurrency=3, per_process=2))
        for _ in range(6):
            await d.put()
        await d.put("free")
        assert await d.claim() == ["r1", "r2", "r7"]
        assert await d.claim(THERE) == ["r3"]
        assert await d.claim(THERE) == []
        await d.end("r1")
        assert await d.claim(HERE) == ["r4"]


@pytest.mark.rule("Q5")
@DATABASES
async def test_a_rate_counts_what_was_begun_lately_by_any_process(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.store.put(QueueRecord("work", rate_count=2, rate_seconds=10))
        for _ in range(5):
            await d.put()
        assert await d.claim() == ["r1", "r2"]
        d.time[0] += 9
        assert await d.claim(THERE) == []
        d.time[0] += 2
        assert await d.claim(THERE) == ["r3", "r4"]


@pytest.mark.rule("Q6")
@DATABASES
async def test_nothing_is_taken_from_a_paused_queue(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        await d.store.put(QueueRecord("work", state="paused"))
        assert not (await d.store.look(HERE)).claimable
        assert await d.claim() == []
        await d.store.put(QueueRecord("work", state="draining"))
        assert await d.claim() == ["r1"]


@pytest.mark.rule("Q7")
@DATABASES
async def test_of_one_key_one_open_run_is_in_a_queue(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        assert await d.put(dedupe_key="k") == "r1"
        assert await d.put(dedupe_key="k") == "r1"
        assert await d.put("other", dedupe_key="k") == "r3"
        await d.end("r1")
        assert await d.put(dedupe_key="k") == "r4"


def said(run: str, fence: int) -> Entry:
    return Entry(run, "node.started", "a", 0.0, b'{"run":"%b"}' % run.encode(), (), fence)


def ended_node(run: str, fence: int, node: str = "a") -> Entry:
    return Entry(run, "node.done", node, 0.0, b'{"run":"%b"}' % run.encode(), (), fence)


@pytest.mark.rule("Q8")
@DATABASES
async def test_what_comes_under_an_older_claim_is_refused_whole(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        await d.claim()
        async with d.database.write() as conn:
            assert await appending("user:ada", [said("r1", 1)])(conn) == 1
        assert await d.store.take_over("there", []) == []
        assert await d.claim(THERE) == ["r1"]
        with pytest.raises(FencedError):
            async with d.database.write() as conn:
                await appending("user:ada", [said("r1", 1)])(conn)
        async with d.database.write() as conn:
            assert await appending("user:ada", [said("r1", 3)])(conn) == 2


@pytest.mark.rule("Q9")
@DATABASES
async def test_of_a_dead_process_durable_runs_wait_again_and_others_are_returned(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        await d.claim()
        await d.put(None, durable=False, status="running", process_id="here")
        await d.put(None, status="waiting", process_id="here")
        found = await d.store.take_over("there", ["here"])
        assert [(run.id, run.fence, run.process_id) for run in found] == [("r2", 1, "there")]
        assert [(await d.row(run)).status for run in ("r1", "r3")] == ["queued", "waiting"]
        assert [(await d.row(run)).fence for run in ("r1", "r3")] == [2, 1]
        await d.store.give_back({("r1", 1): 9.0})  # of a claim that is over
        assert (await d.row("r1")).fence == 2


@pytest.mark.rule("Q10")
@DATABASES
async def test_figures_tell_what_waits_and_goes(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        await d.claim()
        await d.put()
        await d.put(not_before=5_000.0)
        figures = (await d.store.figures())["work"]
        assert (figures.waiting, figures.delayed, figures.running) == (1, 1, 1)
        assert (figures.oldest_at, figures.started_last_minute) == (2.0, 1)
        assert await d.store.figures("bob") == {}
        await d.store.mark_cancelled(["r1"])
        assert (await d.store.look(HERE)).cancelled == ("r1",)
        assert (await d.store.look(THERE)).cancelled == ()


@pytest.mark.rule("Q17")
@DATABASES
async def test_a_lent_place_is_anothers_until_it_is_wanted_back(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.store.put(QueueRecord("work", concurrency=1))
        for _ in range(3):
            await d.put()
        assert await d.claim() == ["r1"]
        assert await d.claim() == []
        await d.store.lend(("r1", 1))
        assert await d.claim(THERE) == ["r2"]
        assert not await d.store.have_back(("r1", 1), "work", "here")
        await d.store.want_back(("r1", 1))
        await d.end("r2")
        assert await d.claim(THERE) == []
        assert await d.store.have_back(("r1", 1), "work", "here")
        assert await d.claim(THERE) == []
        assert (await d.store.figures())["work"].running == 1
        await d.end("r1")
        assert await d.claim(THERE) == ["r3"]
        assert await d.store.have_back(("r3", 7), "work", "there")  # of a claim that is over


async def die(d: Desk, process: Claimant, *, at: float | None = None) -> list[RunRecord]:
    """Let a process die whose last sign of life was then, and others take its runs over."""
    processes = ProcessRecords(d.database, d.store._clock)
    now, d.time[0] = d.time[0], d.time[0] if at is None else at
    await processes.add(process.process, "p", None, 10)
    d.time[0] = now
    return await d.store.take_over("there", [process.process])


@pytest.mark.rule("Q18")
@DATABASES
async def test_a_run_whose_process_dies_again_and_again_is_ended_unless_it_comes_further(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        for times in (1, 2, 3):
            assert await d.claim() == ["r1"]
            assert await die(d, HERE) == []
            assert (await d.row("r1")).takeovers == times
        await d.claim()
        row = await d.row("r1")
        async with d.database.write() as conn:
            await appending("user:ada", [ended_node("r1", row.fence)])(conn)
        assert await die(d, HERE) == []
        assert (await d.row("r1")).takeovers == 1
        await d.store.give_back(
            {("r1", (await d.row("r1")).fence): 0.0}
        )  # a clean stop is no death
        for _ in range(2):
            await d.claim()
            assert await die(d, HERE) == []
        await d.claim()
        (ended,) = await die(d, HERE)
        assert (ended.id, ended.durable, ended.takeovers, ended.process_id) == (
            "r1",
            True,
            4,
            "there",
        )
        assert await d.claim() == []


@pytest.mark.rule("Q18")
@DATABASES
async def test_a_node_that_ends_again_each_time_brings_a_run_no_further(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()

        async def die_after(node: str) -> list[RunRecord]:
            await d.claim()
            row = await d.row("r1")
            async with d.database.write() as conn:
                await appending("user:ada", [ended_node("r1", row.fence, node)])(conn)
            return await die(d, HERE)

        for times in (1, 2, 3):
            assert await die_after("a") == []
            assert (await d.row("r1")).takeovers == times
        assert await die_after("b") == []
        assert (await d.row("r1")).takeovers == 1
        for _ in range(2):
            assert await die_after("b") == []
        (ended,) = await die_after("a")
        assert (ended.id, ended.takeovers) == ("r1", 4)


@pytest.mark.rule("Q18")
@DATABASES
async def test_of_runs_on_their_last_chance_a_process_begins_one_at_a_time(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        for _ in range(3):
            await d.put(takeovers=3)
        await d.put()
        assert await d.claim(most=3) == ["r1", "r4"]
        assert await d.claim() == []
        assert await d.claim(THERE) == ["r2"]
        await ProcessRecords(d.database, d.store._clock).add("new", "p", None, 10)
        assert await d.claim(Claimant("new")) == []
        d.time[0] += 31  # it does no harm, it seems
        assert await d.claim(Claimant("new")) == ["r3"]


@pytest.mark.rule("B11")
@DATABASES
async def test_what_a_run_took_until_its_process_died_is_kept(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put()
        await d.put(None, durable=False, status="running", process_id="here", started_at=990.0)
        await d.claim()
        d.time[0] = 1_100.0
        await die(d, HERE, at=1_050.0)
        assert (await d.row("r1")).ran == 50.0
        assert (await d.row("r2")).ran == 60.0


@pytest.mark.rule("B11")
@DATABASES
async def test_what_a_run_took_until_it_was_given_back_is_kept_once(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        for _ in range(2):
            await d.put()
        await d.claim(most=2)
        async with d.database.write() as conn:
            await lay_down(conn, "r2", 1, "queued", ran=7.0)
        await d.store.give_back({("r1", 1): 50.0, ("r2", 1): 50.0})
        assert [(await d.row(run)).ran for run in ("r1", "r2")] == [50.0, 7.0]
        assert [(await d.row(run)).status for run in ("r1", "r2")] == ["queued"] * 2


@DATABASES
async def test_a_run_is_found_by_its_key_through_an_index(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put(dedupe_key="k")
        await d.end("r1")
        await d.put(dedupe_key="k")
        await d.put(dedupe_key="other")
        found = await d.store.find_by_key("work", "k")
        assert found is not None
        assert found.id == "r2"
        query = "SELECT id FROM runs WHERE queue = 'work' AND dedupe_key = 'k' ORDER BY created_at DESC LIMIT 1"
        async with d.database.read() as conn:
            if kind == "postgres":
                await conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
                await conn.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            plan = await conn.exec_driver_sql(
                f"EXPLAIN {'' if kind == 'postgres' else 'QUERY PLAN '}{query}"
            )
            told = " ".join(str(row) for row in plan)
        assert "ix_runs_queue_dedupe_key_created_at" in told
        assert "sort" not in told.lower()
        assert "b-tree" not in told.lower()


@pytest.mark.rule("Q4")
@DATABASES
async def test_who_looks_for_late_runs_reads_those_with_a_deadline_alone(
    kind: str, tmp_path: Path
) -> None:
    async with desk(kind, tmp_path) as d:
        query = select(RUNS.c.id).where(_late(1_000.0)).order_by(RUNS.c.deadline).limit(100)
        async with d.database.read() as conn:
            if kind == "postgres":
                for way in ("seqscan", "bitmapscan", "sort"):
                    await conn.exec_driver_sql(f"SET LOCAL enable_{way} = off")
            asked = query.compile(conn.engine, compile_kwargs={"literal_binds": True})
            explain = "EXPLAIN" if kind == "postgres" else "EXPLAIN QUERY PLAN"
            told = [str(row) for row in await conn.exec_driver_sql(f"{explain} {asked}")]
        assert "ix_runs_deadline" in " ".join(told)


@pytest.mark.rule("Q18")
@DATABASES
async def test_a_run_that_goes_on_anew_is_no_suspect_any_more(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        await d.put(takeovers=3, status="running", fence=1)
        await d.put(takeovers=3, status="waiting")
        await d.put(takeovers=3, status="waiting")
        async with d.database.write() as conn:
            await lay_down(conn, "r1", 1, "queued", attempt=2)
            assert await put_back(conn, "r2", ("waiting",))
            assert await take_up(conn, "r3", ("waiting",), "here") is not None
        assert [(await d.row(run)).takeovers for run in ("r1", "r2", "r3")] == [0, 0, 0]


@pytest.mark.rule("B11")
@DATABASES
async def test_no_run_took_less_than_no_time_where_clocks_differ(kind: str, tmp_path: Path) -> None:
    async with desk(kind, tmp_path) as d:
        for at in (990.0, 1_007.0):
            run = await d.put(ran=5.0)
            assert await d.claim() == [run]
            async with d.database.write() as conn:
                await mark_ended(conn, run, "completed", at, {"order": []})
        async with d.database.read() as conn:
            found = await conn.scalars(select(RUN_FIGURES.c.seconds).order_by(RUN_FIGURES.c.run))
        assert list(found) == [5.0, 12.0]
