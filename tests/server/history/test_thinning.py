"""Old versions are thinned out, and those that stay take over what the others told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spellwork_server.history.body import pack
from spellwork_server.history.thinning import DAY, HOUR, MAX_BYTES, MONTH, thin
from spellwork_server.storage.versions import NewVersion, VersionRecord
from tests.server.storage.databases import KINDS

from .house import house, values

NOW = 400 * DAY


def version(number: int, age: float, **more: Any) -> VersionRecord:
    fields: dict[str, Any] = {
        "id": f"v{number}",
        "canvas_id": "c",
        "number": number,
        "seq": number,
        "name": None,
        "reason": "edited",
        "source": None,
        "kept": False,
        "created_by": None,
        "created_at": NOW - age,
        "authors": (),
        "changes": {},
        "size": 100,
    }
    return VersionRecord(**(fields | more))


def left(ages: list[float], most: int = 500, **more: Any) -> list[float]:
    """Return the ages of what stays, of versions with these ages."""
    versions = [version(len(ages) - n, age, **more) for n, age in enumerate(ages)]
    gone = {each.id for each in thin(versions, NOW, most)}
    return [NOW - each.created_at for each in versions if each.id not in gone]


@pytest.mark.rule("H3")
@pytest.mark.parametrize(
    ("what", "ages", "stay"),
    [
        ("all of the last day", [0, 1, 2, 600, DAY - 1], [0, 1, 2, 600, DAY - 1]),
        (
            "the newest of each hour for a month",
            [0, 2 * DAY + 1, 2 * DAY + 60, 2 * DAY + HOUR + 1],
            [0, 2 * DAY + 1, 2 * DAY + HOUR + 1],
        ),
        (
            "the newest of each day after that",
            [0, 2 * MONTH + 1, 2 * MONTH + HOUR, 2 * MONTH + DAY + 1],
            [0, 2 * MONTH + 1, 2 * MONTH + DAY + 1],
        ),
        ("the newest, however old", [2 * MONTH + 1, 2 * MONTH + 2], [2 * MONTH + 1]),
    ],
)
def test_what_stays_as_versions_get_older(what: str, ages: list[float], stay: list[float]) -> None:
    assert left(ages) == stay, what


@pytest.mark.rule("H3")
def test_a_name_and_a_restore_keep_a_version() -> None:
    ages = [0.0, *(2 * DAY + second for second in range(1, 5))]
    assert left(ages, name="Good") == ages
    assert left(ages, kept=True) == ages


@pytest.mark.rule("H3")
def test_a_canvas_keeps_so_many_and_so_much() -> None:
    assert left([0, 1, 2, 3], most=2) == [0, 1]
    assert left([0, 1, 2, 3], size=MAX_BYTES // 2) == [0, 1]


@pytest.mark.rule("H3")
def test_thinning_again_takes_nothing_more() -> None:
    ages = [n * 700.0 for n in range(600)]
    once = left(ages)
    assert left(once) == once


@pytest.mark.rule("H3")
@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_what_stays_tells_what_those_before_it_told(kind: str, tmp_path: Path) -> None:
    async with house(tmp_path, kind) as world:
        old = world.now - 2 * DAY
        old -= old % HOUR
        steps = [(values(a=1), "ada"), (values(a=1, b=2), "bob"), (values(b=3), "ada")]
        for second, (spell, author) in enumerate(steps):
            new = NewVersion(
                canvas_id=world.canvas,
                seq=second + 1,
                created_at=old + second,
                body=pack(spell.to_json()),
                changes={},
                authors=(getattr(world, author).user_id,),
                name="Begin" if second == 0 else None,
            )
            await world.records.add(new)
        await world.records.add(
            NewVersion(world.canvas, 4, world.now, pack(values(c=1).to_json()), {})
        )
        await world.keeper.thin(world.canvas)
        newest, heir, begin = await world.versions(3)
        assert [newest.number, heir.number, begin.number] == [4, 3, 1]
        assert heir.authors == (world.bob.user_id, world.ada.user_id)
        assert heir.changes["nodes"] == {"added": 1, "removed": 1}


@pytest.mark.rule("H3")
@pytest.mark.anyio
async def test_thinning_comes_with_writing(tmp_path: Path) -> None:
    async with house(tmp_path, versions_kept=3) as world:
        async with world.rooms.visit(world.canvas) as room:
            for number in range(8):
                await room.replace_spell(world.ada, values(a=number))
                version = await world.keeper.save(room, world.ada, "x")
                await world.records.rename(world.canvas, version.id, None)
        async with world.rooms.visit(world.canvas) as room:
            await room.replace_spell(world.ada, values(a=99))
            await world.keeper.save(room, world.ada, "last")
        assert len(await world.records.find(world.canvas)) <= 6
