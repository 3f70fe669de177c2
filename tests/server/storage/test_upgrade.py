"""The migrations make exactly the tables of the schema, once, however many open the database."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from spellwork_server.storage.database import Database
from spellwork_server.storage.schema import METADATA
from spellwork_server.storage.upgrade import HEAD, MIGRATIONS, migrate, upgrade
from tests.server.storage.databases import KINDS, opened

pytestmark = pytest.mark.anyio


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fresh_database_has_the_tables_of_the_schema(kind: str, tmp_path: Path) -> None:
    async with opened(kind, tmp_path) as database, database.read() as conn:
        assert await conn.run_sync(differences) == []


async def test_all_migrations_together_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}") as database:
        async with database.write() as conn:
            await conn.run_sync(migrate)
        async with database.read() as conn:
            assert await conn.run_sync(differences) == []
        await upgrade(database)


async def test_a_fresh_database_is_one_that_alembic_has_nothing_to_do_on(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:
        async with database.write() as conn:
            await conn.run_sync(migrate)
        async with database.read() as conn:
            assert await conn.run_sync(differences) == []


@pytest.mark.parametrize("way", [upgrade, None])
async def test_small_values_are_left_out_of_the_index_of_hashes(way: Any, tmp_path: Path) -> None:
    """Alembic does not compare what an index leaves out."""
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}") as database:
        if way is None:
            async with database.write() as conn:
                await conn.run_sync(migrate)
        else:
            await way(database)
        async with database.read() as conn:
            query = "SELECT sql FROM sqlite_master WHERE name = 'ix_run_outputs_apart'"
            sql = await conn.scalar(text(query))
        assert sql is not None
        assert sql.endswith("WHERE body IS NULL")


async def test_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    async with opened("file", tmp_path) as database:
        await upgrade(database)
        async with database.read() as conn:
            assert await conn.run_sync(differences) == []


async def test_two_who_open_a_fresh_database_at_once_both_succeed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}"
    async with Database(url) as one, Database(url) as other:
        await asyncio.gather(upgrade(one), upgrade(other))
        async with other.read() as conn:
            assert await conn.run_sync(differences) == []


async def test_who_opens_a_fresh_database_waits_for_who_writes_in_it(tmp_path: Path) -> None:
    path = tmp_path / "spellwork.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with Database(f"sqlite+aiosqlite:///{path}?timeout=60") as database:
            asyncio.get_running_loop().call_later(0.1, other.rollback)
            await upgrade(database)
            async with database.read() as conn:
                assert await conn.run_sync(differences) == []


def test_the_newest_migration_is_the_one_that_a_start_looks_for() -> None:
    numbers = [
        match.group(1)
        for path in (MIGRATIONS / "versions").glob("*.py")
        if (match := re.match(r"(\d{4})_", path.name))
    ]
    assert max(numbers) == HEAD
