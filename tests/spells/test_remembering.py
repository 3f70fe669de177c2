"""The cache by content, why a node ran, and incremental runs that do no more than a change asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from spellwork import (
    CachedOutputs,
    Execution,
    Library,
    MemoryCache,
    Pack,
    RunContext,
    RunMemory,
    Spell,
    compile,
    node,
)
from spellwork.analysis import Analysis
from spellwork.memory import mark_of
from spellwork.values import hash_bytes, plain_bytes, to_json
from tests.spells import nodes
from tests.spells.drawing import kinds, plan_of, run_plan

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def calls() -> list[str]:
    nodes.calls.clear()
    return nodes.calls


def chain(factor: int = 1, cache: str | None = None, **more: Any) -> Any:
    settings = {"settings": {"cache": cache, **more}} if cache else {}
    drawn = {
        "a": {"type": "cached", "inputs": {"factor": factor}, **settings},
        "b": {"type": "cached", **settings},
        "x": {"type": "cached", **settings},
    }
    return plan_of(drawn, "a.value -> b.values")


@pytest.mark.rule("8.1", "7.5")
async def test_equal_content_is_not_run_again(calls: list[str]) -> None:
    cache = MemoryCache()
    first, _ = await run_plan(chain(), cache=cache)
    assert sorted(calls) == ["a", "b", "x"]
    calls.clear()
    second, events = await run_plan(chain(), cache=cache)
    assert calls == []
    assert second.outputs == first.outputs
    assert set(second.why.values()) == {"cached"}
    assert kinds(events, "b") == ["node.done"]


@pytest.mark.rule("8.1")
async def test_the_key_holds_what_a_node_is_given_and_not_where_it_stands(calls: list[str]) -> None:
    cache = MemoryCache()
    await run_plan(plan_of({"a": ("cached", {"factor": 3})}), cache=cache)
    await run_plan(plan_of({"other": ("cached", {"factor": 3})}), cache=cache)
    await run_plan(plan_of({"other": ("cached", {"factor": 4})}), cache=cache)
    assert calls == ["a", "other"]


@pytest.mark.rule("8.1")
async def test_private_outputs_are_kept_for_each_user(calls: list[str]) -> None:
    cache = MemoryCache()
    for user in ("ann", "bob", "ann"):
        await run_plan(
            plan_of({"a": {"type": "cached", "settings": {"cache": "private"}}}),
            cache=cache,
            context=RunContext(user=user),
        )
    assert calls == ["a", "a"]


@pytest.mark.rule("8.2", "7.5")
async def test_what_must_not_be_cached_runs_each_time(calls: list[str]) -> None:
    cache = MemoryCache()
    for _ in range(2):
        result, _ = await run_plan(
            plan_of({"a": {"type": "cached", "settings": {"cache": "none"}}}), cache=cache
        )
        assert result.why == {"a": "not cacheable"}
    assert calls == ["a", "a"]
    assert len(cache) == 0


@pytest.mark.rule("8.2")
async def test_an_output_with_a_time_to_live_expires(calls: list[str]) -> None:
    plan = plan_of({"a": {"type": "cached", "settings": {"ttl": 1e-9}}})
    memory = RunMemory()
    whys = [
        (await run_plan(plan, cache=MemoryCache(), memory=memory))[0].why["a"] for _ in range(2)
    ]
    assert whys == ["new", "expired"]
    long = plan_of({"a": {"type": "cached", "settings": {"ttl": 1_000}}})
    cache = MemoryCache()
    assert [(await run_plan(long, cache=cache))[0].why["a"] for _ in range(2)] == ["new", "cached"]


@pytest.mark.rule("8.2")
async def test_failures_are_not_kept() -> None:
    cache = MemoryCache()
    for _ in range(2):
        result, _ = await run_plan(plan_of({"a": "fail"}), cache=cache)
        assert result.why == {"a": "new"}


@pytest.mark.rule("7.5")
async def test_a_memory_says_why_each_node_ran() -> None:
    memory = RunMemory()
    before = {
        "a": ("number", {"value": 1}),
        "b": "half",
        "c": {"type": "code", "code": "x", "inputs": {"x": 1}},
        "n": "count",
    }
    after = {
        **before,
        "a": ("number", {"value": 2}),
        "c": {"type": "code", "code": "x y", "inputs": {"x": 1, "y": 2}},
    }
    wires = ("a.value -> b.value",)
    whys = [
        (await run_plan(plan_of(drawn, *wires), memory=memory))[0].why
        for drawn in (before, before, after)
    ]
    assert whys == [
        {"a": "new", "b": "new", "c": "new", "n": "not cacheable"},
        {"a": "cached", "b": "cached", "c": "cached", "n": "not cacheable"},
        {
            "a": "input changed (value)",
            "b": "input changed (value)",
            "c": "code changed",
            "n": "not cacheable",
        },
    ]


class Broken:
    """A cache whose reads fail."""

    scope = ""

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        raise OSError("disk")

    def put(self, key: str, outputs: CachedOutputs, policy: Any, ttl: float | None) -> None:
        pass


@pytest.mark.rule("8.4")
async def test_a_cache_that_fails_makes_a_run_slower_not_wrong(calls: list[str]) -> None:
    result, _ = await run_plan(chain(), cache=Broken())
    assert result.outputs["b"] == {"value": 2}
    assert sorted(calls) == ["a", "b", "x"]


@pytest.mark.rule("8.1", "5.6")
async def test_a_skipped_port_comes_back_skipped_from_the_cache() -> None:
    cache = MemoryCache()
    plan = plan_of(
        {"i": ("if", {"condition": False, "value": 1}), "y": "text", "n": "text"},
        "i.yes -> y.value",
        "i.no -> n.value",
    )
    for _ in range(2):
        result, _ = await run_plan(plan, cache=cache)
        assert (set(result.skipped), result.outputs["n"]) == ({"y"}, {"text": "1"})
    assert result.why["i"] == "cached"


@pytest.mark.rule("8.3")
def test_only_what_json_gives_back_unchanged_is_plain() -> None:
    assert plain_bytes({"b": [1, 2.5, None, "x"], "a": True}) == b'{"b":[1,2.5,null,"x"],"a":true}'
    for value in ((1, 2), b"x", float("nan"), object(), {1: 2}, {"x": {1, 2}}):
        assert plain_bytes(value) is None
        assert mark_of(to_json(value)) == mark_of(to_json(value))


def test_the_least_recently_used_go_first_from_a_full_cache() -> None:
    cache = MemoryCache(max_bytes=50)
    for key in "abc":
        cache.put(key, CachedOutputs({"v": "x" * 12}), "deterministic", None)
    assert (len(cache), cache.size <= 50) == (2, True)
    cache.put("huge", CachedOutputs({"v": "x" * 100}), "deterministic", None)
    assert len(cache) == 2


# Incremental runs


def lanes(**changes: Any) -> Any:
    drawn: dict[str, Any] = {
        "a": ("number", {"value": 1}),
        "b": "count",
        "c": ("count", {"give": "same"}),
        "d": "count",
        "x": ("number", {"value": 5}),
        "y": "count",
    }
    wires = (
        "a.value -> b.values",
        "a.value -> c.values",
        "c.value -> d.values",
        "x.value -> y.values",
    )
    return plan_of(drawn | changes, *wires)


@pytest.mark.rule("8.5")
async def test_a_change_runs_what_depends_on_it_and_nothing_else(calls: list[str]) -> None:
    memory = RunMemory()
    first, _ = await run_plan(lanes(), memory=memory, incremental=True)
    assert sorted(calls) == ["b", "c", "d", "y"]
    calls.clear()
    second, events = await run_plan(
        lanes(a=("number", {"value": 2})), memory=memory, incremental=True
    )
    assert sorted(calls) == ["b", "c"]  # c gives the same: d is not run
    assert second.outputs == first.outputs | {"a": {"value": 2}, "b": {"value": [2, "b"]}}
    assert {event.node for event in events} == {None, "a", "b", "c"}
    assert second.why["d"] == second.why["y"] == "cached"
    assert second.why["b"] == "input changed (values)"


@pytest.mark.rule("8.5")
async def test_without_a_change_nothing_runs_and_all_is_in_the_result(calls: list[str]) -> None:
    memory = RunMemory()
    plan = plan_of({"a": "count", "f": "fail", "g": "text"}, "f.value -> g.value")
    first, _ = await run_plan(plan, memory=memory, incremental=True)
    calls.clear()
    second, events = await run_plan(plan, memory=memory, incremental=True)
    assert calls == []
    assert (second.outputs, second.errors, second.skipped) == (
        first.outputs,
        first.errors,
        first.skipped,
    )
    assert [event.kind for event in events] == ["run.started", "run.completed"]


@pytest.mark.rule("8.5")
async def test_nodes_that_come_and_go_are_noticed(calls: list[str]) -> None:
    memory = RunMemory()
    await run_plan(plan_of({"a": "count", "b": "count"}), memory=memory, incremental=True)
    calls.clear()
    result, _ = await run_plan(
        plan_of({"b": "count", "c": "count"}, "b.value -> c.values"),
        memory=memory,
        incremental=True,
    )
    assert calls == ["c"]
    assert set(result.outputs) == {"b", "c"}
    assert set(memory.nodes) == {"b", "c"}


@pytest.mark.rule("8.6")
async def test_after_a_cancelled_run_the_next_looks_at_all_the_change_reached(
    calls: list[str],
) -> None:
    memory = RunMemory()

    def plan(value: int, turns: int) -> Any:
        drawn = {"a": ("number", {"value": value}), "b": ("count", {"turns": turns}), "c": "count"}
        return plan_of(drawn, "a.value -> b.values", "b.value -> c.values")

    await run_plan(plan(1, 0), memory=memory, incremental=True)
    interrupted = Execution(
        plan(2, 0),
        memory=memory,
        incremental=True,
        sink=lambda event: (
            interrupted.cancel() if (event.kind, event.node) == ("node.done", "a") else None
        ),
    )
    assert (await interrupted.run()).status == "cancelled"
    calls.clear()
    result, _ = await run_plan(plan(2, 0), memory=memory, incremental=True)
    assert calls == ["b", "c"]
    assert result.outputs["c"] == {"value": [[2, "b"], "c"]}


def test_the_order_of_fields_is_part_of_a_value() -> None:
    table = [{"species": "Adelie", "count": 146}]
    assert plain_bytes(table) == b'[{"species":"Adelie","count":146}]'
    assert mark_of({"a": 1, "b": 2}) != mark_of({"b": 2, "a": 1})


@pytest.mark.rule("8.7")
@pytest.mark.parametrize(
    ("type", "settings", "why"),
    [
        ("t.text", {}, "cached"),
        ("t.fresh", {}, "not cacheable"),
        ("t.fresh", {"cache": "deterministic"}, "cached"),
    ],
)
async def test_what_came_of_calls_is_kept_only_where_all_of_them_may_be(
    type: str, settings: dict[str, Any], why: str
) -> None:
    inputs = {"type": type, "items": ["x"]}
    plan = plan_of({"m": {"type": "map", "inputs": inputs, "settings": settings}})
    cache, memory = MemoryCache(), RunMemory()
    await run_plan(plan, cache=cache, memory=memory)
    again, _ = await run_plan(plan, memory=memory)
    assert again.why == {"m": why}
    assert len(cache) == (why == "cached")


def test_marks_tell_values_apart_that_are_equal_to_python() -> None:
    alike: list[Any] = [1, True, 1.0, 0, False, 0.0, -0.0, None, "1", 2**63, -(2**63)]
    marks = [mark_of(value) for value in alike]
    assert len(set(marks)) == len(alike)
    assert marks == [mark_of(value) for value in alike]
    assert marks == [hash_bytes(plain_bytes(value) or b"") for value in alike]
    assert mark_of(2**4_000) == mark_of(2**4_000)


@pytest.mark.rule("8.1")
async def test_a_node_that_changes_what_it_is_given_changes_nothing_of_what_is_remembered() -> None:
    @node("t.grow", output="value")
    async def grow(value: tuple) -> int:  # so that its items are the very ones that were typed in
        value[0].append(1)
        return sum(value[0])

    library = Library([Pack("t", "1", "Test", (grow,))])
    memory = RunMemory()
    for items, total in (([1], 2), ([1, 1], 3)):
        drawn = {"a": {"type": "t.grow", "inputs": {"value": [items]}}}
        plan = compile(Spell.model_validate({"name": "s", "nodes": drawn}), library)
        result = await Execution(plan, memory=memory, incremental=True).run()
        assert result.outputs == {"a": {"value": total}}


@pytest.mark.rule("8.1")
@pytest.mark.parametrize(
    ("typed", "given"), [(1, 2), (1, True), ("a", "b"), (0.5, 1.5), ([1], [2]), (None, {"k": 1})]
)
async def test_a_run_with_another_input_is_not_taken_for_one_with_what_is_typed_in(
    typed: Any, given: Any
) -> None:
    seen: list[Any] = []

    @node("t.see", output="value")
    async def see(value: Any, beside: str = "here") -> Any:
        seen.append(value)
        return value

    library = Library([Pack("t", "1", "Test", (see,))])
    drawn = {"a": {"type": "t.see", "inputs": {"value": typed}}}
    spell = Spell.model_validate({"name": "s", "nodes": drawn})
    analysis, cache = Analysis(spell, library), MemoryCache()
    for inputs in ({}, {"a.value": given}, {}, {"a.value": given}, {"a.value": typed}):
        plan = compile(spell, library, inputs=inputs, analysis=analysis)
        result = await Execution(plan, cache=cache).run()
        assert result.outputs == {"a": {"value": inputs.get("a.value", typed)}}
    assert seen == [typed, given]
