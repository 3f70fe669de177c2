"""A pool with one process for each worker, and cells to call in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import spellwork
from spellwork import Context, DetachedHost, Library, Node, Spell
from spellwork.workers import WorkerPool
from spellwork_code import pack

LIBRARY = Library([pack])


class Cell:
    """A cell on a canvas, called again and again."""

    def __init__(self, pool: WorkerPool, canvas: str, code: str, language: str = "python") -> None:
        self._pool = pool
        spell = Spell(nodes={"cell": Node(type=f"code.{language}", code=code)})
        self._step = spellwork.compile(spell, LIBRARY)["cell"]
        self._host = DetachedHost(canvas=canvas)
        self._host.watched = False  # nobody looks: no previews

    async def __call__(self, **inputs: Any) -> dict[str, Any]:
        context = Context(self._step.id, self._step.node, self._host)
        return await self._pool.call(self._step, inputs, context)


@asynccontextmanager
async def pool() -> AsyncIterator[WorkerPool]:
    """Open a pool whose workers may hold some tables of 100 MB."""
    async with WorkerPool(memory_mb=4096) as opened:
        yield opened
