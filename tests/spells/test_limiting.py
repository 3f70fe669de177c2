"""Limits on how often nodes are called: by node, type, provider, user and server."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import (
    Context,
    Event,
    Execution,
    Library,
    NodeError,
    Pack,
    RunContext,
    Spell,
    compile,
    node,
)
from spellwork.limiters import Clock
from spellwork.limiting import KEPT_GATES, Limiters, LimitRules
from spellwork.limits import Limits
from spellwork.spell import NodeLimits
from spellwork_core import pack as core
from tests.seeds import examples
from tests.spells.drawing import draw, kinds

pytestmark = pytest.mark.anyio


class FakeClock(Clock):
    """A clock that jumps to the next moment somebody waits for, once nothing else happens."""

    def __init__(self) -> None:
        self.at = 1_000_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._turning = False

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        done = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.at + seconds, self._count, done))
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn, 0)
        await done

    def _turn(self, quiet: int) -> None:
        """Let the loop come to rest, then wake the next sleeper."""
        self._sleepers = [each for each in self._sleepers if not each[2].done()]
        if not self._sleepers:
            self._turning = False
        elif quiet < 60 or _counts():
            asyncio.get_running_loop().call_soon(self._turn, quiet + 1)
        else:
            self._sleepers.sort(key=lambda each: each[:2])
            when, _, done = self._sleepers.pop(0)
            self.at = max(self.at, when)
            done.set_result(None)
            asyncio.get_running_loop().call_soon(self._turn, 0)


def _counts() -> bool:
    """Say whether the counting library is at work in a thread."""
    return any("expire" in task.get_coro().__qualname__ for task in asyncio.all_tasks())  # type: ignore[union-attr]


@dataclass
class World:
    """A clock, and when calls began and ended: {node: [(start, end)]}."""

    clock: FakeClock
    spans: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def starts(self) -> list[float]:
        return sorted(start - 1_000_000.0 for each in self.spans.values() for start, _ in each)

    def at_once(self) -> int:
        """Return the most calls that went on at one moment."""
        edges = sorted(
            edge
            for each in self.spans.values()
            for start, end in each
            for edge in ((start, 1), (end, -1))
        )
        edges.sort(key=lambda edge: (edge[0], edge[1]))
        most = now = 0
        for _, step in edges:
            now += step
            most = max(most, now)
        return most


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    clock = FakeClock()
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=clock.now))
    return World(clock)


def library_of(world: World) -> Library:  # noqa: C901 - a list of node types
    """Return node types that work so many seconds of the world's clock."""

    async def work(ctx: Context, seconds: float) -> None:
        started = world.clock.now()
        if seconds:
            await world.clock.sleep(seconds)
        world.spans[ctx.node_id].append((started, world.clock.now()))

    @node("l.work", output="value")
    async def plain(ctx: Context, seconds: float = 1, after: Any = None) -> str:
        await work(ctx, seconds)
        return ctx.node_id

    @node("l.other", output="value")
    async def other(ctx: Context, seconds: float = 1) -> str:
        await work(ctx, seconds)
        return ctx.node_id

    @node("l.flaky", output="value", retries=3, backoff=0)
    async def flaky(ctx: Context, works_at: int = 3) -> int:
        await work(ctx, 0)
        if ctx.attempt < works_at:
            raise NodeError("not yet")
        return ctx.attempt

    @node("l.calls", output="value")
    async def calls(ctx: Context) -> Any:
        return await ctx.call("l.work", {"seconds": 1})

    @node("l.busy", output="value", limiter="shop")
    async def busy(ctx: Context, fails: bool = False) -> str:
        await work(ctx, 0)
        if fails:
            raise NodeError("come again", retry_after=30)
        return ctx.node_id

    @node("l.asks", output="value", limiter=lambda inputs: inputs.get("whom"))
    async def asks(ctx: Context, whom: str | None = None, *, busy: float = 0) -> str:
        await work(ctx, 0)
        if busy:
            ctx.defer(busy)
        return ctx.node_id

    @node("l.plain", output="value")
    async def simple(value: int = 0) -> int:
        world.spans["plain"].append((world.clock.now(), world.clock.now()))
        return value

    return Library([Pack("l", "1", "L", nodes=(plain, other, flaky, calls, busy, asks, simple))])


