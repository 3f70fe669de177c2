"""A run: every output kept, failures as data, retries, timeouts, streams, threads, skips, limits."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from spellwork import Execution, Limits, RunContext, SecretMissing
from spellwork.errors import RunActive
from tests.spells import nodes
from tests.spells.drawing import kinds, plan_of, run_plan

pytestmark = pytest.mark.anyio

ONE = ("number", {"value": 1})


def outputs(result: Any) -> dict[str, Any]:
    """Return each node's only output."""
    return {id: next(iter(ports.values()), None) for id, ports in result.outputs.items()}


CASES: dict[str, tuple[dict[str, Any], list[str], dict[str, Any], dict[str, str], set[str]]] = {
    # name: nodes, wires, outputs, failures {node: code}, skipped
    "a chain": ({"a": ONE, "b": "half", "c": "text"}, ["a.value -> b.value", "b.value -> c.value"], {"a": 1, "b": 0.5, "c": "0.5"}, {}, set()),
    "several wires come in the order of edge ids": (
        {"z": ("value", {"value": "z"}), "a": ("value", {"value": "a"}), "c": "count"},
        ["z.value -> c.values", "a.value -> c.values"], {"a": "a", "z": "z", "c": ["z", "a", "c"]}, {}, set()),
    "one wire into a list": ({"a": ONE, "b": "add"}, ["a.value -> b.values"], {"a": 1, "b": 2}, {}, set()),
    "a failure leaves unrelated branches running": (
        {"f": "fail", "g": "text", "a": ONE, "b": "half"}, ["f.value -> g.value", "a.value -> b.value"],
        {"a": 1, "b": 0.5}, {"f": "exception"}, {"g"}),
    "what needs a skipped node is skipped": (
        {"f": "fail", "g": "text", "h": "text"}, ["f.value -> g.value", "g.text -> h.value"], {}, {"f": "exception"}, {"g", "h"}),
    "a missing input fails its node": ({"b": "half", "a": ONE}, [], {"a": 1}, {"b": "missing_input"}, set()),
    "bad code fails its node": ({"b": {"type": "code", "code": "("}, "a": ONE}, [], {"a": 1}, {"b": "code_error"}, set()),
    "what arrives and does not fit fails its node": (
        {"a": ("value", {"value": "x"}), "b": "half"}, ["a.value -> b.value"], {"a": "x"}, {"b": "invalid_input"}, set()),
    "what arrives is made to fit": ({"a": ("value", {"value": "4"}), "b": "half"}, ["a.value -> b.value"], {"a": "4", "b": 2.0}, {}, set()),
    "a node that tries to end the process only fails": ({"a": "exit"}, [], {}, {"a": "exception"}, set()),
    "one branch of an if": (
        {"i": ("if", {"condition": True, "value": 5}), "y": "text", "n": "text"},
        ["i.yes -> y.value", "i.no -> n.value"], {"i": 5, "y": "5"}, {}, {"n"}),
    "a merge gets what came": (
        {"i": ("if", {"condition": False, "value": 5}), "y": "text", "n": "text", "m": "merge"},
        ["i.yes -> y.value", "i.no -> n.value", "y.text -> m.values", "n.text -> m.values"],
        {"i": 5, "n": "5", "m": ["5"]}, {}, {"y"}),
    "a merge of nothing is skipped": (
        {"a": "skip", "m": "merge"}, ["a.value -> m.values"], {}, {}, {"a-none", "m"}),
    "a merge after a failure": (
        {"f": "fail", "a": ONE, "m": "merge"}, ["f.value -> m.values", "a.value -> m.values"],
        {"a": 1, "m": [1]}, {"f": "exception"}, set()),
    "a stream of text is joined": ({"s": ("tokens", {"parts": ["a", "b"]})}, [], {"s": "ab"}, {}, set()),
    "an empty stream of text is text": ({"s": ("tokens", {"parts": []})}, [], {"s": ""}, {}, set()),
    "a stream of others is a list": ({"s": "numbers", "t": "text"}, ["s.numbers -> t.value"], {"s": [0, 1, 2], "t": "[0, 1, 2]"}, {}, set()),
    "timeouts within a node's first step": ({"a": "timed", "b": "group", "c": "timed"}, [], {"a": "timed out", "b": "caught", "c": "timed out"}, {}, set()),
    "names in code": ({"n": {"type": "number", "name": "x", "inputs": {"value": 3}}, "c": {"type": "code", "code": "x"}}, [], {"n": 3, "c": [3]}, {}, set()),
    "a call within a call": ({"m": ("map", {"type": "t.text", "items": [1, 2]})}, [], {"m": ["1", "2"]}, {}, set()),
    "a call of an unknown type": ({"m": ("map", {"type": "t.nope", "items": [1]})}, [], {}, {"m": "unknown_node_type"}, set()),
    "calls within calls without end": ({"m": "recurse"}, [], {}, {"m": "too_deep"}, set()),
    "a call of a type that fails": ({"m": ("map", {"type": "t.fail", "items": [1]})}, [], {}, {"m": "exception"}, set()),
}  # fmt: skip


