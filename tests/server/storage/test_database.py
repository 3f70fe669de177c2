"""Readers see one state, writers take turns, and a failing store is told apart from a wrong statement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import StoreUnavailable
from spellwork_server.storage.bulk import in_few, insert_many
from spellwork_server.storage.database import Database
from spellwork_server.storage.schema import STREAMS
from tests.server.storage.databases import KINDS, opened

pytestmark = pytest.mark.anyio


async def count(database: Database) -> int:
    async with database.read() as conn:
        return (await conn.execute(select(func.count()).select_from(STREAMS))).scalar_one()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_kept_when_its_block_ends(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        async with database.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=1))
        assert await count(database) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_that_fails_leaves_nothing(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:

        async def write_twice() -> None:
            async with database.write() as conn:
                await conn.execute(insert(STREAMS).values(id="s", seq=1))
                await conn.execute(insert(STREAMS).values(id="s", seq=2))

        with pytest.raises(IntegrityError):
            await write_twice()
        assert await count(database) == 0


def adding(name: str) -> Callable[[AsyncConnection], Awaitable[str]]:
    async def job(conn: AsyncConnection) -> str:
        await conn.execute(insert(STREAMS).values(id=name, seq=1))
        return name

    return job


@pytest.mark.parametrize("kind", KINDS)
async def test_jobs_are_carried_out_in_one_transaction_and_answered_in_order(
    kind: str, tmp_path: Path
) -> None:
    async def seen(conn: AsyncConnection) -> list[str]:
        await conn.exec_driver_sql("UPDATE streams SET seq = 2")
        assert await conn.scalar(select(func.max(STREAMS.c.seq))) == 2
        return sorted(await conn.scalars(select(STREAMS.c.id)))

    async with opened(kind, tmp_path) as database:
        assert await database.carry_out([adding("a"), adding("b"), seen]) == ["a", "b", ["a", "b"]]
        assert await count(database) == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_a_job_that_fails_undoes_those_beside_it_and_the_next_ones_are_carried_out(
    kind: str, tmp_path: Path
) -> None:
    async with opened(kind, tmp_path) as database:
        for _ in range(2):
            with pytest.raises(IntegrityError):
                await database.carry_out([adding("a"), adding("b"), adding("a")])
            assert await count(database) == 0
        assert await database.carry_out([adding("a")]) == ["a"]


async def test_a_job_on_a_file_waits_for_its_connection_alone(tmp_path: Path) -> None:
    async def idle(conn: AsyncConnection) -> None:
        await adding("a")(conn)
        await asyncio.sleep(0)

    async with opened("file", tmp_path) as database:
        with pytest.raises(RuntimeError, match="something else than its connection"):
            await database.carry_out([idle])
        assert await count(database) == 0
        assert await database.carry_out([adding("a")]) == ["a"]


async def test_jobs_on_a_file_that_somebody_else_holds_are_refused_and_later_carried_out(
    tmp_path: Path,
) -> None:
    async with opened("file", tmp_path) as database:
        path = tmp_path / "spellwork.db"
        async with Database(f"sqlite+aiosqlite:///{path}?timeout=0.1") as other:
            holder = sqlite3.connect(path, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await other.carry_out([adding("a")])
            holder.execute("ROLLBACK")
            holder.close()
            assert await other.carry_out([adding("a")]) == ["a"]
        assert await count(database) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_writers_of_one_process_take_turns(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database:
        async with database.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=0))

        async def add_one() -> None:
            async with database.write() as conn:
                seq = (await conn.execute(select(STREAMS.c.seq))).scalar_one()
                await conn.execute(STREAMS.update().values(seq=seq + 1))

        await asyncio.gather(*(add_one() for _ in range(20)))
        async with database.read() as conn:
            assert (await conn.execute(select(STREAMS.c.seq))).scalar_one() == 20


async def test_a_reader_keeps_its_state_while_another_writes(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database, database.read() as reader:
        before = (await reader.execute(select(func.count()).select_from(STREAMS))).scalar_one()
        async with database.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=1))
        after = (await reader.execute(select(func.count()).select_from(STREAMS))).scalar_one()
        assert (before, after) == (0, 0)


async def test_a_file_is_opened_for_durability(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database, database.read() as conn:
        pragmas = {
            name: (await conn.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


async def test_a_full_disk_is_a_store_that_is_unavailable(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:

        async def fill() -> None:
            async with database.write() as conn:
                pages = (await conn.execute(text("PRAGMA page_count"))).scalar_one()
                await conn.execute(text(f"PRAGMA max_page_count={pages}"))
                for number in range(1_000):
                    await conn.execute(insert(STREAMS).values(id=f"{number:090}", seq=number))

        with pytest.raises(StoreUnavailable):
            await fill()
        assert await count(database) == 0


async def test_a_database_locked_by_another_program_is_unavailable(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:
        other = sqlite3.connect(tmp_path / "spellwork.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            async with database.read() as conn:
                await conn.execute(text("PRAGMA busy_timeout=1"))
            with pytest.raises(StoreUnavailable):
                async with database.write():
                    pass
        finally:
            other.rollback()
            other.close()


async def test_a_wrong_statement_is_not_blamed_on_the_store(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:
        with pytest.raises(OperationalError):
            async with database.read() as conn:
                await conn.execute(text("SELECT * FROM nowhere"))


@pytest.mark.parametrize("rows", [1, 2, 3, 255, 402, 1_000])
@pytest.mark.parametrize("kind", KINDS)
async def test_many_rows_are_added_each_once(kind: str, rows: int, tmp_path: Path) -> None:
    added = [(f"s{number}", number) for number in range(rows)]
    async with opened(kind, tmp_path) as database:

        async def job(conn: AsyncConnection) -> None:
            await insert_many(conn, STREAMS, ("id", "seq"), added)
            newer = [(name, seq + 1) for name, seq in added] * 2
            await insert_many(conn, STREAMS, ("id", "seq"), newer[: rows + 1], keep_old=True)
            await insert_many(conn, STREAMS, ("id", "seq"), newer[:1], replace=True)

        await database.carry_out([job])
        async with database.read() as conn:
            kept = (await conn.execute(select(STREAMS).order_by(STREAMS.c.seq))).all()
        assert sorted(tuple(row) for row in kept) == sorted([("s0", 1), *added[1:]])


def test_rows_with_large_values_go_alone() -> None:
    rows = [(place, b"x" * (10_000 if place % 3 == 0 else 10)) for place in range(30)]
    statements = list(in_few("INSERT INTO t (a, b) VALUES (?, ?)", rows))
    assert all(len(values) == 2 for _, values in statements if max(map(_size, values)) > 5_000)
    assert sorted(value for _, values in statements for value in values[::2]) == list(range(30))
    assert len(statements) == 10 + 2


def _size(value: object) -> int:
    return len(value) if isinstance(value, bytes) else 0


@pytest.mark.parametrize("rows", [1, 100, 402, 1_000])
def test_many_rows_are_few_statements_for_sqlite(rows: int) -> None:
    statements = list(
        in_few("INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING", [(1, 2)] * rows)
    )
    assert sum(len(values) for _, values in statements) == 2 * rows
    assert len(statements) <= rows // 256 + 8
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute("CREATE TABLE t (a, b)")
        for statement, values in statements:
            conn.execute(statement, values)
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (rows,)
