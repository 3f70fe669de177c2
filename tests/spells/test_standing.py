"""Nodes that are pinned, muted or bypassed: what stands for them, and what it keeps from running."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import (
    Context,
    Execution,
    Library,
    Pack,
    Port,
    RunMemory,
    Spell,
    SpellInvalid,
    compile,
    validate,
)
from spellwork import node as stream_node
from tests.seeds import examples
from tests.spells.drawing import draw, kinds, plan_of, run_plan
from tests.spells.nodes import calls, library
from tests.spells.stream_nodes import library as stream_library

pytestmark = pytest.mark.anyio

MUTE, BYPASS = {"mode": "mute"}, {"mode": "bypass"}


def node(type: str, *, settings: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    return {"type": type, "inputs": inputs, "settings": settings}


@dataclass
class Case:
    """A spell, and what its run leaves."""

    nodes: dict[str, Any]
    wires: tuple[str, ...]
    outputs: dict[str, dict[str, Any]]
    why: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


ONE_OF_TWO = node("if", settings={"pins": {"yes": 7}}, value=1, condition=True)

CASES = {
    "a pinned node is not run": Case(
        {"a": node("number", settings={"pins": {"value": 8}}), "b": "half"},
        ("a.value -> b.value",),
        {"a": {"value": 8}, "b": {"value": 4}},
        {"a": "pinned"},
    ),
    "a pinned node needs nothing": Case(
        {"f": "fail", "a": node("half", settings={"pins": {"value": 8}})},
        ("f.value -> a.value",),
        {"a": {"value": 8}},
        {"a": "pinned"},
    ),
    "only outputs with a wire need a pin": Case(
        {"a": ONE_OF_TWO, "b": "text"},
        ("a.yes -> b.value",),
        {"a": {"yes": 7}, "b": {"text": "7"}},
        {"a": "pinned"},
    ),
    "without wires all need one; a pinned output stands in for what the node gives": Case(
        {"a": ONE_OF_TWO}, (), {"a": {"yes": 7}}, {"a": "new"}
    ),
    "partly pinned": Case(
        {
            "a": node("if", settings={"pins": {"no": 7}}, value=1, condition=True),
            "b": ("merge", {}),
        },
        ("a.yes -> b.values", "a.no -> b.values"),
        {"a": {"yes": 1, "no": 7}, "b": {"values": [1, 7]}},
    ),
    "what is pinned is checked where it arrives": Case(
        {"a": node("number", settings={"pins": {"value": "x"}}), "b": "half"},
        ("a.value -> b.value",),
        {"a": {"value": "x"}},
        {"a": "pinned"},
    ),
    "a pinned object of all outputs": Case(
        {"a": node("if", settings={"pins": {"yes": 1, "no": 2}}), "b": "text"},
        ("a.all -> b.value",),
        {
            "a": {"yes": 1, "no": 2, "all": {"yes": 1, "no": 2}},
            "b": {"text": "{'yes': 1, 'no': 2}"},
        },
        {"a": "pinned"},
    ),
    "nothing leaves a muted node": Case(
        {"a": node("number", settings=MUTE), "b": "half", "c": "number"},
        ("a.value -> b.value",),
        {"c": {"value": 0}},
        {"a": "muted"},
        {"a": "muted", "b": "'a' is muted"},
    ),
    "a node that waits for any goes on without a muted one": Case(
        {"a": node("number", settings=MUTE), "b": "number", "c": "merge"},
        ("a.value -> c.values", "b.value -> c.values"),
        {"b": {"value": 0}, "c": {"values": [0]}},
        {"a": "muted"},
        {"a": "muted"},
    ),
    "muted is stronger than pinned": Case(
        {"a": node("number", settings={**MUTE, "pins": {"value": 1}})},
        (),
        {},
        {"a": "muted"},
        {"a": "muted"},
    ),
    "a bypassed node passes what fits": Case(
        {"a": ("number", {"value": 6}), "b": node("half", settings=BYPASS), "c": "half"},
        ("a.value -> b.value", "b.value -> c.value"),
        {"a": {"value": 6}, "b": {"value": 6}, "c": {"value": 3}},
        {"b": "bypassed"},
    ),
    "a wire before a typed-in value": Case(
        {"a": ("number", {"value": 1}), "b": node("if", settings=BYPASS, value=True)},
        ("a.value -> b.condition",),
        {"a": {"value": 1}, "b": {"yes": 1, "no": 1}},
        {"b": "bypassed"},
    ),
    "a typed-in value passes": Case(
        {"b": node("half", settings=BYPASS, value=5)},
        (),
        {"b": {"value": 5}},
        {"b": "bypassed"},
    ),
    "of several wires the first item passes where the list does not fit": Case(
        {
            "a": ("number", {"value": 6}),
            "b": ("number", {"value": 7}),
            "s": node("add", settings=BYPASS),
        },
        ("a.value -> s.values", "b.value -> s.values"),
        {"a": {"value": 6}, "b": {"value": 7}, "s": {"sum": 6}},
        {"s": "bypassed"},
    ),
    "of several wires the list passes where that fits": Case(
        {"a": ("number", {"value": 6}), "s": node("merge", settings=BYPASS)},
        ("a.value -> s.values",),
        {"a": {"value": 6}, "s": {"values": [6]}},
        {"s": "bypassed"},
    ),
    "a type that does not fit does not pass": Case(
        {"a": ("number", {}), "b": node("upper", settings=BYPASS), "c": ("number", {})},
        ("a.value -> b.text",),
        {"a": {"value": 0}, "c": {"value": 0}},
        {"b": "bypassed"},
        {"b": "nothing came that could pass"},
    ),
    "what needs a bypassed node of a failed one is skipped": Case(
        {"a": "fail", "b": node("half", settings=BYPASS), "c": "half"},
        ("a.value -> b.value", "b.value -> c.value"),
        {},
        {"b": "bypassed"},
        {"b": "'a' failed", "c": "'b' was skipped"},
    ),
    "a pin before what passes": Case(
        {
            "a": ("number", {}),
            "b": node("if", settings={**BYPASS, "pins": {"no": 9}}),
            "c": "merge",
        },
        ("a.value -> b.value", "b.yes -> c.values", "b.no -> c.values"),
        {"a": {"value": 0}, "b": {"yes": 0, "no": 9}, "c": {"values": [0, 9]}},
        {"b": "bypassed"},
    ),
    "a type that nobody has, pinned": Case(
        {"a": node("nowhere", settings={"pins": {"out": 4}}, x=1), "b": "half"},
        ("a.out -> b.value",),
        {"a": {"out": 4}, "b": {"value": 2}},
        {"a": "pinned"},
    ),
    "a type that nobody has, muted": Case(
        {"n": "number", "a": node("nowhere", settings=MUTE), "b": "half"},
        ("n.value -> a.x", "a.out -> b.value"),
        {"n": {"value": 0}},
        {"a": "muted"},
        {"a": "muted", "b": "'a' is muted"},
    ),
    "a type that nobody has, bypassed": Case(
        {"n": ("number", {"value": 2}), "a": node("nowhere", settings=BYPASS), "b": "half"},
        ("n.value -> a.x", "a.out -> b.value"),
        {"n": {"value": 2}, "a": {"out": 2}, "b": {"value": 1}},
        {"a": "bypassed"},
    ),
    "a circle that a pin cuts": Case(
        {"a": node("half", settings={"pins": {"value": 2}}), "b": "half"},
        ("a.value -> b.value", "b.value -> a.value"),
        {"a": {"value": 2}, "b": {"value": 1}},
        {"a": "pinned"},
    ),
    "wires that do not fit lead into a muted node": Case(
        {"t": ("text", {"value": "x"}), "a": node("half", settings=MUTE)},
        ("t.text -> a.value", "t.nothing -> a.nowhere"),
        {"t": {"text": "x"}},
        {"a": "muted"},
        {"a": "muted"},
    ),
}


@pytest.mark.rule("14.1", "14.2", "14.3", "14.4")
@pytest.mark.parametrize("watched", [True, False], ids=["watched", "quiet"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_what_stands_for_a_node(case: Case, watched: bool) -> None:
    plan = plan_of(case.nodes, *case.wires)
    result = (await run_plan(plan))[0] if watched else await Execution(plan).run()
    assert result.outputs == case.outputs
    assert result.skipped == case.skipped
    assert {id: result.why[id] for id in case.why} == case.why


@pytest.mark.rule("14.1", "14.2", "14.3")
async def test_what_is_not_run_is_told_as_done_or_skipped_with_why_and_never_as_started() -> None:
    drawn = {
        "a": node("number", settings={"pins": {"value": 8}}),
        "b": node("half", settings=BYPASS),
        "c": node("half", settings=MUTE),
    }
    result, events = await run_plan(plan_of(drawn, "a.value -> b.value", "b.value -> c.value"))
    told = {event.node: (event.kind, event.why, event.outputs) for event in events if event.node}
    assert told == {
        "a": ("node.done", "pinned", {"value": 8}),
        "b": ("node.done", "bypassed", {"value": 8}),
        "c": ("node.skipped", "muted", None),
    }
    assert [len(kinds(events, id)) for id in "abc"] == [1, 1, 1]
    assert result.ok


@pytest.mark.rule("14.4")
def test_what_is_wrong_with_a_node_that_is_not_run_is_a_warning() -> None:
    drawn = draw({"a": node("nowhere", settings=MUTE), "b": node("half", settings=BYPASS)})
    found = {(each.node, each.code, each.severity) for each in validate(drawn, library)}
    assert found == {
        ("a", "unknown_node_type", "warning"),
        ("b", "missing_input", "warning"),
    }


@pytest.mark.rule("14.4")
def test_a_type_that_nobody_has_must_run_where_an_output_that_is_needed_is_not_pinned() -> None:
    drawn = draw({"a": node("nowhere", settings={"pins": {"x": 1}}), "b": "half"}, "a.y -> b.value")
    with pytest.raises(SpellInvalid) as caught:
        compile(drawn, library)
    assert caught.value.code == "unknown_node_type"


@pytest.mark.rule("14.1", "14.6")
def test_a_scope_takes_nothing_in_that_only_a_pinned_node_would_need() -> None:
    drawn = {"a": "number", "b": node("half", settings={"pins": {"value": 1}}), "c": "half"}
    plan = plan_of(drawn, "a.value -> b.value", "b.value -> c.value", scope=["c"])
    assert [step.id for step in plan.steps] == ["b", "c"]


@pytest.mark.rule("14.5")
@pytest.mark.parametrize(
    "change",
    [MUTE, BYPASS, {"pins": {"value": 1}}, {"pins": {"value": [{"deep": None}]}}],
    ids=["mute", "bypass", "pin", "another pin"],
)
def test_modes_and_pins_are_part_of_what_a_node_is_made_of(change: dict[str, Any]) -> None:
    wires = ("a.value -> b.value", "b.value -> c.value")
    plain = plan_of({"a": "number", "b": "half", "c": "half"}, *wires)
    other = plan_of({"a": "number", "b": node("half", settings=change), "c": "half"}, *wires)
    assert plain.recipes[plain.index["a"]] == other.recipes[other.index["a"]]
    assert plain.recipes[plain.index["b"]] != other.recipes[other.index["b"]]
    assert plain.recipes[plain.index["c"]] != other.recipes[other.index["c"]]


@pytest.mark.rule("14.5")
def test_limits_and_live_settings_are_not() -> None:
    change = {"limits": {"rate": 1}, "debounce": 1, "quiet": ["value"]}
    plain, other = plan_of({"a": "number"}), plan_of({"a": node("number", settings=change)})
    assert plain.recipes[plain.index["a"]] == other.recipes[other.index["a"]]


@pytest.mark.rule("14.5", "8.5")
@pytest.mark.parametrize(
    "how", [MUTE, BYPASS, {"pins": {"value": 1}}], ids=["mute", "bypass", "pin"]
)
async def test_an_incremental_run_follows_as_a_node_is_stood_in_for_and_runs_again(
    how: dict[str, Any],
) -> None:
    memory = RunMemory()
    wires = ("a.value -> b.values", "b.value -> c.values")

    async def run(settings: dict[str, Any]) -> tuple[list[str], dict[str, dict[str, Any]]]:
        calls.clear()
        nodes = {
            "a": ("number", {"value": 3}),
            "b": node("cached", settings=settings),
            "c": "cached",
        }
        result, _ = await run_plan(plan_of(nodes, *wires), memory=memory, incremental=True)
        return list(calls), result.outputs

    first = await run({})
    assert first[0] == ["b", "c"]
    stood = await run(how)
    assert "b" not in stood[0]
    assert await run(how) == ([], stood[1])
    assert (await run({})) == (["b", "c"], first[1])


@pytest.mark.rule("14.1")
@settings(max_examples=examples(40), deadline=None)
@given(st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
async def test_pins_of_what_a_node_gives_change_nothing_else(
    pinned: set[int], wired: set[int]
) -> None:
    """Pin any nodes of a chain with branches to what they give: every output stays, and no pinned one is called."""
    wires = [f"n{index}.value -> n{index + 1}.values" for index in range(5)]
    wires += [f"n{index}.value -> n5.values" for index in wired if index < 4]
    nodes: dict[str, Any] = {f"n{index}": "cached" for index in range(6)}
    plain, _ = await run_plan(plan_of(nodes, *wires))
    for index in pinned:
        nodes[f"n{index}"] = node("cached", settings={"pins": plain.outputs[f"n{index}"]})
    calls.clear()
    result, _ = await run_plan(plan_of(nodes, *wires))
    assert result.outputs == plain.outputs
    assert sorted(calls) == [f"n{index}" for index in range(6) if index not in pinned]


@pytest.mark.rule("14.1")
async def test_who_reads_the_stream_of_a_pinned_output_reads_what_is_pinned() -> None:
    @stream_node(
        "p.pair",
        returns="ports",
        outputs=(Port("left", stream=True), Port("right", stream=True)),
        cache="none",
    )
    async def pair(ctx: Context) -> dict[str, list[int]]:
        for number in range(3):
            ctx.emit("left", number)
            ctx.emit("right", number)
            await asyncio.sleep(0)
        return {"left": [0, 1, 2], "right": [0, 1, 2]}

    spell = Spell.model_validate(
        {
            "nodes": {
                "p": {"type": "p.pair", "settings": {"pins": {"left": [10, 20]}}},
                "l": {"type": "s.total"},
                "r": {"type": "s.total"},
            },
            "edges": {
                "e": {"source": "p", "output": "left", "target": "l", "input": "items"},
                "f": {"source": "p", "output": "right", "target": "r", "input": "items"},
            },
        }
    )
    both = Library([*stream_library.packs, Pack("p", "1", "P", (pair,))])
    result, _ = await run_plan(compile(spell, both))
    assert result.outputs["p"] == {"left": [10, 20], "right": [0, 1, 2]}
    assert (result.outputs["l"], result.outputs["r"]) == ({"sum": 30}, {"sum": 3})
