"""Python's garbage collector, kept off while something large is built that all stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect no garbage inside; also a decorator.

    A spell of 10,000 nodes and its plan are some 500,000 objects, of which none is
    garbage: the collector would walk all that is there again at each quarter
    that they grow, which was a fifth of the time. Not for what waits, or may
    run for long: no thread collects meanwhile.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
