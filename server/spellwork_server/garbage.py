"""When the garbage collector walks what, so that no walk stalls the many who are connected."""

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

SWEEP_SECONDS = 0.1

GROWN = 3
"""How many times as much as after the last whole walk must be set aside before the next one."""

LONG = 0.1
"""Seconds of a walk that the log tells."""


class Garbage:
    """Keeps full collections short.

    A full collection walks all that lives: 0.4 s with 5,000 sockets, in which
    nobody is served, and Python starts one in the middle of whatever grows.
    Here only the young are collected by themselves. Between turns of the loop
    the survivors are swept and set aside (``gc.freeze``), so that a sweep costs
    what is new. All is walked once what is set aside may be GROWN times what it
    was: garbage among it, which nothing else finds, has a bound.
    """

    def __init__(self) -> None:
        self._lived = 0
        """Objects that the last whole walk left."""
        self._added = 0
        """Objects set aside since, about."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Set aside what was made at start; from here on full collections are ours, until ``end``."""
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._walk_all()
        gc.enable()
        self._wait()

    def end(self) -> None:
        """Sweep no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self._wait()
        grown = gc.get_count()[2] * AT_ONCE
        if not grown:
            return
        began = time.perf_counter()
        self._added += grown
        if self._lived + self._added > GROWN * self._lived:
            self._walk_all()
        else:
            gc.collect()
            gc.freeze()
        taken = time.perf_counter() - began
        if taken > LONG:
            logger.info("collecting garbage took %.2f s", taken)

    def _walk_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._lived, self._added = gc.get_freeze_count(), 0
