"""Streams between nodes: who starts when, who waits for whom, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import (
    Event,
    Execution,
    Limits,
    LiveSession,
    NodeTypeInvalid,
    Plan,
    RunMemory,
    Spell,
    compile,
    node,
)
from spellwork.cache import MemoryCache
from spellwork.events import started_and
from spellwork.streams import CAPACITY
from tests.seeds import examples
from tests.spells.drawing import draw, kinds

from .stream_nodes import gates, library

pytestmark = pytest.mark.anyio

MANY = 4 * CAPACITY


@pytest.fixture(autouse=True)
def _fresh() -> None:
    gates.reset()


def plan_of(nodes: dict[str, Any], *wires: str) -> Plan:
    spell = draw(nodes, *wires).to_json()
    for each in spell["nodes"].values():
        each["type"] = each["type"].replace("t.", "s.", 1)
    return compile(Spell.model_validate(spell), library)


def ignore(event: Event) -> None:
    """Take an event."""


async def outputs_of(plan: Plan, **options: Any) -> dict[str, Any]:
    async with asyncio.timeout(60):
        result = await Execution(plan, **options).run()
    assert not result.errors, result.errors
    return {name: next(iter(row.values())) for name, row in result.outputs.items()}


PIPES: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]] = {
    "source to sink": (
        {"a": ("count", {"many": MANY}), "b": "total"},
        ("a.items -> b.items",),
        {"b": sum(range(MANY))},
    ),
    "a pipe": (
        {"a": ("count", {"many": MANY}), "m": "double", "b": "total"},
        ("a.items -> m.items", "m.items -> b.items"),
        {"m": [2 * each for each in range(MANY)], "b": 2 * sum(range(MANY))},
    ),
    "threads": (
        {"a": ("threaded", {"many": MANY}), "m": "double_threaded", "b": "total_threaded"},
        ("a.items -> m.items", "m.items -> b.items"),
        {"m": [2 * each for each in range(MANY)], "b": 2 * sum(range(MANY))},
    ),
    "a generator in place": (
        {"a": ("in_place", {"many": MANY}), "b": "total"},
        ("a.items -> b.items",),
        {"b": sum(range(MANY))},
    ),
    "readers of the stream and of the whole": (
        {"a": ("count", {"many": MANY}), "b": "total", "c": "whole", "d": "total"},
        ("a.items -> b.items", "a.items -> c.items", "a.items -> d.items"),
        {"b": sum(range(MANY)), "c": sum(range(MANY)), "d": sum(range(MANY))},
    ),
    "many": (
        {"a": ("count", {"many": MANY}), "b": ("count", {"many": 3}), "c": "joined"},
        ("a.items -> c.items", "b.items -> c.items"),
        {"c": [*range(MANY), *range(3)]},
    ),
    "a diamond that reads one side to its end first": (
        {"a": ("count", {"many": MANY}), "m": "double", "c": "both"},
        ("a.items -> c.one", "a.items -> m.items", "m.items -> c.other"),
        {"c": [*range(0, 2 * MANY, 2), *range(MANY)]},
    ),
    "a diamond that reads the other side to its end first": (
        {"a": ("count", {"many": MANY}), "m": "double", "c": "both"},
        ("a.items -> c.other", "a.items -> m.items", "m.items -> c.one"),
        {"c": [*range(MANY), *range(0, 2 * MANY, 2)]},
    ),
    "no chunk": (
        {"a": ("count", {"many": 0}), "b": "total"},
        ("a.items -> b.items",),
        {"a": [], "b": 0},
    ),
    "text": (
        {"a": ("words", {"text": "x y"}), "b": "seen"},
        ("a.text -> b.items",),
        {"a": "xy", "b": "['x', 'y']"},
    ),
    "bytes": (
        {"a": "bytes", "b": "seen"},
        ("a.data -> b.items",),
        {"a": b"\0\1\2", "b": repr([b"\0", b"\1", b"\2"])},
    ),
    "no bytes": ({"a": ("bytes", {"many": 0})}, (), {"a": b""}),
    "a list that is typed in": ({"b": ("total", {"items": [1, 2]})}, (), {"b": 3}),
    "a text that is typed in": ({"b": ("seen", {"items": "ab"})}, (), {"b": "['ab']"}),
    "a whole of a node that does not stream": (
        {"a": ("first", {"items": [1, 2, 3]}), "b": "total"},
        ("a.items -> b.items",),
        {"b": 3},
    ),
    "one who goes away": (
        {"a": ("count", {"many": MANY}), "b": "first", "c": "total"},
        ("a.items -> b.items", "a.items -> c.items"),
        {"b": [0, 1], "c": sum(range(MANY))},
    ),
    "sent chunks": (
        {"a": ("sender", {"many": MANY}), "b": "total"},
        ("a.items -> b.items",),
        {"a": "whole", "b": sum(range(MANY))},
    ),
    "emitted chunks": (
        {"a": ("sender", {"many": MANY, "wait": False}), "b": "total"},
        ("a.items -> b.items",),
        {"a": "whole", "b": sum(range(MANY))},
    ),
}


@pytest.mark.rule("12.1", "12.3", "12.4", "12.7")
@pytest.mark.parametrize("watched", [False, True], ids=["quiet", "told"])
@pytest.mark.parametrize("concurrency", [None, 1])
@pytest.mark.parametrize(("nodes", "wires", "want"), PIPES.values(), ids=PIPES.keys())
async def test_pipes(
    nodes: dict[str, Any],
    wires: tuple[str, ...],
    want: dict[str, Any],
    concurrency: int | None,
    watched: bool,
) -> None:
    before = asyncio.all_tasks()
    options: dict[str, Any] = {"limits": Limits(concurrency=concurrency)}
    if watched:
        options["sink"] = ignore
    got = await outputs_of(plan_of(nodes, *wires), **options)
    assert {name: got[name] for name in want} == want
    assert asyncio.all_tasks() == before


@pytest.mark.rule("12.4")
async def test_a_node_starts_while_its_stream_still_comes() -> None:
    events: list[Event] = []
    plan = plan_of({"a": ("count", {"many": 5, "wait_at": 2}), "b": "first"}, "a.items -> b.items")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan, sink=events.append).run())
        while "node.done" not in kinds(events, "b"):
            await asyncio.sleep(0)
        assert kinds(events, "a") == ["node.started", "node.chunk", "node.chunk"]
        gates.open.set()
    assert running.result().outputs["a"]["items"] == [0, 1, 2, 3, 4]


@pytest.mark.rule("12.2")
@pytest.mark.parametrize("source", ["count", "threaded", "in_place", "sender"])
async def test_a_slow_reader_slows_who_fills_the_stream(source: str) -> None:
    plan = plan_of({"a": (source, {"many": MANY}), "b": "slow"}, "a.items -> b.items")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan).run())
        await _until_still(lambda: len(gates.made))
        assert len(gates.made) < MANY
        assert len(gates.made) <= CAPACITY + (2 * CAPACITY if source == "threaded" else 1)
        gates.open.set()
    assert running.result().outputs["b"]["items"] == list(range(MANY))


async def _until_still(value: Any) -> None:
    """Wait until something has not changed for a while."""
    last, same = value(), 0
    while same < 10:
        await asyncio.sleep(0.01)
        same = same + 1 if value() == last and last else 0
        last = value()


@pytest.mark.rule("12.8")
async def test_who_is_held_for_long_says_so_until_its_next_chunk() -> None:
    events: list[Event] = []
    plan = plan_of({"a": ("count", {"many": MANY}), "b": "slow"}, "a.items -> b.items")
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan, sink=events.append).run())
        while "node.waiting" not in kinds(events, "a"):
            await asyncio.sleep(0.01)
        gates.open.set()
    assert running.result().status == "completed"
    told = kinds(events, "a")
    assert told[told.index("node.waiting") + 1] == "node.chunk"
    assert told.count("node.chunk") == MANY
    waiting = next(event for event in events if event.kind == "node.waiting")
    assert waiting.data == {"for": "stream"}


@pytest.mark.rule("12.8")
async def test_a_timeout_stands_still_while_a_node_waits_for_others() -> None:
    plan = plan_of(
        {
            "a": {"type": "count", "inputs": {"many": MANY}, "settings": {"timeout": 0.5}},
            "b": "slow",
            "m": {"type": "double", "settings": {"timeout": 0.5}},
            "s": ("count", {"many": 2, "wait_at": 1}),
        },
        "a.items -> b.items",
        "s.items -> m.items",
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan).run())
        await asyncio.sleep(0.7)
        gates.open.set()
    assert running.result().errors == {}


@pytest.mark.rule("12.7")
@pytest.mark.parametrize("read", [False, True])
async def test_an_output_that_is_left_out_is_what_its_chunks_add_up_to(read: bool) -> None:
    nodes: dict[str, Any] = {"a": "leaving"}
    plan = plan_of(nodes | {"b": "seen"}, "a.one -> b.items") if read else plan_of(nodes)
    result = await Execution(plan).run()
    assert result.outputs["a"] == {"one": "xy", "other": 1}
    if read:
        assert result.outputs["b"] == {"text": "['x', 'y']"}


# Failing


@pytest.mark.rule("12.5")
async def test_readers_get_the_failure_and_others_are_skipped() -> None:
    plan = plan_of(
        {
            "a": ("count", {"many": 9, "fail_at": 3, "wait_at": 3}),
            "b": "total",
            "c": "catching",
            "d": "whole",
            "e": ("first", {"many": 1}),
        },
        "a.items -> b.items",
        "a.items -> c.items",
        "a.items -> d.items",
        "a.items -> e.items",
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan).run())
        await _until_still(lambda: len(gates.made))
        gates.open.set()
    result = running.result()
    assert result.errors["a"].message == "no further"
    assert result.errors["b"].code == "stream_failed"
    assert "'a' failed while its stream was read: no further" in result.errors["b"].message
    assert result.outputs["c"] == {"text": "[0, 1, 2] stream_failed"}
    assert result.skipped["d"] == "'a' failed"
    assert result.outputs["e"] == {"items": [0]}


@pytest.mark.rule("12.5")
async def test_who_has_not_begun_when_the_stream_fails_is_skipped() -> None:
    plan = plan_of({"a": ("count", {"fail_at": 0}), "b": "total"}, "a.items -> b.items")
    result = await Execution(plan).run()
    assert result.skipped == {"b": "'a' failed"}


@pytest.mark.rule("12.5")
async def test_who_waits_for_the_journal_when_the_stream_fails_gets_the_failure() -> None:
    plan = plan_of(
        {"a": ("count", {"fail_at": 3, "wait_at": 3}), "b": "catching"}, "a.items -> b.items"
    )
    told: list[tuple[str, str | None]] = []

    async def barrier() -> None:
        if told[-1] == ("node.started", "b"):
            gates.open.set()
            await _until_still(lambda: len(told))
            assert told[-1] == ("node.failed", "a")

    def sink(event: Event) -> None:
        if event.kind in ("node.started", "node.failed"):
            told.append((event.kind, event.node))

    result = await Execution(plan, sink=sink, barrier=barrier).run()
    assert result.outputs["b"] == {"text": "[0, 1, 2] stream_failed"}


@pytest.mark.rule("12.5")
@pytest.mark.parametrize(
    ("after", "tries", "sink"), [(0, 2, None), (2, 1, None), (0, 2, True), (2, 1, True)]
)
async def test_a_node_is_tried_again_until_a_chunk_was_taken(
    after: int, tries: int, sink: bool | None
) -> None:
    plan = plan_of({"a": ("flaky", {"after": after}), "b": "total"}, "a.items -> b.items")
    result = await Execution(plan, sink=ignore if sink else None).run()
    assert gates.tries == tries
    if tries == 2:
        assert result.outputs["b"] == {"sum": 6}
    else:
        assert set(result.errors) == {"a", "b"}


@pytest.mark.rule("12.5")
async def test_a_reader_that_tries_again_gets_all_from_the_beginning() -> None:
    plan = plan_of({"a": ("count", {"many": MANY}), "b": "again"}, "a.items -> b.items")
    assert (await outputs_of(plan))["b"] == sum(range(MANY))
    assert gates.tries == 2


@pytest.mark.rule("12.4")
async def test_a_chunk_that_does_not_fit_fails_the_reader() -> None:
    plan = plan_of({"a": "loose", "b": "total"}, "a.items -> b.items")
    result = await Execution(plan).run()
    assert result.errors["b"].code == "invalid_input"
    assert result.errors["b"].port == "items"
    assert "a chunk of the input 'items' cannot be" in result.errors["b"].message
    assert result.outputs["a"] == {"items": [1, "x", 2]}


@pytest.mark.rule("12.6")
@settings(max_examples=examples(25), deadline=None)
@given(turns=st.integers(0, 60), pipe=st.sampled_from(sorted(PIPES)), told=st.booleans())
def test_a_cancel_at_any_point_leaves_nothing(turns: int, pipe: str, told: bool) -> None:
    async def run() -> None:
        gates.reset()
        nodes, wires, _ = PIPES[pipe]
        execution = Execution(plan_of(nodes, *wires), sink=ignore if told else None)
        async with asyncio.timeout(60):
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(execution.run())
                for _ in range(turns):
                    await asyncio.sleep(0)
                execution.cancel()
            result = running.result()
        assert result.status in ("cancelled", "completed")
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


@pytest.mark.rule("12.6")
async def test_the_size_of_a_stream_is_limited_while_it_comes() -> None:
    plan = plan_of({"a": ("count", {"many": 10**9}), "b": "total"}, "a.items -> b.items")
    result = await Execution(plan, limits=Limits(output_bytes=50_000)).run()
    assert result.errors["a"].code == "output_too_large"
    assert len(gates.made) < 10_000


# Remembering


@pytest.mark.rule("12.9")
async def test_the_whole_is_cached_and_feeds_readers_who_are_cached_too() -> None:
    cache = MemoryCache()
    plan = plan_of(
        {"a": "kept", "b": "total_kept", "c": "total"}, "a.items -> b.items", "a.items -> c.items"
    )
    for why in (["new", "new"], ["cached", "cached"]):
        result = await Execution(plan, cache=cache).run()
        assert [result.why["a"], result.why["b"]] == why
        assert (result.outputs["b"], result.outputs["c"]) == ({"sum": 45}, {"sum": 45})
    assert gates.tries == 2


@pytest.mark.rule("12.9")
async def test_a_run_that_builds_on_the_last_one_keeps_readers_of_streams() -> None:
    memory = RunMemory()
    plan = plan_of({"a": "kept", "b": "total_kept"}, "a.items -> b.items")
    for _ in range(2):
        result = await Execution(plan, memory=memory, incremental=True).run()
        assert result.outputs["b"] == {"sum": 45}
    assert gates.tries == 2
    changed = plan_of({"a": ("kept", {"many": 3}), "b": "total_kept"}, "a.items -> b.items")
    result = await Execution(changed, memory=memory, incremental=True).run()
    assert result.outputs["b"] == {"sum": 3}
    assert result.why["b"] == "input changed (items)"


@pytest.mark.rule("12.4", "11.1")
@pytest.mark.parametrize("watched", [False, True])
async def test_live_streams_start_their_readers_too(watched: bool) -> None:
    plan = plan_of(
        {"a": ("count", {"many": MANY}), "m": "double", "b": "total", "c": "whole"},
        "a.items -> m.items",
        "m.items -> b.items",
        "a.items -> c.items",
    )
    live = LiveSession(plan, sink=ignore if watched else None)
    async with asyncio.timeout(60):
        for many in (MANY, 3, 2 * MANY):
            live.set("a.many", many)
            await live.settled()
            assert live.outputs["b"] == {"sum": 2 * sum(range(many))}
            assert live.outputs["c"] == {"sum": sum(range(many))}
        await live.close()


# Watching


class Tab:
    """A watcher that is full after each batch until it is told otherwise."""

    def __init__(self, holds: bool) -> None:
        self.events: list[tuple[str, Any]] = []
        self.holds = holds
        self.is_full = False
        self.free = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append((event.kind, event.message if event.kind == "node.log" else event.value))

    def take_ran(self, event: Event) -> None:
        for told in started_and(event):
            self(told)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        self.events.append(("chunks", chunks))
        self.is_full = self.holds

    async def room(self) -> None:
        await self.free.wait()
        self.is_full = self.holds = False


@pytest.mark.rule("12.8")
@pytest.mark.parametrize("source", ["count", "threaded", "in_place", "sender"])
async def test_a_watcher_that_is_full_slows_who_fills_the_stream(source: str) -> None:
    tab = Tab(holds=True)
    plan = plan_of({"a": (source, {"many": MANY})})
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan, sink=tab).run())
        if source == "threaded":
            tab.is_full = True
        await _until_still(lambda: len(gates.made))
        assert len(gates.made) <= 2 * CAPACITY + 1
        while "node.waiting" not in [kind for kind, _ in tab.events]:
            await asyncio.sleep(0.01)
        tab.free.set()
    assert running.result().status == "completed"
    told = [
        chunk
        for kind, value in tab.events
        for chunk in (value if kind == "chunks" else [value] if kind == "node.chunk" else ())
    ]
    assert told == list(range(MANY))


@pytest.mark.rule("12.8")
async def test_a_watcher_gets_batches_in_order_with_all_else() -> None:
    tab = Tab(holds=False)
    await Execution(plan_of({"a": "logs"}), sink=tab).run()
    assert [each for each in tab.events if each[0] in ("chunks", "node.log")] == [
        ("chunks", [0]),
        ("node.log", "0"),
        ("chunks", [1]),
        ("node.log", "1"),
        ("chunks", [2]),
        ("node.log", "2"),
    ]
    many = Tab(holds=False)
    await Execution(plan_of({"a": ("count", {"many": MANY})}), sink=many).run()
    batches = [chunks for kind, chunks in many.events if kind == "chunks"]
    assert len(batches) < 10
    assert [chunk for batch in batches for chunk in batch] == list(range(MANY))


# Types


@pytest.mark.rule("12.4")
def test_hints_make_streams() -> None:
    total, threaded, joined = (
        library.get(f"s.{name}") for name in ("total", "total_threaded", "joined")
    )
    assert total is not None
    assert threaded is not None
    assert joined is not None
    assert total.inputs[0].stream
    assert total.inputs[0].schema == {"type": "array", "items": {"type": "integer"}}
    assert threaded.inputs[0].stream
    assert joined.inputs[0].stream
    assert joined.inputs[0].many


@pytest.mark.rule("12.4")
def test_a_function_that_cannot_wait_takes_no_stream() -> None:
    def blocking(items: AsyncIterator[int]) -> int:
        return 0

    def placed(items: Iterator[int]) -> int:
        return 0

    with pytest.raises(NodeTypeInvalid, match="no coroutine takes Iterator"):
        node("s.x")(blocking)
    with pytest.raises(NodeTypeInvalid, match="in place cannot wait"):
        node("s.x", isolation="inline")(placed)
