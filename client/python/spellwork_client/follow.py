"""Follow a stream: every event once and in order, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from .errors import ConnectionLost
from .session import Closed, Item, Received, Reconnected, Session
from .views import Event, view


async def follow(session: Session, stream: str, after_seq: int) -> AsyncGenerator[Event, None]:
    """Yield the events of ``stream`` after number ``after_seq``, for ever.

    Asks for what it missed at the start, after a reconnect, and when a number was jumped over.
    Raises Refused when the server does not let this account follow the stream, and ConnectionLost
    when the session ends.
    """
    seen = after_seq
    async with session.listen() as queue:
        while True:
            async for event in _missed(session, queue, stream, seen):
                seen = event.seq
                yield event
            missed = False
            while not missed:
                item = await queue.get()
                missed = isinstance(item, Reconnected)
                for event in _events(item, stream):
                    if event.seq > seen + 1:
                        missed = True
                        break
                    if event.seq > seen:
                        seen = event.seq
                        yield event


async def _missed(
    session: Session, queue: asyncio.Queue[Item], stream: str, after_seq: int
) -> AsyncGenerator[Event, None]:
    """Yield what the log has after ``after_seq``, by pages, and let the server send what follows."""
    seen, more = after_seq, True
    while more:
        try:
            answer = await session.request("events.resume", {"stream": stream, "after_seq": seen})
        except ConnectionLost:
            await _reconnected(queue)
            continue
        more = bool(answer.get("more"))
        for event in _read(answer["events"]):
            if event.seq > seen:
                seen = event.seq
                yield event


async def _reconnected(queue: asyncio.Queue[Item]) -> None:
    """Wait for the next connection; what else is in the queue will be in the log."""
    while True:
        match await queue.get():
            case Reconnected():
                return
            case Closed(reason):
                raise reason


def _events(item: Item, stream: str) -> list[Event]:
    match item:
        case Received("run.events", data) if data.get("stream") == stream:
            return _read(data["events"])
        case Closed(reason):
            raise reason
    return []


def _read(events: list[dict[str, Any]]) -> list[Event]:
    return [view(Event, each) for each in events]
