"""Readers see one state, writers take turns, and a failing store is told apart from a wrong statement."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from spellwork_server.errors import StoreUnavailable
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
