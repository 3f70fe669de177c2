"""How long: in seconds, or as people write it."""

from __future__ import annotations

import re

from spellwork import NodeError

LONGEST = 366 * 86_400.0
"""Seconds for which a question may be open, if not for ever."""

_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3_600,
    "hour": 3_600,
    "d": 86_400,
    "day": 86_400,
    "w": 604_800,
    "week": 604_800,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def seconds(duration: float | str | None, port: str) -> float | None:
    """Return a duration in seconds; None where there is none (None, 0 or empty text).

    Raises NodeError at the port for what is no duration, or longer than a year.
    """
    if not duration:
        return None
    found = _read(duration.strip().lower()) if isinstance(duration, str) else float(duration)
    if found is None or not 0 < found <= LONGEST:
        raise NodeError(
            f"{duration!r} is no duration of at most {LONGEST:,.0f} s;"
            " write seconds, or such as 90 min, 36 hours, 2 days 12 h",
            port=port,
            retryable=False,
        )
    return found


def _read(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    total, end = 0.0, 0
    for part in _PART.finditer(text):
        unit = _UNITS.get(part[2]) or _UNITS.get(part[2].removesuffix("s"))
        if unit is None or text[end : part.start()].strip(" ,"):
            return None
        total += float(part[1]) * unit
        end = part.end()
    return total if end and not text[end:].strip() else None
