"""A stream between two nodes: chunks a second of CPU, beside a bare ``async for`` over the same generator."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from benchmarks.report import Figure
from spellwork import Event, Execution, Library, Pack, Plan, Spell, compile, node

CHUNKS = 1_000_000
ROUNDS = 5


@node("bench.source", output="chunks", cache="none")
async def source(count: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(count):
        yield number


@node("bench.map", output="chunks", cache="none")
async def double(chunks: AsyncIterator[int]) -> AsyncIterator[int]:
    """Twice each."""
    async for chunk in chunks:
        yield 2 * chunk


@node("bench.sink", output="count", cache="none")
async def sink(chunks: AsyncIterator[int]) -> int:
    """How many came."""
    count = 0
    async for _ in chunks:
        count += 1
    return count


library = Library([Pack(name="bench", version="1", title="Bench", nodes=(source, double, sink))])


class Watching:
    """A watcher that keeps up, and counts what it is told."""

    is_full = False

    def __init__(self) -> None:
        self.chunks = 0

    def __call__(self, event: Event) -> None:
        """Take an event."""

    def take_ran(self, event: Event) -> None:
        """Take an event."""

    def take_chunks(self, node: str, port: str, chunks: list[int]) -> None:
        """Take chunks."""
        self.chunks += len(chunks)

    async def room(self) -> None:
        """Return: there is always room."""


def pipe(*types: str, count: int) -> Plan:
    """Return the plan of nodes in a row; each reads the stream of the one before."""
    nodes = {f"n{place}": {"type": f"bench.{name}"} for place, name in enumerate(types)}
    nodes["n0"]["inputs"] = {"count": count}  # type: ignore[assignment]
    edges = {
        f"e{place}": {
            "source": f"n{place}",
            "output": "chunks",
            "target": f"n{place + 1}",
            "input": "chunks",
        }
        for place in range(len(types) - 1)
    }
    return compile(Spell.model_validate({"nodes": nodes, "edges": edges}), library)


async def bare(count: int) -> None:
    """Take all chunks by a loop and nothing else."""
    assert await sink.call(source.call(count)) == count


async def streamed(plan: Plan, count: int, watcher: Watching | None = None) -> None:
    """Run a plan whose last node counts the chunks."""
    result = await Execution(plan, sink=watcher).run()
    assert result.outputs[plan.steps[-1].id]["count"] == count
    assert watcher is None or watcher.chunks % count == 0


async def measure(count: int = CHUNKS, rounds: int = ROUNDS) -> dict[str, float]:
    """Return chunks a second of CPU by what was measured, the best quarter; the runs take turns."""
    two, three = pipe("source", "sink", count=count), pipe("source", "map", "sink", count=count)
    runs: dict[str, Callable[[], Awaitable[None]]] = {
        "a bare async for": lambda: bare(count),
        "two nodes": lambda: streamed(two, count),
        "two nodes, watched": lambda: streamed(two, count, Watching()),
        "three nodes": lambda: streamed(three, count),
    }
    taken: dict[str, list[float]] = {each: [] for each in runs}
    for _ in range(rounds):
        for each, run in runs.items():
            began = time.process_time()  # all of it is one thread at work
            await run()
            taken[each].append(time.process_time() - began)
    return {
        each: count / (statistics.quantiles(times, n=4)[0] if len(times) > 3 else min(times))
        for each, times in taken.items()
    }


def figures(rates: dict[str, float]) -> list[Figure]:
    """Return what ``measure`` found, as figures."""
    least = {"two nodes": 1.5}
    return [
        Figure(f"chunks through {each}", rate / 1e6, "M/s", least=least.get(each))
        for each, rate in rates.items()
    ]


if __name__ == "__main__":
    for figure in figures(asyncio.run(measure())):
        print(figure.line())
