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
    ``seconds``: how long the run may take, waits and pauses included; then it
    ends within the grace and has failed with ``run_timeout``. ``spent``: how
    much of that a run that goes on took before. ``calls``: how
    often nodes may be called in all, each attempt and each call within a call
    counted; over it nodes fail with ``too_many_calls``.
    """

    concurrency: int | None = None
    threads: int = 8
    output_bytes: int | None = None
    depth: int = 32
    cancel_grace: float = 0.8
    seconds: float | None = None
    calls: int | None = None
    spent: float = 0.0
