"""What a call of a small TypeScript cell costs, warm and in a process that has just begun."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time

from benchmarks.report import Figure
from spellwork.workers.deno import find_deno

from .bench import Cell, pool

CALLS = 2_000


async def figures() -> list[Figure]:
    # Deno is 100 MB: where nothing ran it for long, the disk takes seconds to read it, whoever asks.
    read = await asyncio.create_subprocess_exec(find_deno(), "--version", stdout=subprocess.DEVNULL)
    await read.wait()
    async with pool() as opened:
        cell = Cell(opened, "typescript", "x + 1", "typescript")
        began = time.perf_counter()
        await cell(x=0)
        first = time.perf_counter() - began
        for number in range(200):
            await cell(x=number)
        times = []
        for number in range(CALLS):
            began = time.perf_counter()
            await cell(x=number)
            times.append(time.perf_counter() - began)
    return [
        Figure("one call after the other, median", 1e3 * statistics.median(times), "ms", most=1),
        Figure("the first call, without a process in reserve", first, "s", most=1.5),
    ]
