"""Versions are numbered, found by page, and named up to a limit, on every store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import insert

from spellwork_server.errors import Conflict, NotFound
from spellwork_server.storage import versions
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.schema import UPDATES
from spellwork_server.storage.users import UserRecords
from spellwork_server.storage.versions import NewVersion, Thinning, VersionRecords

from .databases import KINDS, opened

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("kind", KINDS)]


@asynccontextmanager
async def stored(kind: str, folder: Path) -> AsyncIterator[tuple[VersionRecords, str, Database]]:
    """Give the versions of an empty canvas."""
    async with opened(kind, folder) as database, GroupCommit(database, interval=0) as commits:
        ada = await UserRecords(database).create("ada@example.org")
        canvas = (await CanvasRecords(database).create("Test", ada.id)).id
        yield VersionRecords(database, commits), canvas, database


def new(canvas: str, seq: int = 1, name: str | None = None) -> NewVersion:
    return NewVersion(canvas, seq, 1.0, b"body", {"nodes": {"added": 1}}, ("ada", "bob"), name)


@pytest.mark.rule("H4")
async def test_versions_are_numbered_without_gaps_however_many_are_added_at_once(
    kind: str, tmp_path: Path
) -> None:
    async with stored(kind, tmp_path) as (records, canvas, _):
        added = await asyncio.gather(*(records.add(new(canvas, seq)) for seq in range(1, 6)))
        assert [each.number for each in added] == [1, 2, 3, 4, 5]
        assert await records.find(canvas) == list(reversed(added))
        assert [each.number for each in await records.find(canvas, limit=2, before=4)] == [3, 2]
        assert await records.newest(canvas) == added[-1]
        assert added[0].authors == ("ada", "bob")
        assert (added[0].size, await records.body(canvas, added[0].id)) == (4, b"body")


async def test_a_version_of_another_canvas_is_not_found(kind: str, tmp_path: Path) -> None:
    async with stored(kind, tmp_path) as (records, canvas, _):
        one = await records.add(new(canvas))
        for call in (
            records.get("other", one.id),
            records.body("other", one.id),
            records.rename("other", one.id, "x"),
            records.add(new("other")),
        ):
            with pytest.raises(NotFound):
                await call
        assert await records.newest("other") is None


@pytest.mark.rule("H5")
async def test_names_come_and_go_up_to_a_limit(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MAX_NAMED", 2)
    async with stored(kind, tmp_path) as (records, canvas, _):
        one, two, three = [await records.add(new(canvas, seq)) for seq in (1, 2, 3)]
        await records.rename(canvas, one.id, "One")
        await records.save(canvas, two.id, "Two", "ada")
        for refused in (
            records.rename(canvas, three.id, "Three"),
            records.save(canvas, three.id, "Three", "ada"),
            records.add(new(canvas, 4, "Four")),
        ):
            with pytest.raises(Conflict) as error:
                await refused
            assert error.value.code == "too_many_versions"
        assert (await records.rename(canvas, one.id, "Still one")).name == "Still one"
        assert [each.name for each in await records.find(canvas, named=True)] == [
            "Two",
            "Still one",
        ]
        await records.rename(canvas, one.id, None)
        assert (await records.rename(canvas, three.id, "Three")).lasting


@pytest.mark.rule("H3")
async def test_what_is_thinned_out_is_gone_with_its_number(kind: str, tmp_path: Path) -> None:
    async with stored(kind, tmp_path) as (records, canvas, _):
        one, two = [await records.add(new(canvas, seq)) for seq in (1, 2)]
        await records.thin(Thinning((one.id,), {two.id: (("eve", "ada"), {"renamed": True})}))
        (left,) = await records.find(canvas)
        assert (left.number, left.authors, left.changes) == (2, ("eve", "ada"), {"renamed": True})
        assert (await records.add(new(canvas, 3))).number == 3


@pytest.mark.rule("H1")
async def test_the_log_tells_who_edited_between_two_numbers(kind: str, tmp_path: Path) -> None:
    async with stored(kind, tmp_path) as (records, canvas, database):
        authors = ["ada", "bob", None, "ada", "eve"]
        rows = [
            {"canvas_id": canvas, "seq": seq, "body": b"x", "user_id": user, "created_at": seq / 2}
            for seq, user in enumerate(authors, 1)
        ]
        async with database.write() as conn:
            await conn.execute(insert(UPDATES), rows)
        assert (await records.editing(canvas, 0, 5)).authors == ("ada", "bob", "eve")
        told = await records.editing(canvas, 1, 4)
        assert told.authors == ("bob", "ada")
        assert told.last == 2.0
        assert (await records.editing(canvas, 5, 9)).last is None


async def test_versions_go_with_their_canvas(kind: str, tmp_path: Path) -> None:
    async with stored(kind, tmp_path) as (records, canvas, database):
        await records.add(new(canvas))
        await CanvasRecords(database).delete(canvas)
        assert await records.find(canvas) == []
