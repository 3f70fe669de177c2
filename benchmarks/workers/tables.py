"""A pandas table of 100 MB: to the next cell of its worker, and to a cell of another."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.report import Figure

from .bench import Cell, pool

MAKE = """
import numpy, pandas
result = pandas.DataFrame({f"c{n}": numpy.arange(1_250_000) + float(n) for n in range(10)})
"""
LOOK = "[len(table), float(table.c9.iloc[-1])]"
ARRAY = "import numpy\nresult = numpy.arange(12_500_000.)"
FOUND = [1_250_000, 1_250_008.0]
SIZE = 100_000_000
ROUNDS = 8


async def figures() -> list[Figure]:
    async with pool() as opened:
        table = (await Cell(opened, "one", MAKE)())["result"]
        array = (await Cell(opened, "one", ARRAY)())["result"]
        within = await _times(Cell(opened, "one", LOOK), table, FOUND, 50)
        between = await _times(Cell(opened, "two", LOOK), table, FOUND, ROUNDS)
        arrays = await _times(
            Cell(opened, "two", "[table.size, 0]"), array, [12_500_000, 0], ROUNDS
        )
    return [
        Figure("to a cell of the same worker, median", 1e3 * statistics.median(within), "ms", most=1),
        Figure("to another worker, as Arrow, best of 8", SIZE / min(between) / 1e6, "MB/s", least=500),
        Figure("an array to another worker, as .npy, best of 8", SIZE / min(arrays) / 1e6, "MB/s", least=500),
    ]  # fmt: skip


async def _times(cell: Cell, table: Any, found: list[float], rounds: int) -> list[float]:
    """Return the seconds of calls that take the table; the first ones are not counted: they load pandas."""
    times = []
    for number in range(rounds + 2):
        began = time.perf_counter()
        assert (await cell(table=table))["result"] == found
        if number >= 2:
            times.append(time.perf_counter() - began)
    return times
