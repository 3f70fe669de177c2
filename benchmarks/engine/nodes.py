"""The node functions that ours and limit-inline both call."""

from __future__ import annotations

import asyncio

from spellwork import Library, Pack, node


@node("bench.add", output="value", many=("values",), cache="none")
async def add(values: list[int]) -> int:
    """The sum of the inputs, plus 1."""
    return sum(values) + 1


@node("bench.wait", output="value", cache="none")
async def wait(seconds: float) -> float:
    """The seconds, after waiting for them."""
    await asyncio.sleep(seconds)
    return seconds


library = Library([Pack(name="bench", version="1", title="Bench", nodes=(add, wait))])
