"""Lanes: how many calls of one key run at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Lane:
    places: asyncio.Semaphore
    users: int = 0


class Lanes:
    """A semaphore per key, forgotten when nobody uses it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: dict[str, _Lane] = {}

    def __len__(self) -> int:
        return len(self._lanes)

    @asynccontextmanager
    async def enter(self, key: str) -> AsyncIterator[None]:
        """Wait for a place in the key's lane, first come first served, and hold it."""
        lane = self._lanes.setdefault(key, _Lane(asyncio.Semaphore(self._width)))
        lane.users += 1
        try:
            async with lane.places:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[key]
