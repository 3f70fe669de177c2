"""Streams into and out of workers: chunks go both ways as they come, and none beyond the credit."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spellwork import (
    Context,
    Event,
    Execution,
    Library,
    NodeError,
    Pack,
    Plan,
    Spell,
    compile,
    node,
)
from spellwork.streams import CAPACITY
from spellwork.workers import WorkerPool
from spellwork_code import pack as code_pack
from spellwork_worker.cells import read_cell

pytestmark = pytest.mark.anyio

MANY = 4 * CAPACITY

SOURCE = "def f(many: int):\n    yield from range(many)"
BYTES = "def f():\n    yield b'a'\n    yield bytearray(b'b')"
DOUBLE = "from collections.abc import Iterator\ndef f(items: Iterator[int]) -> Iterator[int]:\n    for item in items:\n        yield 2 * item"
ASYNC_DOUBLE = """
from collections.abc import AsyncIterator
async def f(items: AsyncIterator[int]):
    async for item in items:
        yield 2 * item
"""
TOTAL = "def f(items: Iterator) -> int:\n    return sum(items)"
FIRST = "def f(items: Iterator):\n    return [next(items), next(items)]"
CATCH = """
def f(items: Iterator):
    taken = []
    try:
        for item in items:
            taken.append(item)
    except Exception as error:
        return [taken, error.code]
"""


class Gate:
    """Opened by a test, and how many chunks were taken before."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.made = 0


gate = Gate()


@node("w.count", output="items", cache="none")
async def count(many: int = MANY, wait_at: int = -1, fail_at: int = -1) -> AsyncIterator[int]:
    """Count; waits for the gate, also before it fails."""
    for number in range(many):
        if number in (wait_at, fail_at):
            await gate.open.wait()
        if number == fail_at:
            raise NodeError("no further")
        gate.made += 1
        yield number


@node("w.slow", output="items", cache="none")
async def slow(items: AsyncIterator[Any]) -> list[Any]:
    """All; after the first it waits for the gate."""
    taken = []
    async for item in items:
        taken.append(item)
        if len(taken) == 1:
            await gate.open.wait()
    return taken


@node("w.asks", output="items", cache="none")
async def asks(ctx: Context, many: int = 3) -> AsyncIterator[Any]:
    """What a cell gives, as often."""
    for number in range(many):
        yield number
        yield (await ctx.call("code.python", {}, code=f"{number} * 10"))["result"]


@node("w.calls", output="items", cache="none")
async def calls(ctx: Context, items: AsyncIterator[Any]) -> list[Any]:
    """Some of what comes, each through a cell."""
    return [
        (await ctx.call("code.python", {"x": item}, code="x + 1"))["result"]
        async for item in items
        if item % CAPACITY == 0
    ]


library = Library([code_pack, Pack("w", "1", "Test", (count, slow, asks, calls))])


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    gate.__init__()  # type: ignore[misc]
    async with WorkerPool(size=3, memory_mb=512) as pool:
        yield pool


def plan_of(nodes: dict[str, Any], *wires: tuple[str, str, str, str]) -> Plan:
    made = {
        name: {"type": "code.python", "code": textwrap.dedent(each)}
        if isinstance(each, str)
        else {"type": each[0], "inputs": each[1]}
        for name, each in nodes.items()
    }
    edges = {
        f"e{place}": dict(zip(("source", "output", "target", "input"), wire, strict=True))
        for place, wire in enumerate(wires)
    }
    return compile(Spell.model_validate({"nodes": made, "edges": edges}), library)


async def outputs_of(plan: Plan, pool: WorkerPool, **options: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        result = await Execution(plan, executors={"worker": pool}, **options).run()
    assert not result.errors, result.errors
    return {name: next(iter(row.values())) for name, row in result.outputs.items()}


@pytest.mark.rule("12.10", "12.1")
async def test_cells_stream_to_each_other(pool: WorkerPool) -> None:
    plan = plan_of(
        {"m": ("w.count", {}), "d": DOUBLE, "a": ASYNC_DOUBLE, "t": TOTAL, "f": FIRST, "b": BYTES},
        ("m", "items", "d", "items"),
        ("d", "result", "a", "items"),
        ("a", "result", "t", "items"),
        ("d", "result", "f", "items"),
    )
    got = await outputs_of(plan, pool)
    assert got["d"] == list(range(0, 2 * MANY, 2))
    assert got["t"] == 4 * sum(range(MANY))
    assert got["f"] == [0, 2]
    assert got["b"] == b"ab"


@pytest.mark.rule("18.27")
async def test_a_cell_that_waits_for_a_stream_keeps_nobody_waiting_who_fills_or_reads_it() -> None:
    async with WorkerPool() as pool:
        filled = plan_of({"a": ("w.asks", {}), "t": TOTAL}, ("a", "items", "t", "items"))
        assert (await outputs_of(filled, pool))["t"] == 33
        read = plan_of(
            {"s": f"def f():\n    yield from range({MANY})", "c": ("w.calls", {})},
            ("s", "result", "c", "items"),
        )
        assert (await outputs_of(read, pool))["c"] == [1 + CAPACITY * n for n in range(4)]


@pytest.mark.rule("12.4", "12.10")
async def test_a_whole_feeds_a_cell_that_takes_a_stream(pool: WorkerPool) -> None:
    spell = {"nodes": {"t": {"type": "code.python", "code": TOTAL, "inputs": {"items": [1, 2]}}}}
    assert await outputs_of(compile(Spell.model_validate(spell), library), pool) == {"t": 3}


@pytest.mark.rule("12.2", "12.10")
async def test_a_worker_makes_no_chunk_beyond_its_credit(pool: WorkerPool) -> None:
    told = asyncio.Event()
    code = f"import time\ndef f():\n    for number in range({MANY}):\n        yield time.time()"
    plan = plan_of({"c": code, "s": ("w.slow", {})}, ("c", "result", "s", "items"))

    def sink(event: Event) -> None:
        if event.kind == "node.waiting":
            told.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Execution(plan, executors={"worker": pool}, sink=sink).run())
        await told.wait()
        opened = time.time()
        gate.open.set()
    made = running.result().outputs["s"]["items"]
    assert len(made) == MANY
    assert made[0] < opened < made[2 * CAPACITY + 1]


