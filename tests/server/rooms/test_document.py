"""A spell and its shared document are the same thing in two forms."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from spellwork.spell import Spell
from spellwork_server.rooms.difference import write_spell, write_text
from spellwork_server.rooms.errors import SchemaViolation
from spellwork_server.rooms.parts import Parts, read, read_all
from spellwork_server.rooms.replica import Change, Kind, Replica
from spellwork_server.rooms.update_parser import parse_update
from tests.seeds import examples

HELLO: dict[str, Any] = {
    "name": "Hello",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2, "o": {"x": None, "l": [1, "é😀"]}}},
        "b": {
            "type": "code.python",
            "code": "x * 21  # é😀",
            "position": [240, 0.5],
            "name": "Times",
            "settings": {"timeout": 3, "retries": 1},
            "group": "g",
        },
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
    "groups": {"g": {"name": "G", "color": "#fff"}},
    "notes": {"n": {"text": "# Title\n😀", "position": [1, 2]}},
    "tests": {
        "t": {
            "name": "It multiplies",
            "inputs": {"a.value": None},
            "record": {"a": {"outputs": {"value": [1, None, {"x": None}]}}},
            "expect": {"b": {"outputs": {"result": {"op": "equals", "value": None}}}},
            "timeout": 2.5,
        }
    },
}


def spell_of(body: dict[str, Any]) -> Spell:
    return Spell.model_validate(body)


def write(replica: Replica, parts: Parts, spell: Spell) -> Change:
    change = replica.edit(lambda: write_spell(replica, parts, spell))
    parts.update(read(replica, change.touched))
    return change


@pytest.mark.rule("D1", "D2")
def test_a_spell_survives_the_way_there_and_back() -> None:
    replica, parts = Replica(), Parts()
    change = write(replica, parts, spell_of(HELLO))
    parse_update(change.update)
    assert parts.spell() == spell_of(HELLO)
    assert read_all(Replica([change.update])).spell() == spell_of(HELLO)


@pytest.mark.rule("D3")
def test_writing_the_same_spell_again_changes_nothing() -> None:
    replica, parts = Replica(), Parts()
    write(replica, parts, spell_of(HELLO))
    assert write(replica, parts, spell_of(HELLO)).update == b""


@pytest.mark.rule("D3")
def test_only_what_differs_is_touched() -> None:
    replica, parts = Replica(), Parts()
    write(replica, parts, spell_of(HELLO))
    nodes = HELLO["nodes"] | {"a": HELLO["nodes"]["a"] | {"inputs": {"value": True}}}
    change = write(replica, parts, spell_of(HELLO | {"nodes": nodes}))
    assert change.touched == {("nodes", "a")}
    assert change.fields == set()
    assert parts.spell().nodes["a"].inputs == {"value": True}


@pytest.mark.rule("D3")
@pytest.mark.parametrize(
    ("kind", "key", "name", "value"),
    [("nodes", "a", "type", "core.text"), ("edges", "e", "input", "other")],
)
def test_what_a_thing_must_have_is_never_set_again(
    kind: Kind, key: str, name: str, value: str
) -> None:
    replica, parts = Replica(), Parts()
    drawn = {
        "nodes": {"a": {"type": "core.value"}, "b": {"type": "core.value"}},
        "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "value"}},
    }
    write(replica, parts, spell_of(drawn))
    things = drawn[kind] | {key: drawn[kind][key] | {name: value}}
    change = write(replica, parts, spell_of(drawn | {kind: things}))
    assert change.touched == {(kind, key)}
    assert getattr(parts.of(kind)[key], name) == value
    assert change.fields == set(), "another stands in its place"


@pytest.mark.rule("D2")
def test_numbers_of_javascript_come_back_as_integers_where_they_are() -> None:
    replica = Replica()
    doc: Doc[Any] = Doc()
    doc["nodes"] = Map(
        {"a": Map({"type": "core.value", "inputs": Map({"value": 3.0, "half": 0.5, "big": 1e15})})}
    )
    replica.apply(doc.get_update())
    assert read_all(replica).nodes["a"].inputs == {"value": 3, "half": 0.5, "big": 10**15}
    assert isinstance(read_all(replica).nodes["a"].inputs["value"], int)


@pytest.mark.rule("D2")
def test_an_unknown_node_type_is_kept() -> None:
    replica, parts = Replica(), Parts()
    write(replica, parts, spell_of({"nodes": {"a": {"type": "gone.away", "inputs": {"k": 1}}}}))
    assert parts.spell().nodes["a"].type == "gone.away"


@pytest.mark.rule("U5")
@pytest.mark.parametrize(
    ("kind", "key", "value", "where"),
    [
        ("nodes", "a", "a text", "nodes.a"),
        ("nodes", "a", Map({"inputs": Map({})}), "nodes.a.type"),
        ("nodes", "a", Map({"type": "t", "colour": "red"}), "nodes.a.colour"),
        ("nodes", "a", Map({"type": "t", "code": "plain"}), "nodes.a"),
        ("nodes", "a", Map({"type": "t", "inputs": {"v": 1}}), "nodes.a"),
        ("nodes", "a", Map({"type": "t", "inputs": Map({"v": Map({})})}), "nodes.a"),
        ("nodes", "a", Map({"type": "t", "name": Text("n")}), "nodes.a"),
        ("nodes", "a b", Map({"type": "t"}), "nodes.a b"),
        ("nodes", "a", Map({"type": "t", "position": [1]}), "nodes.a.position"),
        ("nodes", "a", Map({"type": "t", "settings": Map({"timeout": -1})}), "nodes.a.settings"),
        ("edges", "e", Map({"source": "a"}), "edges.e.output"),
        ("notes", "n", Map({"text": "plain"}), "notes.n"),
        ("meta", "name", 7, "meta.name"),
        ("meta", "owner", "me", "meta.owner"),
        ("meta", "schema", 2, "meta.schema"),
    ],
)
def test_what_is_no_part_of_a_spell_is_named(kind: Any, key: str, value: Any, where: str) -> None:
    replica = Replica()
    change = replica.edit(lambda: replica.root(kind).update({key: value}))
    with pytest.raises(SchemaViolation) as refusal:
        read(replica, change.touched)
    assert refusal.value.details["errors"][0]["field"].startswith(where)


@pytest.mark.rule("D1", "U5")
def test_an_array_type_where_a_value_belongs_is_refused() -> None:
    replica = Replica()
    node = Map({"type": "t", "inputs": Map({"v": Array([1])})})
    change = replica.edit(lambda: replica.root("nodes").update({"a": node}))
    with pytest.raises(SchemaViolation):
        read(replica, change.touched)


texts = st.text(alphabet="ab\né😀 ", max_size=40)


@pytest.mark.rule("D3")
@given(before=texts, after=texts)
@settings(max_examples=examples(200), deadline=None)
def test_a_text_becomes_any_other(before: str, after: str) -> None:
    doc: Doc[Any] = Doc()
    doc["t"] = Text(before)
    write_text(doc["t"], after)
    assert str(doc["t"]) == after


@pytest.mark.rule("D3")
def test_a_text_edit_keeps_what_others_type_elsewhere() -> None:
    ours: Doc[Any] = Doc()
    ours["t"] = Text("def f(x):\n    return x\n")
    theirs: Doc[Any] = Doc()
    theirs["t"] = Text()
    theirs.apply_update(ours.get_update())
    theirs["t"].insert(0, "# theirs\n")
    write_text(ours["t"], "def f(x):\n    return x + 1\n")
    ours.apply_update(theirs.get_update())
    assert str(ours["t"]) == "# theirs\ndef f(x):\n    return x + 1\n"


def test_one_moved_node_of_a_thousand_is_read_alone() -> None:
    replica, parts = Replica(), Parts()
    many = {f"n{i}": {"type": "core.value", "inputs": {"value": i}} for i in range(1_000)}
    write(replica, parts, spell_of({"nodes": many}))
    began = time.process_time()
    for i in range(50):
        moved = {"position": [i, 0]}
        change = replica.edit(partial(replica.root("nodes")["n5"].update, moved))
        assert change.touched == {("nodes", "n5")}
        parts.update(read(replica, change.touched))
    assert (time.process_time() - began) / 50 < 0.01
