"""Spreads work that thousands bring at the same moment over many turns of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Pace:
    """Calls at most ``at_once`` callbacks in one turn of the loop, in the order they came."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: deque[Callable[[], None]] = deque()

    def call(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` in a turn to come."""
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(min(self._at_once, len(self._waiting))):
            loop.call_soon(
                self._waiting[0]
            )  # a fault of one is the loop's to tell, not ours to pass on
            self._waiting.popleft()
        if self._waiting:
            loop.call_soon(self._turn)
