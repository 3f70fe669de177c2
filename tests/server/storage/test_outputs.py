"""Values that runs left are there, whatever their size, as long as a run names them."""

from __future__ import annotations

import time
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
    ref_to,
)
from spellwork_server.storage.retention import drop_unnamed
from spellwork_server.storage.run_records import RunRecord, insert_run
from spellwork_server.storage.schema import OUTPUTS, RUNS
from spellwork_server.storage.small_values import OutputRef

from .databases import KINDS, opened

pytestmark = pytest.mark.anyio

RUN = RunRecord(
    "r", None, "ada", "user:ada", "completed", "auto", "shared", 0.0, spell={}, request={}
)
SMALL, LARGE = b"1", b'"%b"' % (b"x" * SMALL_BYTES)


def left(run: str, port: str, key: str, body: bytes) -> OutputRow:
    return OutputRow(run, ref_to("n", port, key, body), body)


@asynccontextmanager
async def runs(kind: str, folder: Path, *names: str) -> AsyncIterator[tuple[Database, OutputStore]]:
    async with opened(kind, folder) as database:
        async with database.write() as conn:
            for name in names:
                await insert_run(conn, replace(RUN, id=name))
        yield database, OutputStore(database)


@pytest.mark.parametrize("kind", KINDS)
async def test_small_values_are_with_their_runs_and_others_kept_once(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "one", "two") as (database, outputs):
        async with database.write() as conn:
            for run in ("one", "two"):
                rows = [left(run, "a", "small", SMALL), left(run, "b", "large", LARGE)]
                await insert_outputs(conn, rows)
        refs = await outputs.of_run("one")
        assert await outputs.values(refs) == {"small": SMALL, "large": LARGE}
        assert await outputs.values(refs, at_most=len(SMALL)) == {"small": SMALL}
        assert await outputs.values(refs, at_most=0) == {}
        found = await outputs.ref_of_port("two", "n", "a")
        assert found is not None
        assert found.body == SMALL
        assert await outputs.ref_of_port("two", "n", "none") is None
        assert await outputs.bodies(["small", "large", "none"]) == {"large": LARGE}
        assert len(await outputs.readers("large")) == 1
        async with database.read() as conn:
            assert await conn.scalar(select(func.count()).select_from(OUTPUTS)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.rule("O7")
async def test_a_run_has_the_values_that_it_took_over_when_the_first_is_gone(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "first", "last") as (database, outputs):
        async with database.write() as conn:
            rows = [left("first", "a", "small", SMALL), left("first", "b", "large", LARGE)]
            await insert_outputs(conn, rows)
        refs = await outputs.of_run("first")
        async with database.write() as conn:
            await conn.execute(delete(RUNS).where(RUNS.c.id == "first"))
            await insert_references(conn, "last", refs)
            await drop_unnamed(conn, time.time() + 1)
        assert await outputs.of_run("last") == refs
        assert await outputs.values(refs) == {"small": SMALL, "large": LARGE}


@pytest.mark.parametrize("kind", KINDS)
async def test_small_values_that_older_servers_kept_apart_are_found_and_stay(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "old", "new") as (database, outputs):
        old = OutputRef("n", "a", "small", len(SMALL), None)
        async with database.write() as conn:
            times = {"created_at": 0.0, "last_used_at": 0.0}
            await conn.execute(OUTPUTS.insert().values(hash="small", body=SMALL, size=1, **times))
            for run in ("old", "new"):
                await insert_references(conn, run, [old])
            await conn.execute(delete(RUNS).where(RUNS.c.id == "old"))
            await drop_unnamed(conn, time.time() + 1)
        assert await outputs.values(await outputs.of_run("new")) == {"small": SMALL}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_stands_for_a_value_in_a_worker_is_found_by_its_token(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "run") as (database, outputs):
        async with database.write() as conn:
            await insert_outputs(conn, [left("run", "a", "token", b'{"$handle":"token"}')])
        assert await outputs.places(["token"]) == [("user:ada", "run", "n", "a", "token")]
