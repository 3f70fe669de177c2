"""Connections that have not proved who they are: few of one address, with little to say, and not for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

UNPROVEN_BYTES = 64 * 1024
"""Bytes a connection may send before it has proved who it is; a token takes far less."""


@dataclass(slots=True)
class _Waiting:
    address: str
    timer: asyncio.TimerHandle
    release: Callable[[], None] | None = None


class Unproven:
    """Who is at the door. ``time_out`` is called with the id of one that stood there too long."""

    def __init__(self, most: int, seconds: float, time_out: Callable[[str], None]) -> None:
        self._most = most
        self._seconds = seconds
        self._time_out = time_out
        self._waiting: dict[str, _Waiting] = {}
        self._from: Counter[str] = Counter()

    def __contains__(self, eio_sid: str) -> bool:
        return eio_sid in self._waiting

    def admits(self, address: str) -> bool:
        """Tell whether one more from this network address may wait."""
        return self._from[address] < self._most

    def add(self, eio_sid: str, address: str) -> None:
        """Give a new connection its time."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._seconds, self._time_out, eio_sid)
        self._waiting[eio_sid] = _Waiting(address, timer)
        self._from[address] += 1

    def guard(self, eio_sid: str, release: Callable[[], None]) -> bool:
        """Call ``release`` once the connection has proved itself; False when there is nothing to wait for."""
        waiting = self._waiting.get(eio_sid)
        if waiting is not None:
            waiting.release = release
        return waiting is not None

    def proven(self, eio_sid: str) -> None:
        """Note that a connection has proved who it is."""
        waiting = self.forget(eio_sid)
        if waiting is not None and waiting.release is not None:
            waiting.release()

    def forget(self, eio_sid: str) -> _Waiting | None:
        """Note that a connection is gone."""
        waiting = self._waiting.pop(eio_sid, None)
        if waiting is not None:
            waiting.timer.cancel()
            self._from[waiting.address] -= 1
            if not self._from[waiting.address]:
                del self._from[waiting.address]
        return waiting
