"""Spreads work that thousands bring at the same moment over many turns of the loop."""

from __future__ import annotations

import asyncio
from collections import deque


class Pace:
    """Lets at most ``at_once`` tasks go on in one turn of the loop, in the order they came."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_renewing = False

    async def turn(self) -> None:
        """Wait until it is this task's turn."""
        loop = asyncio.get_running_loop()
        if not self._is_renewing:
            self._is_renewing = True
            loop.call_soon(self._renew)
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiting = loop.create_future()
        self._waiting.append(waiting)
        await waiting

    def _renew(self) -> None:
        self._left = self._at_once
        while self._waiting and self._left:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                self._left -= 1
        self._is_renewing = bool(self._waiting)
        if self._is_renewing:
            asyncio.get_running_loop().call_soon(self._renew)
