"""Limiters of how many starts there are in a time. They count by ``limits``, which is loaded where somebody needs it."""

from __future__ import annotations

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from .limiters import LEAST, Clock


class _Window(RateLimitItemPerSecond):
    """So many within any number of seconds, whole or not."""

    __slots__ = ("seconds",)

    def __init__(self, amount: int, seconds: float) -> None:
        super().__init__(amount)
        self.seconds = seconds

    def get_expiry(self) -> int:
        return self.seconds  # type: ignore[return-value] # the store only adds and subtracts it


class Rate:
    """At most ``rate`` starts within any ``per`` seconds: a moving window, counted by ``limits``."""

    def __init__(self, rate: int, per: float, clock: Clock) -> None:
        self._window = _Window(rate, per)
        self._counter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock
        self._used = 0.0

    async def wait(self) -> float | None:
        """Return 0, or the seconds until the oldest start leaves the window."""
        if await self._counter.test(self._window):
            return 0.0
        stats = await self._counter.get_window_stats(self._window)
        return max(stats.reset_time - self._clock.now(), LEAST)

    async def begin(self) -> None:
        """Count a start."""
        while not await self._counter.hit(self._window):
            await self._clock.sleep(LEAST)
        self._used = self._clock.now()

    def end(self) -> None:
        """Do nothing: only starts count."""

    def is_idle(self) -> bool:
        """Say whether the window is empty."""
        return self._used + self._window.seconds < self._clock.now()


class Spacing(Rate):
    """At least ``seconds`` between the starts of two calls."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        super().__init__(1, seconds, clock)
