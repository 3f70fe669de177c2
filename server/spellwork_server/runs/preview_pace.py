"""How much of the server's time the previews of one user may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

SHARE = 0.1
"""Of all time."""

SHORT = 0.005
"""Seconds that a preview may take without any pause after it."""


@dataclass(slots=True)
class _Pace:
    latest: int = 0
    """The number of the preview that was asked for last."""
    waiting: int = 0
    free: float = 0.0
    """When the next may begin, in the loop's time."""


class PreviewPace:
    """Lets the previews of a user take a tenth of the time, whatever they are of. One that waits gives way to the next."""

    def __init__(self) -> None:
        self._paces: dict[str, _Pace] = {}

    async def run(self, user: str, preview: Callable[[], Awaitable[T]]) -> T | None:
        """Carry a preview out when it is its time; None when another one has been asked for meanwhile."""
        loop = asyncio.get_running_loop()
        pace = self._paces.setdefault(user, _Pace())
        pace.latest += 1
        number = pace.latest
        pace.waiting += 1
        try:
            while (left := pace.free - loop.time()) > 0:
                await asyncio.sleep(left)
                if number != pace.latest:
                    return None
            began = loop.time()
            try:
                return await preview()
            finally:
                taken = loop.time() - began
                if taken > SHORT:
                    pace.free = began + taken / SHARE
        finally:
            pace.waiting -= 1
            self._forget(loop.time())

    def _forget(self, now: float) -> None:
        for user in [user for user, pace in self._paces.items() if _is_idle(pace, now)]:
            del self._paces[user]


def _is_idle(pace: _Pace, now: float) -> bool:
    return not pace.waiting and pace.free <= now
