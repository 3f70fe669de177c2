"""Values that runs left are found by hash, whatever their size, as long as a run has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from spellwork_server.storage.database import Database
from spellwork_server.storage.outputs import (
    SMALL_BYTES,
    OutputRow,
    OutputStore,
    insert_outputs,
    insert_references,
)
from spellwork_server.storage.run_records import RunRecord, insert_run
from spellwork_server.storage.schema import OUTPUTS, RUNS

from .databases import KINDS, opened

pytestmark = pytest.mark.anyio

RUN = RunRecord(
    "r", None, "ada", "user:ada", "completed", "auto", "shared", 0.0, spell={}, request={}
)
SMALL, LARGE = b"1", b'"%b"' % (b"x" * SMALL_BYTES)


def left(run: str, port: str, key: str, body: bytes) -> OutputRow:
    return OutputRow(run, "n", port, key, body)


@asynccontextmanager
async def runs(kind: str, folder: Path, *names: str) -> AsyncIterator[tuple[Database, OutputStore]]:
    async with opened(kind, folder) as database:
        async with database.write() as conn:
            for name in names:
                await insert_run(conn, replace(RUN, id=name))
        yield database, OutputStore(database)


@pytest.mark.parametrize("kind", KINDS)
async def test_values_are_found_by_hash_and_large_ones_kept_once(kind: str, tmp_path: Path) -> None:
    async with runs(kind, tmp_path, "one", "two") as (database, outputs):
        async with database.write() as conn:
            for run in ("one", "two"):
                rows = [left(run, "a", "small", SMALL), left(run, "b", "large", LARGE)]
                await insert_outputs(conn, rows)
        known = {"small": SMALL, "large": LARGE}
        assert await outputs.bodies(["small", "large", "none"]) == known
        assert await outputs.bodies(known, at_most=1) == {"small": SMALL}
        assert await outputs.bodies(known, at_most=0) == {}
        assert await outputs.body("small") == SMALL
        assert await outputs.body("none") is None
        async with database.read() as conn:
            assert await conn.scalar(select(func.count()).select_from(OUTPUTS)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rule("O7")
async def test_a_value_stays_with_a_run_that_took_it_over_when_the_first_is_gone(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "first", "then", "last") as (database, outputs):
        async with database.write() as conn:
            rows = [left("first", "a", "small", SMALL), left("first", "b", "large", LARGE)]
            await insert_outputs(conn, rows)
            await insert_references(conn, "then", [row.ref for row in rows], {})
            await conn.execute(delete(RUNS).where(RUNS.c.id == "first"))
            more = left("last", "c", "more", b"2")
            refs = [*(row.ref for row in rows), more.ref]
            await insert_references(conn, "last", refs, {"more": more.body})
            await conn.execute(delete(RUNS).where(RUNS.c.id == "then"))
        known = {"small": SMALL, "large": LARGE, "more": b"2"}
        assert await outputs.bodies(known) == known
        assert {ref.port: ref.hash for ref in await outputs.of_run("last")} == {
            "a": "small",
            "b": "large",
            "c": "more",
        }


@pytest.mark.parametrize("kind", KINDS)
async def test_small_values_that_older_servers_kept_apart_are_found(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "old", "new") as (database, outputs):
        row = left("old", "a", "small", SMALL)
        async with database.write() as conn:
            times = {"created_at": 0.0, "last_used_at": 0.0}
            await conn.execute(OUTPUTS.insert().values(hash="small", body=SMALL, size=1, **times))
            await insert_references(conn, "old", [row.ref], {})
            await insert_references(conn, "new", [row.ref], {})
        assert await outputs.body("small") == SMALL
