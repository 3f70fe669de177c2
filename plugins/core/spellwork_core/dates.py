"""Dates and times, in ISO 8601."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from spellwork import NodeError, node

MAX_FORMAT = 1_000
"""Characters of a format."""

_WIDTH = re.compile(r"%[^A-Za-z%]*\d")
"""Some C libraries pad a field to any width that is asked for, gigabytes too."""

Zone = Annotated[str, Field(description="Such as UTC or Europe/Vienna")]


@node(
    "core.now",
    title="Now",
    category="Dates",
    output="time",
    cache="none",
    keywords=("date", "time", "today", "clock"),
)
async def now(zone: Zone = "UTC") -> str:
    """The time at which the node runs."""
    return dt.datetime.now(_zone(zone)).isoformat(timespec="seconds")


@node(
    "core.date_format",
    title="Format date",
    category="Dates",
    output="text",
    keywords=("strftime", "time", "day"),
)
async def date_format(
    time: str,
    format: Annotated[str, Field(description="Such as %d.%m.%Y %H:%M")] = "%Y-%m-%d",  # noqa: A002 - the input's name
    zone: Zone = "",
) -> str:
    """A date or time written another way, in another zone if one is named."""
    if len(format) > MAX_FORMAT or _WIDTH.search(format):
        raise NodeError(
            f"a format has at most {MAX_FORMAT} characters, and no widths such as %10Y",
            port="format",
            retryable=False,
        )
    try:
        moment = dt.datetime.fromisoformat(time)
    except ValueError as error:
        raise NodeError(f"{time!r} is no ISO date or time", port="time", retryable=False) from error
    return (moment.astimezone(_zone(zone)) if zone else moment).strftime(format)


def _zone(name: str) -> dt.tzinfo:
    if name in ("", "UTC"):
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NodeError(
            f"{name!r} is no time zone known here", port="zone", retryable=False
        ) from error
