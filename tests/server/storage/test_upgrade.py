"""The migrations make exactly the tables of the schema, once, however many open the database."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from spellwork_server.storage.database import Database
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.run_records import RunRecords
from spellwork_server.storage.schema import METADATA
from spellwork_server.storage.upgrade import HEAD, MIGRATIONS, migrate, upgrade
from tests.parts import require
from tests.real_servers import shared_postgres
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


SPELLS: list[dict[str, Any]] = [{"text": "é \u2028 :x"}, {"name": "B"}, {"text": "é \u2028 :x"}]

OLD_RUN = text(
    "INSERT INTO runs (id, user_id, stream, status, mode, audience, created_at, spell, request)"
    " VALUES (:id, 'ada', 'user:ada', 'completed', 'once', 'private', 1.0, CAST(:spell AS TEXT), '1')"
)
OLD_EVENT = text(
    "INSERT INTO events (stream, seq, run, kind, at, body)"
    " VALUES ('user:ada', :seq, 'r', 'run.started', 1.0, :body)"
)


@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_runs_have_their_spells_and_events_after_the_upgrade_that_keeps_those_once(
    kind: str, tmp_path: Path
) -> None:
    with fresh(kind, tmp_path) as url:
        async with Database(url) as database:
            async with database.write() as conn:
                await conn.run_sync(migrate, "0009")
                run = str(OLD_RUN).replace("TEXT", "JSON") if kind == "postgres" else str(OLD_RUN)
                for number, spell in enumerate(SPELLS):
                    await conn.execute(text(run), {"id": f"r{number}", "spell": json.dumps(spell)})
                for seq in (1, 2):
                    await conn.execute(OLD_EVENT, {"seq": seq, "body": b'{"run":"r"}'})
            await upgrade(database)
            records = [await RunRecords(database).get(f"r{number}") for number in range(3)]
            assert [record and record.spell for record in records] == SPELLS
            async with database.read() as conn:
                assert await conn.run_sync(differences) == []
                assert await conn.scalar(text("SELECT count(*) FROM run_spells")) == 2
            events = await JournalStore(database).read("user:ada", after=0, upto=9, limit=9)
            assert [event.json for event in events] == [
                b'{"seq":1,"run":"r"}',
                b'{"seq":2,"run":"r"}',
            ]


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of a database without tables."""
    if kind == "file":
        yield f"sqlite+aiosqlite:///{folder / 'spellwork.db'}"
        return
    require("postgres")
    server = shared_postgres()
    name = server.empty()
    try:
        yield server.url(name)
    finally:
        server.drop(name)
