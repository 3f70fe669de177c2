"""A spell in JSON is the same spell, and refused with the same words, however its edges are read."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from spellwork import Edge, Spell, validate
from spellwork import spell as reading
from spellwork.pieces import pieces
from spellwork.spell import LARGE
from tests.spells.drawing import draw
from tests.spells.nodes import library

WIRE: dict[str, Any] = {"source": "a", "output": "o", "target": "b", "input": "i"}
PICK = {"op": "pick", "path": "x"}
NODES = {"a": {"type": "x"}, "b": {"type": "x", "position": [1, 2]}}


def crowd(count: int, **wire: Any) -> dict[str, Any]:
    """Return a spell with so many nodes and edges."""
    nodes = {f"n{number}": {"type": "x", "inputs": {"i": number}} for number in range(count)}
    return {
        "nodes": nodes,
        "edges": {id: WIRE | {"source": id, "target": "n0"} | wire for id in nodes},
    }


CASES: dict[str, Any] = {
    "wires": {"nodes": NODES, "edges": {"e": WIRE}},
    "a name and a schema": {"schema": 1, "name": "N", "edges": {"e": WIRE}},
    "no edges": {"nodes": NODES},
    "empty edges": {"edges": {}},
    "groups and notes": {"edges": {"e": WIRE}, "groups": {"g": {}}, "notes": {"n": {"text": "é"}}},
    "a transform": {"edges": {"e": WIRE | {"transform": [PICK]}, "f": WIRE}},
    "many": crowd(LARGE // 60),
    "some": crowd(9),
    "some with what looks like an end": crowd(
        9, output='x},"y', transform=[PICK, {"op": "default", "value": {"a": {}, "b": 1}}]
    ),
    "some with a bad edge": crowd(9) | {"edges": crowd(9)["edges"] | {"z": {}}},
    "some with a bad node": crowd(9) | {"nodes": crowd(9)["nodes"] | {"z": {}}},
    "nodes that are a text": crowd(9) | {"nodes": "},"},
    "edges that are a text": crowd(9) | {"edges": "}"},
    "another schema": {"schema": 2, "edges": {"e": WIRE}},
    "an unknown field": {"x": 1, "edges": {"e": WIRE}},
    "an unknown field of an edge": {"edges": {"e": WIRE | {"x": 1}}},
    "a field that lacks": {"edges": {"e": {"source": "a"}}},
    "an id with a space": {"edges": {"a b": WIRE}},
    "an end with a line break": {"edges": {"e": WIRE | {"source": "a\n"}}},
    "an end in another script": {"edges": {"e": WIRE | {"target": "é"}}},
    "an end with half a letter": {"edges": {"e": WIRE | {"target": "\ud800"}}},
    "an end without letters": {"edges": {"e": WIRE | {"target": ""}}},
    "a long id": {"edges": {"e" * 65: WIRE}},
    "a long port": {"edges": {"e": WIRE | {"output": "p" * 129}}},
    "a number for a port": {"edges": {"e": WIRE | {"output": 1}}},
    "an unknown transform": {"edges": {"e": WIRE | {"transform": [{"op": "zap"}]}}},
    "too many transforms": {"edges": {"e": WIRE | {"transform": [PICK] * 21}}},
    "edges that are a list": {"edges": [WIRE]},
    "a bad node": {"nodes": {"a": {}}, "edges": {"e": WIRE}},
    "a list": [],
}


def read(how: Any, body: Any) -> Any:
    """Return the spell and which of its fields were given, or what is wrong."""
    try:
        spell = how(body)
    except ValidationError as error:
        return [(each["loc"], each["msg"]) for each in error.errors()]
    given = {id: node.model_fields_set for id, node in spell.nodes.items()}
    return spell, spell.model_fields_set, given, spell.to_json()


@pytest.mark.rule("1.1", "1.2", "1.4")
@pytest.mark.parametrize("name", CASES)
def test_json_is_read_as_its_values_are(name: str) -> None:
    body = CASES[name]
    model = BaseModel.model_validate_json.__func__  # type: ignore[attr-defined] # the slow way
    got = read(Spell.model_validate_json, json.dumps(body))
    assert got == read(lambda value: model(Spell, json.dumps(value)), body)


@pytest.mark.rule("1.1", "1.2", "1.4")
@pytest.mark.parametrize("size", [1, 70, 500])
@pytest.mark.parametrize("name", [name for name in CASES if name != "many"])
def test_json_is_read_in_pieces_as_its_values_are(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGE", 0)
    monkeypatch.setattr(reading, "pieces", partial(pieces, size=size))
    test_json_is_read_as_its_values_are(name)


@pytest.mark.rule("1.1")
def test_an_edge_is_made_and_written_as_the_other_parts_are() -> None:
    edge = Edge.model_validate(WIRE | {"transform": [PICK]})
    assert edge.model_dump(mode="json") == WIRE | {"transform": [PICK]}
    assert edge.model_copy(update={"transform": ()}) == Edge(**WIRE)
    assert Edge(**WIRE).model_dump(exclude_defaults=True) == WIRE
    with pytest.raises(ValidationError):
        Edge.model_validate({"source": "a"})


@pytest.mark.rule("2.7")
def test_the_same_wire_twice_among_many_is_found() -> None:
    ids = [f"n{number}" for number in range(20)]
    wires = [f"{id}.value -> b.values" for id in (*ids, "n3", "n19")]
    problems = validate(
        draw({id: ("number", {"value": 1}) for id in ids} | {"b": "add"}, *wires), library
    )
    assert [(each.code, each.edge, each.details) for each in problems] == [
        ("duplicate_wire", "e020", {"first": "e003"}),
        ("duplicate_wire", "e021", {"first": "e019"}),
    ]
