"""Events of steps that ran at once share rows, and are read as if each had its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from spellwork_server.storage.database import Database
from spellwork_server.storage.event_rows import (
    COLUMNS,
    RAN,
    ROW_STEPS,
    Entry,
    count_of,
    events_of,
    rows_of,
)
from spellwork_server.storage.journal import JournalStore, appending, find_written
from spellwork_server.storage.queues import ended_nodes
from spellwork_server.storage.run_events import RunEventStore
from spellwork_server.storage.run_records import RunRecord, insert_run, remove_run
from spellwork_server.storage.schema import EVENTS
from spellwork_server.storage.timeline_events import TimelineEvents
from tests.seeds import examples

from .databases import KINDS, opened

pytestmark = pytest.mark.anyio

STREAM = "canvas:c"
RUN = RunRecord("r", None, "ada", STREAM, "running", "auto", "shared", 0.0, spell={}, request={})


def ran(run: str, node: str, size: int = 0) -> Entry:
    """Return a step of a run that ran at once."""
    outputs = {"value": "x" * size}
    done = {"at": 2.5, "node": node, "outputs": outputs, "why": "new", "duration": 0.5}
    return Entry(run, RAN, node, 2.5, msgspec.json.encode(done))


def told(run: str, kind: str, node: str | None = None) -> Entry:
    """Return another event of a run."""
    body = {"run": run, "kind": kind, "at": 1.0} | ({} if node is None else {"node": node})
    return Entry(run, kind, node, 1.0, msgspec.json.encode(body))


def apart(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return what entries say, event by event."""
    return [json.loads(body) for entry in entries for body in entry.bodies]


STORY = [
    told("r", "run.started"),
    *(ran("r", f"n{number}") for number in range(70)),
    told("r", "node.started", "slow"),
    ran("r", "n70"),
    told("s", "run.started"),
    ran("r", "map[1]/x"),
    ran("s", "map[1]/x"),
    told("r", "node.log", "slow"),
    told("r", "node.done", "slow"),
    ran("r", "map"),
    told("r", "run.completed"),
]


async def kept(database: Database) -> list[dict[str, Any]]:
    """Keep the story, in two transactions, and return its events with their numbers."""
    async with database.write() as conn:
        for run in ("r", "s"):
            await insert_run(conn, replace(RUN, id=run))
        await appending(STREAM, STORY[:40])(conn)
        assert await appending(STREAM, STORY[40:])(conn) == count_of(STORY)
    return [{"seq": seq, **event} for seq, event in enumerate(apart(STORY), 1)]


def test_a_step_that_ran_at_once_is_its_start_and_its_end() -> None:
    start, end = apart([ran("r", "n")])
    assert start == {"run": "r", "kind": "node.started", "at": 2.0, "node": "n", "why": "new"}
    assert (end["run"], end["kind"], end["at"], end["duration"]) == ("r", "node.done", 2.5, 0.5)


@pytest.mark.rule("E1")
@pytest.mark.parametrize("kind", KINDS)
async def test_every_part_of_a_stream_is_read_as_if_each_event_had_a_row(
    kind: str, tmp_path: Path
) -> None:
    async with opened(kind, tmp_path) as database:
        events = await kept(database)
        store = JournalStore(database)
        async with database.read() as conn:
            rows = await conn.scalar(select(func.count()).select_from(EVENTS))
            assert rows is not None
            assert rows < 20
        for after in (0, 1, 2, 3, 78, 79, 80, 129, 130, 144, len(events)):
            for limit in (1, 2, 7, 1_000):
                for upto in (after, after + 1, after + 5, 1_000):
                    page = await store.read(STREAM, after=after, upto=upto, limit=limit)
                    wanted = [each for each in events if after < each["seq"] <= upto][:limit]
                    assert [json.loads(each.json) for each in page] == wanted
                    assert [(e.seq, e.kind) for e in page] == [
                        (e["seq"], e["kind"]) for e in wanted
                    ]
        for node in ("map", "map[1]", "map[1]/x", "n7", "slow", "n"):
            page = await store.read(STREAM, after=1, upto=1_000, limit=9, run="r", node=node)
            assert [json.loads(each.json) for each in page] == [
                each for each in events if each["run"] == "r" and is_at(each.get("node"), node)
            ]
        assert await store.first(STREAM) == 1


def is_at(node: str | None, path: str) -> bool:
    return node is not None and (node == path or node.startswith((f"{path}/", f"{path}[")))


