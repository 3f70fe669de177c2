"""What other parts of the engine build on: reserved outputs, streams between steps, nested runs, single steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from spellwork import Event, Execution, Limits, Plan, Port, Ports, RunContext
from spellwork.core import RunState
from spellwork.host import RunHost
from spellwork.nested import carry_out
from spellwork.ports import FAILURE_PORT, WHOLE_PORT
from spellwork.program import UNSET, assemble
from spellwork.result import NodeFailure
from spellwork.step import Step
from tests.spells.drawing import Watching, kinds, plan_of

pytestmark = pytest.mark.anyio


def with_outputs(plan: Plan, **added: Port) -> Plan:
    """Return the plan with a further output on some nodes, and ``value`` wires of theirs moved to it."""
    steps = list(plan.steps)
    for node, port in added.items():
        step = plan[node]
        ports = Ports(step.ports.inputs, (*step.ports.outputs, port))
        steps[step.index] = _replaced(step, ports=ports)
    for index, step in enumerate(steps):
        bindings = tuple(
            _replaced(
                binding,
                wires=tuple(
                    _replaced(wire, output=added[steps[wire.source].id].name)
                    if steps[wire.source].id in added
                    else wire
                    for wire in binding.wires
                ),
            )
            for binding in step.bindings
        )
        steps[index] = _replaced(step, bindings=bindings)
    return replace(plan, steps=tuple(steps), program=assemble(steps))


def _replaced(struct: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(struct, **fields)


async def test_a_wired_error_output_brings_the_failure_instead_of_a_skip() -> None:
    plan = with_outputs(
        plan_of({"f": "fail", "r": "text", "ok": "value"}, "f.value -> r.value"), f=FAILURE_PORT
    )
    result = await Execution(plan).run()
    text = result.outputs["r"]["text"]
    assert "'code': 'exception'" in text
    assert "'node': 'f'" in text
    assert list(result.errors) == ["f", "ok"]  # ok lacks its input


async def test_an_error_output_brings_nothing_when_the_node_succeeds() -> None:
    plan = with_outputs(plan_of({"n": "number", "r": "text"}, "n.value -> r.value"), n=FAILURE_PORT)
    result = await Execution(plan).run()
    assert result.outputs == {"n": {"value": 0}}
    assert result.skipped == {"r": "'n' gave nothing on 'error'"}


async def test_the_output_all_is_an_object_of_the_others() -> None:
    plan = with_outputs(plan_of({"n": "number", "r": "value"}, "n.value -> r.value"), n=WHOLE_PORT)
    result = await Execution(plan).run()
    assert result.outputs["r"]["value"] == {"value": 0}


# Streams


def streaming() -> tuple[RunState, dict[str, int]]:
    """Return the state of a plan in which ``s`` reads ``p`` as a stream and ``w`` the whole of it."""
    plan = plan_of(
        {"p": "number", "s": "value", "w": "half", "z": "text"},
        "p.value -> s.value",
        "p.value -> w.value",
        "s.value -> z.value",
    )
    steps = list(plan.steps)
    step = plan["s"]
    ports = Ports((Port("value", stream=True),), step.ports.outputs)
    steps[step.index] = _replaced(step, ports=ports)
    state = RunState(replace(plan, steps=tuple(steps), program=assemble(steps)))
    state.ready.clear()
    return state, dict(plan.index)


def test_a_stream_lets_its_readers_go_and_the_whole_all_others() -> None:
    state, at = streaming()
    stream = object()
    slot = state.program.results[at["p"]]
    state.begin_stream(at["p"], "value", stream)
    state.begin_stream(at["p"], "value", object())
    assert list(state.ready) == [at["s"]]
    assert state.values[slot] is stream
    assert state.beyond == 1
    state.finish(at["p"], {"value": 7})
    assert list(state.ready) == [at["s"], at["w"]]
    assert state.values[slot] == 7
    assert state.beyond == 0


def test_a_stream_that_fails_is_no_value() -> None:
    state, at = streaming()
    state.begin_stream(at["p"], "value", object())
    state.fail(at["p"], NodeFailure("x", "no"))
    assert state.values[state.program.results[at["p"]]] is UNSET
    assert state.decide(at["w"]) == "'p' failed"


def test_a_stream_that_is_cut_off_is_no_value() -> None:
    state, at = streaming()
    state.begin_stream(at["p"], "value", object())
    state.drop_streams()
    assert state.outputs() == {}


# Nested runs


async def nested(plan: Plan, inner: Plan, limits: Limits, sink: Any) -> Any:
    """Run ``plan``, whose ``t.value`` nodes each run ``inner`` within; return (result, its inner states)."""
    states = []
    execution: Execution

    async def body(value: Any) -> Any:
        parent = execution._host
        assert parent is not None
        host = RunHost(inner, "run", RunContext(), sink, limits, lambda _: None)  # type: ignore[arg-type,return-value]
        host.crew = parent.crew
        state = RunState(inner)
        slot = state.program.constant(inner.index["n"], "value")
        assert slot is not None
        state.values[slot] = value
        await carry_out(state, host, sink)
        states.append(state)
        return state.outputs()["h"]["value"]

    steps = [_with_call(step, body) for step in plan.steps]
    execution = Execution(
        replace(plan, steps=tuple(steps), program=assemble(steps)), limits=limits, sink=sink
    )
    return execution, states


def _with_call(step: Step, call: Any) -> Any:
    return _replaced(step, type=replace(step.type, call=call))


INNER = ({"n": "number", "h": "half"}, "n.value -> h.value")


@pytest.mark.parametrize("concurrency", [None, 1, 2])
async def test_nested_runs_share_the_places_of_their_parent(concurrency: int | None) -> None:
    outer = plan_of({f"o{index}": ("value", {"value": index}) for index in range(4)})
    execution, states = await nested(
        outer, plan_of(*INNER), Limits(concurrency=concurrency), lambda _: None
    )
    result = await asyncio.wait_for(execution.run(), 60)
    assert {node: row["value"] for node, row in result.outputs.items()} == {
        f"o{index}": index / 2 for index in range(4)
    }
    assert len(states) == 4


async def test_a_cancel_reaches_nested_runs() -> None:
    events: list[Event] = []
    started = asyncio.Event()

    def sink(event: Event) -> None:
        events.append(event)
        if event.node == "h":
            started.set()

    inner = plan_of({"n": "number", "h": "wait"}, "n.value -> h.value")
    before = asyncio.all_tasks()
    execution, _ = await nested(plan_of({"o": ("value", {"value": 1})}), inner, Limits(), sink)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await started.wait()
        execution.cancel()
    assert running.result().status == "cancelled"
    assert asyncio.all_tasks() == before


async def turns() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


@pytest.mark.rule("6.6")
async def test_a_pause_and_single_steps_reach_nested_runs() -> None:
    events: list[Event] = []

    def started() -> list[str | None]:
        return [event.node for event in events if event.kind == "node.started"]

    execution, _ = await nested(
        plan_of({"o": ("value", {"value": 4})}), plan_of(*INNER), Limits(), events.append
    )
    execution.pause()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await turns()
        assert started() == []
        for known in (["o"], ["o", "n"], ["o", "n", "h"]):
            execution.step()
            await turns()
            assert started() == known
        execution.play()
    assert running.result().outputs == {"o": {"value": 2}}
    assert kinds(events, "h") == ["node.queued", "node.started", "node.done"]


@pytest.mark.rule("6.6")
async def test_a_single_step_starts_one_node_and_passes_over_those_that_are_skipped() -> None:
    events: list[Event] = []
    execution = Execution(
        plan_of({"f": "fail", "g": "text", "n": "number"}, "f.value -> g.value"), sink=events.append
    )
    execution.pause()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await turns()
        execution.step()
        await turns()
        ended = [event.node for event in events if event.kind == "node.failed"]
        assert ended == ["f"]
        execution.step()
        await turns()
        assert kinds(events, "n")[-1] == "node.done"
        execution.step()
        execution.play()
    assert running.result().status == "completed"


# Watchers


WAITING: dict[str, Any] = {
    "a": ("value", {"value": 1}),
    "w": ("wait", {"seconds": 0.02}),
    "v": ("wait", {"seconds": 0.01, "value": 2}),
    "b": "value",
    "bad": ("fail", {}),
    "c": "value",
    "big": ("value", {"value": "x" * 500_000}),
}
WAITING_WIRES = ("w.value -> b.value", "bad.value -> c.value")


async def test_what_waits_for_nothing_is_told_together_and_all_else_as_it_happens() -> None:
    plan = plan_of(WAITING, *WAITING_WIRES)
    tab = Watching()
    running = Execution(plan, sink=tab, limits=Limits(output_bytes=10**6))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(running.run())
        while not {"w", "v", "big"} <= {e.node for e in tab.events if e.kind == "node.started"}:
            await asyncio.sleep(0)
        assert "w" not in tab.ran  # it is told that it began as it begins to wait
        result = await task
    assert sorted(tab.ran) == ["a", "b"]
    plain: list[Event] = []
    await Execution(plan, sink=plain.append, limits=Limits(output_bytes=10**6)).run()
    for events in (tab.events, plain):
        assert [event.kind for event in events[:1]] == ["run.started"]
        assert {node: kinds(events, node) for node in WAITING} == {
            **{key: ["node.started", "node.done"] for key in ("a", "w", "v", "b", "big")},
            "bad": ["node.started", "node.failed"],
            "c": ["node.skipped"],
        }
        for event in events:
            if event.kind == "node.done":
                (start,) = [e for e in events if (e.node, e.kind) == (event.node, "node.started")]
                assert start.why == event.why == "new"
                assert start.at + (event.duration or 0.0) == pytest.approx(event.at, abs=1e-5)
    assert result.outputs["b"] == {"value": None}


async def test_a_start_is_told_once_where_a_step_is_cancelled_or_swallows_that() -> None:
    for type_ in ("wait", "stubborn"):
        tab = Watching()
        running = Execution(plan_of({"w": type_, "a": "value"}), sink=tab)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(running.run())
            while not kinds(tab.events, "w"):
                await asyncio.sleep(0)
            running.cancel()
            await task
        assert kinds(tab.events, "w").count("node.started") == 1
        assert tab.events[-1].kind == "run.cancelled"


async def test_a_sink_that_raises_as_a_step_begins_to_wait_ends_the_run_and_the_step() -> None:
    def broken(event: Event) -> None:
        if event.kind == "node.started":
            raise RuntimeError("a bug")

    before = asyncio.all_tasks()
    result = await Execution(plan_of({"w": ("wait", {"seconds": 60})}), sink=broken).run()
    assert (result.status, result.error and result.error.code) == ("failed", "exception")
    assert asyncio.all_tasks() == before


def test_ctrl_c_as_a_step_begins_to_wait_ends_the_program() -> None:
    def interrupted(event: Event) -> None:
        if event.kind == "node.started":
            raise KeyboardInterrupt

    async def run() -> None:
        await Execution(plan_of({"w": "wait"}), sink=interrupted).run()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run())
