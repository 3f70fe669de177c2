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
from spellwork_server.storage.output_refs import SMALL_BYTES, OutputRef, ref_to
from spellwork_server.storage.outputs import (
    OutputRow,
    OutputStore,
    insert_references,
    inserting_outputs,
)
from spellwork_server.storage.retention import drop_unnamed
from spellwork_server.storage.run_events import RunEventStore, forget_left
from spellwork_server.storage.run_records import RunRecord, insert_run
from spellwork_server.storage.schema import OUTPUTS, RUN_VALUES, RUNS

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
                await inserting_outputs(rows)(conn)
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
            await inserting_outputs(rows)(conn)
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
            await inserting_outputs([left("run", "a", "token", b'{"$handle":"token"}')])(conn)
        assert await outputs.places(["token"]) == [("user:ada", "run", "n", "a", "token")]


@pytest.mark.parametrize("kind", KINDS)
async def test_small_values_of_one_moment_share_rows_and_are_forgotten_one_by_one(
    kind: str, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "run", "other") as (database, outputs):
        refs = [ref_to(f"n{n}", "out", f"h{n}", b"%d" % n) for n in range(600)]
        async with database.write() as conn:
            await inserting_outputs([OutputRow("run", ref, ref.body or b"") for ref in refs])(conn)
            await insert_references(conn, "other", refs[:2])
            await insert_references(conn, "run", [ref_to("n1", "out", "again", b'"again"')])
            large = [OutputRow("run", ref_to("n2", "big", "large", LARGE), LARGE)]
            await inserting_outputs(large)(conn)
        async with database.read() as conn:
            rows = select(func.count()).select_from(RUN_VALUES).where(RUN_VALUES.c.run == "run")
            assert await conn.scalar(rows) == 5
        left = {(ref.node, ref.port): ref for ref in await outputs.of_run("run")}
        assert len(left) == 601
        assert left["n1", "out"].body == b'"again"'
        assert left["n599", "out"] == refs[599]
        assert await outputs.ref_of_port("run", "n300", "out") == refs[300]
        events = RunEventStore(database)
        assert await events.places_of("run") == {ref.node for ref in refs}
        async with database.write() as conn:
            await forget_left(conn, "run", ["n1", "n2", *(f"n{n}" for n in range(512, 600))])
        kept = {ref.node for ref in await outputs.of_run("run")}
        assert kept == await events.places_of("run") == {"n0", *(f"n{n}" for n in range(3, 512))}
        assert len(await outputs.of_run("other")) == 2
        async with database.write() as conn:
            await conn.execute(delete(RUNS).where(RUNS.c.id == "run"))
        assert await outputs.of_run("run") == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_last_that_was_left_of_nodes_is_found_however_many_runs_ago(
    kind: str, tmp_path: Path
) -> None:
    async with opened(kind, tmp_path) as database:
        outputs = OutputStore(database)
        async with database.write() as conn:
            for n in range(60):
                run = f"r{n}"
                await insert_run(conn, replace(RUN, id=run, created_at=float(n)))
                nodes = ["always", *(["once"] if n == 20 else []), *(["old"] if n == 5 else [])]
                await insert_references(
                    conn, run, [ref_to(node, "out", f"{node}{n}", b"%d" % n) for node in nodes]
                )
                if n % 7 == 0:
                    body = LARGE + b" " * n
                    row = OutputRow(run, ref_to("large", "out", f"large{n}", body), body)
                    await inserting_outputs([row])(conn)
        nodes = ["always", "once", "old", "large", "none"]
        found = {ref.node: ref.hash for ref in await outputs.last_of("user:ada", nodes)}
        assert found == {"always": "always59", "once": "once20", "large": "large56"}
        before = await outputs.last_of("user:ada", nodes, before=30.0)
        assert {ref.node: ref.hash for ref in before} == {
            "always": "always29",
            "once": "once20",
            "old": "old5",
            "large": "large28",
        }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "bodies", [(SMALL, LARGE), (LARGE, SMALL), (SMALL, b"2"), (LARGE, LARGE + b" ")]
)
@pytest.mark.parametrize("together", [True, False])
async def test_of_a_port_that_was_left_twice_the_last_counts(
    kind: str, bodies: tuple[bytes, bytes], together: bool, tmp_path: Path
) -> None:
    async with runs(kind, tmp_path, "run") as (database, outputs):
        rows = [left("run", "a", f"h{n}", body) for n, body in enumerate(bodies)]
        for part in [rows] if together else [[row] for row in rows]:
            async with database.write() as conn:
                await inserting_outputs(part)(conn)
        assert await outputs.of_run("run") == [rows[1].ref]
        assert await outputs.ref_of_port("run", "n", "a") == rows[1].ref
        assert await outputs.last_of("user:ada", ["n"]) == [rows[1].ref]
        assert await outputs.values([rows[1].ref]) == {"h1": bodies[1]}
