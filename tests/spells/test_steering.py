"""Cancel, pause and play: nothing is left behind, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from spellwork import Event, Execution, RunResult
from tests.spells.drawing import kinds, plan_of

pytestmark = pytest.mark.anyio


async def cancelled_after(execution: Execution, started: asyncio.Event) -> tuple[RunResult, float]:
    """Cancel once ``started`` is set; return the result and the seconds that took."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await started.wait()
        began = time.monotonic()
        execution.cancel()
    return running.result(), time.monotonic() - began


def watch(events: list[Event], count: int = 1) -> tuple[Any, asyncio.Event]:
    """Return a sink that keeps events, and an event set once ``count`` nodes have started."""
    started = asyncio.Event()

    def sink(event: Event) -> None:
        events.append(event)
        if sum(each.kind == "node.started" for each in events) >= count:
            started.set()

    return sink, started


@pytest.mark.rule("6.1", "6.2")
@pytest.mark.parametrize("type", ["wait", "block", "stubborn"])
async def test_cancel_ends_the_run_at_once_and_leaves_no_task(type: str) -> None:
    events: list[Event] = []
    sink, started = watch(events, 3)
    before = asyncio.all_tasks()
    drawn: dict[str, Any] = {"a": type, "b": "wait", "c": ("number", {}), "d": "half", "e": "text"}
    execution = Execution(plan_of(drawn, "c.value -> d.value", "b.value -> e.value"), sink=sink)
    result, seconds = await cancelled_after(execution, started)
    assert seconds < 20, "what it waits for takes longer"
    assert (result.status, execution.status) == ("cancelled", "cancelled")
    assert events[-1].kind == "run.cancelled"
    assert "e" not in result.outputs
    assert kinds(events, "e") == []
    assert asyncio.all_tasks() == before


@pytest.mark.rule("6.1")
async def test_cancel_before_the_start_runs_nothing() -> None:
    events: list[Event] = []
    execution = Execution(plan_of({"a": ("number", {})}), sink=events.append)
    execution.cancel()
    assert (await execution.run()).status == "cancelled"
    assert [event.kind for event in events] == ["run.started", "run.cancelled"]


@pytest.mark.rule("6.1")
async def test_cancelling_the_task_that_runs_cancels_the_run() -> None:
    events: list[Event] = []
    sink, started = watch(events)
    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan_of({"a": "wait"}), sink=sink).run())
        await started.wait()
        running.cancel()
    assert running.cancelled()
    assert events[-1].kind == "run.cancelled"
    assert asyncio.all_tasks() == before


@pytest.mark.rule("6.3", "7.2")
async def test_pause_starts_no_further_node_and_play_goes_on() -> None:
    events: list[Event] = []
    drawn: dict[str, Any] = {"a": ("count", {"turns": 3}), "b": "count", "f": "fail", "g": "text"}
    wires = ("a.value -> b.values", "f.value -> g.value")
    execution: Execution

    def sink(event: Event) -> None:
        events.append(event)
        if event.kind == "node.started" and event.node == "a":
            execution.pause()

    execution = Execution(plan_of(drawn, *wires), sink=sink)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        while "node.done" not in kinds(events, "a"):
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert execution.status == "paused"
        assert kinds(events, "b") == ["node.queued"]
        execution.play()
    result = running.result()
    assert result.status == "completed"
    assert result.outputs["b"] == {"value": [["a"], "b"]}
    assert set(result.errors) == {"f"}
    assert set(result.skipped) == {"g"}


@pytest.mark.rule("6.3", "7.2")
async def test_an_execution_paused_before_its_start_waits_for_play() -> None:
    execution = Execution(plan_of({"a": ("number", {})}))
    execution.pause()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not running.done()
        execution.play()
    assert running.result().outputs == {"a": {"value": 0}}


@pytest.mark.rule("6.1", "6.3")
async def test_a_paused_run_can_be_cancelled() -> None:
    execution = Execution(plan_of({"a": ("number", {})}))
    execution.pause()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await asyncio.sleep(0)
        execution.cancel()
    assert running.result().status == "cancelled"


@pytest.mark.rule("6.5")
@pytest.mark.parametrize("way", ["return", "raise", "swallow"])
async def test_a_node_that_cancels_its_own_task_spares_the_others(way: str) -> None:
    others = {name: ("wait", {"seconds": 0.001}) for name in "bcd"}
    drawn: dict[str, Any] = {"a": ("cancel_oneself", {"way": way}), **others}
    result = await Execution(plan_of(drawn), sink=lambda _: None).run()
    assert result.status == "completed"
    assert {"b", "c", "d"} <= result.outputs.keys()
    assert list(result.errors) == (["a"] if way == "raise" else [])
