"""A canvas of 1,000 nodes with 10,000 edits: how long a tab waits for it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

from pycrdt import Doc

from benchmarks.report import Figure

from .fan_out import furnish
from .servers import Server
from .tabs import SocketTab

NODES, EDITS = 1_000, 10_000
ROUNDS = 9
UNLOADING = 0.3
"""Seconds after its last tab in which a server that is told not to wait forgets a document."""

MOST_WARM_MS, MOST_COLD_MS = 30, 60


async def open_times(servers: Sequence[Server]) -> list[Figure]:
    """Measure from asking to the answer's last byte, and with it taken into a Yjs document.

    Cold means that nobody had the document open and it is read from the database; every server runs
    since long and drops a document as soon as it is left.
    """
    figures = []
    for server in servers:
        document, size = await draw(server)
        warm, whole = await warm_opens(server, document)
        cold = await cold_opens(server, document)
        mine = server.name == "ours"
        figures += [
            Figure(f"{server.name}: opens warm", warm, "ms", most=MOST_WARM_MS if mine else None),
            Figure(f"{server.name}: opens warm, with taking it into a document", whole, "ms"),
            Figure(f"{server.name}: opens cold", cold, "ms", most=MOST_COLD_MS if mine else None),
            Figure(f"{server.name}: answer", size / 1024, "KiB"),
        ]
    return figures


async def draw(server: Server) -> tuple[str, int]:
    """Make the canvas; return its name and the bytes of the answer to a tab that has nothing."""
    house = await furnish(server, 0, NODES)
    writing, writer = house.writing, house.writer
    for number in range(EDITS):
        writer.edit(writing.move(number % NODES, number * 0.5, number * 0.25))
    await writer.open(writing.doc.get_state())  # answered when all of it is there
    if isinstance(writer, SocketTab):
        await writer.all_acknowledged()
    await server.quiet()
    answer = await writer.open()
    writing.check(answer)
    house.close()
    return writer.document, len(answer)


async def warm_opens(server: Server, document: str) -> tuple[float, float]:
    """Return the median ms, bare and with taking the answer into a document, while another has it open."""
    holder = await server.connect(document)
    await holder.open()
    taken = [await one(server, document) for _ in range(ROUNDS)]
    holder.close()
    return statistics.median(each[0] for each in taken), statistics.median(
        each[1] for each in taken
    )


async def cold_opens(server: Server, document: str) -> float:
    """Return the median ms when nobody had it open."""
    taken = []
    for _ in range(ROUNDS):
        await asyncio.sleep(UNLOADING)
        taken.append((await one(server, document))[0])
    return statistics.median(taken)


async def one(server: Server, document: str) -> tuple[float, float]:
    """Open the document once; return the ms to the answer, and to a document that has it."""
    tab = await server.connect(document)
    began = time.perf_counter()
    answer = await tab.open()
    answered = time.perf_counter() - began
    Doc().apply_update(answer)
    whole = time.perf_counter() - began
    tab.close()
    await tab.gone
    return answered * 1e3, whole * 1e3
