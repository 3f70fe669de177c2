"""For any graph, any order of completion and any moment of cancel: same outputs, each node once, nothing left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import Event, Execution, MemoryCache, Plan, RunMemory, RunResult
from tests.seeds import examples
from tests.spells import nodes
from tests.spells.drawing import plan_of

Graph = list[list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Return, for each node, the earlier nodes it reads."""
    size = draw(st.integers(1, 12))
    return [
        draw(st.lists(st.integers(0, index - 1), max_size=4, unique=True)) if index else []
        for index in range(size)
    ]


def plan_for(graph: Graph, turns: list[int], type: str = "count", first: int | None = None) -> Plan:
    """Return a plan whose nodes wait for some turns of the loop."""
    drawn: dict[str, Any] = {}
    wires: list[str] = []
    for index, sources in enumerate(graph):
        inputs: dict[str, Any] = {"turns": turns[index % len(turns)]} if type == "count" else {}
        if not index and first is not None:
            inputs["factor"] = first
        drawn[f"n{index:02}"] = (type, inputs)
        wires.extend(f"n{source:02}.value -> n{index:02}.values" for source in sorted(sources))
    return plan_of(drawn, *wires)


def expected(graph: Graph) -> dict[str, dict[str, Any]]:
    """Return the outputs by a plain loop."""
    values: list[Any] = []
    for index, sources in enumerate(graph):
        values.append([*(values[source] for source in sorted(sources)), f"n{index:02}"])
    return {f"n{index:02}": {"value": value} for index, value in enumerate(values)}


def in_loop(
    execution: Execution, steps_until_cancel: int | None = None
) -> tuple[RunResult, set[Any]]:
    """Run to the end, cancelling after some turns of the loop; return the result and the tasks left."""

    async def main() -> tuple[RunResult, set[Any]]:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(execution.run())
            if steps_until_cancel is not None:
                for _ in range(steps_until_cancel):
                    await asyncio.sleep(0)
                execution.cancel()
        return running.result(), asyncio.all_tasks() - {asyncio.current_task()}

    return asyncio.run(main())


@pytest.mark.rule("4.1", "4.3")
@settings(deadline=None, max_examples=examples(150))
@given(graphs(), st.lists(st.integers(0, 5), min_size=1, max_size=6), st.booleans())
def test_outputs_do_not_depend_on_the_order_of_completion(
    graph: Graph, turns: list[int], told: bool
) -> None:
    nodes.calls.clear()
    events: list[Event] = []
    result, left = in_loop(Execution(plan_for(graph, turns), sink=events.append if told else None))
    assert result.outputs == expected(graph)
    assert Counter(nodes.calls) == Counter(f"n{index:02}" for index in range(len(graph)))
    assert not left
    if told:
        ended = [event.node for event in events if event.kind == "node.done"]
        place = {node: number for number, node in enumerate(ended)}
        assert len(place) == len(ended) == len(graph)
        assert all(
            place[f"n{source:02}"] < place[f"n{index:02}"]
            for index, row in enumerate(graph)
            for source in row
        )


@pytest.mark.rule("6.1")
@settings(deadline=None, max_examples=examples(150))
@given(graphs(), st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 12))
def test_a_cancel_at_any_moment_leaves_no_task_and_only_right_outputs(
    graph: Graph, turns: list[int], moment: int
) -> None:
    nodes.calls.clear()
    events: list[Event] = []
    result, left = in_loop(Execution(plan_for(graph, turns), sink=events.append), moment)
    assert not left
    assert result.status in ("cancelled", "completed")
    assert events[-1].kind == f"run.{result.status}"
    assert result.outputs.items() <= expected(graph).items()
    assert max(Counter(nodes.calls).values(), default=0) <= 1


@pytest.mark.rule("8.5")
@settings(deadline=None, max_examples=examples(100))
@given(graphs(), st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(0, 6))
def test_incremental_runs_give_what_a_full_run_gives(
    graph: Graph, factors: list[int], moment: int
) -> None:
    memory, cache = RunMemory(), MemoryCache()
    for factor in factors:
        plan = plan_for(graph, [0], "cached", factor)
        in_loop(Execution(plan, memory=memory, incremental=True), moment)
        result, _ = in_loop(Execution(plan, memory=memory, incremental=True))
        cached, _ = in_loop(Execution(plan, cache=cache))
        full, _ = in_loop(Execution(plan))
        assert result.outputs == full.outputs == cached.outputs
