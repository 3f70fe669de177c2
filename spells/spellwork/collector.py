"""Python's garbage collector, kept off while something large is built that all stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect no garbage inside; also a decorator.

    A plan of 10,000 steps is some 200,000 objects, and none of what building it
    leaves behind needs the collector, for it is in no circle (``Analysis`` sees
    to that; a test counts). The collector would walk all that is there again
    at each quarter that it grows, which was a fifth of the time. Not for what waits, or
    may run for long: no thread collects meanwhile.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
