"""Times that are due: by a cron expression in a time zone, or every so many seconds.

Cron follows Debian's where the clock is put forward or back: a job at fixed hours and minutes
whose time does not exist that day is due right after the gap, and one whose time comes twice
is due the first time only; what runs every hour or minute goes by real time. ``cronsim`` does
just that. Rejected: croniter, which needs dateutil and runs the job of a time that comes
twice two times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MAX_EXPRESSION = 200
MAX_ZONE = 64


class ScheduleError(ValueError):
    """The expression, or the time zone, is none; in words for who wrote it."""


class Schedule(Protocol):
    """When something is due."""

    def next(self, after: float) -> float | None:
        """Return the first due time after ``after``, in Unix seconds; None where there is none in 50 years."""

    def recent(self, since: float, upto: float, most: int) -> list[float]:
        """Return the newest ``most`` due times from ``since`` to ``upto``, both included, oldest first."""


@dataclass(frozen=True, slots=True)
class Every:
    """Due at ``anchor`` and each ``seconds`` after it, however late anybody comes: it does not drift."""

    seconds: float
    anchor: float

    def next(self, after: float) -> float | None:
        """See Schedule."""
        return self._at(math.floor(self._place(after)) + 1)

    def recent(self, since: float, upto: float, most: int) -> list[float]:
        """See Schedule."""
        last = math.floor(self._place(upto))
        first = max(math.ceil(self._place(since)), last - most + 1)
        return [self._at(place) for place in range(first, last + 1)]

    def _place(self, at: float) -> float:
        """Return how many periods a time is from the anchor; whole where it is due, whatever floats do to it."""
        place = (at - self.anchor) / self.seconds
        near = round(place)
        return near if abs(place - near) < 1e-6 else place

    def _at(self, place: int) -> float:
        return round(self.anchor + place * self.seconds, 3)


class Cron:
    """Due by an expression of five fields: minute, hour, day of month, month, day of week.

    Names (``MON``, ``JAN``), lists, ranges, steps, ``L`` and ``MON#2`` are read, and the short
    forms ``@hourly``, ``@daily``, ``@weekly``, ``@monthly`` and ``@yearly``.

    Raises:
        ScheduleError: it cannot be read, there is no such zone, or it is never due.
    """

    def __init__(self, expression: str, zone: str = "UTC") -> None:
        self._expression = _SHORT.get(expression.strip().lower(), expression.strip())
        self._zone = find_zone(zone)
        if len(expression) > MAX_EXPRESSION or len(self._expression.split()) != 5:
            raise ScheduleError(
                f"{expression[:40]!r} is no cron expression: it has five fields, minute hour day month weekday"
            )
        try:
            CronSim(self._expression, datetime(2000, 1, 1, tzinfo=UTC))
        except (CronSimError, ValueError, AssertionError) as error:
            raise ScheduleError(
                f"{expression!r} is no cron expression: {str(error) or 'it cannot be read'}"
            ) from error

    def next(self, after: float) -> float | None:
        """See Schedule."""
        times = CronSim(self._expression, datetime.fromtimestamp(math.floor(after), self._zone))
        for time in times:
            found = time.timestamp()
            if found > after:  # of a time that comes twice, the first may lie before
                return found
        return None

    def recent(self, since: float, upto: float, most: int) -> list[float]:
        """See Schedule. Looks back from the end, ever further: a minute's job may have been away for a year."""
        span = 3_600.0
        while True:
            start = max(since, upto - span)
            found = self._between(start, upto)
            if len(found) >= most or start == since:
                return found[-most:]
            span *= 4

    def _between(self, since: float, upto: float) -> list[float]:
        found = []
        at = self.next(since - 1)
        while at is not None and at <= upto:
            if at >= since:
                found.append(at)
            at = self.next(at)
        return found


_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def find_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises ScheduleError."""
    try:
        if len(name) > MAX_ZONE:
            raise ValueError
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # what is no zone may be a folder of them
        raise ScheduleError(
            f"{name[:MAX_ZONE]!r} is no time zone: write one like Europe/Berlin, or UTC"
        ) from error
