"""How many seeds a random test tries: few in `make test`, many in `make soak`.

A seed that once failed is added to its test by name, so that it is tried always.
"""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("SPELLWORK_SOAK", "1"))
"""How many times as long random tests take; `make soak` sets it."""


def seeds(count: int) -> range:
    """Return the seeds of a test that tries ``count`` of them in `make test`; a failing test's id names its seed."""
    return range(1, count * FACTOR + 1)


def examples(count: int) -> int:
    """Return how many examples Hypothesis tries where `make test` tries ``count``."""
    return count * FACTOR
