"""For any graph cut anyhow into nested spells and groups: the same outputs as when it is drawn in one piece."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import Spell
from tests.seeds import examples
from tests.spells.nested import draw, run, runs

Graph = list[list[int]]


@st.composite
def graphs(choose: st.DrawFn) -> Graph:
    """Return, for each node, the earlier nodes it reads."""
    size = choose(st.integers(2, 10))
    return [
        choose(st.lists(st.integers(0, index - 1), max_size=3, unique=True)) if index else []
        for index in range(size)
    ]


def inline(graph: Graph) -> tuple[dict[str, Any], list[str]]:
    """Return the nodes and wires of a graph drawn in one piece."""
    nodes = {
        f"n{index}": ("t.add", {} if row else {"values": [1]}) for index, row in enumerate(graph)
    }
    wires = [
        f"n{source}.sum -> n{index}.values"
        for index, row in enumerate(graph)
        for source in sorted(row)
    ]
    return nodes, wires


def cut(graph: Graph, first: int) -> Spell:
    """Return the graph with the nodes from ``first`` on as the group of one owner, which takes what it needs from the others."""
    nodes, wires = inline(graph)
    for index in range(first, len(graph)):
        type, inputs = nodes[f"n{index}"]
        nodes[f"n{index}"] = (type, inputs, {"group": "g"})
        nodes[f"o{index}"] = ("core.output", {"name": f"n{index}"}, {"group": "g"})
        wires.append(f"n{index}.sum -> o{index}.value")
    nodes["owner"] = ("core.spell", {}, runs(group="g"))
    return draw(nodes, *wires)


def child_of(graph: Graph, first: int) -> tuple[Spell, Spell]:
    """Return (parent, child): the nodes from ``first`` on are the child, with an input for each node it takes."""
    taken = sorted({source for row in graph[first:] for source in row if source < first})
    nodes, wires = inline(graph)
    inner: dict[str, Any] = {id: node for id, node in nodes.items() if int(id[1:]) >= first}
    inner |= {f"i{each}": ("core.input", {"name": f"x{each}"}) for each in taken}
    inner |= {
        f"o{each}": ("core.output", {"name": f"n{each}"}) for each in range(first, len(graph))
    }
    inside = [f"n{each}.sum -> o{each}.value" for each in range(first, len(graph))]
    outside = [f"n{each}.sum -> owner.x{each}" for each in taken]
    for wire in wires:
        source, target = (int(end.partition(".")[0][1:]) for end in wire.split(" -> "))
        if target < first:
            outside.append(wire)
        elif source >= first:
            inside.append(wire)
        else:
            inside.append(f"i{source}.value -> n{target}.values")
    outer = {id: node for id, node in nodes.items() if int(id[1:]) < first}
    outer["owner"] = ("core.spell", {}, runs(spell="child"))
    return draw(outer, *outside), draw(inner, *inside, name="Child")


@pytest.mark.rule("13.14")
@settings(deadline=None, max_examples=examples(60))
@given(graphs(), st.data(), st.booleans())
def test_a_nested_spell_gives_what_it_gives_drawn_in_place(
    graph: Graph, data: st.DataObject, told: bool
) -> None:
    first = data.draw(st.integers(0, len(graph) - 1))
    nodes, wires = inline(graph)
    wanted = run(draw(nodes, *wires), told=told)[0].outputs
    parent, child = child_of(graph, first)
    for spell, spells in ((parent, {"child": child}), (cut(graph, first), {})):
        result, _ = run(spell, spells, told=told)
        assert not result.errors
        found = {id: each for id, each in result.outputs.items() if id != "owner"}
        found |= {id: {"sum": value} for id, value in result.outputs["owner"].items()}
        assert found == wanted


@pytest.mark.rule("13.10", "13.14")
@settings(deadline=None, max_examples=examples(40))
@given(graphs(), st.lists(st.integers(-5, 5), max_size=70), st.integers(1, 8), st.booleans())
def test_a_map_gives_for_each_item_what_its_body_gives_for_it_alone(
    graph: Graph, items: list[int], at_once: int, told: bool
) -> None:
    nodes, wires = inline(graph)
    last = len(graph) - 1
    nodes[f"n{last}"] = ("t.add", {})
    nodes |= {"i": ("core.input", {"name": "item", "schema": {"type": "integer"}})}
    nodes |= {"o": "core.output"}
    body = draw(nodes, *wires, f"i.value -> n{last}.values", f"n{last}.sum -> o.value")
    inputs = {"items": items, "at_once": at_once}
    result, _ = run(
        draw({"m": ("core.map", inputs, runs(spell="body"))}), {"body": body}, told=told
    )
    single = draw({"s": ("core.spell", {}, runs(spell="body"))})
    alone = {
        item: run(single, {"body": body}, inputs={"s.item": item})[0].outputs["s"]["o"]
        for item in set(items)
    }
    assert result.outputs["m"]["items"] == [alone[item] for item in items]
