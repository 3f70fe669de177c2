"""What an open document and an idle socket take of the server's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.report import Figure

from .servers import Server
from .tabs import SocketTab, Tab, Writing

DOCUMENTS, NODES = 100, 10
WARMING = 10
"""Documents opened before, so that what every server loads once is not counted."""
FURTHER = 8
"""Further sockets on each document. One would be lost in what an allocator or a JavaScript heap gives
back or takes at that moment, which is some hundred KiB."""
LOOKS, BETWEEN = 10, 0.3
STEADY = 64
"""KiB by which two looks may differ for memory to be settled."""


async def memory(servers: Sequence[Server], peers: Sequence[str]) -> list[Figure]:
    """Measure memory that no other process shares, on servers started anew on stored documents."""
    taken = {}
    for server in servers:
        with server:
            documents = await fill(server)
        with server:
            taken[server.name] = await measure(server, documents)
    figures = []
    for index, what in enumerate(("document open in one socket", "further idle socket")):
        least = min((taken[name][index] for name in peers), default=None)
        for name, kib in taken.items():
            most = None if name in peers else least
            figures.append(Figure(f"{name}: a {what}", kib[index], "KiB", most=most))
    return figures


async def fill(server: Server) -> list[str]:
    """Make small documents; return their names once all are stored."""
    documents = server.new_documents(DOCUMENTS + WARMING)
    tabs = []
    for document in documents:
        tab = await server.connect(document)
        tabs.append(tab)
        writing = Writing()
        if isinstance(tab, SocketTab):
            tab.client_id = writing.doc.client_id
        writing.doc.apply_update(await tab.open())
        writing.forget()
        tab.edit(writing.add_nodes(NODES))
        await tab.open(writing.doc.get_state())
    await server.quiet()
    await leave(tabs)
    await server.quiet()
    return documents


async def measure(server: Server, documents: Sequence[str]) -> tuple[float, float]:
    """Return the KiB of a document with its socket, and of each further socket on it."""
    warming = [await enter(server, each) for each in documents[:WARMING] for _ in range(2)]
    before = await settled(server)
    first = [await enter(server, each) for each in documents[WARMING:]]
    opened = await settled(server)
    further = [await enter(server, each) for _ in range(FURTHER) for each in documents[WARMING:]]
    crowded = await settled(server)
    await leave([*warming, *first, *further])
    return (opened - before) / DOCUMENTS, (crowded - opened) / len(further)


async def settled(server: Server) -> float:
    """Return the KiB in use once nothing is left to do and what is not needed was given back.

    V8 frees in several steps, and libraries free on timers: one look finds any of them.
    """
    await server.quiet()
    taken = server.memory()
    for _ in range(LOOKS):
        await asyncio.sleep(BETWEEN)
        before, taken = taken, server.memory()
        if abs(before - taken) < STEADY:
            break
    return taken


async def enter(server: Server, document: str) -> Tab:
    tab = await server.connect(document)
    writing = Writing()
    writing.doc.apply_update(await tab.open())
    assert len(writing.nodes) == NODES, "a document was not stored"
    return tab


async def leave(tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        tab.close()
    await asyncio.gather(*(tab.gone for tab in tabs))
