"""Runs are found, and their figures added up, alike on every database."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from spellwork_server.storage.database import Database
from spellwork_server.storage.run_figures import (
    DAY,
    RunFigures,
    forget_tokens,
    keep_figures,
    write_figures,
)
from spellwork_server.storage.run_records import RunRecord, insert_run, mark_ended
from spellwork_server.storage.run_search import RunQuery, RunSearch
from spellwork_server.storage.run_states import lay_down
from spellwork_server.storage.schema import CANVASES, RUNS, USERS

from .databases import KINDS, opened

pytestmark = pytest.mark.anyio

CANVAS = {"id": "c", "name": "C", "owner_id": "ada", "epoch": "e", "created_at": 0, "updated_at": 0}


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(request.param, tmp_path) as made:
        async with made.write() as conn:
            user = {"id": "ada", "email": "a@example.org", "name": "Ada", "role": "member"}
            await conn.execute(insert(USERS).values(user | {"created_at": 0.0}))
            await conn.execute(insert(CANVASES).values(CANVAS))
        yield made


async def put(database: Database, id: str, at: float, **more: Any) -> None:
    async with database.write() as conn:
        record = RunRecord(
            id, "c", "ada", "canvas:c", "queued", "once", "shared", at, at, spell={}, request={}
        )
        fields = {name: getattr(record, name) for name in RunRecord.__dataclass_fields__}
        await insert_run(conn, RunRecord(**(fields | more)))


def took(type_: str, total: int) -> dict[str, Any]:
    """Return what one call of a node took."""
    named = {"type": type_, "provider": "ollama", "model": None}
    counts = {"prompt_tokens": 1, "completion_tokens": total - 1, "total_tokens": total}
    return {**named, "calls": 1, **counts}


@pytest.mark.rule("V1", "V5")
async def test_runs_are_found_and_counted(database: Database) -> None:
    day = float(time.time() // DAY * DAY)
    result = {
        "why": {"a": "new", "b": "cached", "f": "new"},
        "errors": {"f": {"code": "failed", "message": "100% of THEM"}},
        "names": {"f": "Guard_1"},
        "usage": [took("chat", 7)],
    }
    for id in ("one", "two"):
        await put(database, id, day)
        async with database.write() as conn:
            await mark_ended(conn, id, "completed", day + 2, result)
    await put(database, "waits", day + 9, queue="Mail")
    await put(database, "first", day + 10, queue="Mail", priority=3)
    eight = [took("chat", 5), took("chat" * 60, 1), took("chat" * 60 + "s", 2)]
    async with database.write() as conn:  # one that ended before and went on is counted once
        await mark_ended(conn, "two", "completed", day + 3, result | {"usage": eight})

    search, figures = RunSearch(database), RunFigures(database)
    for text in ("100% of them", "guard_1", "FAILED"):
        found = await search.find(RunQuery("ada", canvas="c", text=text))
        assert [each.id for each in found.records] == ["two", "one"], text
        assert (found.failed, found.names) == ({"one": 1, "two": 1}, {"ada": "Ada"})
    assert not (await search.find(RunQuery("ada", canvas="c", text="guardx1"))).records
    queued = (await search.find(RunQuery("ada", text="mail"))).records
    assert await search.ahead(queued) == {"first": 0, "waits": 1}
    page = await search.find(RunQuery("ada", limit=3))
    rest = await search.find(RunQuery("ada", limit=3, after=page.next))
    assert [each.id for each in (*page.records, *rest.records)] == ["first", "waits", "two", "one"]

    (row,) = await figures.usage("day", since=day, canvas="c", reader="bob")
    assert (row.key, row.runs, row.seconds) == (int(day // DAY), 2, 5.0)
    assert (row.ran, row.cached, row.failed, row.tokens) == (4, 2, 2, 15)
    rows = await figures.tokens(since=day, canvas="c", reader="bob")
    assert [(each.type, each.runs, each.calls, each.total) for each in rows] == [
        ("chat", 2, 2, 12),
        ("chat" * 50, 1, 2, 3),  # cut to the same, they are one
    ]
    assert not await figures.usage("user", since=day + DAY, canvas="c", reader=None)


@pytest.mark.rule("V5")
async def test_what_a_run_did_before_it_was_laid_down_counts_however_it_ends(
    database: Database,
) -> None:
    day = float(time.time() // DAY * DAY)
    done = {"why": {"a": "new", "b": "new"}, "errors": {"b": {"code": "lost"}}}
    figures = RunFigures(database)
    for id in ("lies", "read", "unread"):
        await put(database, id, day, claimed_at=day)
        async with database.write() as conn:  # its first attempt took 4 s, the second 2 so far
            await keep_figures(conn, id, done | {"usage": [took("chat", 7)]}, ran=4.0, over=True)
            await lay_down(conn, id, 0, "queued", attempt=2, ran=4.0)
            await keep_figures(conn, id, done | {"usage": [took("chat", 9)]}, ran=2.0, over=False)
            await lay_down(conn, id, 0, "waiting", ran=2.0)
    assert not await figures.usage("day", since=-DAY, canvas="c", reader=None)
    found = await RunSearch(database).find(RunQuery("ada", text="lost"))
    assert (len(found.records), found.failed) == (3, {})

    async def ended(id: str) -> tuple[float, int, int, int]:
        (row,) = await figures.usage("day", since=day, canvas="c", reader=None)
        tokens = await figures.tokens(since=day, canvas="c", reader=None)
        async with database.write() as conn:
            await conn.execute(delete(RUNS).where(RUNS.c.id == id))
        return row.seconds, row.ran, row.tokens, sum(each.total for each in tokens)

    async with database.write() as conn:
        await write_figures(conn, "lies", day + 50, None, lying=True)
    assert await ended("lies") == (6.0, 2, 9, 9)
    async with database.write() as conn:
        await mark_ended(conn, "unread", "failed", day + 3, {"error": {"code": "fatal"}})
    assert (await RunSearch(database).find(RunQuery("ada", text="fatal"))).failed == {"unread": 1}
    assert await ended("unread") == (9.0, 2, 9, 9)
    async with database.write() as conn:
        await forget_tokens(conn, "read")
        await mark_ended(conn, "read", "completed", day + 3, {"why": {"a": "new"}})
    assert await ended("read") == (9.0, 1, 0, 0)