@pytest.mark.rule("4.1", "4.3", "4.4", "4.7", "5.1", "5.2", "5.6", "5.7", "7.3", "9.1")
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("name", CASES)
async def test_runs(name: str, told: bool) -> None:
    drawn, wires, expected, failures, skipped = CASES[name]
    plan = plan_of(drawn, *wires)
    result = (await run_plan(plan))[0] if told else await Execution(plan).run()
    assert result.status == "completed"
    assert outputs(result) == expected
    assert {id: failure.code for id, failure in result.errors.items()} == failures
    assert set(result.skipped) == {id for id in skipped if not id.endswith("-none")}


@pytest.mark.rule("5.1")
async def test_a_failure_names_the_exception_and_shows_the_authors_frames_only() -> None:
    result, events = await run_plan(plan_of({"f": ("fail", {"message": "broken pipe dream"})}))
    failure = result.errors["f"]
    assert failure.message == "ValueError: broken pipe dream"
    assert failure.traceback is not None
    assert "nodes.py" in failure.traceback
    assert "loops.py" not in failure.traceback
    assert events[-2].error is not None
    assert events[-2].error["code"] == "exception"


@pytest.mark.rule("5.2")
async def test_a_skip_says_what_it_needed() -> None:
    result, _ = await run_plan(plan_of({"f": "fail", "g": "text"}, "f.value -> g.value"))
    assert result.skipped == {"g": "'f' failed"}


@pytest.mark.rule("4.7")
async def test_a_value_that_does_not_fit_is_named_with_its_port() -> None:
    result, _ = await run_plan(
        plan_of({"a": ("value", {"value": "pear"}), "b": "half"}, "a.value -> b.value")
    )
    assert result.errors["b"].port == "value"
    assert "'pear'" in result.errors["b"].message


RETRIES: list[tuple[dict[str, Any], dict[str, Any], int | None, int]] = [
    ({"works_at": 3}, {}, 3, 3),
    ({"works_at": 4}, {}, None, 3),
    ({"works_at": 4}, {"retries": 3}, 4, 4),
    ({"works_at": 2}, {"retries": 0}, None, 1),
    ({"works_at": 2, "retryable": False}, {}, None, 1),
]


@pytest.mark.rule("5.3")
@pytest.mark.parametrize(("inputs", "settings", "gives", "attempts"), RETRIES)
async def test_retries(
    inputs: dict[str, Any], settings: dict[str, Any], gives: int | None, attempts: int
) -> None:
    plan = plan_of({"a": {"type": "flaky", "inputs": inputs, "settings": settings}})
    result, events = await run_plan(plan)
    assert result.outputs.get("a") == (None if gives is None else {"attempts": gives})
    if gives is None:
        assert (result.errors["a"].code, result.errors["a"].attempts) == ("not_yet", attempts)
    assert kinds(events, "a").count("node.log") == attempts - 1


@pytest.mark.rule("5.4")
@pytest.mark.parametrize("type", ["wait", "block"])
async def test_a_node_over_its_timeout_fails(type: str) -> None:
    result, _ = await run_plan(
        plan_of({"a": {"type": type, "settings": {"timeout": 0.02}}, "b": ONE})
    )
    assert result.errors["a"].code == "timeout"
    assert outputs(result) == {"b": 1}


@pytest.mark.rule("5.5")
async def test_an_output_over_the_limit_fails_its_node() -> None:
    plan = plan_of({"a": ("value", {"value": "x" * 2_000}), "b": ("value", {"value": "x"})})
    result, _ = await run_plan(plan, limits=Limits(output_bytes=1_000))
    assert result.errors["a"].code == "output_too_large"
    assert outputs(result) == {"b": "x"}


@pytest.mark.rule("4.5")
async def test_a_node_that_changes_what_it_is_given_does_not_change_the_plan() -> None:
    plan = plan_of({"a": ("grow", {"items": [1]})})
    for _ in range(2):
        assert (await Execution(plan).run()).outputs == {"a": {"items": [1, 0]}}


