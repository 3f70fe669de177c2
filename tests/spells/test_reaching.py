"""Runs of part of a spell: what is needed, only these nodes, or these and what follows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import InvalidInput, Library, NoValue, Plan, RunMemory, RunResult, compile
from spellwork_core import pack as core
from tests.seeds import examples
from tests.spells.drawing import draw, run_plan
from tests.spells.nodes import calls, library

pytestmark = pytest.mark.anyio

DIAMOND = (
    "a.value -> b.values",
    "a.value -> c.values",
    "b.value -> d.values",
    "c.value -> d.values",
)
FOUR = {"a": "cached", "b": "cached", "c": "cached", "d": "cached"}


def plan_of(nodes: dict[str, Any], wires: tuple[str, ...], memory: RunMemory, **how: Any) -> Plan:
    return compile(draw(nodes, *wires), library, memory=memory, **how)


async def run(plan: Plan, memory: RunMemory, **options: Any) -> tuple[RunResult, list[str]]:
    """Return the result and which nodes were called."""
    calls.clear()
    result, _ = await run_plan(plan, memory=memory, **options)
    return result, list(calls)


async def lasting(nodes: dict[str, Any], *wires: str) -> RunMemory:
    """Return what a run of the whole leaves."""
    memory = RunMemory()
    await run_plan(plan_of(nodes, wires, memory), memory=memory)
    return memory


TABLE = {
    ("needed", "c", False): ["a", "c"],
    ("needed", "d", True): ["a", "b", "c", "d"],
    ("only", "a", False): ["a"],
    ("only", "c", True): ["c"],
    ("only", "d", True): ["d"],
    ("only", "b c", True): ["b", "c"],
    ("onward", "c", True): ["c", "d"],
    ("onward", "a", True): ["a", "b", "c", "d"],
    ("onward", "c", False): ["a", "c", "b", "d"],
    ("onward", "d", False): ["a", "b", "c", "d"],
}


@pytest.mark.rule("14.6", "14.7")
@pytest.mark.parametrize("case", TABLE, ids=lambda case: "-".join(map(str, case)))
async def test_what_a_run_takes_in(case: tuple[Any, str, bool]) -> None:
    reach, scope, ran_before = case
    memory = await lasting(FOUR, *DIAMOND) if ran_before else RunMemory()
    plan = plan_of(FOUR, DIAMOND, memory, scope=scope.split(), reach=reach)
    memory_of_run = RunMemory()  # nothing is known of what runs, so that it does
    memory_of_run.nodes |= {id: old for id, old in memory.nodes.items() if id not in plan.running}
    result, called = await run(plan, memory_of_run)
    assert sorted(called) == sorted(TABLE[case]) == sorted(plan.running)
    whole, _ = await run_plan(compile(draw(FOUR, *DIAMOND), library))
    assert result.outputs == {id: whole.outputs[id] for id in sorted(TABLE[case])}
    assert list(result.why) == sorted(TABLE[case])


@pytest.mark.rule("14.7")
@pytest.mark.parametrize(
    ("scope", "names"), [(["c"], ["a"]), (["d"], ["b", "c"]), (["c", "d"], ["a", "b"])]
)
def test_only_names_what_lacks_a_value(scope: list[str], names: list[str]) -> None:
    with pytest.raises(NoValue) as caught:
        plan_of(FOUR, DIAMOND, RunMemory(), scope=scope, reach="only")
    assert caught.value.code == "no_value"
    assert caught.value.details == {"nodes": names}
    assert caught.value.message == (
        f"the last run left no value of {', '.join(map(repr, names))}: run what is needed, too"
    )


@pytest.mark.rule("14.7")
@pytest.mark.parametrize("end", ["fail", "skip"])
async def test_only_needs_a_value_where_the_last_run_left_none(end: str) -> None:
    nodes = {"a": end, "b": "text"}
    memory = await lasting(nodes, "a.value -> b.value")
    with pytest.raises(NoValue):
        plan_of(nodes, ("a.value -> b.value",), memory, scope=["b"], reach="only")


@pytest.mark.rule("14.7")
async def test_only_takes_pins_and_mutes_as_they_are() -> None:
    pinned = {"type": "number", "settings": {"pins": {"value": 4}}}
    muted = {"type": "number", "settings": {"mode": "mute"}}
    nodes = {"a": pinned, "b": "half", "m": muted, "c": "half"}
    wires = ("a.value -> b.value", "m.value -> c.value")
    memory = RunMemory()
    plan = plan_of(nodes, wires, memory, scope=["b", "c"], reach="only")
    result, _ = await run(plan, memory)
    assert result.outputs["b"] == {"value": 2}
    assert result.skipped == {"m": "muted", "c": "'m' is muted"}


@pytest.mark.rule("14.7")
async def test_only_needs_nothing_wrong_upstream_to_be_right() -> None:
    nodes: dict[str, Any] = {"a": ("half", {"value": 4}), "b": "half"}
    wires = ("a.value -> b.value", "a.value -> c.value")
    memory = await lasting(nodes, *wires[:1])
    broken = nodes | {"a": ("half", {"value": "x"}), "c": {"type": "gone"}}
    result, _ = await run(plan_of(broken, wires, memory, scope=["b"], reach="only"), memory)
    assert result.outputs == {"b": {"value": 1}}


@pytest.mark.rule("14.6")
@pytest.mark.parametrize("reach", ["needed", "only", "onward"])
def test_a_scope_that_is_not_there_is_refused(reach: Any) -> None:
    with pytest.raises(InvalidInput, match="which the spell does not have"):
        plan_of(FOUR, DIAMOND, RunMemory(), scope=["x"], reach=reach)


@pytest.mark.rule("14.6")
async def test_what_stands_as_it_was_is_told_of_nowhere() -> None:
    memory = await lasting(FOUR, *DIAMOND)
    plan = plan_of(FOUR, DIAMOND, memory, scope=["d"], reach="only")
    memory.forget("d")
    result, events = await run_plan(plan, memory=memory)
    assert {event.node for event in events} == {None, "d"}
    assert events[0].data == {"nodes": ["d"]}
    assert list(result.outputs) == ["d"]


@pytest.mark.rule("14.7", "8.5")
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 3)), min_size=1, max_size=6))
async def test_after_runs_of_parts_an_incremental_run_leaves_what_a_run_of_the_whole_does(
    edits: list[tuple[str, int]],
) -> None:
    """Change a node and run only that, again and again; then the whole, incrementally."""
    memory = RunMemory()
    nodes: dict[str, Any] = dict(FOUR)
    await run_plan(plan_of(nodes, DIAMOND, memory), memory=memory, incremental=True)
    for id, factor in edits:
        nodes[id] = ("cached", {"factor": factor})
        plan = plan_of(nodes, DIAMOND, memory, scope=[id], reach="only")
        await run_plan(plan, memory=memory, incremental=True)
    plan = plan_of(nodes, DIAMOND, memory)
    result, _ = await run_plan(plan, memory=memory, incremental=True)
    fresh, _ = await run_plan(plan)
    assert result.outputs == fresh.outputs


@pytest.mark.rule("14.6", "14.7")
@pytest.mark.parametrize(
    ("scope", "reach", "running"),
    [
        ("a", "only", ["m"]),
        ("a", "onward", ["m", "z"]),
        ("a", "needed", ["o", "m"]),
        ("m", "only", ["m"]),
        ("o", "onward", ["o", "m", "z"]),
    ],
)
async def test_a_node_in_a_body_runs_with_the_node_whose_body_it_is(
    scope: str, reach: Any, running: list[str]
) -> None:
    spell = draw(
        {
            "o": ("number", {"value": 5}),
            "m": {
                "type": "map",
                "inputs": {"items": [1, 2], "input": "item"},
                "settings": {"body": {"group": "g"}},
            },
            "i": {"type": "input", "inputs": {"name": "item"}, "group": "g"},
            "a": {"type": "add", "group": "g"},
            "z": "text",
        },
        "i.value -> a.values",
        "o.value -> a.values",
        "m.items -> z.value",
        groups={"g": {}},
    )
    body = spell.to_json()
    for id in ("m", "i"):
        body["nodes"][id]["type"] = f"core.{body['nodes'][id]['type'][2:]}"
    spell = spell.model_validate(body)
    both = Library([*library.packs, core])
    memory = RunMemory()
    await run_plan(compile(spell, both), memory=memory)
    plan = compile(spell, both, scope=[scope], reach=reach, memory=memory)
    assert plan.running == running
    result, _ = await run_plan(plan)
    assert result.outputs["m"] == {"items": [7, 8]}
    if reach == "only":
        with pytest.raises(NoValue):
            compile(spell, both, scope=[scope], reach=reach, memory=RunMemory())