@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_a_run_is_read_however_far_apart_its_events_lie(kind: str, tmp_path: Path) -> None:
    story = [
        each
        for number in range(6)
        for each in (
            ran("r", f"n{number}"),
            *(told("s", "node.log", "x") for _ in range(300)),
            *(ran("s", f"m{other}") for other in range(100)),
            told("r", "node.log", "x"),
        )
    ]
    async with opened(kind, tmp_path) as database:
        async with database.write() as conn:
            for run in ("r", "s"):
                await insert_run(conn, replace(RUN, id=run))
            await appending(STREAM, story)(conn)
        store, timeline = JournalStore(database), TimelineEvents(database)
        for run, limit in (("r", 1), ("r", 4), ("r", 500), ("s", 70), ("s", 5_000)):
            wanted = [
                (seq, each)
                for seq, each in enumerate(apart(story), 1)
                if each["run"] == run and seq > 3
            ]
            found: list[tuple[int, Any]] = []
            seqs: list[int] = []
            while page := await store.read(
                STREAM, after=found[-1][0] if found else 3, upto=10**6, limit=limit, run=run
            ):
                found += [(each.seq, json.loads(each.json)) for each in page]
            while events := await timeline.of_run(run, after=seqs[-1] if seqs else 3, limit=limit):
                seqs += [each.seq for each in events]
            assert found == [(seq, {"seq": seq, **each}) for seq, each in wanted]
            assert seqs == [seq for seq, _ in wanted]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_is_read_by_kinds_its_timeline_and_how_far_it_is(
    kind: str, tmp_path: Path
) -> None:
    async with opened(kind, tmp_path) as database:
        events = [each for each in await kept(database) if each["run"] == "r"]
        store, timeline = RunEventStore(database), TimelineEvents(database)
        for kinds in (("node.done",), ("node.started", "run.completed"), ("node.log",)):
            found: list[Any] = []
            while page := await store.of_run(
                "r", kinds, after=found[-1].seq if found else 0, limit=5
            ):
                found += page
            assert [(e.seq, e.kind, e.node, e.at, json.loads(e.body)) for e in found] == [
                (e.pop("seq"), e["kind"], e.get("node"), e["at"], e)
                for e in map(dict, events)
                if e["kind"] in kinds
            ]
        shown = await timeline.of_run("r", after=0, limit=1_000)
        assert [(each.seq, bool(each.body)) for each in shown] == [
            (each["seq"], each["kind"] != "node.log") for each in events
        ]
        started = [each["node"] for each in events if each["kind"] == "node.started"]
        assert await timeline.starts("r") == dict.fromkeys(started, 1)
        async with database.read() as conn:
            assert await ended_nodes(conn, ["r", "s", "none"]) == {"r": len(started), "s": 1}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_events_of_a_removed_run_keep_their_numbers(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        events = await kept(database)
        async with database.write() as conn:
            await remove_run(conn, "r")
        left = await JournalStore(database).read(STREAM, after=0, upto=1_000, limit=1_000)
        assert [each.seq for each in left] == [each["seq"] for each in events]
        assert {each.kind for each in left if events[each.seq - 1]["run"] == "r"} == {"run.removed"}
        assert [json.loads(each.json) for each in left if b'"s"' in each.json] == [
            each for each in events if each["run"] == "s"
        ]


async def test_what_was_written_as_the_store_was_lost_is_found(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database, database.write() as conn:
        for run in ("r", "s"):
            await insert_run(conn, replace(RUN, id=run))
        await appending(STREAM, [told("s", "run.started")])(conn)
        assert await find_written(conn, STREAM, 1, STORY) is None
        last = await appending(STREAM, STORY)(conn)
        assert await find_written(conn, STREAM, 1, STORY) == last
        assert await find_written(conn, STREAM, 1, STORY[:5]) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(1, 2_000))
@settings(max_examples=examples(50), deadline=None)
def test_rows_hold_all_of_the_events_and_not_too_many(shape: list[int], size: int) -> None:
    entries = [
        told("r", "node.log", "a") if each == 0 else ran("rs"[each % 2], f"n{number}", size)
        for number, each in enumerate(shape)
    ]
    rows = rows_of(STREAM, 5, entries)
    read = [event for row in named(rows) for event in events_of(row)]
    assert [json.loads(event.body) for event in read] == apart(entries)
    assert [event.seq for event in read] == list(range(5, 5 + count_of(entries)))
    assert all(row.covers <= 2 * ROW_STEPS for row in named(rows))


def named(rows: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    for row in rows:
        yield type("Row", (), dict(zip(COLUMNS, row, strict=True)))
