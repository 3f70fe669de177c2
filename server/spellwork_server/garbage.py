"""When the garbage collector walks what, so that no walk hits the many who are connected at a bad moment."""

from __future__ import annotations

import asyncio
import gc
import logging
import time

logger = logging.getLogger(__name__)

YOUNG, MIDDLE = 5_000, 4
"""Objects before the youngest are looked at, and how often that is done before the middle-aged are."""

AT_ONCE = (YOUNG + 1) * (MIDDLE + 1)
"""Objects that come to be between two looks at the middle-aged."""

NEVER = 2**31 - 1

LOOK_SECONDS = 0.5

GROWN = 0.25
"""How much of what lives must be new before all of it is walked, as Python itself has it."""

SHARE = 0.03
LONGEST_REST = 10.0
"""The part of the time that walks may take, and the seconds after which the next may begin whatever the last took."""

LONG = 0.1
"""Seconds of a walk that the log tells."""


class Garbage:
    """Collects the old between turns of the loop, and never walks what was made at start.

    Python starts a full collection in the midst of whatever grows, and so just
    while thousands come or go: 0.4 s with 5,000 sockets. Here only the young
    are collected by themselves; the old when enough of them are new, at most
    once in LOOK_SECONDS and for SHARE of the time: everybody waits meanwhile. Rejected: setting survivors aside (``gc.freeze``)
    after each walk, so that the next one is short. What of them becomes garbage
    is then found too late: one object may hold a whole document.
    """

    def __init__(self) -> None:
        self._lived = 0
        """Objects that the last full collection left, beside those made at start."""
        self._rests_until = 0.0
        """When the next full collection may be, by ``time.perf_counter``."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Collect, and set aside for good what is left, which was made at start; full collections are ours until ``end``."""
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        gc.collect()
        gc.freeze()
        gc.enable()
        self._wait()

    def end(self) -> None:
        """Collect the old no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._wait()
        if time.perf_counter() < self._rests_until:
            return
        if gc.get_count()[2] * AT_ONCE > GROWN * self._lived:
            self.collect()

    def collect(self) -> None:
        """Collect all garbage."""
        began = time.perf_counter()
        gc.collect()
        self._lived = len(gc.get_objects(2))
        ended = time.perf_counter()
        taken = ended - began
        self._rests_until = ended + min(taken / SHARE, LONGEST_REST)
        if taken > LONG:
            logger.info("collecting garbage took %.2f s", taken)
