"""Follow a stream: every event once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from .errors import ConnectionLost
from .session import Closed, Item, Received, Reconnected, Session
from .views import Event, view

QUIET = 20.0
"""Seconds without an event after which the server is asked whether the stream is still there for us."""

CatchUp = Callable[[int], AsyncGenerator[Event, None]]
"""Gives what is still kept of the events wanted after a number."""


async def follow(
    session: Session, stream: str, after_seq: int, catch_up: CatchUp
) -> AsyncGenerator[Event, None]:
    """Yield the events of ``stream`` after number ``after_seq``, for ever.

    Asks for what it missed at the start, after a reconnect, when a number was jumped over, and after
    a long silence. When the stream does not go back that far any more, what ``catch_up`` gives
    stands in.
    Raises Refused when the server does not let this account follow the stream (any more), and
    ConnectionLost when the session ends.
    """
    seen = after_seq
    async with session.listen() as queue:
        while True:
            more = True
            while more:
                answer = await _resume(session, queue, stream, seen)
                more = bool(answer["more"])
                if answer.get("snapshot_required"):
                    async for event in catch_up(seen):
                        if event.seq <= answer["seq"]:
                            yield event
                for event in _read(answer["events"]):
                    yield event
                seen = max(seen, int(answer["seq"]))
            missed = False
            while not missed:
                item = await _next(queue)
                missed = item is None or isinstance(item, Reconnected)
                for event in _events(item, stream):
                    if event.seq > seen + 1:
                        missed = True
                        break
                    if event.seq > seen:
                        seen = event.seq
                        yield event


async def _resume(
    session: Session, queue: asyncio.Queue[Item], stream: str, after_seq: int
) -> dict[str, Any]:
    """Ask for what was missed, again after each lost connection or answer."""
    while True:
        try:
            return await session.request(
                "events.resume", {"stream": stream, "after_seq": after_seq}
            )
        except ConnectionLost:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET):
                    await _reconnected(queue)


async def _next(queue: asyncio.Queue[Item]) -> Item | None:
    """Return the next item, or None after a long silence."""
    try:
        async with asyncio.timeout(QUIET):
            return await queue.get()
    except TimeoutError:
        return None


async def _reconnected(queue: asyncio.Queue[Item]) -> None:
    """Wait for the next connection; what else is in the queue will be in the log."""
    while True:
        match await queue.get():
            case Reconnected():
                return
            case Closed(reason):
                raise reason


def _events(item: Item | None, stream: str) -> list[Event]:
    match item:
        case Received("run.events", data) if data.get("stream") == stream:
            return _read(data["events"])
        case Closed(reason):
            raise reason
    return []


def _read(events: list[dict[str, Any]]) -> list[Event]:
    return [view(Event, each) for each in events]
