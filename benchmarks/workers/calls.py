"""What a call of a small cell costs in a warm worker, and how many go through in a second."""

from __future__ import annotations

import asyncio
import statistics
import time

from benchmarks.report import Figure

from .bench import Cell, pool

CALLS = 3_000
AT_ONCE = 8
BURST, BURSTS = 500, 20


async def figures() -> list[Figure]:
    async with pool() as opened:
        cell = Cell(opened, "calls", "x + 1")
        for number in range(200):
            await cell(x=number)
        times = []
        for number in range(CALLS):
            began = time.perf_counter()
            await cell(x=number)
            times.append(time.perf_counter() - began)
        rates = [await _rate(cell) for _ in range(BURSTS)]
    return [
        Figure("one call after the other, median", 1e3 * statistics.median(times), "ms", most=0.3),
        Figure("calls from 8 nodes at once, best of 20 bursts", max(rates), "calls/s", least=5_000),
    ]


async def _rate(cell: Cell) -> float:
    """Return the calls in a second of one burst, in which there is always one that waits."""
    left = iter(range(BURST))

    async def node() -> None:
        for number in left:
            await cell(x=number)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(node())
    return BURST / (time.perf_counter() - began)
