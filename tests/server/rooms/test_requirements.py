"""Requirements of a canvas are a root of its document: merged by package, refused where they are no texts of that kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pycrdt import Text

from spellwork.requirements import MAX_REQUIREMENTS
from spellwork.spell import Spell
from spellwork_server.rooms.errors import SchemaViolation
from tests.server.rooms.house import house
from tests.server.rooms.tab import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.rule("18.20")]


async def test_two_people_require_packages_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        await room.apply_update(h.ada, ada.edit(lambda: ada["requirements"].update({"rich": ""})))
        await room.apply_update(
            h.bob, bob.edit(lambda: bob["requirements"].update({"pandas": ">=2"}))
        )
        assert room.spell().requirements == {"pandas": ">=2", "rich": ""}
    async with house(tmp_path, h.canvas) as again, again.rooms.visit(h.canvas) as room:
        assert room.spell().requirements == {"pandas": ">=2", "rich": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"-r": ""},
        {"rich": 2},
        {"rich": Text(">=1")},
        {"rich": "\n"},
        {f"p{number}": "" for number in range(MAX_REQUIREMENTS + 1)},
    ],
    ids=["name", "number", "shared text", "line", "too many"],
)
async def test_what_no_spell_may_hold_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        with pytest.raises(SchemaViolation):
            await room.apply_update(h.ada, tab.edit(lambda: tab["requirements"].update(wrong)))
        assert room.spell().requirements == {}


async def test_replacing_a_canvas_replaces_its_requirements(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        for requirements in ({"rich": "", "pandas": ">=2"}, {"pandas": ">=3"}, {}):
            await room.replace_spell(h.ada, Spell(requirements=requirements))
            assert room.spell().requirements == requirements
