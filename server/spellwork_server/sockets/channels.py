"""Channels: named groups of sockets, and the fan-out to them.

An event for a channel is encoded and framed once; its bytes are then written
to each member's transport. The first event after a pause goes out at once. As
long as events follow each other faster than GATHER, those for the same
receivers are gathered and written together, because a write costs far more
than the bytes in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .catch_up import CatchUp, Skippable, Source
from .packets import Wire, encode_event, join
from .session import Session

GATHER = 0.001
"""Seconds that an event is held back at most, and only when another has just gone out."""

GATHER_BYTES = 64 * 1024
"""Gathered bytes that are written without further delay."""

KEEPS_UP_BYTES = 4 * 1024
"""Unsent bytes below which no limit is looked at; less than a sixteenth of any limit allowed."""


@dataclass(slots=True)
class _Gathered:
    channel: str
    skip: Session | None
    lossy: bool
    wires: list[Wire] = field(default_factory=list)
    size: int = 0
    skippable: list[Skippable] = field(default_factory=list)
    """The events as those who lag may be spared them; empty where they may not."""


class Channels:
    """Who is in which channel. A socket's own channels are kept with it, so leaving all is O(own)."""

    def __init__(self) -> None:
        self._members: dict[str, dict[Session, None]] = {}
        self._gathered: _Gathered | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._written = 0.0
        self._catch_up = CatchUp(self.flush)

    def join(self, session: Session, channel: str) -> None:
        """Put a socket into a channel; events published before do not reach it."""
        self.flush()
        if not session.closed:
            self._members.setdefault(channel, {})[session] = None
            session.channels.add(channel)

    def leave(self, session: Session, channel: str) -> None:
        """Take a socket out of a channel."""
        self.flush()
        session.channels.discard(channel)
        self._catch_up.forget(session, channel)
        members = self._members.get(channel)
        if members is not None:
            members.pop(session, None)
            if not members:
                del self._members[channel]

    def leave_all(self, session: Session) -> None:
        """Take a socket out of all its channels."""
        for channel in list(session.channels):
            self.leave(session, channel)

    def members(self, channel: str) -> tuple[Session, ...]:
        """Return the sockets in a channel."""
        return tuple(self._members.get(channel, ()))

    def followed(self, channel: str) -> bool:
        """Say whether any socket is in a channel."""
        return channel in self._members

    def names(self) -> Iterable[str]:
        """Return the channels that have members."""
        return tuple(self._members)

    def encode(self, channel: str, event: str, data: Any) -> Wire | None:
        """Return an event as ``publish`` takes it ``ready``; None where nobody is in the channel."""
        return encode_event(event, data) if channel in self._members else None

    def publish(
        self,
        channel: str,
        event: str,
        data: Any,
        *,
        skip: Session | None = None,
        lossy: bool = False,
        source: Source | None = None,
        ready: Wire | None = None,
    ) -> None:
        """Send an event to all in a channel but ``skip``; ``lossy`` ones not to those that lag.

        ``ready`` is the event as ``encode`` gave it, where there was time for that before.

        Events reach each socket in the order of the calls, whatever the
        channel. Where ``source`` is given, those that lag far are spared the
        event, and get from the source what they lack once they have drained.
        """
        if channel not in self._members:
            return
        wire = encode_event(event, data) if ready is None else ready
        spared = [] if source is None else [Skippable(source, data.get("updates", ()))]
        gathered = self._gathered
        if gathered is not None:
            if (
                gathered.channel == channel
                and gathered.skip is skip
                and gathered.lossy == lossy
                and bool(gathered.skippable) == bool(spared)
                and gathered.size + len(wire.frames) <= GATHER_BYTES
            ):
                gathered.wires.append(wire)
                gathered.skippable += spared
                gathered.size += len(wire.frames)
                return
            self.flush()
        loop = asyncio.get_running_loop()
        if loop.time() - self._written >= GATHER:
            self._written = loop.time()
            self._write(channel, wire, skip, lossy, spared)
            return
        self._gathered = _Gathered(channel, skip, lossy, [wire], len(wire.frames), spared)
        self._timer = loop.call_later(GATHER, self.flush)

    def send(self, session: Session, event: str, data: Any, *, lossy: bool = False) -> None:
        """Send an event to one socket, after all that was published to it before."""
        session.send(event, data, lossy=lossy)

    def flush(self) -> None:
        """Write what is gathered."""
        gathered, self._gathered = self._gathered, None
        if gathered is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._written = asyncio.get_running_loop().time()
        wire = join(gathered.wires)
        self._write(gathered.channel, wire, gathered.skip, gathered.lossy, gathered.skippable)

    def _write(
        self,
        channel: str,
        wire: Wire,
        skip: Session | None,
        lossy: bool,
        skippable: list[Skippable],
    ) -> None:
        frames = wire.frames
        for session in tuple(self._members.get(channel, ())):
            if session is skip:
                continue
            direct = session.outbox.direct
            # The common case, without a call in between: a WebSocket that keeps up.
            try:
                if (
                    direct is not None
                    and not session.closed
                    and not session.behind
                    and direct.get_write_buffer_size() < KEEPS_UP_BYTES
                ):
                    direct.write(frames)
                    continue
            except RuntimeError:  # uvloop's answer once the transport is closed
                session.outbox.detach()
            if not (skippable and self._catch_up.takes(session, skippable)):
                session.deliver(wire, lossy=lossy)