@pytest.mark.rule("4.2")
async def test_nodes_that_return_at_once_cost_one_task_in_all() -> None:
    loop = asyncio.get_running_loop()
    made = 0

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        nonlocal made
        made += 1
        return asyncio.Task(coroutine, loop=loop, **options)

    plan = plan_of({f"n{index}": ONE for index in range(50)})
    loop.set_task_factory(factory)
    try:
        await Execution(plan).run()
    finally:
        loop.set_task_factory(None)
    assert made == 1


@pytest.mark.rule("4.6")
async def test_no_more_nodes_are_under_way_than_the_limit() -> None:
    events: list[tuple[str, int]] = []
    running = 0

    def sink(event: Any) -> None:
        nonlocal running
        if event.kind == "node.started":
            running += 1
        if event.kind == "node.done":
            running -= 1
        events.append((event.kind, running))

    plan = plan_of({f"n{index:02}": ("count", {"turns": 3}) for index in range(20)})
    await Execution(plan, sink=sink, limits=Limits(concurrency=4)).run()
    assert max(count for _, count in events) == 4


@pytest.mark.rule("7.1")
async def test_events_come_in_order() -> None:
    _, events = await run_plan(
        plan_of(
            {"a": ONE, "b": "half", "f": "fail", "g": "text"},
            "a.value -> b.value",
            "f.value -> g.value",
        )
    )
    assert events[0].kind == "run.started"
    assert events[0].data == {"nodes": ["a", "b", "f", "g"]}
    assert events[-1].kind == "run.completed"
    assert events[-1].data == {"failed": ["f"], "skipped": ["g"]}
    assert kinds(events, "a") == kinds(events, "b") == ["node.started", "node.done"]
    assert kinds(events, "f") == ["node.started", "node.failed"]
    assert kinds(events, "g") == ["node.skipped"]
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.rule("7.3")
@pytest.mark.parametrize(
    ("drawn", "chunks"), [(("tokens", {"parts": ["a", "b"]}), ["a", "b"]), ("numbers", [0, 1, 2])]
)
async def test_a_generator_tells_each_chunk(drawn: Any, chunks: list[Any]) -> None:
    _, events = await run_plan(plan_of({"s": drawn}))
    assert [event.value for event in events if event.kind == "node.chunk"] == chunks
    assert kinds(events, "s")[-1] == "node.done"


@pytest.mark.rule("7.4")
async def test_progress_comes_from_track() -> None:
    _, events = await run_plan(plan_of({"a": "track"}))
    progress = [event.value for event in events if event.kind == "node.progress"]
    assert (progress[0], progress[-1]) == (0.0, 1.0)


@pytest.mark.rule("7.4")
async def test_progress_comes_from_tqdm_and_nothing_is_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result, events = await run_plan(plan_of({"a": "bars"}))
    progress = [(event.value, event.message) for event in events if event.kind == "node.progress"]
    assert result.outputs == {"a": {"value": 10}}
    assert (progress[0], progress[-1]) == ((0.0, "items"), (1.0, "items"))
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.rule("9.2")
@pytest.mark.parametrize(("name", "works"), [("KEY", True), ("OTHER", False)])
async def test_a_secret_is_given_only_where_declared(name: str, works: bool) -> None:
    async def secrets(name: str) -> str:
        return f"value of {name}"

    plan = plan_of({"a": ("secret", {"name": name})})
    result, _ = await run_plan(plan, context=RunContext(secrets=secrets))
    assert ("a" in result.outputs) is works
    assert works or result.errors["a"].code == SecretMissing.code


@pytest.mark.rule("9.3")
async def test_the_own_directory_is_gone_after_the_run() -> None:
    result, _ = await run_plan(plan_of({"a": "tmp"}))
    assert not os.path.exists(result.outputs["a"]["path"])  # noqa: ASYNC240, PTH110 - one look at a local disk


@pytest.mark.rule("6.4")
async def test_an_execution_runs_once() -> None:
    execution = Execution(plan_of({"a": ONE}))
    await execution.run()
    with pytest.raises(RunActive):
        await execution.run()


async def test_a_sink_that_raises_fails_the_run_and_does_not_hang_it() -> None:
    def sink(event: Any) -> None:
        if event.kind == "node.done":
            raise RuntimeError("full")

    plan = plan_of({"a": ONE, "b": "wait"})
    result = await Execution(plan, sink=sink).run()
    assert result.status == "failed"
    assert result.error is not None
    assert "full" in result.error.message


async def test_a_spell_without_nodes_completes() -> None:
    result, events = await run_plan(plan_of({}))
    assert (result.status, result.outputs) == ("completed", {})
    assert [event.kind for event in events] == ["run.started", "run.completed"]
    assert nodes.library.problems == {}
