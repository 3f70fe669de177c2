"""On PostgreSQL: migrations, one writer at a time over all processes, and a server that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select, text
from sqlalchemy.exc import ProgrammingError

from spellwork_server.errors import StoreUnavailable
from spellwork_server.settings import Settings
from spellwork_server.storage import postgres as module
from spellwork_server.storage.database import Database, UnknownDatabase
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.retention import drop_unnamed
from spellwork_server.storage.schema import STREAMS
from spellwork_server.storage.turns import Turns
from spellwork_server.storage.upgrade import migrate, upgrade
from tests.real_servers import PostgresServer
from tests.server.storage.test_group_commit import put
from tests.server.storage.test_upgrade import differences

pytestmark = [pytest.mark.anyio, pytest.mark.requires("postgres")]


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.empty()
    yield postgres.url(name)
    postgres.drop(name)


async def count(database: Database) -> int:
    async with database.read() as conn:
        return len((await conn.execute(select(STREAMS))).all())


@pytest.mark.rule("O1")
async def test_an_older_database_is_brought_to_the_schema_with_what_it_has(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.write() as conn:
            await conn.run_sync(migrate, "0002")
            await conn.execute(insert(STREAMS).values(id="s", seq=7))
        await asyncio.gather(upgrade(database), upgrade(database))
        async with database.read() as conn:
            assert await conn.run_sync(differences) == []
            assert (await conn.execute(select(STREAMS))).all() == [("s", 7)]


@pytest.mark.rule("O1")
async def test_what_is_committed_is_on_disk_and_a_reader_sees_one_state(postgres_url: str) -> None:
    async with Database(postgres_url) as database, database.read() as reader:
        assert await reader.scalar(text("SHOW synchronous_commit")) == "on"
        assert (await reader.execute(select(STREAMS))).all() == []
        async with database.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=1))
        assert (await reader.execute(select(STREAMS))).all() == []


@pytest.mark.rule("O2")
async def test_writers_of_several_processes_take_turns(postgres_url: str) -> None:
    async with Database(postgres_url) as one, Database(postgres_url) as other:
        async with one.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=0))

        async def add_one(database: Database) -> None:
            async with database.write() as conn:
                seq = (await conn.execute(select(STREAMS.c.seq))).scalar_one()
                await conn.execute(STREAMS.update().values(seq=seq + 1))

        await asyncio.gather(*(add_one(each) for each in (one, other) for _ in range(10)))
        async with one.read() as conn:
            assert (await conn.execute(select(STREAMS.c.seq))).scalar_one() == 20


@pytest.mark.rule("O2")
async def test_who_waits_too_long_for_a_turn_is_refused_and_may_come_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.SESSION, "lock_timeout", "50ms")
    async with Database(postgres_url) as one, Database(postgres_url) as other:
        async with one.write():
            with pytest.raises(StoreUnavailable):
                async with other.write():
                    pass
        async with other.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=1))


@pytest.mark.rule("O2")
async def test_who_stands_still_in_a_transaction_holds_up_nobody_for_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.SESSION, "idle_in_transaction_session_timeout", "50ms")
    async with Database(postgres_url) as one, Database(postgres_url) as other:

        async def stand_still() -> None:
            async with one.write() as conn:
                await conn.execute(insert(STREAMS).values(id="lost", seq=1))
                async with other.write() as free:
                    await free.execute(insert(STREAMS).values(id="kept", seq=1))
                await conn.execute(select(STREAMS))

        with pytest.raises(StoreUnavailable):
            await stand_still()
        async with other.read() as conn:
            assert list(await conn.scalars(select(STREAMS.c.id))) == ["kept"]


@pytest.mark.rule("O2")
async def test_who_stands_still_in_a_statement_loses_the_turn(postgres_url: str) -> None:
    async with Database(postgres_url) as one, Database(postgres_url) as other:

        async def stand_still() -> None:
            async with one.write() as conn:
                await conn.execute(insert(STREAMS).values(id="lost", seq=1))
                raw = await conn.get_raw_connection()
                assert raw.driver_connection is not None
                await raw.driver_connection.prepare("SELECT 1")  # and it is never carried out
                turns = Turns(other)
                assert [await turns.look(60) for _ in range(2)] == [0, 0]
                while not await turns.look(0):
                    await asyncio.sleep(0.01)
                async with other.write() as free:
                    await free.execute(insert(STREAMS).values(id="kept", seq=1))
                await conn.execute(select(STREAMS))

        async with asyncio.timeout(20):
            with pytest.raises(StoreUnavailable):
                await stand_still()
        async with other.read() as conn:
            assert list(await conn.scalars(select(STREAMS.c.id))) == ["kept"]


@pytest.mark.rule("O2")
async def test_who_writes_or_stands_nowhere_keeps_the_session(postgres_url: str) -> None:
    async with Database(postgres_url) as one, Database(postgres_url) as other:
        async with one.write() as conn:
            await conn.execute(insert(STREAMS).values(id="s", seq=1))
            turns = Turns(other)
            for _ in range(2):  # between two statements PostgreSQL sees to it
                assert await turns.look(0) == 0
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(conn.execute(text("SELECT pg_sleep(0.5)")))
                await asyncio.sleep(0.2)
                assert [await turns.look(0) for _ in range(2)] == [0, 0]
        assert await count(other) == 1


async def test_a_server_without_room_is_unavailable(postgres_url: str) -> None:
    async with Database(postgres_url) as database:

        async def sort() -> None:
            async with database.write() as conn:
                await conn.execute(insert(STREAMS).values(id="s", seq=1))
                await conn.execute(text("SET LOCAL work_mem = '64kB'"))
                await conn.execute(text("SET LOCAL temp_file_limit = '64kB'"))
                await conn.execute(
                    text("SELECT * FROM generate_series(1, 100000) n ORDER BY -n OFFSET 99999")
                )

        with pytest.raises(StoreUnavailable):
            await sort()
        assert await count(database) == 0


async def test_a_server_that_is_read_only_is_unavailable(
    postgres: PostgresServer, postgres_url: str
) -> None:
    async with Database(postgres_url) as database, GroupCommit(database) as commits:
        async with database.write() as conn:
            await conn.execute(text("SET default_transaction_read_only = on"))
        with pytest.raises(StoreUnavailable):
            await commits.submit(put("refused"))
        assert commits.failing


async def test_a_wrong_statement_is_not_blamed_on_the_store(postgres_url: str) -> None:
    async with Database(postgres_url) as database:
        with pytest.raises(ProgrammingError):
            async with database.read() as conn:
                await conn.execute(text("SELECT * FROM nowhere"))


async def test_values_that_a_cache_entry_names_are_told_from_others(postgres_url: str) -> None:
    async with Database(postgres_url) as database, database.write() as conn:
        for key in ("named", "gone"):
            await conn.execute(text(f"INSERT INTO outputs VALUES ('{key}', 'x', 1, 0, 0)"))
        await conn.execute(
            text(
                "INSERT INTO cache (key, type, outputs, policy, created_at)"
                " VALUES ('k', 't', CAST(:outputs AS JSON), 'pure', 0)"
            ),
            {"outputs": '{"outputs": {"out": "named"}, "skipped": []}'},
        )
        assert await drop_unnamed(conn, 1.0) == 1
        assert list(await conn.scalars(text("SELECT hash FROM outputs"))) == ["named"]


@pytest.mark.rule("O3")
async def test_a_server_that_restarts_is_missed_only_while_it_is_gone() -> None:
    with PostgresServer() as server:
        async with (
            Database(server.url(server.migrated())) as database,
            GroupCommit(database) as commits,
        ):
            assert await commits.submit(put("before")) == "before"
            server.stop()
            with pytest.raises(StoreUnavailable):
                await count(database)
            with pytest.raises(StoreUnavailable):
                await commits.submit(put("refused"))
            server.start()
            assert await commits.submit(put("after")) == "after"
            assert commits.failing is None
            server.kill()
            await asyncio.to_thread(server.start)
            assert (
                await count(database) == 2
            )  # without an error between: idle connections are replaced


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(UnknownDatabase, match="mysql"):
        Database("mysql://somewhere/x")
    database = Database("postgres://ada@db.example.org/x?sslmode=require")
    assert database.url.drivername == "postgresql+asyncpg"
    assert database.url.query == {"ssl": "require"}
    with pytest.raises(ValidationError, match="postgresql://"):
        Settings(database_url="mysql://somewhere/x")
