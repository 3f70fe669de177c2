"""A pool, and a short way to call a cell in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import spellwork
from spellwork import Context, DetachedHost, Event, Library, Node, Spell, Step
from spellwork.handing import decoded
from spellwork.workers import WorkerPool
from spellwork_code import pack


class Bench:
    """Calls cells in a pool, for one canvas; keeps the events of the last call."""

    def __init__(self, pool: WorkerPool, canvas: str = "canvas") -> None:
        self.pool = pool
        self.canvas = canvas
        self.events: list[Event] = []

    async def run(self, code: str, **inputs: Any) -> dict[str, Any]:
        """Call a cell, and return its outputs as a script gets them."""
        outputs = await self.keep(code, **inputs)
        return {port: await decoded(value) for port, value in outputs.items()}

    async def keep(self, code: str, **inputs: Any) -> dict[str, Any]:
        """Call a cell, and return its outputs with handles of those that stay in its worker."""
        host = DetachedHost(canvas=self.canvas)
        self.events = host.events
        step = step_of(code)
        return await self.pool.call(step, inputs, Context(step.id, step.node, host))

    def of(self, kind: str) -> list[Any]:
        """Return the messages, or else the values, of the last call's events of a kind."""
        return [
            event.message if kind == "node.log" else event.value
            for event in self.events
            if event.kind == kind
        ]


def step_of(code: str) -> Step:
    spell = Spell(nodes={"cell": Node(type="code.python", code=code)})
    return spellwork.compile(spell, Library([pack]))["cell"]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with WorkerPool(size=2, memory_mb=512) as pool:
        yield Bench(pool)
