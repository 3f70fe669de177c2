"""Hold a value back: not at all, or for a while."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from spellwork import Context, NodeError, NodeSkipped, node
from spellwork.date_reading import DateError, read_date

from .flow import MAX_DELAY, seconds_left


@node(
    "core.gate",
    title="Gate",
    category="Flow",
    output="value",
    takes_handles=("value",),
    keywords=("condition", "filter", "block", "guard", "stop", "if"),
)
async def gate(
    value: Any,
    open: Annotated[  # noqa: A002 - the input's name
        Any, Field(description="Lets the value pass; false, null, 0 and what is empty do not")
    ] = True,
    reason: Annotated[str, Field(max_length=500, description="Why it is closed, as told")] = "",
) -> Any:
    """The value, while the gate is open; else it is skipped, and so what needs it."""
    if not open:
        raise NodeSkipped(reason or "the gate is closed")
    return value


@node(
    "core.wait",
    title="Wait",
    category="Flow",
    output="value",
    cache="none",
    committed=False,
    many=("after",),
    triggers=("after",),
    takes_handles=("value",),
    keywords=("delay", "until", "sleep", "pause", "timer", "after"),
)
async def wait(
    ctx: Context,
    value: Any = None,
    seconds: Annotated[float, Field(ge=0, le=MAX_DELAY)] = 0,
    until: Annotated[
        str | float | None,
        Field(description="A time as ISO 8601 (UTC without a zone) or in Unix seconds"),
    ] = None,
    after: Annotated[  # noqa: ARG001 - only waited for
        list[Any] | None, Field(description="Waits for what is wired here, and takes nothing of it")
    ] = None,
) -> Any:
    """The value, once what ``after`` waits for is finished, the seconds have passed and the time has come."""
    end = max(time.time() + seconds_left(ctx, seconds), _unix(until))
    left = end - time.time()
    if left > MAX_DELAY:
        raise NodeError(
            f"it would wait {left:,.0f} s; at most {MAX_DELAY:,} s are allowed",
            port="until",
            retryable=False,
        )
    if left > 0:
        at = datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds")
        ctx.waits("wait", f"until {at}", end)
        await asyncio.sleep(left)
    return value


def _unix(until: str | float | None) -> float:
    if until is None:
        return 0.0
    if isinstance(until, (int, float)):
        return float(until)
    try:
        read = datetime.fromisoformat(read_date(until))
    except DateError as error:
        raise NodeError(
            f"{until!r} is no time; write it like 2031-05-17T08:00", port="until", retryable=False
        ) from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