def several(count: int, type: str = "l.work", **more: Any) -> dict[str, Any]:
    return {f"n{index:02}": {"type": type, **more} for index in range(count)}


async def run(
    world: World,
    nodes: dict[str, Any],
    limiters: Limiters | None = None,
    *,
    user: str | None = "ann",
    **options: Any,
) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    spell = draw({}).model_validate({"nodes": nodes})
    execution = Execution(
        compile(spell, library_of(world)),
        sink=events.append,
        limiters=limiters or Limiters(clock=world.clock),
        context=RunContext(canvas="canvas", user=user),
        **options,
    )
    return await execution.run(), events


def rules(world: World, **rules: Any) -> Limiters:
    return Limiters(LimitRules.model_validate(rules), world.clock)


TABLE = {
    "concurrency": ({"concurrency": 2}, 1, [0, 0, 1, 1, 2]),
    "rate": ({"rate": 2, "per": 10}, 0, [0, 0, 10, 10, 20]),
    "a rate in part of a second": ({"rate": 1, "per": 0.25}, 0, [0, 0.25, 0.5, 0.75, 1]),
    "even spacing": ({"spacing": 3}, 0, [0, 3, 6, 9, 12]),
    "delay": ({"delay": 4}, 1, [4, 4, 4, 4, 4]),
    "delay and spacing": ({"delay": 4, "spacing": 1}, 1, [4, 5, 6, 7, 8]),
    "rate and concurrency": ({"rate": 2, "per": 5, "concurrency": 1}, 1, [0, 1, 5, 6, 10]),
    "concurrency and spacing": ({"concurrency": 2, "spacing": 1}, 4, [0, 1, 4, 5, 8]),
}


@pytest.mark.rule("14.8", "14.9")
@pytest.mark.parametrize(("limits", "seconds", "expected"), TABLE.values(), ids=TABLE.keys())
@pytest.mark.parametrize("where", ["server", "user", "types"])
async def test_calls_start_no_sooner_and_no_later_than_limits_allow(
    world: World, limits: dict[str, Any], seconds: float, expected: list[float], where: str
) -> None:
    limiters = rules(world, **{where: {"l.work": limits} if where == "types" else limits})
    result, _ = await run(world, several(5, inputs={"seconds": seconds}), limiters)
    assert result.ok
    assert world.starts() == pytest.approx(expected, abs=0.05)


@pytest.mark.rule("14.8")
async def test_a_nodes_own_limits_count_in_all_runs_of_its_canvas(world: World) -> None:
    limiters = Limiters(clock=world.clock)
    nodes = several(1, settings={"limits": {"spacing": 5}}, inputs={"seconds": 0})
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(run(world, nodes, limiters))
    assert world.starts() == pytest.approx([0, 5, 10], abs=0.05)


@pytest.mark.rule("14.8")
async def test_each_attempt_counts(world: World) -> None:
    nodes = {"a": {"type": "l.flaky", "settings": {"limits": {"spacing": 5}}}}
    result, _ = await run(world, nodes)
    assert result.outputs["a"] == {"value": 3}
    assert world.starts() == pytest.approx([0, 5, 10], abs=0.05)


@pytest.mark.rule("14.8")
async def test_a_node_that_waits_says_for_what_and_until_when_and_starts_after_that(
    world: World,
) -> None:
    limiters = rules(world, types={"l.work": {"rate": 1, "per": 60}})
    _, events = await run(world, several(2, inputs={"seconds": 0}), limiters)
    assert kinds(events, "n00") == ["node.started", "node.done"]
    assert kinds(events, "n01")[-3:] == ["node.waiting", "node.started", "node.done"]
    waiting = [event for event in events if event.kind == "node.waiting"][-1]
    assert waiting.message == "waits for a limit of the type 'l.work'"
    assert waiting.data == {"for": "limit", "until": pytest.approx(1_000_060, abs=0.1)}


