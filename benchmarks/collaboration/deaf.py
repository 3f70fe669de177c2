"""R14: what readers of a canvas notice of a socket beside them that does not read, while 60 MB go out."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.report import Figure

from .fan_out import furnish, share, time_arrivals, until_enough
from .memory import leave
from .servers import Ours
from .tabs import SocketTab

READERS, NODES = 5, 10
EDITS, PACE, EDIT_BYTES = 600, 150, 20_000
"""Twelve megabytes to each of five readers, in four seconds."""
ROUNDS = 5
"""Of each kind, in turn: a 99th percentile is the six worst of 600, and those are anybody's."""
MOST_RATIO = 1.1


async def beside_the_deaf(server: Ours) -> list[Figure]:
    """Measure readers by themselves, and beside a socket that does not read."""
    alone, beside = [], []
    await traffic(server, deaf=False)  # warm
    for _ in range(ROUNDS):
        alone.append(await traffic(server, deaf=False))
        beside.append(await traffic(server, deaf=True))
    # The quietest round of each kind says most of the server and least of the machine.
    least, most = min(alone), min(beside)
    return [
        Figure("edit to reader, p99", least, "ms"),
        Figure("edit to reader beside one that does not read, p99", most, "ms"),
        Figure("the same, over p99 without it", most / least, "x", most=MOST_RATIO),
        Figure("the same, of the rounds' medians", _ratio(beside, alone), "x"),
    ]


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(one) / statistics.median(other)


async def traffic(server: Ours, *, deaf: bool) -> float:
    """Send the edits; return the 99th percentile in ms of how long they took to the readers."""
    house = await furnish(server, READERS, NODES)
    sent = [0.0] * EDITS
    delays: list[float] = []
    for tab in house.readers:
        time_arrivals(tab, sent, delays)
    edits = [
        house.writing.fill_in(number % NODES, f"e{number:06}." + "x" * EDIT_BYTES)
        for number in range(EDITS)
    ]
    async with _deaf_one(server, house.writer.document) if deaf else _nobody():
        await server.quiet()
        began = time.monotonic()
        for number, update in enumerate(edits):
            await asyncio.sleep(max(0, began + number / PACE - time.monotonic()))
            sent[number] = time.monotonic()
            house.writer.edit(update)
        await until_enough(delays, EDITS * READERS)
    await leave([house.writer, *house.readers])
    await server.quiet()
    return share(delays, 0.99)


@asynccontextmanager
async def _deaf_one(server: Ours, document: str) -> AsyncIterator[None]:
    tab = await server.connect(document)
    assert isinstance(tab, SocketTab)
    await tab.open()
    tab.transport.pause_reading()
    yield
    tab.close()


@asynccontextmanager
async def _nobody() -> AsyncIterator[None]:
    yield
