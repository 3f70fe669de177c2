"""How long the first call of a worker takes: with a process in reserve, without one, in a new environment, after crashes."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.report import Figure
from spellwork.workers import WorkerDied, WorkerPool
from spellwork.workers.environments import Environments
from spellwork.workers.spec import WorkerSpec

from .bench import Cell, pool

ROUNDS = 5
CRASHES = 3
CRASH = "import os\nos._exit(1)"


async def figures() -> list[Figure]:
    reserve, crashed = [], []
    for number in range(ROUNDS):
        async with _with_reserve() as opened:
            reserve.append(await _first(opened, f"reserve-{number}"))
        async with _with_reserve() as opened:
            crashed.append(await _after_crashes(opened))
    new = [await _in_new_environment() for _ in range(ROUNDS)]
    return [
        Figure("first call, a process in reserve, median", 1e3 * statistics.median(reserve), "ms", most=50),
        Figure("first call in a new environment without packages, median", statistics.median(new), "s", most=1.5),
        Figure(f"a call after {CRASHES} crashes in a row, median", statistics.median(crashed), "s", most=2),
    ]  # fmt: skip


async def _first(opened: WorkerPool, canvas: str) -> float:
    cell = Cell(opened, canvas, "x + 1")
    began = time.perf_counter()
    await cell(x=1)
    return time.perf_counter() - began


async def _after_crashes(opened: WorkerPool) -> float:
    """Return the seconds from the last crash to the next answer."""
    crash = Cell(opened, "crash", CRASH)
    for _ in range(CRASHES):
        with suppress(WorkerDied):
            await crash()
    return await _first(opened, "crash")


async def _in_new_environment() -> float:
    """Return the seconds from nothing to the answer of a cell in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with _with_reserve() as opened:
            environments = Environments(Path(folder))
            began = time.perf_counter()
            made = await environments.get("# nothing\n", lambda _line: None)

            async def find(*_: Any) -> WorkerSpec:
                return WorkerSpec("new", made.program, opened.limits)

            opened.find = find
            await _first(opened, "new")
            return time.perf_counter() - began


@asynccontextmanager
async def _with_reserve() -> AsyncIterator[WorkerPool]:
    async with pool() as opened:
        while not opened.pids:  # noqa: ASYNC110 - the pool tells nobody of its spare
            await asyncio.sleep(0.01)
        yield opened
