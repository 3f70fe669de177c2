"""The figure that stands for many measurements of the same."""

from __future__ import annotations

import statistics


def settled(times: list[float]) -> float:
    """Return the lower quartile: what else the machine does only ever adds."""
    return statistics.quantiles(times, n=4)[0] if len(times) > 3 else min(times)
