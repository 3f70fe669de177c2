"""How much a socket may ask for in a time."""

from __future__ import annotations

import time


class TokenBucket:
    """Takes ``rate`` a second for long, and ``burst`` at once."""

    __slots__ = ("_at", "_left", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = burst
        self._at = time.monotonic()

    def take(self, cost: float = 1) -> float:
        """Take ``cost`` and return 0; or take nothing, and return the seconds until there is enough."""
        now = time.monotonic()
        self._left = min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < cost:
            return (cost - self._left) / self.rate
        self._left -= cost
        return 0.0
