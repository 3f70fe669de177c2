"""What an open document and an idle socket take of the server's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.report import Figure

from .servers import OursSync, Server
from .tabs import SocketTab, Tab, Writing

DOCUMENTS, NODES = 100, 10
WARMING = 10
"""Documents opened before, so that what every server loads once is not counted."""


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
            most = least if name == OursSync.name else None  # the peers' own wire
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
    """Return the KiB of a document with its socket, and of a second socket on it."""
    warming = [await enter(server, document) for document in documents[:WARMING]]
    await server.quiet()
    before = server.memory()
    first = [await enter(server, document) for document in documents[WARMING:]]
    await server.quiet()
    opened = server.memory()
    second = [await enter(server, document) for document in documents[WARMING:]]
    await server.quiet()
    crowded = server.memory()
    await leave([*warming, *first, *second])
    return (opened - before) / DOCUMENTS, (crowded - opened) / DOCUMENTS


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