@pytest.mark.rule("12.2", "12.10")
async def test_a_cell_that_reads_slowly_slows_who_fills_its_stream(pool: WorkerPool) -> None:
    code = "import time\ndef f(items: Iterator):\n    yield next(items)\n    time.sleep(0.3)\n    yield from items"
    plan = plan_of(
        {"m": ("w.count", {"many": 20 * CAPACITY, "wait_at": 1}), "f": code},
        ("m", "items", "f", "items"),
    )
    made_by_then = 0

    def sink(event: Event) -> None:
        nonlocal made_by_then
        if event.kind == "node.waiting":
            made_by_then = gate.made
        elif event.kind == "node.chunk" and event.node == "f":
            gate.open.set()

    got = await outputs_of(plan, pool, sink=sink)
    assert got["f"] == list(range(20 * CAPACITY))
    assert 0 < made_by_then < 20 * CAPACITY


@pytest.mark.rule("12.5", "12.10")
async def test_a_cell_can_catch_the_failure_of_what_it_reads(pool: WorkerPool) -> None:
    plan = plan_of(
        {"m": ("w.count", {"fail_at": 2}), "c": CATCH, "t": TOTAL},
        ("m", "items", "c", "items"),
        ("m", "items", "t", "items"),
    )
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        events: list[Event] = []
        run = Execution(plan, executors={"worker": pool}, sink=events.append).run()
        running = tasks.create_task(run)
        while len([event for event in events if event.kind == "node.started"]) < 3:
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        gate.open.set()
    result = running.result()
    assert result.outputs["c"] == {"result": [[0, 1], "stream_failed"]}
    assert result.errors["t"].code == "stream_failed"
    assert "no further" in result.errors["t"].message


@pytest.mark.rule("12.6", "12.10")
async def test_a_cancel_ends_cells_that_wait_by_streams(pool: WorkerPool) -> None:
    plan = plan_of(
        {
            "m": ("w.count", {"fail_at": 1}),
            "t": TOTAL,
            "c": SOURCE.replace("many: int", "many=9999"),
            "s": ("w.slow", {}),
        },
        ("m", "items", "t", "items"),
        ("c", "result", "s", "items"),
    )
    execution = Execution(plan, executors={"worker": pool})
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(execution.run())
        await asyncio.sleep(0.5)
        execution.cancel()
    assert running.result().status == "cancelled"


@pytest.mark.rule("12.5", "12.10")
async def test_a_worker_that_is_killed_in_the_midst_of_its_stream_fails_it(
    pool: WorkerPool,
) -> None:
    dies = "import os, signal, time\ndef f():\n    yield 0\n    yield 1\n    time.sleep(0.3)\n    os.kill(os.getpid(), signal.SIGKILL)"
    plan = plan_of(
        {"d": dies, "c": CATCH, "t": TOTAL, "again": "def f() -> int:\n    return 7"},
        ("d", "result", "c", "items"),
        ("d", "result", "t", "items"),
    )
    async with asyncio.timeout(30):
        result = await Execution(plan, executors={"worker": pool}).run()
        after = await Execution(plan, executors={"worker": pool}).run()
    for each in (result, after):
        assert each.errors["d"].code == "worker_died"
        assert each.outputs["c"] == {"result": [[0, 1], "stream_failed"]}
        assert each.errors["t"].code == "stream_failed"
        assert each.outputs["again"] == {"result": 7}


@pytest.mark.rule("12.4")
@pytest.mark.parametrize(
    ("hint", "schema", "stream"),
    [
        ("Iterator[str]", {"type": "string"}, True),
        ("Iterator[int]", {"type": "array", "items": {"type": "integer"}}, True),
        ("AsyncIterator[bytes]", {"type": "string", "format": "binary"}, True),
        ("typing.AsyncIterable", {}, True),
        (
            "Generator[list[int], None, None]",
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            True,
        ),
        ("Iterable[int]", {"type": "array", "items": {"type": "integer"}}, False),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}, False),
    ],
)
def test_a_hint_makes_an_input_of_a_cell_a_stream(
    hint: str, schema: dict[str, Any], stream: bool
) -> None:
    port = read_cell(f"def f(items: {hint}):\n    return 1").inputs[0]
    assert (port.schema, port.stream) == (schema, stream)


@pytest.mark.rule("12.1")
@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        ("Iterator[int]", {"type": "array", "items": {"type": "integer"}}),
        ("Iterator[str]", {"type": "string"}),
        ("Iterator[bytes]", {"type": "string", "format": "binary"}),
        ("Iterator", {}),
    ],
)
def test_what_a_generator_cell_gives_is_the_whole(hint: str, schema: dict[str, Any]) -> None:
    assert read_cell(f"def f() -> {hint}:\n    yield 1").outputs[0].schema == schema
