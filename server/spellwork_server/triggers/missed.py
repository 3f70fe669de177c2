"""What becomes of due times: which start a run now, which were missed, and when the next is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .schedule import Schedule

Missed = Literal["skip", "once", "all"]

MOST = 100
"""Times that were missed and are made good, or told, at one go."""

LATE = 30.0
"""Seconds after which a due time that nobody fired was missed; so it was when the next one has come."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """``start``: the times to run for, oldest first. ``more``: there were earlier ones, which nobody is told one by one."""

    start: list[float]
    missed: list[float]
    more: bool
    next_at: float | None


def catch_up(schedule: Schedule, due: float, now: float, missed: Missed) -> CaughtUp:
    """Return what to do about all times from ``due`` to ``now``, by the policy for those that were missed."""
    found = schedule.recent(due, now, MOST + 1)
    more, found = len(found) > MOST, found[-MOST:]
    following = schedule.next(now)
    if not found:
        return CaughtUp([], [], False, following)
    if missed == "all":
        return CaughtUp(found, [], more, following)
    *before, last = found
    if missed == "once" or now - last <= LATE:
        return CaughtUp([last], before, more, following)
    return CaughtUp([], found, more, following)
