"""Many people at once on our server: on one canvas, and on hundreds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Figure

from .fan_out import NUMBER, furnish, share, until_enough
from .memory import leave
from .servers import Ours
from .tabs import SocketTab, Writing

AT_ONCE = 50
"""Sockets that connect at the same time."""


@dataclass(frozen=True)
class Crowd:
    """Sockets on canvases, of which ``writers`` on each make ``rate`` edits a second, all together."""

    title: str
    canvases: int
    sockets: int
    """On each canvas."""
    writers: int
    nodes: int
    rate: float
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Seconds to acknowledgements and to peers, and KiB of each socket beyond a canvas's first."""

    acknowledged: list[float]
    delays: list[float]
    kib: float


WRITERS = Crowd("50 writers at 10 edits/s each on one canvas", 1, 50, 50, 100, 500, 4)
EDITORS = Crowd("200 editors at one edit/s each, 1,000 nodes", 1, 200, 200, 1_000, 200, 4)
SOCKETS = Crowd("1,000 sockets on 200 canvases, 100 edits/s", 200, 5, 1, 10, 100, 4)
FULL_SOCKETS = Crowd("5,000 sockets on 1,000 canvases, 100 edits/s", 1_000, 5, 1, 10, 100, 10)


async def acknowledgements(server: Ours) -> list[Figure]:
    """R2: how long a durable acknowledgement takes."""
    measured = await gather(server, WRITERS)
    return [
        Figure("acknowledged, durable, p50", share(measured.acknowledged, 0.5), "ms", most=15),
        Figure("acknowledged, durable, p99", share(measured.acknowledged, 0.99), "ms", most=75),
        Figure("edit to peer, p99", share(measured.delays, 0.99), "ms"),
    ]


async def editors(server: Ours) -> list[Figure]:
    """R20: how long an edit takes to everybody else."""
    measured = await gather(server, EDITORS)
    return [
        Figure("edit to peer, p50", share(measured.delays, 0.5), "ms"),
        Figure("edit to peer, p99", share(measured.delays, 0.99), "ms", most=250),
    ]


async def sockets(server: Ours, *, full: bool) -> list[Figure]:
    """R16: what a socket takes, and how long an edit takes when there are many."""
    measured = await gather(server, FULL_SOCKETS if full else SOCKETS)
    return [
        Figure("memory of a socket", measured.kib, "KiB", most=30),
        Figure("edit to peer, p50", share(measured.delays, 0.5), "ms"),
        Figure("edit to peer, p99", share(measured.delays, 0.99), "ms", most=150),
    ]


async def gather(server: Ours, crowd: Crowd) -> Measured:
    """Fill the canvases with tabs, let them edit, and note how long everything takes."""
    houses = [await furnish(server, 0, crowd.nodes) for _ in range(crowd.canvases)]
    await server.quiet()
    before = server.memory()
    tabs: list[list[SocketTab]] = []
    for house in houses:
        tabs.append([])
        for start in range(0, crowd.sockets, AT_ONCE):
            count = min(AT_ONCE, crowd.sockets - start)
            tabs[-1] += await asyncio.gather(
                *(enter(server, house.writer.document) for _ in range(count))
            )
    await server.quiet()
    kib = (server.memory() - before) / (crowd.canvases * crowd.sockets)
    starts = [house.writing.doc.get_update() for house in houses]
    total = int(crowd.rate * crowd.seconds)
    plan = prepare(crowd, tabs, starts, total)
    for house in houses:
        house.close()
    await open_all(plan)
    sent = [0.0] * total
    delays: list[float] = []
    for on_canvas in tabs:
        for tab in on_canvas:
            own = plan[tab][0][0] if tab in plan else -1
            tab.take = Arrivals(sent, delays, len(plan), own).take
    await edit_all(plan, sent, crowd.rate)
    await until_enough(delays, total * (crowd.sockets - 1))
    for tab in plan:
        await tab.all_acknowledged()
    acknowledged = [seconds for tab in plan for seconds in tab.acknowledged]
    await leave([tab for on_canvas in tabs for tab in on_canvas])
    return Measured(acknowledged, delays, kib)


async def enter(server: Ours, document: str) -> SocketTab:
    tab = await server.connect(document)
    assert isinstance(tab, SocketTab)
    await tab.open()
    return tab


Plan = dict[SocketTab, list[tuple[int, bytes]]]
"""The edits of each writer with their numbers, which say when each is made."""


def prepare(
    crowd: Crowd, tabs: Sequence[Sequence[SocketTab]], starts: Sequence[bytes], total: int
) -> Plan:
    """Make all edits: each writer fills in a node of its own, and they take turns."""
    writers = [
        (tab, starts[place], index)
        for index in range(crowd.writers)
        for place, on_canvas in enumerate(tabs)
        for tab in [on_canvas[index]]
    ]
    plan: Plan = {}
    for turn, (tab, start, index) in enumerate(writers[:total]):
        writing = Writing()
        writing.doc.apply_update(start)
        writing.forget()
        tab.client_id = writing.doc.client_id
        plan[tab] = [
            (number, writing.fill_in(index, f"e{number:06}."))
            for number in range(turn, total, len(writers))
        ]
    return plan


async def open_all(plan: Plan) -> None:
    """Open again with the client ids that the edits carry."""
    for tab in plan:
        await tab.open()


async def edit_all(plan: Plan, sent: list[float], rate: float) -> None:
    """Send the edits in the order of their numbers, ``rate`` a second."""
    order = sorted(
        ((number, tab, update) for tab, edits in plan.items() for number, update in edits),
        key=lambda each: each[0],
    )
    began = time.monotonic()
    for number, tab, update in order:
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        sent[number] = time.monotonic()
        tab.edit(update)


class Arrivals:
    """Notes how long the edits of others took to one tab.

    Edits of one writer to its node that were merged leave only the last value: it stands for them.
    """

    def __init__(self, sent: Sequence[float], delays: list[float], writers: int, own: int) -> None:
        self._sent = sent
        self._delays = delays
        self._writers = writers
        self._next = list(range(writers))
        if own >= 0:
            self._next[own] = len(sent)

    def take(self, update: bytes) -> None:
        now = time.monotonic()
        for found in NUMBER.findall(update):
            number = int(found)
            writer = number % self._writers
            for each in range(self._next[writer], number + 1, self._writers):
                self._delays.append(now - self._sent[each])
            self._next[writer] = max(self._next[writer], number + self._writers)
