"""Compiling is pure and deterministic: order, recipes, bytes, inputs, scope, names in code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spellwork import (
    InvalidInput,
    Port,
    Ports,
    Spell,
    SpellUnreadable,
    compile,
    read_spell,
    suggest_wires,
)
from spellwork.analysis import Analysis
from spellwork.program import MODE_FULL
from spellwork.schemas import mismatch
from tests.spells.drawing import draw, plan_of
from tests.spells.nodes import library

DIAMOND: dict[str, Any] = {"a": ("number", {"value": 1}), "b": "add", "c": "add", "d": "add"}
WIRES = ("a.value -> b.values", "a.value -> c.values", "b.sum -> d.values", "c.sum -> d.values")


@pytest.mark.rule("3.2")
def test_steps_come_after_all_they_need_and_otherwise_by_id() -> None:
    nodes: dict[str, Any] = {"z": ("number", {}), "a": "text", "m": "text"}
    assert [step.id for step in plan_of(nodes, "z.value -> a.value").steps] == ["m", "z", "a"]


@pytest.mark.rule("3.1")
@given(st.permutations(sorted(DIAMOND)), st.permutations(range(4)))
def test_the_order_in_which_a_spell_is_written_does_not_change_the_plan(
    nodes: list[str], edges: list[int]
) -> None:
    spell = draw(DIAMOND, *WIRES).to_json()
    names = sorted(spell["edges"])
    shuffled = spell | {
        "nodes": {id: spell["nodes"][id] for id in nodes},
        "edges": {names[index]: spell["edges"][names[index]] for index in edges},
    }
    assert (
        compile(Spell.model_validate(shuffled), library).to_bytes()
        == plan_of(DIAMOND, *WIRES).to_bytes()
    )


@pytest.mark.rule("3.1")
def test_position_groups_and_notes_do_not_change_the_plan() -> None:
    plain = plan_of({"a": {"type": "number"}})
    placed = compile(
        draw({"a": {"type": "number", "position": [3, 4]}}, notes={"n": {"text": "hi"}}), library
    )
    assert placed.to_bytes() == plain.to_bytes()


@pytest.mark.rule("3.1")
def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "from tests.spells.drawing import plan_of\n"
        "from tests.spells.test_plan import DIAMOND, WIRES\n"
        "print(plan_of(DIAMOND, *WIRES).hash)\n"
    )
    root = Path(__file__).parents[2]
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert hashes == {plan_of(DIAMOND, *WIRES).hash}


@pytest.mark.rule("3.3")
def test_a_change_changes_the_recipes_of_what_depends_on_it_and_no_other() -> None:
    before = plan_of(DIAMOND | {"x": "text"}, *WIRES)
    after = plan_of(DIAMOND | {"x": "text", "a": ("number", {"value": 2})}, *WIRES)
    assert before.index == after.index
    recipes = zip(before.recipes, after.recipes, strict=True)
    shapes = zip(before.shapes, after.shapes, strict=True)
    changed = {id for id, (old, new) in zip(before.index, recipes, strict=True) if old != new}
    assert changed == {"a", "b", "c", "d"}
    assert {id for id, (old, new) in zip(before.index, shapes, strict=True) if old != new} == {"a"}


def given_value(inputs: dict[str, Any], **node: Any) -> Any:
    plan = plan_of(
        {"a": {"type": "number", "name": "Start", **node}, "b": ("count", {})}, inputs=inputs
    )
    return next(binding.given for binding in plan["a"].bindings if binding.port == "value")


@pytest.mark.rule("3.6")
@pytest.mark.parametrize(
    "inputs", [{"a.value": 7}, {"a": 7}, {"Start": 7}, {"Start.value": 7}, {"a": {"value": 7}}]
)
def test_inputs_are_placed_by_node_and_port(inputs: dict[str, Any]) -> None:
    assert given_value(inputs) == 7


@pytest.mark.rule("3.6")
@pytest.mark.parametrize(
    "inputs", [{"nope": 1}, {"a.x": 1}, {"b": 1}, {"": 1}, {"a.value": "x"}, {"a.value": -1}]
)
def test_an_input_that_does_not_fit_is_refused(inputs: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        given_value(inputs)
    key = next(iter(inputs))
    assert repr(key) in caught.value.message
    if key != "a.value":
        assert "a.value" in caught.value.details["allowed"]


GIVEN: list[dict[str, Any]] = [
    {"a": 7},
    {"a": 7, "h.value": 3, "v.value": {"x": [1]}},
    {"c.values": [1, 2]},
    {"u.text": "typed"},
    {"b.values": [5, 6]},
    {"l.values": ["x"], "l.turns": 1},
    {"v": [1, 2]},
    {"u.text": ""},
]


@pytest.mark.rule("3.1", "3.6")
def test_with_inputs_a_spell_that_was_compiled_before_compiles_as_one_that_was_not() -> None:
    nodes: dict[str, Any] = DIAMOND | {
        "h": ("half", {"value": 1}),
        "v": ("value", {"value": {"typed": "in"}}),
        "u": "upper",
        "l": "count",
    }
    spell = draw(nodes, *WIRES, "d.sum -> l.values")
    analysis = Analysis(spell, library)
    before = compile(spell, library, analysis=analysis)
    whole = before.to_bytes(), before.shapes, before.program.template
    for inputs in [*GIVEN, *reversed(GIVEN)]:
        known = compile(spell, library, inputs, analysis=analysis)
        new = compile(spell, library, inputs)
        assert known.to_bytes() == new.to_bytes(), inputs
        assert known.shapes == new.shapes
        for part in ("template", "raw", "gathers", "pending", "constants"):
            assert getattr(known.program, part) == getattr(new.program, part), (part, inputs)
        assert sorted(known.program.mutable) == sorted(new.program.mutable)
        for mode, one in zip(known.program.modes, new.program.modes, strict=True):
            assert mode in (one, MODE_FULL)
        assert [step.fault for step in known.steps] == [step.fault for step in new.steps]
    assert (before.to_bytes(), before.shapes, before.program.template) == whole


@pytest.mark.rule("3.1", "3.6")
def test_an_input_under_a_new_name_is_that_runs_alone() -> None:
    spell = draw({"k": {"type": "code", "code": "("}, "a": ("number", {})})
    analysis = Analysis(spell, library)
    plain = compile(spell, library, analysis=analysis).to_bytes()
    known = compile(spell, library, {"k.extra": 1}, analysis=analysis)
    assert known.to_bytes() == compile(spell, library, {"k.extra": 1}).to_bytes()
    assert [(each.port, each.value) for each in known["k"].bindings if each.port == "extra"] == [
        ("extra", 1)
    ]
    assert compile(spell, library, analysis=analysis).to_bytes() == plain
    other = compile(spell, library, {"a": 2}, analysis=analysis)
    assert other.to_bytes() == compile(spell, library, {"a": 2}).to_bytes()


@pytest.mark.rule("3.5")
def test_a_scope_that_names_an_unknown_node_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'q'"):
        plan_of(DIAMOND, *WIRES, scope=["q"])


NAMES: dict[str, tuple[dict[str, Any], str | None]] = {
    "by name": ({"n1": {"type": "number", "name": "price"}}, "n1"),
    "by id": ({"price": {"type": "number"}}, "price"),
    "a name goes before an id": (
        {"price": {"type": "text"}, "n1": {"type": "number", "name": "price"}},
        "n1",
    ),
    "two of that name bind nothing": (
        {"n1": {"type": "number", "name": "price"}, "n2": {"type": "number", "name": "price"}},
        None,
    ),
    "nobody of that name": ({"n1": {"type": "number"}}, None),
}


@pytest.mark.rule("3.7")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_code_is_a_dependency(name: str) -> None:
    nodes, source = NAMES[name]
    plan = plan_of(nodes | {"c": {"type": "code", "code": "price"}})
    wires = plan["c"].bindings[0].wires
    assert [plan.steps[wire.source].id for wire in wires] == ([source] if source else [])
    assert all(wire.edge is None for wire in wires)


@pytest.mark.rule("3.7")
def test_a_wire_or_a_typed_in_value_goes_before_a_name() -> None:
    named = {"n1": {"type": "number", "name": "x"}, "n2": "text"}
    typed = plan_of(named | {"c": {"type": "code", "code": "x", "inputs": {"x": 1}}})
    wired = plan_of(named | {"c": {"type": "code", "code": "x"}}, "n2.text -> c.x")
    assert typed["c"].bindings[0].wires == ()
    assert wired.steps[wired["c"].bindings[0].wires[0].source].id == "n2"


INTEGER, NUMBER, STRING = {"type": "integer"}, {"type": "number"}, {"type": "string"}
FITS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (INTEGER, NUMBER, True),
    (NUMBER, INTEGER, False),
    ({}, INTEGER, True),
    (STRING, {}, True),
    (STRING, INTEGER, False),
    ({"anyOf": [INTEGER, {"type": "null"}]}, INTEGER, True),
    ({"anyOf": [STRING, {"type": "null"}]}, INTEGER, False),
    (STRING, {"anyOf": [STRING, INTEGER]}, True),
    ({"type": "array", "items": STRING}, {"type": "array", "items": INTEGER}, False),
    ({"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER}, True),
    ({"type": "array"}, {"type": "array", "items": INTEGER}, True),
    ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, True),
    ({"enum": ["a"]}, {"enum": ["c"]}, False),
    (STRING, {"enum": ["c"]}, True),
    ({"type": "object", "properties": {"x": STRING}}, {"type": "object", "properties": {"x": INTEGER}, "required": ["x"]}, False),
    ({"$ref": "#/$defs/A", "$defs": {"A": STRING}}, INTEGER, False),
    ({"type": ["string", "integer"]}, INTEGER, True),
]  # fmt: skip


@pytest.mark.rule("2.5")
@pytest.mark.parametrize(("source", "target", "fits"), FITS)
def test_a_wire_is_refused_only_when_nothing_can_fit(
    source: dict[str, Any], target: dict[str, Any], fits: bool
) -> None:
    reason = mismatch(source, target)
    assert (reason is None) is fits, reason


@pytest.mark.rule("3.8")
def test_wires_are_suggested_by_name_then_by_type() -> None:
    source = Ports(outputs=(Port("text", STRING), Port("count", INTEGER), Port("more", {})))
    target = Ports(
        inputs=(
            Port("size", NUMBER),
            Port("text", STRING),
            Port("rest", {"type": "array"}, required=True),
        )
    )
    assert suggest_wires(source, target) == [("count", "size"), ("text", "text"), ("more", "rest")]
    assert suggest_wires(source, target, frozenset({"text", "size"})) == [("more", "rest")]
    assert (
        suggest_wires(Ports(outputs=(Port("a", STRING),)), Ports(inputs=(Port("b", INTEGER),)))
        == []
    )


@pytest.mark.rule("1.1", "1.2")
@pytest.mark.parametrize(
    ("spell", "field"),
    [
        ({"schema": 2}, "schema"),
        ({"nodes": {"a": {"type": "t.text", "colour": 1}}}, "colour"),
        ({"nodes": {"a b": {"type": "t.text"}}}, "nodes"),
        ({"nodes": {"a": {}}}, "type"),
        ([], ""),
    ],
)
def test_what_is_not_a_spell_is_refused_with_the_field(spell: Any, field: str) -> None:
    with pytest.raises(SpellUnreadable) as caught:
        read_spell(spell)
    assert field in str(caught.value)


@pytest.mark.rule("1.3")
def test_a_spell_with_mistakes_in_it_is_read_whole() -> None:
    drawn = {
        "schema": 1,
        "name": "Wrong",
        "nodes": {"a": {"type": "no.such", "inputs": {"x": 1}, "position": [0, 0]}},
        "edges": {"e": {"source": "a", "output": "o", "target": "gone", "input": "i"}},
    }
    assert read_spell(drawn).to_json() == drawn


@pytest.mark.rule("1.4")
def test_a_spell_is_read_from_json_and_yaml(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"nodes": {"a": {"type": "t.text"}}}')
    (tmp_path / "a.yaml").write_text("nodes:\n  a: {type: t.text}\n")
    assert read_spell(tmp_path / "a.json") == read_spell(tmp_path / "a.yaml")
    (tmp_path / "b.json").write_text("{")
    for path in ("b.json", "missing.json"):
        with pytest.raises(SpellUnreadable, match=path):
            read_spell(tmp_path / path)


BOMB = "schema: 1\nx0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.rule("1.4")
@pytest.mark.parametrize(
    "text",
    [
        BOMB + "nodes: {a: {type: t.text, inputs: {text: *x8}}}\n",
        "nodes: &all {a: *all}\n",
        "nodes: " + "[" * 5_000 + "\n",
    ],
    ids=["aliases of aliases", "in itself", "deep"],
)
def test_a_small_yaml_file_that_stands_for_endless_values_is_refused(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "bomb.yaml").write_text(text)
    with pytest.raises(SpellUnreadable, match="bomb"):
        read_spell(tmp_path / "bomb.yaml")
