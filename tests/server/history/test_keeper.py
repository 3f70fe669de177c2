"""A version is written whenever a spell of editing ends, and never one like the last."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from spellwork.spell import Spell
from spellwork_server.errors import StoreUnavailable
from spellwork_server.history.body import Drawing, pack, unpack
from spellwork_server.storage.versions import NewVersion, VersionRecord
from tests.server.storage.databases import KINDS

from .house import House, house, values

pytestmark = pytest.mark.anyio


async def spell_of(world: House, version: VersionRecord) -> Spell:
    body = await world.records.body(world.canvas, version.id)
    return Spell.model_validate(unpack(body))


@pytest.mark.rule("H1")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_version_is_written_when_editing_came_to_rest(kind: str, tmp_path: Path) -> None:
    async with house(tmp_path, kind, version_quiet=0.3) as world:
        async with world.rooms.visit(world.canvas) as room:
            await room.replace_spell(world.ada, values(a=1))
            await room.replace_spell(world.bob, values(a=1, b=2))
            await room.replace_spell(None, values(a=1, b=2, c=3))
            (version,) = await world.versions(1)
        assert version.authors == (world.ada.user_id, world.bob.user_id)
        assert (version.number, version.reason, version.name) == (1, "edited", None)
        assert version.changes["nodes"] == {"added": 3}
        assert await spell_of(world, version) == room.spell()
        assert world.told == [version]


@pytest.mark.rule("H1")
async def test_editing_that_goes_on_for_long_gets_versions_on_the_way(tmp_path: Path) -> None:
    async with (
        house(tmp_path, version_longest=0.05) as world,
        world.rooms.visit(world.canvas) as room,
        asyncio.timeout(60),
    ):
        number = 0
        while len(await world.records.find(world.canvas)) < 2:
            number += 1
            await room.replace_spell(world.ada, values(a=number))


@pytest.mark.rule("H1")
async def test_editing_goes_on_where_somebody_comes_right_back(tmp_path: Path) -> None:
    async with house(tmp_path, grace=0) as world:
        await world.draw(world.ada, a=1)
        await world.draw(world.bob, a=2)
    async with house(tmp_path, canvas=world.canvas) as again:
        (version,) = await again.versions(1)
        assert version.authors == (world.ada.user_id, world.bob.user_id)


@pytest.mark.rule("H1")
async def test_a_version_is_written_when_the_last_person_leaves(tmp_path: Path) -> None:
    async with house(tmp_path, grace=0, version_longest=0.1, version_quiet=3_600) as world:
        await world.draw(world.ada, a=1)
        (version,) = await world.versions(1)
        assert await spell_of(world, version) == values(a=1)


@pytest.mark.rule("H1")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_clean_stop_writes_what_was_still_being_edited(kind: str, tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        await world.draw(world.ada, a=1)
        assert await world.records.find(world.canvas) == []
    async with house(tmp_path, canvas=world.canvas) as again:
        (version,) = await again.versions(1)
        assert version.authors == (world.ada.user_id,)


@pytest.mark.rule("H1")
async def test_nothing_is_written_for_what_is_as_it_was(tmp_path: Path) -> None:
    async with house(tmp_path, version_quiet=0.03) as world:
        await world.draw(world.ada, a=1)
        await world.versions(1)
        async with world.rooms.visit(world.canvas) as room:
            await room.replace_spell(world.ada, values(a=2))
            await room.replace_spell(world.ada, values(a=1))
            async with asyncio.timeout(60):
                while (await world.versions(1))[0].seq < room.seq:
                    await asyncio.sleep(0.01)


@pytest.mark.rule("H1")
async def test_moving_a_node_is_a_change_that_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path, version_quiet=0.03) as world:
        await world.draw(world.ada, a=1)
        await world.versions(1)
        moved = values(a=1).to_json()
        moved["nodes"]["a"]["position"] = [300, 40]
        async with world.rooms.visit(world.canvas) as room:
            await room.replace_spell(world.bob, Spell.model_validate(moved))
        newest, _ = await world.versions(2)
        assert newest.changes == {"nodes": {"moved": 1}}
        assert newest.authors == (world.bob.user_id,)


async def test_an_empty_canvas_has_no_version_to_begin_with(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        await world.draw(world.ada)
    async with house(tmp_path, canvas=world.canvas) as again:
        assert await again.records.find(world.canvas) == []


@pytest.mark.rule("H2")
async def test_what_a_crash_left_out_is_written_at_the_next_opening(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        await world.draw(world.ada, a=1)
        await world.draw(world.bob, a=1, b=2)
        world.keeper._sittings.clear()  # the process that would have written it is gone
    async with house(tmp_path, canvas=world.canvas) as again:
        assert await again.records.find(world.canvas) == []
        async with again.rooms.visit(world.canvas) as room:
            await room.replace_spell(again.ada, values(z=9))
            (version,) = await again.versions(1)
            assert version.authors == (world.ada.user_id, world.bob.user_id)
            assert await spell_of(again, version) == values(a=1, b=2)
    async with house(tmp_path, canvas=world.canvas) as after:
        newest, _ = await after.versions(2)
        assert await spell_of(after, newest) == values(z=9)


@pytest.mark.rule("H2")
async def test_a_version_that_cannot_be_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, version_quiet=0.03) as world:
        add, failures = world.records.add, [StoreUnavailable("The disk is full")]

        async def refuse_once(new: NewVersion) -> VersionRecord:
            if failures:
                raise failures.pop()
            return await add(new)

        monkeypatch.setattr(world.records, "add", refuse_once)
        await world.draw(world.ada, a=1)
        (version,) = await world.versions(1)
        assert version.authors == (world.ada.user_id,)


async def test_a_deleted_canvas_is_forgotten(tmp_path: Path) -> None:
    async with house(tmp_path, version_quiet=0.03) as world:
        await world.draw(world.ada, a=1)
        await world.canvases.delete(world.canvas)
        async with asyncio.timeout(60):
            while world.keeper._sittings:
                await asyncio.sleep(0.01)


@pytest.mark.rule("H5")
async def test_saving_names_the_present(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        await world.draw(world.ada, a=1)
        async with world.rooms.visit(world.canvas) as room:
            first = await world.keeper.save(room, world.bob, "First draft")
            assert (first.name, first.reason) == ("First draft", "saved")
            assert (first.created_by, first.authors) == (world.bob.user_id, (world.ada.user_id,))
            second = await world.keeper.save(room, world.ada, "The same again")
            assert second.number == 2
            assert second.changes == {}


@pytest.mark.rule("H5")
async def test_saving_right_after_a_version_was_written_names_that_one(tmp_path: Path) -> None:
    async with house(tmp_path, version_quiet=0.03) as world:
        await world.draw(world.ada, a=1)
        (written,) = await world.versions(1)
        async with world.rooms.visit(world.canvas) as room:
            saved = await world.keeper.save(room, world.bob, "Good")
        assert (saved.id, saved.name, saved.reason) == (written.id, "Good", "saved")
        await world.versions(1)


async def test_the_version_before_a_restore_has_what_was_edited_until_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as world, world.rooms.visit(world.canvas) as room:
        await room.replace_spell(world.ada, values(a=1))
        first = await world.keeper.save(room, world.ada, "One")
        await room.replace_spell(world.ada, values(a=2))
        add, edits = world.records.add, [values(a=2, b=9)]

        async def edited_meanwhile(new: NewVersion) -> VersionRecord:
            if edits:
                await room.replace_spell(world.bob, edits.pop())
            return await add(new)

        monkeypatch.setattr(world.records, "add", edited_meanwhile)
        before, after = await world.keeper.restore(room, world.ada, first)
        assert await spell_of(world, before) == values(a=2, b=9)
        assert await spell_of(world, after) == room.spell() == values(a=1)
        assert before.authors == (world.bob.user_id,)
        assert (after.reason, after.source, after.created_by) == (
            "restored",
            first.id,
            world.ada.user_id,
        )
        kept = [each for each in await world.records.find(world.canvas) if each.kept]
        assert kept == [before]


@pytest.mark.rule("H8")
async def test_a_restore_undoes_no_edit_that_is_in_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        house(tmp_path) as world,
        world.rooms.visit(world.canvas) as room,
        asyncio.TaskGroup() as tasks,
    ):
        await room.replace_spell(world.ada, values(a=1))
        first = await world.keeper.save(room, world.ada, "One")
        await room.replace_spell(world.ada, values(a=2))
        change, edits = room.change_spell, [values(a=2, b=9)]

        async def just_after_another(*asked: Any) -> int:
            if edits:
                tasks.create_task(room.replace_spell(world.bob, edits.pop()))
                await asyncio.sleep(0)  # it is on its way, and not committed
            return await change(*asked)

        monkeypatch.setattr(room, "change_spell", just_after_another)
        before, after = await world.keeper.restore(room, world.ada, first)
        assert await spell_of(world, before) == values(a=2, b=9)
        assert await spell_of(world, after) == room.spell() == values(a=1)


def test_the_steps_of_a_large_spell_add_up_to_it() -> None:
    large = {
        "nodes": {
            f"n{i}": {"type": "core.value", "inputs": {"value": i}, "position": [i, 0]}
            for i in range(600)
        },
        "edges": {
            f"e{i}": {"source": f"n{i}", "output": "value", "target": f"n{i + 1}", "input": "value"}
            for i in range(599)
        },
        "groups": {"g": {"name": "Frame", "position": [0, 0]}},
        "notes": {"n": {"text": "Hello"}},
    }
    for spell in (Spell.model_validate(large), Spell(), values(a=1)):
        body = Drawing.of(spell).pack()
        assert unpack(body) == spell.to_json()
        assert body == Drawing.unpack(body).pack() == pack(spell.to_json())
