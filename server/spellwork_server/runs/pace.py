"""How fast a run may make chunks: no faster than the store, and the tabs of whoever runs, take them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

GLANCE = 0.02
"""Seconds between two looks at whether those who lag have caught up; they do not say so."""


class Pace:
    """Counts what waits for the store. ``is_full`` tells streams to wait, and ``room`` for how long."""

    def __init__(self, most: int, held_up: Callable[[], bool]) -> None:
        self.pending = 0
        """Bytes of events that wait for the store."""
        self._most = most
        self._held_up = held_up
        self._free = asyncio.Event()
        self._given_up = False

    @property
    def is_full(self) -> bool:
        """Whether streams should wait."""
        return not self._given_up and (self.pending > self._most or self._held_up())

    def add(self, size: int) -> None:
        """Count bytes that wait for the store from now on."""
        self.pending += size

    def take(self, size: int) -> None:
        """Count bytes that no longer wait."""
        self.pending -= size
        if self.pending <= self._most // 2:
            self._let_on()

    def give_up(self) -> None:
        """Hold nobody any more: the run is over."""
        self._given_up = True
        self._let_on()

    def _let_on(self) -> None:
        free, self._free = self._free, asyncio.Event()
        free.set()

    async def room(self) -> None:
        """Wait until half of what may wait has gone, and nobody lags."""
        while not self._given_up and self.pending > self._most // 2:
            await self._free.wait()
        while not self._given_up and self._held_up():  # noqa: ASYNC110 - those who lag do not say when they have caught up
            await asyncio.sleep(GLANCE)