@pytest.mark.rule("14.8")
async def test_a_wait_is_no_part_of_a_nodes_timeout_nor_of_its_duration(world: World) -> None:
    nodes = several(2, inputs={"seconds": 0}, settings={"timeout": 20})
    result, _ = await run(world, nodes, rules(world, server={"delay": 3_600, "spacing": 3_600}))
    assert result.ok
    assert max(result.durations.values()) < 20


@pytest.mark.rule("14.9")
async def test_limits_of_a_user_are_each_users_own(world: World) -> None:
    limiters = rules(world, user={"concurrency": 1})
    async with asyncio.TaskGroup() as tasks:
        for user in ("ann", "bob"):
            tasks.create_task(run(world, several(2), limiters, user=user))
    assert world.starts() == pytest.approx([0, 0, 1, 1])


@pytest.mark.rule("14.9")
async def test_limits_of_a_type_leave_other_types_alone(world: World) -> None:
    nodes = several(2) | {"x": {"type": "l.other"}}
    await run(world, nodes, rules(world, types={"l.work": {"concurrency": 1}}))
    assert world.starts() == pytest.approx([0, 0, 1])


@pytest.mark.rule("14.9")
async def test_limits_of_a_provider_hold_for_all_its_nodes(world: World) -> None:
    limiters = rules(world, providers={"shop": {"spacing": 2}})
    await run(world, several(3, "l.busy"), limiters)
    assert world.starts() == pytest.approx([0, 2, 4], abs=0.05)


@pytest.mark.rule("14.9")
async def test_limits_of_the_server_hold_for_nodes_that_are_called_in_the_shortest_way(
    world: World,
) -> None:
    plan = compile(draw({}).model_validate({"nodes": several(3, "l.plain")}), library_of(world))
    await Execution(plan, limiters=rules(world, server={"spacing": 2})).run()
    assert world.starts() == pytest.approx([0, 2, 4], abs=0.05)


@pytest.mark.rule("14.9")
async def test_a_call_within_a_call_does_not_wait_for_the_one_that_it_is_inside_of(
    world: World,
) -> None:
    limiters = rules(world, server={"concurrency": 1}, user={"concurrency": 1})
    result, _ = await asyncio.wait_for(run(world, several(2, "l.calls"), limiters), 60)
    assert result.ok
    assert world.at_once() == 1


@pytest.mark.rule("14.8", "14.9")
@pytest.mark.parametrize("where", ["node", "type", "server"])
async def test_all_iterations_of_a_body_count_together_and_what_runs_them_takes_no_place(
    world: World, where: str
) -> None:
    inner: dict[str, Any] = {"type": "l.work", "group": "g"}
    if where == "node":
        inner["settings"] = {"limits": {"concurrency": 1}}
    limiters = rules(
        world,
        **({"server": {"concurrency": 1}} if where == "server" else {}),
        **({"types": {"l.work": {"concurrency": 1}}} if where == "type" else {}),
    )
    spell = Spell.model_validate(
        {
            "groups": {"g": {}},
            "nodes": {
                "m": {
                    "type": "core.map",
                    "inputs": {"items": [1, 2, 3], "input": "item", "at_once": 3},
                    "settings": {"body": {"group": "g"}},
                },
                "i": {"type": "core.input", "inputs": {"name": "item"}, "group": "g"},
                "w": inner,
            },
            "edges": {"e": {"source": "i", "output": "value", "target": "w", "input": "after"}},
        }
    )
    library = Library([*library_of(world).packs, core])
    events: list[Event] = []
    execution = Execution(compile(spell, library), sink=events.append, limiters=limiters)
    result = await asyncio.wait_for(execution.run(), 60)
    assert result.ok
    assert len(world.starts()) == 3
    assert world.at_once() == 1
    waiting = {event.node for event in events if event.kind == "node.waiting"}
    assert waiting <= {f"m[{index}]/w" for index in range(3)} | (
        {f"m[{index}]/i" for index in range(3)} if where == "server" else set()
    )
    assert waiting


