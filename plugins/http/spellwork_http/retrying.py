"""Trying again: when a request may be repeated, and how long to wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from .errors import RequestTimeout, Unreachable
from .exchange import Answer, Request

SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that do the same once or twice (RFC 9110, idempotent)."""

BACKOFF = 0.5
"""Seconds before the second try; it doubles with each, and up to half of it is added by chance."""

MAX_WAIT = 60.0
"""Seconds to wait at most; a server that asks for more gets no further try."""

_BUSY = frozenset({429, 503})
"""Statuses by which a server says that it did nothing, and to come again."""

_FAULTS = frozenset({500, 502, 504})

Sleep = Callable[[float], Awaitable[None]]


class Sender(Protocol):
    """Sends one request."""

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status."""


async def send_with_retries(
    sender: Sender,
    request: Request,
    retries: int,
    *,
    log: Callable[[str], None],
    defer: Callable[[float], None],
    sleep: Sleep = asyncio.sleep,
) -> Answer:
    """Send a request; try again when the server is busy or failing, or cannot be reached.

    A request that may not be repeated (POST, PATCH) is tried again only when the
    server said that it is busy. The last answer is returned as it is. ``defer``
    hears for how many seconds a busy server wants to be let be.
    """
    repeatable = request.method in SAFE_TO_REPEAT
    for attempt in range(retries + 1):
        last = attempt == retries
        try:
            answer = await sender.send(request)
        except (Unreachable, RequestTimeout) as error:
            if last or not repeatable:
                raise
            wait, why = backoff(attempt), error.message
        else:
            again = answer.status in _BUSY or (repeatable and answer.status in _FAULTS)
            asked = retry_after(answer.headers.get("retry-after"))
            if asked and answer.status in _BUSY:
                defer(asked)
            wait = backoff(attempt) if asked is None else asked
            if last or not again or wait > MAX_WAIT:
                return answer
            why = f"the server answered {answer.status}"
        log(f"{why}; trying again in {wait:.1f} s ({attempt + 1} of {retries})")
        await sleep(wait)
    raise AssertionError("the last try returns or raises")


def backoff(attempt: int) -> float:
    """Return the seconds to wait after this attempt, counted from 0."""
    base = BACKOFF * 2.0**attempt
    return min(MAX_WAIT, base + random.uniform(0, base / 2))  # noqa: S311 - spreads requests, guards nothing


def retry_after(header: str | None, *, now: dt.datetime | None = None) -> float | None:
    """Return the seconds a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3); None for no such."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - (now or dt.datetime.now(dt.UTC))).total_seconds())
