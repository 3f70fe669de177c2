"""2,000 edits to 1, 10 and 50 readers at full speed, then 60 a second to 50."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Figure

from .servers import Server
from .tabs import PATIENCE, SocketTab, Tab, Writing

EDITS, NODES = 2_000, 100
READERS = (1, 10, 50)
ROUNDS = 3
"""Of each measurement; the peer that is slowest by far takes most of the time."""
PACE, PACED_EDITS = 60, 240
LEAST_RATIO = {1: 1.5, 10: 3.0, 50: 3.0}
"""Wanted over the better peer, on the wire that the peers speak too."""
SAME_WIRE = "ours, y-websocket"
MOST_P50_MS, MOST_ACK_MS = 3, 15

NUMBER = re.compile(rb"e(\d{6})\.")


@dataclass
class House:
    """A document with a writer and readers, all connected and up to date."""

    writing: Writing
    writer: Tab
    readers: list[Tab]
    start: list[bytes]
    """What each reader began with."""

    def close(self) -> None:
        for tab in (self.writer, *self.readers):
            tab.close()


async def furnish(server: Server, readers: int, nodes: int) -> House:
    """Open a new document with nodes on it for a writer and readers."""
    document = server.new_documents(1)[0]
    writing = Writing()
    writer = await server.connect(document)
    if isinstance(writer, SocketTab):
        writer.client_id = writing.doc.client_id
    writing.doc.apply_update(await writer.open())
    writing.forget()
    writer.edit(writing.add_nodes(nodes))
    await writer.open(writing.doc.get_state())  # answered when the nodes are there
    if isinstance(writer, SocketTab):
        await writer.all_acknowledged()
    tabs = [await server.connect(document) for _ in range(readers)]
    start = [await tab.open() for tab in tabs]
    return House(writing, writer, tabs, start)


def until_last(tab: Tab, last: bytes) -> asyncio.Future[None]:
    """Keep the tab's updates; the future is done when the last edit is among them."""
    done = asyncio.get_running_loop().create_future()

    def take(update: bytes) -> None:
        tab.updates.append(update)
        if last in update and not done.done():
            done.set_result(None)

    tab.take = take
    return done


async def full_speed(server: Server, readers: int) -> float:
    """Send all edits at once; return the server's CPU seconds until every reader has all of them."""
    house = await furnish(server, readers, NODES)
    writing = house.writing
    edits = [writing.fill_in(number % NODES, f"e{number:06}.") for number in range(EDITS)]
    done = [until_last(tab, f"e{EDITS - 1:06}.".encode()) for tab in house.readers]
    await server.quiet()
    before = server.cpu()
    for update in edits:
        house.writer.edit(update)
    await asyncio.wait_for(asyncio.gather(*done), PATIENCE)
    if isinstance(house.writer, SocketTab):
        await house.writer.all_acknowledged()
    used = server.cpu() - before
    check(house)
    house.close()
    await server.quiet()
    return used


def check(house: House) -> None:
    """Check what each reader has; those that got the very same bytes are checked once."""
    seen = set()
    for start, tab in zip(house.start, house.readers, strict=True):
        mark = hash((start, *tab.updates))
        if mark not in seen:
            seen.add(mark)
            house.writing.check(start, *tab.updates)


async def throughput(ours: Sequence[Server], peers: Sequence[Server]) -> list[Figure]:
    """Measure deliveries per CPU second; the servers take turns."""
    servers = [*ours, *peers]
    for server in servers:
        await full_speed(server, 10)  # warm, and compiled where it compiles itself
    figures: list[Figure] = []
    for readers in READERS:
        used: dict[str, list[float]] = {server.name: [] for server in servers}
        for _ in range(ROUNDS):
            for server in servers:
                used[server.name].append(await full_speed(server, readers))
        rates = {name: EDITS * readers / statistics.median(times) for name, times in used.items()}
        figures += _figures(readers, rates, [each.name for each in peers])
    return figures


def _figures(readers: int, rates: dict[str, float], peers: list[str]) -> Iterable[Figure]:
    to = f"to {readers} reader{'s' if readers > 1 else ''}"
    for name, rate in rates.items():
        yield Figure(f"{name}, {to}: deliveries per CPU second", rate, "/s")
    if peers:
        best = max(rates[name] for name in peers)
        for name, rate in rates.items():
            if name in peers:
                continue
            least = LEAST_RATIO[readers] if name == SAME_WIRE else None
            yield Figure(f"{name} over the better peer, {to}", rate / best, "x", least=least)


