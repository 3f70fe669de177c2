"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from .service import ServerSentEvent

KEEP_ALIVE = 15.0
"""Seconds between comments that keep proxies from closing a quiet stream."""


async def send_events(
    request: web.Request, events: AsyncIterator[ServerSentEvent]
) -> web.StreamResponse:
    """Send events until they end or the client goes away."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    try:
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(_keep_alive(response))
            try:
                async for event in events:
                    await response.write(encode(event))
            finally:
                keeper.cancel()
        await response.write_eof()
    except* ConnectionResetError:
        pass  # the client went away; there is nobody to tell
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    return response


def encode(event: ServerSentEvent) -> bytes:
    """Return one event as it goes over the wire."""
    lines = [f"event: {event.event}".encode()]
    if event.id is not None:
        lines.append(f"id: {event.id}".encode())
    lines.append(b"data: " + msgspec.json.encode(event.data))
    return b"\n".join(lines) + b"\n\n"


async def _keep_alive(response: web.StreamResponse) -> None:
    while True:
        await asyncio.sleep(KEEP_ALIVE)
        await response.write(b": \n\n")
