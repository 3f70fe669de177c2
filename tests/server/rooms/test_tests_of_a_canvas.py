"""Tests are things of the shared document: merged field by field, held to what a test is, kept when nodes go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pycrdt import Map, Text

from spellwork import Library
from spellwork.spell import Spell
from spellwork.spell_test import MAX_TESTS
from spellwork_server.rooms.errors import SchemaViolation
from spellwork_server.rooms.inspector import inspect
from tests.server.rooms.house import house
from tests.server.rooms.tab import Tab

pytestmark = [pytest.mark.anyio, pytest.mark.rule("J6")]

EXPECTED = {"outputs": {"value": {"op": "equals", "value": None}}}


async def test_two_people_edit_one_test_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        made = ada.edit(lambda: ada["tests"].update({"t": Map({"name": "T", "expect": Map()})}))
        await room.apply_update(h.ada, made)
        bob.apply(made)
        one = ada.edit(lambda: ada["tests"]["t"]["expect"].update({"a": EXPECTED}))
        other = bob.edit(lambda: bob["tests"]["t"]["expect"].update({"b": {"status": "skipped"}}))
        await room.apply_update(h.ada, one)
        await room.apply_update(h.bob, other)
        expect = room.spell().tests["t"].to_json()["expect"]
        assert expect == {"a": EXPECTED, "b": {"status": "skipped"}}
    async with house(tmp_path, h.canvas) as again, again.rooms.visit(h.canvas) as room:
        assert room.spell().tests["t"].to_json()["expect"] == expect


@pytest.mark.parametrize(
    "wrong",
    [
        {"t": "a text"},
        {"t": Map({"nam": "x"})},
        {"t": Map({"name": Text("x")})},
        {"t": Map({"expect": {"a": EXPECTED}})},
        {"t": Map({"expect": Map({"a": Map({})})})},
        {"t": Map({"expect": Map({"a": {"status": "eval"}})})},
        {"a b": Map({})},
        {f"t{number}": Map({}) for number in range(MAX_TESTS + 1)},
    ],
    ids=["text", "field", "shared name", "plain map", "deep map", "status", "id", "too many"],
)
async def test_what_is_no_test_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        with pytest.raises(SchemaViolation):
            await room.apply_update(h.ada, tab.edit(lambda: tab["tests"].update(wrong)))
        assert room.spell().tests == {}


async def test_a_value_of_a_test_that_nests_too_deep_is_refused(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    spell = Spell.model_validate({"tests": {"t": {"inputs": {"a": deep}}}})
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        with pytest.raises(SchemaViolation):
            await room.replace_spell(h.ada, spell)


async def test_a_test_stays_whole_while_its_node_is_away(tmp_path: Path) -> None:
    spell = Spell.model_validate(
        {"nodes": {"a": {"type": "core.value"}}, "tests": {"t": {"expect": {"a": EXPECTED}}}}
    )
    library = Library.installed()
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        await room.replace_spell(h.ada, spell)
        assert inspect(room.spell(), library)[0] == []
        without = spell.model_copy(update={"nodes": {}})
        await room.replace_spell(h.ada, without)
        assert room.spell().tests == spell.tests
        [problem] = inspect(room.spell(), library)[0]
        assert (problem["code"], problem["severity"]) == ("invalid_test", "warning")
        await room.replace_spell(h.ada, spell)
        assert inspect(room.spell(), library)[0] == []
