"""What a run is given of its past it does not do again, and says so; barriers come before and after what costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from spellwork import (
    Context,
    Ended,
    Event,
    Execution,
    Library,
    Limits,
    MemoryCache,
    NodeFailure,
    Pack,
    RunContext,
    RunMemory,
    RunResult,
    Spell,
    compile,
    node,
)
from spellwork.past import onward, without
from spellwork_core import pack as core
from tests.spells.drawing import plan_of, run_plan
from tests.spells.durable import past_of
from tests.spells.nested import draw, in_group, run, runs
from tests.spells.nested import library as nested
from tests.spells.nodes import calls

pytestmark = pytest.mark.anyio

TWO: dict[str, Any] = {"a": ("count", {}), "b": ("count", {})}
WIRE = "a.value -> b.values"

made: list[Any] = []
"""The items of which a node was called, with its keys."""


@node("k.item", output="value", cache="none")
async def item_of(ctx: Context, item: Any = None) -> Any:
    """Give the item, and note the call."""
    made.append((item, ctx.idempotency_key))
    return item


@node("k.plain", output="value")
async def plain(item: Any = None) -> Any:
    """Do the same, and may be cached."""
    made.append((item, ""))
    return item


@node("k.twice", output="values", cache="none")
async def twice(ctx: Context) -> Any:
    """Call another node twice with the same, and once with something else."""
    for item in (1, 1, 2):
        await ctx.call("k.item", {"item": item})


@node("k.stumbling", output="value", cache="none", retries=2, backoff=0)
async def stumbling(ctx: Context) -> Any:
    """Fail twice."""
    made.append((ctx.attempt, ctx.idempotency_key))
    if ctx.attempt < 3:
        raise ValueError("not yet")


library = Library(
    [Pack(name="k", version="1", title="K", nodes=(item_of, plain, twice, stumbling)), core]
)


def mapped(type: str, many: int, **inputs: Any) -> Any:
    """Return the plan of a map over numbers whose body is one node of a type."""
    nodes = {
        "m": ("core.map", {"items": list(range(many)), **inputs}, runs(group="g")),
        "i": ("core.input", {"name": "item"}, in_group("g")),
        "x": (type, {}, in_group("g")),
        "o": ("core.output", {"name": "y"}, in_group("g")),
    }
    return compile(draw(nodes, "i.value -> x.item", "x.value -> o.value"), library)


async def durably(plan: Any, **options: Any) -> tuple[RunResult, list[Event]]:
    """Run a plan with a barrier that lets everything pass."""

    async def barrier() -> None:
        pass

    return await run_plan(plan, barrier=barrier, **options)


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    calls.clear()
    made.clear()


@pytest.mark.rule("21.1", "21.2")
async def test_what_had_ended_is_not_done_again_and_nothing_is_told_of_it() -> None:
    past = {"a": Ended({"value": ["then"]}, why="not cacheable", duration=2.0)}
    result, events = await run_plan(plan_of(TWO, WIRE), past=past, resumed=True)
    assert calls == ["b"]
    assert result.outputs == {"a": {"value": ["then"]}, "b": {"value": [["then"], "b"]}}
    assert (result.why["a"], result.durations["a"]) == ("not cacheable", 2.0)
    assert [(event.kind, event.node) for event in events] == [
        ("run.resumed", None),
        ("node.started", "b"),
        ("node.done", "b"),
        ("run.completed", None),
    ]
    assert events[0].data == {"nodes": ["a", "b"], "kept": ["a"]}


@pytest.mark.rule("21.1")
async def test_failures_and_skips_of_the_past_stand() -> None:
    failure = NodeFailure("exception", "ValueError: no")
    nodes: dict[str, Any] = {"a": "fail", "b": ("count", {}), "c": ("count", {}), "d": ("text", {})}
    plan = plan_of(nodes, "a.value -> b.values", "a.error -> d.value")
    past = {"a": Ended(failure=failure), "b": Ended(skipped="'a' failed")}
    result, _ = await run_plan(plan, past=past)
    assert result.errors == {"a": failure}
    assert result.skipped == {"b": "'a' failed"}
    assert calls == ["c"]
    assert "exception" in result.outputs["d"]["text"]


@pytest.mark.rule("21.1")
async def test_a_run_of_which_all_had_ended_ends_at_once() -> None:
    plan = plan_of(TWO, WIRE)
    first, events = await run_plan(plan)
    again, _ = await run_plan(plan, past=past_of(events), resumed=True)
    assert (again.outputs, again.status) == (first.outputs, "completed")
    assert calls == ["a", "b"]


@pytest.mark.rule("21.1")
async def test_nobody_looks_up_the_past_but_the_memory_has_it() -> None:
    plan, memory = plan_of({"a": ("cached", {}), "b": ("cached", {})}, WIRE), RunMemory()
    looked: list[str] = []

    class Cache(MemoryCache):
        async def get_many(self, keys: Any) -> Any:
            looked.extend(keys)
            return await super().get_many(keys)

    _, events = await run_plan(plan)
    calls.clear()
    await run_plan(plan, past=past_of(events), memory=memory, cache=Cache())
    assert (calls, looked) == ([], [])
    changed = plan_of({"a": ("cached", {}), "b": ("cached", {"factor": 2})}, WIRE)
    result, _ = await run_plan(changed, memory=memory)
    assert result.why == {"a": "cached", "b": "input changed (factor)"}


@pytest.mark.rule("21.1")
async def test_an_incremental_run_goes_on_from_its_past_and_its_memory() -> None:
    memory, plan = RunMemory(), plan_of({**TWO, "c": ("count", {})}, WIRE)
    await run_plan(plan, memory=memory)
    changed = plan_of({**TWO, "a": ("count", {"give": 5}), "c": ("count", {})}, WIRE)
    calls.clear()
    past = {"a": Ended({"value": 5}), "c": Ended({"value": ["not this"]})}
    result, _ = await run_plan(changed, memory=memory, incremental=True, past=past)
    assert calls == ["b"]
    assert result.outputs == {
        "a": {"value": 5},
        "b": {"value": [5, "b"]},
        "c": {"value": ["c"]},
    }


@pytest.mark.rule("21.1", "21.4")
@pytest.mark.parametrize("type", ["k.item", "k.plain"])
async def test_of_a_map_only_those_items_are_done_that_were_not(type: str) -> None:
    plan = mapped(type, 1_000, at_once=8)
    whole, events = await durably(plan)
    ended = {
        path: each
        for path, each in past_of(events).items()
        if path != "m" and int(path.partition("[")[2].partition("]")[0]) < 600
    }
    made.clear()
    result, _ = await durably(plan, past=ended, resumed=True)
    assert result.outputs == whole.outputs
    assert sorted(item for item, _ in made) == list(range(600, 1_000))


@pytest.mark.rule("21.4", "13.6")
async def test_items_are_told_in_full_where_that_matters_and_else_as_a_whole() -> None:
    _, costly = await durably(mapped("k.item", 60))
    assert sum(event.node == "m[59]/x" for event in costly) == 2
    _, cheap = await durably(mapped("k.plain", 60))
    told = {event.node: event for event in cheap if event.node and event.node.startswith("m[5")}
    assert told["m[59]"].outputs == {"y": 59}
    assert "m[59]/x" not in told
    _, usual = await run_plan(mapped("k.plain", 60))
    assert "m[59]" not in {event.node for event in usual}


@pytest.mark.rule("21.1")
async def test_another_attempt_at_an_owner_begins_anew_inside() -> None:
    nodes = {
        "s": ("core.spell", {}, {"settings": {"body": {"group": "g"}, "retries": 1, "backoff": 0}}),
        "x": ("k.item", {"item": 1}, in_group("g")),
    }
    plan = compile(draw(nodes), library)
    past = {"s/x": Ended(failure=NodeFailure("exception", "once"))}
    result, _ = await run_plan(plan, past=past)
    assert not result.errors
    assert len(made) == 1


@pytest.mark.rule("21.2")
def test_what_runs_again_is_the_nodes_and_all_that_needs_them() -> None:
    nodes: dict[str, Any] = {name: ("count", {}) for name in "abcd"}
    plan = plan_of(nodes, "a.value -> b.values", "b.value -> c.values")
    assert onward(plan, ["b", "gone"]) == {"b", "c"}
    assert onward(plan, []) == set()


@pytest.mark.rule("21.2")
@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["a"], set()),
        (["m"], {"a"}),
        (["m[1]/x"], {"a", "m[0]/x", "m[0]/y", "m[2]"}),
        (["m[0]/y"], {"a", "m[0]/x", "m[1]/x", "m[2]"}),
        (["m[2]"], {"a", "m[0]/x", "m[0]/y", "m[1]/x"}),
        (["after"], {"a", "m", "m[0]/x", "m[0]/y", "m[1]/x", "m[2]"}),
        ([], {"a", "m", "m[0]/x", "m[0]/y", "m[1]/x", "m[2]", "after", "after/z"}),
    ],
)
def test_a_past_is_kept_but_for_what_runs_again(paths: list[str], kept: set[str]) -> None:
    nodes = {
        "a": ("t.count", {}),
        "m": ("core.map", {}, runs(group="g")),
        "i": ("core.input", {"name": "item"}, in_group("g")),
        "x": ("t.text", {}, in_group("g")),
        "y": ("t.upper", {}, in_group("g")),
        "after": ("t.count", {}),
    }
    wires = ("a.value -> m.items", "i.value -> x.value", "x.text -> y.text")
    plan = compile(draw(nodes, *wires, "m.items -> after.values"), nested)
    names = ["a", "m", "m[0]/x", "m[0]/y", "m[1]/x", "m[2]", "after", "after/z"]
    past = {name: Ended({}) for name in names}
    assert without(past, plan, paths).keys() == (kept | {"after/z"} if "after" in kept else kept)


@pytest.mark.rule("21.3")
async def test_barriers_are_before_and_after_what_costs() -> None:
    said: list[str] = []

    async def barrier() -> None:
        said.append("barrier")
        await asyncio.sleep(0)

    def sink(event: Event) -> None:
        if event.node is not None:
            said.append(f"{event.kind.partition('.')[2]} {event.node}")

    plan = plan_of({"a": ("count", {}), "b": ("text", {}), "c": ("skip", {})}, "a.value -> b.value")
    await Execution(plan, sink=sink, barrier=barrier).run()
    of_a = said.index("started a")
    assert said.count("barrier") == 2
    assert said.index("barrier") > of_a
    assert said.index("done a") > said.index("barrier")
    assert said.index("started b") > len(said) - 1 - said[::-1].index("barrier")


@pytest.mark.rule("21.3")
@pytest.mark.parametrize(
    ("declared", "committed"),
    [
        ({}, False),
        ({"side_effects": True}, True),
        ({"cache": "none"}, True),
        ({"limiter": "somebody"}, True),
        ({"cache": "none", "committed": False}, False),
        ({"committed": True}, True),
        ({"cache": "none", "body_ports": lambda *_: None}, False),
    ],
)
def test_types_are_committed_by_what_they_do_unless_they_say(
    declared: Mapping[str, Any], committed: bool
) -> None:
    @node("t.some", **declared)
    async def some() -> None:
        """Do nothing."""

    assert some.is_committed == committed


@pytest.mark.rule("21.3")
@pytest.mark.parametrize("limits", [{}, {"settings": {"limits": {"concurrency": 1}}}])
@pytest.mark.parametrize("after", [0, 1])
async def test_a_barrier_that_breaks_ends_the_run(limits: dict[str, Any], after: int) -> None:
    left = after

    async def barrier() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError("the disk is gone")

    nodes: dict[str, Any] = {"a": {"type": "count", **limits}, "b": ("count", {}), "c": "wait"}
    result, events = await run_plan(plan_of(nodes, WIRE), barrier=barrier)
    assert result.status == "failed"
    assert result.error is not None
    assert "the disk is gone" in result.error.message
    assert calls == ["a"] * after
    assert events[-1].kind == "run.failed"


@pytest.mark.rule("21.3")
async def test_a_failure_is_durable_before_anything_reads_it() -> None:
    durable: list[str | None] = []
    told: list[Event] = []

    async def barrier() -> None:
        await asyncio.sleep(0)
        durable[:] = [event.kind for event in told if event.node == "f"]

    @node("k.fails", output="value", side_effects=True)
    async def fails() -> Any:
        raise ValueError("no")

    @node("k.sees", output="value")
    async def sees(error: Any) -> Any:
        return list(durable)

    both = Library([Pack(name="k", version="1", title="K", nodes=(fails, sees))])
    spell = {
        "nodes": {"f": {"type": "k.fails"}, "s": {"type": "k.sees"}},
        "edges": {"e": {"source": "f", "output": "error", "target": "s", "input": "error"}},
    }
    plan = compile(Spell.model_validate(spell), both)
    result = await Execution(plan, sink=told.append, barrier=barrier).run()
    assert result.outputs["s"] == {"value": ["node.started", "node.failed"]}


@pytest.mark.rule("21.1")
async def test_what_had_ended_is_no_call_that_counts() -> None:
    plan = plan_of({name: ("number", {}) for name in "abc"})
    past = {"a": Ended({"value": 1}), "b": Ended({"value": 2})}
    assert (await Execution(plan, past=past, limits=Limits(calls=1)).run()).status == "completed"
    assert (await Execution(plan, limits=Limits(calls=1)).run()).status == "failed"


@pytest.mark.rule("21.5")
async def test_keys_are_the_same_at_each_attempt_and_differ_elsewhere() -> None:
    plan = compile(draw({"a": "k.stumbling", "b": "k.stumbling"}), library)
    await Execution(plan, run_id="r").run()
    first = {key for _, key in made}
    assert len(made) == 6
    assert len(first) == 2
    await Execution(plan, run_id="r", past={"a": Ended({"value": None})}).run()
    assert made[-1][1] in first
    await Execution(plan, run_id="other").run()
    assert not {key for _, key in made[-6:]} & first


@pytest.mark.rule("21.5")
async def test_calls_within_a_call_have_keys_of_their_own() -> None:
    plan = compile(draw({"a": "k.twice"}), library)
    await Execution(plan, run_id="r").run()
    await Execution(plan, run_id="r").run()
    keys = [key for _, key in made]
    assert len(set(keys)) == 3
    assert keys[:3] == keys[3:]
    made.clear()
    await Execution(mapped("k.item", 3), run_id="r").run()
    assert len({key for _, key in made}) == 3


@pytest.mark.rule("21.1")
def test_a_stream_that_had_ended_is_its_whole() -> None:
    nodes = {"a": ("t.tokens", {"parts": ["x", "y"]}), "b": ("t.upper", {})}
    _, events = run(draw(nodes, "a.text -> b.text"))
    past = past_of(events)
    del past["b"]
    result, told = run(draw(nodes, "a.text -> b.text"), past=past, resumed=True)
    assert result.outputs["b"]["text"] == result.outputs["a"]["text"].upper()
    assert "node.chunk" not in {event.kind for event in told}


@pytest.mark.rule("21.10")
@pytest.mark.parametrize("type", ["core.delay", "core.wait"])
def test_a_delay_goes_on_with_what_was_left_of_it(type: str) -> None:
    nodes: dict[str, Any] = {
        "d": (type, {"value": 1, "seconds": 3_600}),
        "m": ("core.map", {"items": [1, 2]}, runs(group="g")),
        "x": (type, {"seconds": 3_600}, in_group("g")),
    }
    before = time.time() - 3_599.9
    context = RunContext(begun=dict.fromkeys(("d", "m[0]/x", "m[1]/x"), before))
    result, _ = run(draw(nodes), context=context, limits=Limits(seconds=60))
    assert result.status == "completed"
    assert result.outputs["d"] == {"value": 1}


@pytest.mark.rule("21.10")
def test_what_is_tried_again_begins_anew() -> None:
    seen: list[float | None] = []

    @node("k.since", output="value", cache="none", retries=1, backoff=0)
    async def since(ctx: Context) -> None:
        """Note since when it goes, and fail."""
        seen.append(ctx.begun_at)
        raise ValueError("no")

    library = Library([Pack(name="k", version="1", title="K", nodes=(since,))])
    plan = compile(draw({"s": "k.since", "t": "k.since"}), library)
    asyncio.run(Execution(plan, context=RunContext(begun={"s": 5.0})).run())
    assert sorted(seen, key=str) == [5.0, None, None, None]


@pytest.mark.rule("14.12")
def test_what_a_run_took_before_counts() -> None:
    spell = draw({"d": ("core.delay", {"seconds": 60})})
    result, _ = run(spell, limits=Limits(seconds=1_000, spent=999.99))
    assert (result.status, result.error and result.error.code) == ("failed", "run_timeout")
    assert result.error is not None
    assert result.error.details == {"seconds": 1_000}


@pytest.mark.rule("5.1")
def test_a_failure_says_in_json_where_trying_again_is_of_no_use() -> None:
    failure = NodeFailure("bad", "It is bad", retryable=False)
    assert failure.to_json() == {
        "code": "bad",
        "message": "It is bad",
        "attempts": 1,
        "retryable": False,
    }
    assert "retryable" not in NodeFailure("busy", "It is busy").to_json()
