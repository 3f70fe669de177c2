"""Wires are proposed by name, then by type, then by looking back: one table for the engine and the browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spellwork import Port, Ports, suggest_wires
from spellwork.autoconnect import suggest_edges
from spellwork.ports import RESERVED_PORTS
from spellwork.suggestion import suggest_back
from tests.spells.drawing import draw
from tests.spells.nodes import library

CASES = json.loads(
    (Path(__file__).parents[1] / "cases/suggestions.json").read_text(encoding="utf-8")
)


def port(fields: dict[str, Any]) -> Port:
    return RESERVED_PORTS[fields["role"]] if "role" in fields else Port(**fields)


def ports(inputs: list[Any], outputs: list[Any]) -> Ports:
    return Ports(tuple(map(port, inputs)), tuple(map(port, outputs)))


@pytest.mark.rule("3.8", "15.7", "15.8")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_wires_are_proposed_as_the_table_says(case: dict[str, Any]) -> None:
    target, taken = ports(case["inputs"], []), frozenset(case.get("taken", []))
    earlier = [(each["id"], ports([], each["outputs"])) for each in case["sources"]]
    if "wires" in case:
        id, source = earlier[0]
        found = [[id, output, name] for output, name in suggest_wires(source, target, taken)]
        assert found == case["wires"]
    assert [list(wire) for wire in suggest_back(earlier, target, taken)] == case["back"]


def wires(spell: Any, target: str, source: str | None = None) -> list[str]:
    found = suggest_edges(spell, lambda id: library.ports(spell.nodes[id]), target, source)
    return [f"{edge.source}.{edge.output} -> {edge.target}.{edge.input}" for edge in found]


@pytest.mark.rule("15.8")
def test_looking_back_the_nearest_comes_first_by_wires_and_then_by_place() -> None:
    def at(type: str, x: float) -> dict[str, Any]:
        return {"type": type, "position": [x, 0]}

    nodes = {"far": at("text", 0), "near": at("text", 300), "target": at("upper", 600)}
    assert wires(draw(nodes), "target") == ["near.text -> target.text"]
    # What feeds it already is nearer than what lies beside it.
    nodes = {
        **nodes,
        "target": {"type": "code", "code": "x text", "position": [600, 0]},
    }
    assert wires(draw(nodes, "far.text -> target.x"), "target") == ["far.text -> target.text"]


@pytest.mark.rule("15.8")
def test_nothing_is_wired_in_a_circle_nor_over_what_is_given() -> None:
    nodes = {"a": "upper", "b": "upper"}
    assert wires(draw(nodes, "a.text -> b.text"), "a") == []
    assert wires(draw(nodes, "a.text -> b.text"), "a", "b") == []
    assert wires(draw({"a": "upper", "b": ("upper", {"text": "x"})}), "b") == []
    assert wires(draw({"a": "upper", "b": ("upper", {"text": "x"})}), "b", "a") == [
        "a.text -> b.text"
    ]