@pytest.mark.rule("14.10")
async def test_who_is_told_to_come_again_later_keeps_all_nodes_of_the_provider_back(
    world: World,
) -> None:
    limiters = Limiters(clock=world.clock)
    failed, _ = await run(world, {"a": {"type": "l.busy", "inputs": {"fails": True}}}, limiters)
    assert not failed.ok
    _, events = await run(world, {"b": {"type": "l.busy"}, "c": {"type": "l.work"}}, limiters)
    starts = {id: spans[0][0] - 1_000_000 for id, spans in world.spans.items()}
    assert starts == pytest.approx({"a": 0, "b": 30, "c": 0}, abs=0.05)
    waiting = next(event for event in events if event.kind == "node.waiting")
    assert (waiting.node, waiting.message) == ("b", "waits for a limit of the provider 'shop'")


@pytest.mark.rule("14.9", "14.10")
async def test_a_provider_may_be_told_by_the_inputs_and_be_let_be_without_a_failure(
    world: World,
) -> None:
    limiters = Limiters(clock=world.clock)

    def asks(whom: str | None, **more: Any) -> dict[str, Any]:
        return {"type": "l.asks", "inputs": {"whom": whom, **more}}

    first, _ = await run(world, {"a": asks("shop", busy=30)}, limiters)
    assert first.ok
    await run(world, {"b": asks("shop"), "c": asks("bank"), "d": asks(None, busy=9)}, limiters)
    starts = {id: spans[0][0] - 1_000_000 for id, spans in world.spans.items()}
    assert starts == pytest.approx({"a": 0, "b": 30, "c": 0, "d": 0}, abs=0.05)


@pytest.mark.rule("14.10")
async def test_nobody_keeps_the_nodes_of_other_users_back(world: World) -> None:
    limiters = Limiters(clock=world.clock)
    await run(world, {"a": {"type": "l.busy", "inputs": {"fails": True}}}, limiters, user="ann")
    await run(world, {"b": {"type": "l.busy"}}, limiters, user="bob")
    assert world.starts() == [0, 0]


@pytest.mark.rule("14.11")
@pytest.mark.parametrize(
    "limits", [{"concurrency": 1}, {"rate": 1, "per": 60}, {"spacing": 60}, {"delay": 60}]
)
async def test_a_cancel_ends_a_wait_at_once_and_gives_the_place_to_others(
    limits: dict[str, Any],
) -> None:
    world = World(FakeClock())
    world.clock.sleep = asyncio.sleep  # type: ignore[assignment,method-assign] # real waits, which a cancel must end
    limiters = Limiters(LimitRules(server=NodeLimits.model_validate(limits)), world.clock)
    before = asyncio.all_tasks()
    waiting = asyncio.Event()

    def sink(event: Event) -> None:
        if event.kind == "node.waiting":
            waiting.set()

    spell = draw({}).model_validate({"nodes": several(3, inputs={"seconds": 30})})
    execution = Execution(compile(spell, library_of(world)), sink=sink, limiters=limiters)
    async with asyncio.timeout(60):
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(execution.run())
            await waiting.wait()
            began = asyncio.get_running_loop().time()
            execution.cancel()
        assert asyncio.get_running_loop().time() - began < 1
    assert running.result().status == "cancelled"
    for _ in range(20):  # the counting library ends a task of its own
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
    gates = list(limiters._gates.values())
    assert [gate.in_use for gate in gates] == [False] * len(gates)


