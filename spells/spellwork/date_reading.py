"""Read dates and times, and write them in ISO 8601.

A format is written as for ``strptime``, in the directives below, with English
names whatever the locale. ``client/src/engine/date_reading.ts`` does the same;
``tests/cases/transforms.json`` holds for both.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any

from .casting import plain, shown

_ISO = re.compile(
    r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
    r"(?:[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,6})[0-9]*)?)?"
    r" ?(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)
_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _any_of(names: list[str]) -> str:
    return "|".join(names)


_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "[0-9]{1,2}",
    "B": _any_of(_MONTHS),
    "b": _any_of([name[:3] for name in _MONTHS]),
    "d": "[0-9]{1,2}",
    "A": _any_of(_DAYS),
    "a": _any_of([name[:3] for name in _DAYS]),
    "H": "[0-9]{1,2}",
    "I": "[0-9]{1,2}",
    "p": "am|pm",
    "M": "[0-9]{1,2}",
    "S": "[0-9]{1,2}",
    "f": "[0-9]{1,6}",
    "z": "Z|[+-][0-9]{2}:?[0-9]{2}",
}
_TIME = frozenset("HIpMSfz")
_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z."""


class DateError(ValueError):
    """A value that is no such date, or a format that cannot be read."""


def read_date(value: Any, format: str | None = None) -> str:  # noqa: A002 - the transform's own word
    """Return a date, or a date and time, in ISO 8601: ``2024-03-01``, ``2024-03-01T12:00:00+00:00``.

    Without a format, ISO 8601 is read, and a number as seconds since 1970 in
    UTC. Raises DateError.
    """
    value = plain(value)
    if format is None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _of_seconds(value)
    pattern = _ISO if format is None else compiled(format)
    match = pattern.fullmatch(value.strip(" \t\r\n")) if isinstance(value, str) else None
    if match is None:
        wanted = "in ISO 8601" if format is None else f"of the form {format}"
        raise DateError(f"{shown(value)} is no date {wanted}")
    try:
        return _written(match.groupdict(), format)
    except ValueError as error:
        raise DateError(f"{shown(value)} is no date that exists") from error


@lru_cache(maxsize=256)
def compiled(format: str) -> re.Pattern[str]:  # noqa: A002 - the transform's own word
    """Return a format as a pattern with one group per directive. Raises DateError."""
    pattern, seen = "", set()
    place = 0
    blanks = r"[ \t\r\n]+"
    while place < len(format):
        letter = format[place]
        place += 1
        if letter in " \t\r\n":  # several stand for one: else a match could take for ever to fail
            pattern += "" if pattern.endswith(blanks) else blanks
            continue
        if letter != "%":
            pattern += re.escape(letter)
            continue
        name = format[place : place + 1]
        place += 1
        if name == "%":
            pattern += "%"
        elif name not in _DIRECTIVES:
            raise DateError(
                f"the format {format!r} has %{name}; there are {', '.join('%' + each for each in _DIRECTIVES)}"
            )
        elif name in seen:
            raise DateError(f"the format {format!r} has %{name} twice")
        else:
            seen.add(name)
            pattern += f"(?P<{name}>{_DIRECTIVES[name]})"
    if not seen & {"Y", "y"}:
        raise DateError(f"the format {format!r} names no year: %Y or %y")
    return re.compile(pattern, re.IGNORECASE)


def _written(parts: dict[str, str | None], format: str | None) -> str:  # noqa: A002
    date = dt.date(_year(parts), _month(parts), int(parts.get("d") or 1)).isoformat()
    if not _has_time(parts, format):
        return date
    fraction = (parts.get("f") or "").ljust(6, "0")
    time = dt.time(
        _hour(parts), int(parts.get("M") or 0), int(parts.get("S") or 0), int(fraction)
    ).isoformat()
    return f"{date}T{time}{_zone(parts.get('z'))}"


def _has_time(parts: dict[str, str | None], format: str | None) -> bool:  # noqa: A002
    return parts.get("H") is not None if format is None else not _TIME.isdisjoint(parts)


def _year(parts: dict[str, str | None]) -> int:
    if parts.get("Y"):
        return int(parts["Y"] or 0)
    short = int(parts["y"] or 0)
    return short + (1900 if short >= 69 else 2000)


def _month(parts: dict[str, str | None]) -> int:
    if name := parts.get("B") or parts.get("b"):
        return 1 + next(
            index for index, each in enumerate(_MONTHS) if each.startswith(name.lower())
        )
    return int(parts.get("m") or 1)


def _hour(parts: dict[str, str | None]) -> int:
    if parts.get("H"):
        return int(parts["H"] or 0)
    hour = int(parts.get("I") or 0)
    if "I" in parts and not 1 <= hour <= 12:
        raise ValueError("hour")
    late = (parts.get("p") or "").lower() == "pm"
    return hour % 12 + (12 if late else 0) if "p" in parts else hour


def _zone(zone: str | None) -> str:
    if zone is None:
        return ""
    if zone in "Zz":
        return "+00:00"
    digits = zone[1:].replace(":", "")
    if int(digits[:2]) > 23 or int(digits[2:]) > 59:
        raise ValueError("zone")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _of_seconds(value: float) -> str:
    if not 0 <= value <= _LAST_SECOND:
        raise DateError(f"{shown(value)} is no time in seconds since 1970")
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=round(value * 1000))
    return moment.isoformat()