async def latency(servers: Sequence[Server]) -> list[Figure]:
    """Measure how long an edit takes to its readers, and to its acknowledgement; the servers take turns."""
    rounds: dict[str, list[tuple[list[float], list[float]]]] = {each.name: [] for each in servers}
    disk: list[list[float]] = []
    for _ in range(ROUNDS):
        disk.append(await commits(servers[0].folder))
        for server in servers:
            rounds[server.name].append(await paced(server))
    figures = [
        Figure("the disk alone: one commit of SQLite, p50", middle(disk, 0.5), "ms"),
        Figure("the disk alone: p99", middle(disk, 0.99), "ms"),
    ]
    for name, measured in rounds.items():
        delays = [each for each, _ in measured]
        acknowledged = [each for _, each in measured if each]
        most = MOST_P50_MS if name == "ours" else None
        figures += [
            Figure(f"{name}: p50", middle(delays, 0.5), "ms", most=most),
            Figure(f"{name}: p99", middle(delays, 0.99), "ms"),
        ]
        if acknowledged:
            durable = middle(acknowledged, 0.5)
            figures += [
                Figure(f"{name}: acknowledged, durable, p50", durable, "ms", most=MOST_ACK_MS),
                Figure(f"{name}: acknowledged, p99", middle(acknowledged, 0.99), "ms"),
            ]
    return figures


async def commits(folder: Path) -> list[float]:
    """Return the seconds of each of as many durable commits of a row as there are edits, at their pace."""
    taken: list[float] = []
    with TemporaryDirectory(dir=folder) as place:
        database = sqlite3.connect(f"{place}/bare.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE edits (number INTEGER PRIMARY KEY, body BLOB)")
        for number in range(PACED_EDITS):
            began = time.monotonic()
            database.execute("INSERT INTO edits VALUES (?, ?)", (number, bytes(60)))
            taken.append(time.monotonic() - began)
            await asyncio.sleep(1 / PACE)
        database.close()
    return taken


async def paced(server: Server) -> tuple[list[float], list[float]]:
    """Return the seconds from each edit to each reader, and to its acknowledgement."""
    house = await furnish(server, max(READERS), NODES)
    sent = [0.0] * PACED_EDITS
    delays: list[float] = []
    for tab in house.readers:
        time_arrivals(tab, sent, delays)
    await server.quiet()
    if isinstance(house.writer, SocketTab):
        house.writer.acknowledged.clear()
    began = time.monotonic()
    for number in range(PACED_EDITS):
        await asyncio.sleep(max(0, began + number / PACE - time.monotonic()))
        update = house.writing.fill_in(number % NODES, f"e{number:06}.")
        sent[number] = time.monotonic()
        house.writer.edit(update)
    await until_enough(delays, PACED_EDITS * len(house.readers))
    acknowledged = house.writer.acknowledged if isinstance(house.writer, SocketTab) else []
    house.close()
    return delays, list(acknowledged)


def time_arrivals(tab: Tab, sent: Sequence[float], delays: list[float]) -> None:
    """Note how long each numbered edit took to the tab."""

    arrived = 0

    def take(update: bytes) -> None:
        nonlocal arrived
        for found in NUMBER.findall(update):
            # Of edits to one node that were merged only the last value is left: it stands for them.
            delays.extend(tab.arrived - sent[each] for each in range(arrived, int(found) + 1))
            arrived = max(arrived, int(found) + 1)

    tab.take = take


async def until_enough(delays: Sequence[float], count: int) -> None:
    """Wait until so many edits have arrived."""
    async with asyncio.timeout(PATIENCE):
        while len(delays) < count:  # noqa: ASYNC110 - an event for each arrival would cost more
            await asyncio.sleep(0.02)


def share(seconds: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` of them lie, in ms."""
    return sorted(seconds)[int(len(seconds) * part)] * 1e3


def middle(rounds: Sequence[Sequence[float]], part: float) -> float:
    """Return the median over rounds of the value below which ``part`` of each lie, in ms."""
    return statistics.median(share(each, part) for each in rounds)
