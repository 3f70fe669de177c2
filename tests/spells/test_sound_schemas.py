"""Schemas that people type in: those that are wrong or endless say less, and hold nobody up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import Library, Spell, validate
from spellwork.schemas import forms_of, mismatch, shown
from spellwork.sound_schemas import sound
from tests.seeds import examples

OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
TREE = {
    "$ref": "#/$defs/tree",
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {"parts": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
        }
    },
}
AGAIN = {"$ref": "#/$defs/a"}
LADDER: dict[str, Any] = {
    f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number - 1}"}] * 2} for number in range(1, 40)
}

CASES: list[tuple[str, Any, Any]] = [
    ("plain", OBJECT, OBJECT),
    ("back to itself by its items", TREE, TREE),
    ("options", {"anyOf": [OBJECT, {"type": "null"}]}, {"anyOf": [OBJECT, {"type": "null"}]}),
    ("several types", {"type": ["string", "null"]}, {"type": ["string", "null"]}),
    ("no schema", [], {}),
    ("no option at all", {"anyOf": []}, {}),
    ("a type of no name", {"type": [[1]]}, {}),
    ("types of two kinds", {"type": [1, "string"]}, {}),
    ("required is no list", OBJECT | {"required": 5}, {"type": "object"}),
    ("fields in a list", {"type": "object", "properties": [1]}, {"type": "object"}),
    ("definitions that are none", AGAIN | {"$defs": 5}, {}),
    ("a reference to nothing", {"$ref": "#/$defs/a"}, {}),
    ("a reference elsewhere", {"$ref": "https://example.org/schema"}, {}),
    ("round", AGAIN | {"$defs": {"a": AGAIN}}, {}),
    ("round by options", AGAIN | {"$defs": {"a": {"anyOf": [AGAIN] * 50}}}, {}),
    ("round inside a field", {"type": "object", "properties": {"x": AGAIN}, "$defs": {"a": AGAIN}}, {"type": "object"}),
    ("too many forms", {"$ref": "#/$defs/d39", "$defs": {"d0": OBJECT} | LADDER}, {}),
    ("too long", {"type": "string", "description": "x" * 20_000}, {"type": "string"}),
]  # fmt: skip


def spell_of(schema: Any) -> Spell:
    """Return a spell that compares an input's schema with another, shows it, and puts a transform behind it."""
    group = {"group": "g"}
    nodes = {
        "sub": {"type": "core.spell", "settings": {"body": group}},
        "in": {"type": "core.input", "inputs": {"name": "x", "schema": schema}, **group},
        "out": {"type": "core.output", "inputs": {"name": "y"}, **group},
        "given": {"type": "core.input", "inputs": {"schema": OBJECT}},
        "join": {"type": "core.join"},
    }
    wires = [
        ("in", "value", "out", "value", []),
        ("given", "value", "sub", "x", []),
        ("sub", "y", "join", "items", [{"op": "pick", "path": "a"}]),
        ("sub", "y", "join", "separator", []),
    ]
    names = ("source", "output", "target", "input", "transform")
    edges = {f"e{place}": dict(zip(names, wire, strict=True)) for place, wire in enumerate(wires)}
    return Spell.model_validate({"nodes": nodes, "edges": edges, "groups": {"g": {}}})


@pytest.mark.rule("13.5")
@pytest.mark.parametrize(("schema", "left"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])  # fmt: skip
def test_what_is_left_of_a_schema(schema: Any, left: Any) -> None:
    assert sound(schema) == left
    begun = time.process_time()
    validate(spell_of(schema), Library.installed())
    assert time.process_time() - begun < 1


WORDS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "oneOf", "$ref", "$defs", "required", "enum", "const", "format"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["string", "object", "array", "#/$defs/a", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.just("a"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=examples(200))
@given(ANYTHING, ANYTHING)
def test_whatever_is_typed_in_can_be_compared_and_shown(one: Any, other: Any) -> None:
    left, right = sound(one), sound(other)
    assert isinstance(mismatch(left, right), str | None)
    assert len(shown(left)) < 10_000
    assert forms_of(left)


def test_schemas_of_node_types_that_branch_for_ever_are_compared_soon() -> None:
    many = {"$ref": "#/$defs/d39", "$defs": {"d0": {"type": "integer"}} | LADDER}
    begun = time.process_time()
    mismatch(many, {"type": "array", "items": {"type": "string"}})
    mismatch({"type": "array"}, many)
    assert forms_of(many) == [{}] or len(forms_of(many)) <= 1_000
    assert len(shown(many)) < 10_000
    assert time.process_time() - begun < 1