@pytest.mark.rule("14.8")
@settings(max_examples=examples(40), deadline=None)
@given(
    limits=st.builds(
        NodeLimits,
        concurrency=st.none() | st.integers(1, 4),
        rate=st.none() | st.integers(1, 4),
        per=st.sampled_from([0.5, 1, 7]),
        spacing=st.none() | st.sampled_from([0.1, 1, 3]),
        delay=st.none() | st.sampled_from([0.5, 2]),
    ),
    seconds=st.lists(st.sampled_from([0, 0.3, 1, 5]), min_size=1, max_size=8),
)
async def test_no_limit_is_ever_broken_and_every_call_is_made(
    limits: NodeLimits, seconds: list[float]
) -> None:
    clock = FakeClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=clock.now))
        world = World(clock)
        nodes = {
            f"n{index}": {"type": "l.work", "inputs": {"seconds": each}}
            for index, each in enumerate(seconds)
        }
        result, _ = await run(world, nodes, Limiters(LimitRules(server=limits), clock))
    assert result.ok
    starts = world.starts()
    assert len(starts) == len(seconds)
    if limits.concurrency:
        assert world.at_once() <= limits.concurrency
    if limits.rate:
        for first, last in zip(starts, starts[limits.rate :], strict=False):
            assert last - first >= limits.per - 1e-6
    if limits.spacing:
        gaps = [after - before for before, after in pairwise(starts)]
        assert all(gap >= limits.spacing - 1e-6 for gap in gaps)
    if limits.delay:
        assert starts[0] >= limits.delay - 1e-6


@pytest.mark.rule("14.9")
def test_limits_of_nodes_that_are_gone_are_forgotten(world: World) -> None:
    limiters = Limiters(clock=world.clock)
    for index in range(KEPT_GATES + 100):
        limiters._gate(("node", "canvas", str(index)), "a node", NodeLimits(rate=1, per=86_400))
    assert len(limiters._gates) <= KEPT_GATES + 1


@pytest.mark.rule("14.12")
@pytest.mark.parametrize("waits_for", ["a node", "a limit"])
async def test_a_run_over_its_time_fails_and_keeps_what_there_is(waits_for: str) -> None:
    world = World(FakeClock())
    world.clock.sleep = asyncio.sleep  # type: ignore[assignment,method-assign]
    nodes: dict[str, Any] = {
        "a": {"type": "l.plain", "inputs": {"value": 2}},
        "b": {"type": "l.work", "inputs": {"seconds": 30 if waits_for == "a node" else 0}},
    }
    if waits_for == "a limit":
        nodes["b"]["settings"] = {"limits": {"delay": 30}}
    result, events = await run(world, nodes, limits=Limits(seconds=0.1))
    assert result.status == "failed"
    assert result.error is not None
    assert result.error.code == "run_timeout"
    assert result.error.message == "the run took longer than 0.1 s"
    assert result.outputs == {"a": {"value": 2}}
    assert result.duration < 1
    assert (events[-1].kind, (events[-1].error or {})["code"]) == ("run.failed", "run_timeout")


@pytest.mark.rule("14.12")
async def test_a_run_within_its_time_leaves_no_timer() -> None:
    world = World(FakeClock())
    result, _ = await run(world, several(1, "l.plain"), limits=Limits(seconds=0.05))
    await asyncio.sleep(0.08)
    assert result.ok


@pytest.mark.rule("14.13")
async def test_a_node_that_calls_others_too_often_fails_and_says_how_often_it_may() -> None:
    world = World(FakeClock())

    @node("l.loops", output="value")
    async def loops(ctx: Context, turns: int) -> int:
        for _ in range(turns):
            await ctx.call("l.plain", {})
        return turns

    library = Library([*library_of(world).packs, Pack("m", "1", "M", nodes=(loops,))])

    async def turns(count: int, plain: int = 0) -> Any:
        nodes = several(plain, "l.plain") | {"z": {"type": "l.loops", "inputs": {"turns": count}}}
        spell = draw({}).model_validate({"nodes": nodes})
        return await Execution(compile(spell, library), limits=Limits(calls=10)).run()

    assert (await turns(9)).outputs["z"] == {"value": 9}
    failure = (await turns(10)).errors["z"]
    assert (failure.code, failure.details) == ("too_many_calls", {"limit": 10})
    assert failure.message == "the run has called its nodes 10 times, which is as often as it may"
    assert (await turns(4, plain=5)).ok
    assert not (await turns(5, plain=5)).ok
    result = await turns(0, plain=11)
    assert (result.status, result.outputs) == ("failed", {})
    assert result.error.code == "too_many_calls"
