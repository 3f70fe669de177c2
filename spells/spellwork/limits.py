"""What a run may use at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run; None is no bound.

    ``concurrency``: nodes under way at once. ``threads``: blocking functions at
    once. ``output_bytes``: the size of one node's outputs as JSON; over it the
    node fails with ``output_too_large``. ``depth``: how deeply ``Context.call``
    may nest. ``cancel_grace``: seconds that nodes get to end after a cancel.
    """

    concurrency: int | None = None
    threads: int = 8
    output_bytes: int | None = None
    depth: int = 32
    cancel_grace: float = 0.8
