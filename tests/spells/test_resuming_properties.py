"""Any spell, killed at any event, suspended at any question: resumed, it leaves what an undisturbed run leaves, each node called to its end once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import RunResult
from spellwork.past import onward, without
from tests.seeds import examples

from . import durable
from .durable import World, left_by, plan_of, to_the_end

KINDS = ("mix", "mix", "pay", "ask", "stream", "read", "map", "sub")


@st.composite
def spells(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:  # noqa: C901 - one drawing
    """Draw a spell: nodes that read earlier ones, some of them maps and subspells of a few nodes."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    groups: dict[str, Any] = {}

    def wire(source: str, output: str, target: str, input: str) -> None:
        ends = {"source": source, "output": output, "target": target, "input": input}
        edges[f"e{len(edges):03}"] = ends

    def output_of(id: str) -> str:
        usual = {"core.map": "items", "core.spell": "y"}.get(nodes[id]["type"], "value")
        return draw(st.sampled_from([usual, usual, usual, "error", "all"]))

    def add(id: str, kind: str, earlier: list[str], **fields: Any) -> None:
        own = draw(st.integers(0, 10))
        streams = [each for each in earlier if nodes[each]["type"] == "d.stream"]
        if kind == "read" and not streams:
            kind = "mix"
        nodes[id] = {"type": f"d.{kind}", "inputs": {"own": own}, **fields}
        taken = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
        for each in taken:
            wire(each, output_of(each), id, "values")
        if kind == "read":
            wire(draw(st.sampled_from(streams)), "value", id, "chunks")

    def add_owner(id: str, kind: str, earlier: list[str], deep: int, **fields: Any) -> None:
        group = groups[f"g{id}"] = dict(fields)
        del group
        inside = {"group": f"g{id}"}
        nodes[f"{id}i"] = {"type": "core.input", "inputs": {"name": "item"}, **inside}
        body = [f"{id}i"]
        for number in range(draw(st.integers(1, 3))):
            inner = draw(st.sampled_from(kinds))
            if inner in ("map", "sub"):
                inner = inner if deep else "mix"
            if inner in ("map", "sub"):
                add_owner(f"{id}x{number}", inner, [], deep - 1, **inside)
            else:
                add(f"{id}x{number}", inner, body, **inside)
                body.append(f"{id}x{number}")
        nodes[f"{id}o"] = {"type": "core.output", "inputs": {"name": "y"}, **inside}
        wire(body[-1], output_of(body[-1]) if len(body) > 1 else "value", f"{id}o", "value")
        settings = {"body": {"group": f"g{id}"}}
        if kind == "sub":
            nodes[id] = {"type": "core.spell", "settings": settings, **fields}
            nodes[id]["inputs"] = {"item": draw(st.integers(0, 9))}
            return
        many = draw(st.sampled_from([0, 1, 3, 3, 53] if deep else [0, 1, 2]))
        inputs: dict[str, Any] = {"items": list(range(many)), "at_once": draw(st.integers(1, 3))}
        inputs["on_error"] = draw(st.sampled_from(["fail", "null"]))
        if inputs["on_error"] == "fail":
            inputs["at_once"] = 1  # of several at once it depends on their pace which fails first
        nodes[id] = {"type": "core.map", "inputs": inputs, "settings": settings, **fields}

    top: list[str] = []
    for index in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(kinds))
        if kind in ("map", "sub"):
            add_owner(f"n{index}", kind, top, 1)
        else:
            add(f"n{index}", kind, top)
        top.append(f"n{index}")
    return {"nodes": nodes, "edges": edges, "groups": groups}


def anew() -> World:
    world = durable.world = World()
    return world


def undisturbed(plan: Any, **options: Any) -> RunResult:
    """Run a plan in one go, each question answered when it is asked again."""
    anew()
    return to_the_end(plan, lambda _what, most: most, **options)


@pytest.mark.rule("21.1", "21.4", "21.7")
@settings(deadline=None, max_examples=examples(80))
@given(spells(), st.data(), st.integers(1, 4), st.booleans())
def test_a_run_killed_at_any_event_ends_as_if_it_had_not_been(
    parts: dict[str, Any], data: st.DataObject, kills: int, one_by_one: bool
) -> None:
    plan = plan_of(parts)
    wanted = left_by(undisturbed(plan))
    anew()

    def choose(what: str, most: int) -> int:
        if what == "answers" and one_by_one:
            return 0
        return data.draw(st.integers(0, most), label=what)

    result = to_the_end(plan, choose, kills=kills)
    assert left_by(result) == wanted
    assert not durable.world.wrong


@pytest.mark.rule("21.3")
@settings(deadline=None, max_examples=examples(40))
@given(spells(("mix", "pay", "pay", "ask", "read", "stream", "map", "sub")), st.data())
def test_what_costs_is_called_only_when_that_is_durable(
    parts: dict[str, Any], data: st.DataObject
) -> None:
    plan = plan_of(parts)
    world = anew()
    to_the_end(plan, lambda what, most: data.draw(st.integers(0, most), label=what), kills=2)
    assert not world.wrong


@pytest.mark.rule("21.2", "21.5")
@settings(deadline=None, max_examples=examples(60))
@given(spells(("mix", "mix", "pay", "stream", "read", "map", "sub")), st.data())
def test_what_failed_runs_again_with_all_that_needs_it_and_nothing_else(
    parts: dict[str, Any], data: st.DataObject
) -> None:
    plan = plan_of(parts)
    wanted = left_by(undisturbed(plan))
    mixes = [path for path in durable.world.calls if _type_at(parts, path) in ("d.mix", "d.pay")]
    failing = set(data.draw(st.lists(st.sampled_from(mixes), max_size=3))) if mixes else set()
    world = anew()
    world.failing = failing
    to_the_end(plan, lambda _what, most: most)
    failed = [path for path, event in world.ended().items() if event.kind == "node.failed"]
    kept = without(world.past(), plan, failed)
    world.failing = set()
    world.told = [event for event in world.told if event.node in kept]
    world.calls.clear()
    assert left_by(to_the_end(plan, lambda _what, most: most)) == wanted
    assert not kept.keys() & set(world.calls)


def _type_at(parts: dict[str, Any], path: str) -> str:
    type: str = parts["nodes"][path.rpartition("/")[2]]["type"]
    return type


@pytest.mark.rule("21.1")
@settings(deadline=None, max_examples=examples(40))
@given(spells(("mix", "pay", "map", "sub")), st.data())
def test_a_fork_runs_the_nodes_chosen_and_what_depends_on_them(
    parts: dict[str, Any], data: st.DataObject
) -> None:
    plan = plan_of(parts)
    wanted = left_by(undisturbed(plan))
    past, calls = durable.world.past(), Counter(durable.world.calls)
    chosen = data.draw(st.lists(st.sampled_from(plan.running), max_size=2))
    world = anew()
    kept = without(past, plan, chosen)
    process = durable.Process(plan, kept, resumed=False)
    result = asyncio.run(process.run())
    assert result is not None
    assert left_by(result) == wanted
    again = onward(plan, chosen)
    assert Counter(world.calls) == Counter(
        {path: n for path, n in calls.items() if path.partition("/")[0].partition("[")[0] in again}
    )
    started = world.told[0]
    assert started.kind == "run.started"
    assert started.data is not None
    assert started.data.get("kept", []) == [node for node in plan.running if node not in again]
