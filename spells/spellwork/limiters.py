"""What bounds how often something is called: at once, within a time, and how far apart.

A limiter only counts. ``wait`` says how long a call has to wait as things are,
``begin`` counts one as started, ``end`` as ended. Waiting in turn is the
business of ``gates``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

LEAST = 0.001
"""Seconds waited where a limiter says "not yet" at the very end of its time."""


class Clock:
    """Unix time, and waiting for it. Tests have one of their own."""

    def now(self) -> float:
        """Return the time as Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class Limiter(Protocol):
    """One bound on the calls of something."""

    async def wait(self) -> float | None:
        """Return the seconds until a call may start: 0 is now, None when another call has ended."""
        ...

    async def begin(self) -> None:
        """Count a call as started, now that ``wait`` gave 0."""
        ...

    def end(self) -> None:
        """Count a call as ended."""
        ...

    def is_idle(self) -> bool:
        """Say whether forgetting the limiter would change nothing."""
        ...


class Concurrency:
    """At most ``most`` calls at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.active = 0

    async def wait(self) -> float | None:
        """Return 0 while there is room."""
        return 0.0 if self.active < self.most else None

    async def begin(self) -> None:
        """Take a place."""
        self.active += 1

    def end(self) -> None:
        """Give it back."""
        self.active -= 1

    def is_idle(self) -> bool:
        """Say whether no call goes on."""
        return not self.active


class Deferral:
    """No call before the time that a provider named."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.until = 0.0

    def defer(self, seconds: float) -> None:
        """Let none start for so many seconds; never shortens what was said before."""
        self.until = max(self.until, self._clock.now() + seconds)

    async def wait(self) -> float | None:
        """Return the seconds that are left."""
        return max(self.until - self._clock.now(), 0.0)

    async def begin(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def is_idle(self) -> bool:
        """Say whether the time has come."""
        return self.until <= self._clock.now()


class Composite:
    """Several limiters that hold together."""

    def __init__(self, parts: Iterable[Limiter]) -> None:
        self.parts = tuple(parts)

    async def wait(self) -> float | None:
        """Return the longest wait of any."""
        longest = 0.0
        for part in self.parts:
            wait = await part.wait()
            if wait is None:
                return None
            longest = max(longest, wait)
        return longest

    async def begin(self) -> None:
        """Count a start with each."""
        for part in self.parts:
            await part.begin()

    def end(self) -> None:
        """Count an end with each."""
        for part in self.parts:
            part.end()

    def is_idle(self) -> bool:
        """Say whether all are."""
        return all(part.is_idle() for part in self.parts)
