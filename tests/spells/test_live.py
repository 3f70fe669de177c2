"""Live sessions: what a change runs, what it overtakes, where it ends, and how it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spellwork import (
    SKIP,
    Context,
    Event,
    Execution,
    InvalidInput,
    Library,
    Limits,
    LiveSession,
    MemoryCache,
    Pack,
    Plan,
    RunMemory,
    Spell,
    SpellInvalid,
    compile,
    node,
)
from tests.spells.drawing import draw, kinds
from tests.spells.nodes import pack as common
from tests.spells.stream_nodes import library as streams

pytestmark = pytest.mark.anyio

calls: list[str] = []
gates: dict[str, asyncio.Event] = {}
cancelled: list[str] = []


@pytest.fixture(autouse=True)
def clean() -> None:
    calls.clear()
    gates.clear()
    cancelled.clear()


@node("l.number", output="value")
async def number(value: int = 0) -> int:
    """A number."""
    return value


@node("l.sum", output="value", many=("values",))
async def total(ctx: Context, values: list[Any] | None = None, plus: int = 0) -> int:
    """The sum."""
    calls.append(ctx.node_id)
    gathered: int = sum(values or [], plus)
    return gathered


@node("l.sign", output="value")
async def sign(ctx: Context, value: int = 0) -> int:
    """1 above zero, else 0."""
    calls.append(ctx.node_id)
    return int(value > 0)


@node("l.gated", output="value")
async def gated(ctx: Context, value: Any = None) -> Any:
    """The value, once the gate of that value is open."""
    calls.append(f"{ctx.node_id}({value})")
    try:
        await gates.setdefault(f"{ctx.node_id}({value})", asyncio.Event()).wait()
    except asyncio.CancelledError:
        cancelled.append(f"{ctx.node_id}({value})")
        raise
    return value


@node("l.stubborn", output="value")
async def stubborn(ctx: Context, value: Any = None) -> Any:
    """The value; a cancel is swallowed once."""
    calls.append(f"{ctx.node_id}({value})")
    try:
        await gates.setdefault(f"{ctx.node_id}({value})", asyncio.Event()).wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0)
    return value


@node("l.button", output="pressed", cache="none")
async def button(ctx: Context, times: int = 0, silent: bool = False) -> Any:
    """The same each time it is pressed."""
    calls.append(ctx.node_id)
    return SKIP if silent else True


@node("l.triggered", output="value", triggers=("go",))
async def triggered(ctx: Context, value: Any = None, go: Any = "never given") -> Any:
    """The value and what the trigger brought."""
    calls.append(ctx.node_id)
    return [value, go]


@node("l.draft", output="value", preview=True)
async def draft(value: int = 0) -> int:
    """Cheap: one more."""
    return value + 1


@node("l.fails", output="value")
async def fails(value: int = 0) -> int:
    """Fail for numbers below zero."""
    if value < 0:
        raise ValueError("below zero")
    return value


@node("l.append", output="items")
async def append(items: list[int]) -> list[int]:
    """Change what it is given."""
    items.append(0)
    return items


pack = Pack(
    name="l",
    version="1",
    title="Live",
    nodes=(number, total, sign, gated, stubborn, button, triggered, draft, fails, append),
)
library = Library([common, pack])


def spell(nodes: dict[str, Any], *wires: str) -> Spell:
    """Draw a spell of ``l.`` types; see ``drawing.draw``."""
    drawn = draw(dict.fromkeys(nodes, "text"), *wires)
    body = drawn.to_json()
    body["nodes"] = {id: _node(each) for id, each in nodes.items()}
    return Spell.model_validate(body)


def _node(each: Any) -> dict[str, Any]:
    if isinstance(each, str):
        return {"type": f"l.{each}"}
    if isinstance(each, tuple):
        return {"type": f"l.{each[0]}", "inputs": each[1]}
    return {**each, "type": f"l.{each['type']}"}


def plan(nodes: dict[str, Any], *wires: str) -> Plan:
    return compile(spell(nodes, *wires), library)


def ignore(_event: Event) -> None:
    """A sink for sessions whose events do not matter: one that is told goes other ways than one that is not."""


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


DIAMOND = (
    {"a": "number", "l": "sum", "r": "sum", "j": "sum", "x": "sum"},
    "a.value -> l.values",
    "a.value -> r.values",
    "l.value -> j.values",
    "r.value -> j.values",
)


# What a change runs


@pytest.mark.rule("11.1")
@pytest.mark.parametrize("told", [False, True])
async def test_only_what_depends_on_a_change_runs_each_node_once(told: bool) -> None:
    async with LiveSession(plan(*DIAMOND), sink=ignore if told else None) as session:
        await session.settled()
        assert sorted(calls) == ["j", "l", "r", "x"]
        calls.clear()
        session.set("a.value", 2)
        result = await session.settled()
        assert sorted(calls) == ["j", "l", "r"]
        assert session.outputs["j"] == {"value": 4}
        assert result.why == {
            "a": "input changed (value)",
            "j": "input changed (values)",
            "l": "input changed (values)",
            "r": "input changed (values)",
            "x": "cached",
        }


@pytest.mark.rule("11.1")
async def test_changes_of_one_turn_are_acted_on_together() -> None:
    drawn = plan(
        {"a": "number", "b": "number", "s": "sum"}, "a.value -> s.values", "b.value -> s.values"
    )
    async with LiveSession(drawn) as session:
        await session.settled()
        calls.clear()
        for value in range(5):
            session.set("a", value)
            session.set("b", value)
        await turns()
        assert session.value("s") == 8
        assert calls == ["s"]


@pytest.mark.rule("11.2")
@pytest.mark.parametrize("told", [False, True])
async def test_a_change_ends_where_an_output_comes_out_equal(told: bool) -> None:
    drawn = plan(
        {"a": ("number", {"value": 1}), "s": "sign", "z": "sum"},
        "a.value -> s.value",
        "s.value -> z.values",
    )
    async with LiveSession(drawn, sink=ignore if told else None) as session:
        await session.settled()
        calls.clear()
        session.set("a.value", 5)
        await session.settled()
        assert calls == ["s"]
        session.set("a.value", 5)
        await session.settled()
        assert calls == ["s"]


@pytest.mark.rule("11.2")
async def test_a_list_that_was_changed_in_place_counts_as_changed() -> None:
    drawn = plan(
        {"g": {"type": "append", "inputs": {"items": [1]}}, "t": "gated"}, "g.items -> t.value"
    )
    gates["t([1, 0])"] = asyncio.Event()
    gates["t([1, 0])"].set()
    gates["t([2, 0])"] = gates["t([1, 0])"]
    async with LiveSession(drawn) as session:
        await session.settled()
        session.rerun("g")
        await session.settled()
        assert session.value("g") == [1, 0]
        assert calls == ["t([1, 0])"]
        session.set("g.items", [2])
        await session.settled()
        assert session.value("t") == [2, 0]


@pytest.mark.rule("11.1")
async def test_definitions_may_be_set_in_any_order_and_redefined() -> None:
    """Observable: cells are evaluated by what they refer to, and again when that is redefined."""
    wires = ("b.value -> a.values",)
    async with LiveSession(
        spell({"a": "sum", "b": ("number", {"value": 1})}, *wires), library
    ) as session:
        await session.settled()
        assert session.value("a") == 1
        session.replace(spell({"a": "sum", "b": ("number", {"value": 7})}, *wires))
        await session.settled()
        assert session.value("a") == 7
        session.replace(spell({"a": ("sum", {"plus": 1}), "b": ("number", {"value": 7})}, *wires))
        result = await session.settled()
        assert result.outputs == {"b": {"value": 7}, "a": {"value": 8}}
        assert result.why == {"b": "cached", "a": "input changed (plus)"}


@pytest.mark.rule("11.1")
async def test_a_node_that_is_new_runs_and_one_that_is_gone_has_no_outputs() -> None:
    async with LiveSession(spell({"a": "number", "b": "sum"}), library) as session:
        await session.settled()
        calls.clear()
        session.replace(spell({"a": "number", "c": "sum"}, "a.value -> c.values"))
        await session.settled()
        assert list(session.outputs) == ["a", "c"]
        assert calls == ["c"]


@pytest.mark.rule("11.1")
async def test_a_value_that_was_set_outlives_an_edit_elsewhere_and_not_one_of_the_same_input() -> (
    None
):
    async with LiveSession(
        spell({"a": ("number", {"value": 1}), "b": "number"}), library
    ) as session:
        session.set("a", 5)
        await session.settled()
        session.replace(spell({"a": ("number", {"value": 1}), "b": ("number", {"value": 2})}))
        await session.settled()
        assert session.outputs == {"a": {"value": 5}, "b": {"value": 2}}
        session.replace(spell({"a": ("number", {"value": 3}), "b": ("number", {"value": 2})}))
        await session.settled()
        assert session.value("a") == 3


@pytest.mark.rule("11.1")
async def test_what_does_not_compile_changes_nothing() -> None:
    async with LiveSession(spell({"a": "number"}), library) as session:
        await session.settled()
        with pytest.raises(SpellInvalid):
            session.replace(spell({"a": "no_such"}))
        assert (await session.settled()).outputs == {"a": {"value": 0}}


@pytest.mark.parametrize(
    ("key", "value"),
    [("a.value", "x"), ("nobody", 1), ("a.other", 1), ("s.values", [1])],
)
async def test_an_input_that_is_not_there_or_does_not_fit_is_refused(key: str, value: Any) -> None:
    drawn = plan({"a": "number", "s": "sum"}, "a.value -> s.values")
    async with LiveSession(drawn) as session:
        with pytest.raises(InvalidInput):
            session.set(key, value)
        assert (await session.settled()).outputs["s"] == {"value": 0}


async def test_a_value_that_was_missing_lets_the_node_run() -> None:
    body = draw({"h": "half"})
    async with LiveSession(body, library) as session:
        assert (await session.settled()).errors["h"].code == "missing_input"
        session.set("h.value", 3)
        assert (await session.settled()).outputs == {"h": {"value": 1.5}}


# Failures


@pytest.mark.rule("11.3")
@pytest.mark.parametrize("told", [False, True])
async def test_an_error_goes_down_the_wires_and_away_again(told: bool) -> None:
    drawn = plan(
        {"f": "fails", "s": "sum", "t": "sum", "o": "sum"},
        "f.value -> s.values",
        "s.value -> t.values",
    )
    events: list[Event] = []
    async with LiveSession(drawn, sink=events.append if told else None) as session:
        await session.settled()
        session.set("f.value", -1)
        result = await session.settled()
        assert result.errors["f"].message == "ValueError: below zero"
        assert result.skipped == {"s": "'f' failed", "t": "'s' was skipped"}
        assert set(session.outputs) == {"o"}
        session.set("f.value", 2)
        result = await session.settled()
        assert (result.errors, result.skipped) == ({}, {})
        assert session.value("t") == 2
    if told:
        assert [each for each in kinds(events, "t") if each != "node.started"] == [
            "node.done",
            "node.skipped",
            "node.done",
        ]


# Superseding


@pytest.mark.rule("11.4")
async def test_a_change_cancels_the_call_that_it_reaches_and_lets_others_go_on() -> None:
    drawn = plan(
        {"a": "number", "g": "gated", "b": ("number", {"value": 9}), "h": "gated"},
        "a.value -> g.value",
        "b.value -> h.value",
    )
    before = asyncio.all_tasks()
    async with LiveSession(drawn) as session:
        await turns()
        assert sorted(calls) == ["g(0)", "h(9)"]
        session.set("a.value", 1)
        await turns()
        assert cancelled == ["g(0)"]
        assert sorted(calls) == ["g(0)", "g(1)", "h(9)"]
        gates["g(1)"].set()
        gates["h(9)"].set()
        result = await session.settled()
        assert result.outputs["g"] == {"value": 1}
        assert result.outputs["h"] == {"value": 9}
    assert asyncio.all_tasks() == before


@pytest.mark.rule("11.4")
async def test_a_late_result_of_an_overtaken_call_is_dropped() -> None:
    drawn = plan(
        {"a": "number", "s": "stubborn", "t": "sum"}, "a.value -> s.value", "s.value -> t.values"
    )
    events: list[Event] = []
    async with LiveSession(drawn, sink=events.append) as session:
        await turns()
        session.set("a.value", 4)
        await turns()
        gates["s(4)"].set()
        await session.settled()
        assert session.value("t") == 4
        assert [
            event.outputs for event in events if event.kind == "node.done" and event.node == "s"
        ] == [{"value": 4}]


@pytest.mark.rule("11.4")
async def test_an_overtaken_node_runs_again_even_where_its_inputs_come_out_as_before() -> None:
    drawn = plan(
        {"a": ("number", {"value": 1}), "s": "sign", "g": "gated"},
        "a.value -> s.value",
        "s.value -> g.value",
    )
    async with LiveSession(drawn) as session:
        await turns()
        session.set("a.value", 2)
        await turns()
        assert calls == ["s", "g(1)", "s", "g(1)"]
        gates["g(1)"].set()
        await session.settled()
        assert session.value("g") == 1


@pytest.mark.rule("11.4")
async def test_an_edit_lets_unconcerned_calls_go_on_in_the_new_plan() -> None:
    nodes: dict[str, Any] = {"m": "gated", "z": "sum"}
    async with LiveSession(spell(nodes, "m.value -> z.values"), library) as session:
        session.set("m.value", 6)
        await turns()
        session.replace(spell({**nodes, "a": "number", "n": "number"}, "m.value -> z.values"))
        await turns()
        assert session.outputs == {"a": {"value": 0}, "n": {"value": 0}}
        gates["m(6)"].set()
        await session.settled()
        assert calls == ["m(6)", "z"]
        assert session.value("z") == 6


@pytest.mark.rule("11.4")
async def test_an_edit_that_removes_a_node_cancels_its_call() -> None:
    async with LiveSession(spell({"m": "gated", "a": "number"}), library) as session:
        await turns()
        session.replace(spell({"a": "number"}))
        await session.settled()
        await turns()
        assert cancelled == ["m(None)"]


# Debounce, quiet inputs, triggers


@pytest.mark.rule("11.5")
async def test_a_node_may_wait_until_nothing_has_changed_for_some_time() -> None:
    drawn = plan(
        {"a": "number", "s": {"type": "sum", "settings": {"debounce": 0.5}}}, "a.value -> s.values"
    )
    events: list[Event] = []
    async with LiveSession(drawn, sink=events.append) as session:
        await session.settled()
        assert calls == ["s"]
        for value in (1, 2, 3):
            session.set("a.value", value)
            await turns()
        assert session.value("s") == 0
        await session.settled()
        assert calls == ["s", "s"]
        assert session.value("s") == 3
    waiting = [event for event in events if event.kind == "node.waiting"]
    assert waiting
    assert waiting[0].data is not None
    assert waiting[0].data["for"] == "debounce"


@pytest.mark.rule("11.5")
async def test_quiet_inputs_start_nothing_and_are_read_when_the_node_runs() -> None:
    drawn = plan(
        {
            "a": "number",
            "q": "number",
            "s": {"type": "sum", "settings": {"quiet": ["plus"]}},
            "z": "sum",
        },
        "a.value -> s.values",
        "q.value -> s.plus",
        "s.value -> z.values",
    )
    async with LiveSession(drawn) as session:
        await session.settled()
        calls.clear()
        session.set("q.value", 10)
        await session.settled()
        assert calls == []
        session.set("a.value", 1)
        session.set("q.value", 20)
        await session.settled()
        assert calls == ["s", "z"]
        assert session.value("z") == 21


@pytest.mark.rule("11.5")
async def test_a_quiet_value_that_is_typed_in_starts_nothing() -> None:
    drawn = plan(
        {"a": "number", "s": {"type": "sum", "settings": {"quiet": ["plus"]}}},
        "a.value -> s.values",
    )
    async with LiveSession(drawn) as session:
        await session.settled()
        session.set("s.plus", 5)
        await session.settled()
        assert calls == ["s"]
        session.set("a.value", 1)
        await session.settled()
        assert session.value("s") == 6


TRIGGERED = (
    {"v": "number", "b": "button", "t": "triggered", "z": "gated"},
    "v.value -> t.value",
    "b.pressed -> t.go",
)


@pytest.mark.rule("11.6")
async def test_a_node_with_a_wired_trigger_runs_only_when_triggered() -> None:
    """FuncNodes: data that arrives is kept; the node runs when its trigger fires."""
    drawn = plan(*TRIGGERED[:1], *TRIGGERED[1:])
    gates["z(None)"] = asyncio.Event()
    gates["z(None)"].set()
    async with LiveSession(drawn) as session:
        await session.settled()
        assert session.value("t") == [0, "never given"]
        calls.clear()
        session.set("v.value", 5)
        await session.settled()
        assert calls == []
        session.set("b.times", 1)
        result = await session.settled()
        assert calls == ["b", "t"]
        assert session.value("t") == [5, "never given"]
        assert result.why["t"] == "triggered (go)"
        session.rerun("b")
        await session.settled()
        assert calls == ["b", "t", "b", "t"]


@pytest.mark.rule("11.6")
async def test_a_trigger_that_brings_nothing_does_not_fire() -> None:
    drawn = plan(*TRIGGERED[:1], *TRIGGERED[1:])
    gates["z(None)"] = asyncio.Event()
    gates["z(None)"].set()
    async with LiveSession(drawn) as session:
        await session.settled()
        session.set("b.silent", True)
        session.set("v.value", 8)
        await session.settled()
        assert session.value("t") == [0, "never given"]


@pytest.mark.rule("11.6")
async def test_without_a_wire_a_trigger_port_changes_nothing() -> None:
    async with LiveSession(
        plan({"v": "number", "t": "triggered"}, "v.value -> t.value")
    ) as session:
        session.set("v.value", 3)
        await session.settled()
        assert session.value("t") == [3, "never given"]


# Steering


@pytest.mark.rule("11.7")
@pytest.mark.parametrize("told", [False, True])
async def test_a_pause_takes_changes_and_single_steps_go_one_by_one(told: bool) -> None:
    events: list[Event] = []
    async with LiveSession(plan(*DIAMOND), sink=events.append if told else None) as session:
        await session.settled()
        calls.clear()
        session.pause()
        session.set("a.value", 1)
        await turns()
        assert calls == []
        for count in (0, 1, 2, 3):
            session.step()
            await turns()
            assert len(calls) == count
        session.set("a.value", 2)
        session.play()
        await session.settled()
        assert session.value("j") == 4
    if told:
        assert "node.queued" in kinds(events, "a")


@pytest.mark.rule("11.7")
async def test_close_cancels_what_is_under_way_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    events: list[Event] = []
    async with LiveSession(plan({"g": "gated", "s": "stubborn"}), sink=events.append):
        await turns()
    assert cancelled == ["g(None)"]
    assert events[-1].kind == "run.cancelled"
    assert asyncio.all_tasks() == before


@pytest.mark.rule("11.7")
async def test_cancel_stops_what_is_under_way_until_the_next_change() -> None:
    async with LiveSession(plan({"g": "gated", "a": "number"})) as session:
        await turns()
        session.cancel()
        await turns()
        assert cancelled == ["g(None)"]
        gates["g(None)"].set()
        session.set("a.value", 3)
        result = await session.settled()
        assert result.outputs == {"a": {"value": 3}, "g": {"value": None}}


@pytest.mark.rule("11.7")
async def test_who_stops_waiting_cancels_no_node() -> None:
    async with LiveSession(plan({"g": "gated"})) as session:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.settled(), 0.005)
        assert cancelled == []
        gates["g(None)"].set()
        await session.settled()
        assert calls == ["g(None)"]


# Telling


@pytest.mark.rule("11.8")
async def test_each_settle_is_told_as_a_run_of_what_ran() -> None:
    events: list[Event] = []
    async with LiveSession(plan(*DIAMOND), sink=events.append) as session:
        await session.settled()
        assert [events[0].kind, events[-1].kind] == ["run.started", "run.completed"]
        events.clear()
        session.set("a.value", 3)
        await session.settled()
    said = [(event.kind, event.node) for event in events]
    assert said[0] == ("run.started", None)
    assert said[1:3] == [("node.started", "a"), ("node.done", "a")]
    assert said[-1] == ("run.completed", None)
    assert ("node.done", "x") not in said


@pytest.mark.rule("11.8")
async def test_a_change_meanwhile_ends_the_run_and_begins_another_with_what_goes_on() -> None:
    drawn = plan({"a": "number", "g": "gated", "h": "gated"}, "a.value -> g.value")
    events: list[Event] = []
    async with LiveSession(drawn, sink=events.append) as session:
        await turns()
        events.clear()
        session.set("a.value", 1)
        await turns()
        gates["g(1)"].set()
        gates["h(None)"].set()
        await session.settled()
    said = [(event.kind, event.node) for event in events]
    assert said[:3] == [("run.cancelled", None), ("run.started", None), ("node.started", "h")]
    assert events[0].data is not None
    assert events[0].data["superseded"] is True
    assert said.count(("node.done", "h")) == said.count(("node.done", "g")) == 1
    assert said[-1] == ("run.completed", None)


@pytest.mark.rule("11.8")
async def test_what_ends_between_two_settles_is_told_in_the_next() -> None:
    drawn = plan({"a": "number", "h": "gated"})
    first: list[Event] = []
    second: list[Event] = []
    async with LiveSession(drawn, sink=first.append) as session:
        await turns()
        session.interrupt()
        gates["h(None)"].set()
        await turns()
        assert first[-1].kind == "run.cancelled"
        session.begin(second.append, "two")
        result = await session.told()
    assert (result.status, set(result.outputs)) == ("completed", {"a", "h"})
    assert first[-1].kind == "run.cancelled"
    assert kinds(second, "h") == ["node.started", "node.done"]


@pytest.mark.rule("11.9")
async def test_a_draft_runs_cheap_nodes_alone_and_changes_nothing() -> None:
    drawn = plan(
        {"d": "draft", "e": "draft", "s": "sum", "f": "draft"},
        "d.value -> e.value",
        "e.value -> s.values",
        "s.value -> f.value",
    )
    events: list[Event] = []
    async with LiveSession(drawn, sink=events.append) as session:
        await session.settled()
        events.clear()
        calls.clear()
        before = session.outputs
        assert await session.preview({"d.value": 10}) == {"d": {"value": 11}, "e": {"value": 12}}
        assert [(event.kind, event.node) for event in events] == [
            ("node.preview", "d"),
            ("node.preview", "e"),
        ]
        assert session.outputs == before
        assert calls == []
        session.set("d.value", 10)
        await session.settled()
        assert session.value("f") == 13


@pytest.mark.rule("11.9")
async def test_a_draft_that_does_not_fit_is_refused_and_one_that_reaches_no_cheap_node_does_nothing() -> (
    None
):
    async with LiveSession(plan({"d": "draft", "s": "sum"})) as session:
        with pytest.raises(InvalidInput):
            await session.preview({"d.value": "x"})
        assert await session.preview({"s.plus": 4}) == {}


# Remembering


@pytest.mark.rule("11.10")
async def test_a_session_goes_on_from_what_the_last_run_left_and_leaves_what_it_does() -> None:
    memory = RunMemory()
    drawn = plan(*DIAMOND)
    await Execution(drawn, memory=memory).run()
    calls.clear()
    async with LiveSession(drawn, memory=memory) as session:
        await session.settled()
        assert calls == []
        session.replace(plan({**DIAMOND[0], "a": ("number", {"value": 4})}, *DIAMOND[1:]))
        await session.settled()
        assert sorted(calls) == ["j", "l", "r"]
        assert session.value("j") == 8
        changed = session.plan
    calls.clear()
    result = await Execution(changed, memory=memory, incremental=True).run()
    assert calls == []
    assert result.outputs["j"] == {"value": 8}


@pytest.mark.rule("11.10")
async def test_what_was_made_of_a_set_value_is_not_taken_for_what_is_typed_in() -> None:
    memory = RunMemory()
    drawn = plan(*DIAMOND)
    async with LiveSession(drawn, memory=memory) as session:
        session.set("a.value", 3)
        assert (await session.settled()).outputs["j"] == {"value": 6}
    result = await Execution(drawn, memory=memory, incremental=True).run()
    assert result.outputs["j"] == {"value": 0}


@pytest.mark.rule("11.10")
async def test_a_session_looks_in_the_cache_first() -> None:
    cache = MemoryCache()
    await Execution(plan(*DIAMOND), cache=cache).run()
    calls.clear()
    events: list[Event] = []
    async with LiveSession(plan(*DIAMOND), cache=cache, sink=events.append) as session:
        await session.settled()
        assert calls == []
        assert session.value("j") == 0
    assert {event.why for event in events if event.kind == "node.done"} == {"cached"}


@pytest.mark.rule("11.10")
async def test_a_generator_gives_its_values_as_a_stream_and_its_readers_the_whole() -> None:
    body = draw({"n": ("numbers", {"count": 3}), "t": "text"}, "n.numbers -> t.value")
    events: list[Event] = []
    async with LiveSession(body, library, sink=events.append) as session:
        result = await session.settled()
        assert result.outputs["t"] == {"text": "[0, 1, 2]"}
        session.set("n.count", 2)
        await session.settled()
        assert session.value("t") == "[0, 1]"


@pytest.mark.rule("11.10")
@pytest.mark.parametrize("moment", [0, 1, 3, 9, 40])
async def test_streams_flow_in_a_session_and_a_change_begins_them_anew(moment: int) -> None:
    drawn = draw(
        {"a": ("count", {"many": 2_000}), "m": "double", "b": "total", "w": "whole"},
        "a.items -> m.items",
        "m.items -> b.items",
        "a.items -> w.items",
    )
    body = drawn.to_json()
    for each in body["nodes"].values():
        each["type"] = each["type"].replace("t.", "s.", 1)
    before = asyncio.all_tasks()
    async with asyncio.timeout(60), LiveSession(Spell.model_validate(body), streams) as session:
        await turns(moment)
        session.set("a.many", 100)
        await turns(moment)
        session.set("a.many", 1_500)
        result = await session.settled()
        assert (result.errors, result.skipped) == ({}, {})
        assert session.value("w") == sum(range(1_500))
        assert session.value("b") == 2 * sum(range(1_500))
        body["nodes"]["0"] = {"type": "s.count"}
        session.set("a.many", 900)
        await turns(moment)
        session.replace(Spell.model_validate(body))
        await session.settled()
        assert session.value("b") == 2 * sum(range(900))
    assert asyncio.all_tasks() == before


@pytest.mark.rule("11.7", "11.8")
async def test_a_settle_that_was_cancelled_has_only_what_is_at_rest() -> None:
    drawn = plan({"a": "number", "g": "gated", "z": "sum"}, "g.value -> z.values")
    async with LiveSession(drawn, sink=ignore) as session:
        async with asyncio.TaskGroup() as tasks:
            told = tasks.create_task(session.told())
            await turns()
            session.cancel()
        assert (told.result().status, told.result().outputs) == ("cancelled", {"a": {"value": 0}})


@pytest.mark.rule("11.8")
async def test_a_settle_over_its_time_has_failed_and_is_made_up_for_with_the_next_change() -> None:
    events: list[Event] = []
    drawn = plan({"a": "number", "g": "gated"})
    async with LiveSession(drawn, sink=events.append, limits=Limits(seconds=0.01)) as session:
        result = await session.told()
        assert result.status == "failed"
        assert result.error is not None
        assert result.error.code == "run_timeout"
        assert events[-1].kind == "run.failed"
        gates["g(None)"].set()
        session.set("a.value", 1)
        assert (await session.told()).outputs == {"a": {"value": 1}, "g": {"value": None}}
