"""Building a plan leaves nothing to the garbage collector, which it may therefore keep off."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from spellwork import Spell, SpellInvalid, Step, compile
from spellwork.collector import collector_paused
from spellwork.program import assemble
from tests.spells.drawing import draw, plan_of
from tests.spells.nodes import library

SPELLS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "wires": ({"a": ("number", {"value": 1}), "b": "add"}, ("a.value -> b.values",)),
    "a fault": ({"a": ("number", {"value": "one"}), "b": "add"}, ("a.value -> b.values",)),
    "a pin": ({"a": {"type": "number", "settings": {"pins": {"value": 1}}}}, ()),
}


@pytest.mark.parametrize("name", SPELLS)
def test_what_building_leaves_behind_is_in_no_circle(name: str) -> None:
    nodes, wires = SPELLS[name]
    spell = draw(nodes, *wires)
    compile(spell, library)  # types resolve their annotations the first time
    gc.collect()
    gc.disable()
    try:
        compile(spell, library)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_collector_is_as_it_was_after_a_plan_and_after_a_refusal() -> None:
    plan_of({"a": "text"})
    assert gc.isenabled()
    with pytest.raises(SpellInvalid):
        compile(Spell.model_validate({"nodes": {"a": {"type": "no.such"}}}), library)
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_spell_that_nobody_keeps_makes_room_for_the_arrays_of_its_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spell = draw({"a": ("number", {"value": 1}), "b": "add"}, "a.value -> b.values")
    kept = weakref.ref(spell)

    def assembled(steps: Sequence[Step]) -> Any:
        assert kept() is None
        return assemble(steps)

    monkeypatch.setattr("spellwork.compiler.assemble", assembled)
    given = [spell]
    del spell
    plan = compile(given.pop(), library)
    assert len(plan) == 2
