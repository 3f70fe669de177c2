"""What is kept of accounts, sign-ins, keys and canvases: one contract over every kind of database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import Conflict, NotFound
from spellwork_server.storage.api_keys import ApiKeyRecords
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.schema import EVENTS, RUNS, STREAMS, UPDATES
from spellwork_server.storage.sign_ins import SignInRecords
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords
from tests.server.storage.databases import KINDS, opened

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(request.param, tmp_path) as database:
        yield database


# Accounts


async def test_an_account_is_found_by_id_and_by_address_in_any_case(database: Database) -> None:
    users = UserRecords(database)
    made = await users.create(" Ada@Example.org ", name="Ada", role="admin", password_hash="h")
    assert made.email == "ada@example.org"
    assert await users.get(made.id) == made
    assert await users.by_email("ADA@example.ORG") == made
    assert await users.get("nobody") is None


async def test_an_address_has_one_account(database: Database) -> None:
    users = UserRecords(database)
    await users.create("ada@example.org")
    with pytest.raises(Conflict) as refusal:
        await users.create("Ada@example.org")
    assert refusal.value.code == "email_taken"


async def test_changing_an_account_that_is_not_there_is_not_found(database: Database) -> None:
    users = UserRecords(database)
    with pytest.raises(NotFound):
        await users.update("nobody", name="x")
    with pytest.raises(NotFound):
        await users.require("nobody")


async def test_administrators_are_counted_unless_disabled(database: Database) -> None:
    users = UserRecords(database)
    ada = await users.create("ada@example.org", role="admin")
    await users.create("grace@example.org")
    assert await users.administrators() == 1
    assert await users.administrators(besides=ada.id) == 0
    await users.update(ada.id, disabled_at=1.0)
    assert await users.administrators() == 0


async def test_an_administrator_is_unclaimed_until_one_has_a_password(database: Database) -> None:
    users = UserRecords(database)
    assert await users.unclaimed_administrator() is None
    ada = await users.create("ada@example.org", role="admin")
    assert await users.unclaimed_administrator() == ada
    await users.update(ada.id, password_hash="h")
    assert await users.unclaimed_administrator() is None


# Sign-ins


async def test_a_link_is_used_once_and_not_after_its_time(database: Database, clock: Clock) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    await records.add_link(ada.id, "one", clock.now + 10)
    assert await records.use_link("one") == ada.id
    assert await records.use_link("one") is None
    await records.add_link(ada.id, "two", clock.now + 10)
    clock.now += 11
    assert await records.use_link("two") is None


async def test_a_new_link_replaces_the_unused_one(database: Database, clock: Clock) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    await records.add_link(ada.id, "one", clock.now + 10)
    await records.add_link(ada.id, "two", clock.now + 10)
    assert await records.use_link("one") is None
    assert await records.use_link("two") == ada.id


@pytest.mark.rule("S25")
async def test_a_refresh_token_used_again_later_revokes_its_family(
    database: Database, clock: Clock
) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    family = await records.begin(ada.id, "one", clock.now + 100)
    assert await records.alive(family)
    assert (await records.rotate("one", "two", clock.now + 100)).outcome == "rotated"
    clock.now += 9
    assert (await records.rotate("one", "again", clock.now + 100)).outcome == "rotated"
    clock.now += 2  # since the first use, not the second
    assert (await records.rotate("one", "three", clock.now + 100)).outcome == "reused"
    assert not await records.alive(family)
    assert (await records.rotate("again", "four", clock.now + 100)).outcome == "revoked"


@pytest.mark.rule("S25")
async def test_a_refresh_token_used_twice_at_once_has_one_successor(
    database: Database, clock: Clock
) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    family = await records.begin(ada.id, "one", clock.now + 100)
    both = await asyncio.gather(
        records.rotate("one", "two", clock.now + 100), records.rotate("one", "too", clock.now + 100)
    )
    assert [each.outcome for each in both] == ["rotated", "rotated"]
    assert (await records.rotate("one", "last", clock.now + 100)).outcome == "rotated"
    clock.now += 60
    assert (await records.rotate("last", "next", clock.now + 100)).outcome == "rotated"
    assert await records.alive(family)
    assert (await records.rotate("two", "never", clock.now + 100)).outcome == "reused"
    assert not await records.alive(family)


@pytest.mark.rule("S25")
async def test_a_refresh_token_whose_successor_was_used_revokes_its_family_at_once(
    database: Database, clock: Clock
) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    family = await records.begin(ada.id, "one", clock.now + 100)
    await records.rotate("one", "two", clock.now + 100)
    await records.rotate("two", "three", clock.now + 100)
    assert (await records.rotate("one", "four", clock.now + 100)).outcome == "reused"
    assert not await records.alive(family)


async def test_a_refresh_token_ends_with_its_time(database: Database, clock: Clock) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    await records.begin(ada.id, "one", clock.now + 100)
    clock.now += 101
    assert (await records.rotate("one", "two", clock.now + 100)).outcome == "expired"
    assert (await records.rotate("never", "two", clock.now + 100)).outcome == "unknown"


async def test_revoking_a_users_sign_ins_may_spare_one(database: Database, clock: Clock) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = SignInRecords(database, clock)
    kept, ended = [await records.begin(ada.id, name, clock.now + 9) for name in ("one", "two")]
    await records.revoke(user_id=ada.id, keep=kept)
    assert (await records.alive(kept), await records.alive(ended)) == (True, False)


# API keys


async def test_a_key_is_listed_until_it_is_revoked(database: Database, clock: Clock) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    records = ApiKeyRecords(database, clock)
    key = await records.create(ada.id, "laptop", "sw_abc", "hash")
    assert await records.by_hash("hash") == key
    assert await records.of_user(ada.id) == [key]
    clock.now += 5
    await records.touch(key.id)
    found = await records.get(key.id)
    assert found is not None
    assert found.last_used_at == clock.now
    await records.revoke(key.id)
    assert await records.of_user(ada.id) == []
    revoked = await records.by_hash("hash")
    assert revoked is not None
    assert revoked.revoked_at == clock.now


# Canvases


async def test_a_canvas_is_seen_by_its_members_only(database: Database) -> None:
    users, canvases = UserRecords(database), CanvasRecords(database)
    ada, grace = [await users.create(f"{name}@example.org") for name in ("ada", "grace")]
    canvas = await canvases.create("One", ada.id)
    assert await canvases.seen_by(ada.id) == [(canvas, "owner")]
    assert await canvases.seen_by(grace.id) == []
    await canvases.set_member(canvas.id, grace.id, "viewer")
    await canvases.set_member(canvas.id, grace.id, "editor")
    assert await canvases.seen_by(grace.id) == [(canvas, "editor")]
    assert await canvases.seen_by(None) == [(canvas, None)]


async def test_a_change_of_members_counts_at_once_and_is_told(database: Database) -> None:
    users, canvases = UserRecords(database), CanvasRecords(database)
    ada, grace = [await users.create(f"{name}@example.org") for name in ("ada", "grace")]
    canvas = await canvases.create("One", ada.id)
    told: list[str] = []
    canvases.watch(told.append)
    assert grace.id not in (await canvases.access(canvas.id)).roles
    await canvases.set_member(canvas.id, grace.id, "runner")
    assert (await canvases.access(canvas.id)).roles[grace.id] == "runner"
    assert await canvases.remove_member(canvas.id, grace.id)
    assert not await canvases.remove_member(canvas.id, grace.id)
    assert grace.id not in (await canvases.access(canvas.id)).roles
    assert set(told) == {canvas.id}


class Overtaken(Database):
    """A database in which something changes just after it was read."""

    change: Callable[[], Awaitable[object]] | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with super().read() as conn:
            yield conn
        if self.change is not None:
            change, self.change = self.change, None
            await change()


async def test_what_was_read_while_members_changed_is_not_believed(tmp_path: Path) -> None:
    async with Overtaken(f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}") as database:
        await upgrade(database)
        ada, grace = [await UserRecords(database).create(f"{name}@example.org") for name in "ag"]
        canvases = CanvasRecords(database)
        canvas = await canvases.create("One", ada.id)
        await canvases.set_member(canvas.id, grace.id, "editor")
        database.change = lambda: canvases.remove_member(canvas.id, grace.id)
        await canvases.access(canvas.id)
        assert canvases.known_access(canvas.id) is None
        assert grace.id not in (await canvases.access(canvas.id)).roles


async def test_deleting_a_canvas_takes_its_edits_runs_and_streams_along(database: Database) -> None:
    ada = await UserRecords(database).create("ada@example.org")
    canvases = CanvasRecords(database)
    canvas, other = [await canvases.create(name, ada.id) for name in ("One", "Two")]
    async with database.write() as conn:
        for each in (canvas, other):
            stream = f"canvas:{each.id}"
            await conn.execute(
                insert(UPDATES).values(canvas_id=each.id, seq=1, body=b"x", created_at=1.0)
            )
            await conn.execute(
                insert(RUNS).values(
                    id=each.id,
                    canvas_id=each.id,
                    user_id=ada.id,
                    stream=stream,
                    status="completed",
                    mode="once",
                    audience="shared",
                    created_at=1.0,
                    request={},
                )
            )
            for name in (stream, f"{stream}:user:{ada.id}"):
                await conn.execute(insert(STREAMS).values(id=name, seq=1))
                await conn.execute(
                    insert(EVENTS).values(
                        stream=name, seq=1, run=each.id, kind="run.started", at=1.0, body=b"{}"
                    )
                )
    await canvases.delete(canvas.id)
    async with database.read() as conn:
        assert list(await conn.scalars(select(UPDATES.c.canvas_id))) == [other.id]
        assert list(await conn.scalars(select(RUNS.c.id))) == [other.id]
        assert {row.run for row in await conn.execute(select(EVENTS.c.run))} == {other.id}
        assert len(list(await conn.scalars(select(STREAMS.c.id)))) == 2
    with pytest.raises(NotFound):
        await canvases.get(canvas.id)
    with pytest.raises(NotFound):
        await canvases.access(canvas.id)
    with pytest.raises(NotFound):
        await canvases.delete(canvas.id)
