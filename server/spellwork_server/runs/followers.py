"""Whether the tabs of whoever runs lag behind a stream, and a run should wait for them.

Only their own tabs count: what somebody else's connection is like must not slow
a run. And only tabs that go on taking: one that stands still holds nobody up,
until it lags by all it may and is cut (S17).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakKeyDictionary

from .streams import channel_of

BEHIND = 8
"""A tab that lags by this part of what it may holds runs up."""

CAUGHT_UP = 16
"""One that has held a run up does so until it lags by less than this part."""

PATIENCE = 5.0
"""Seconds within which a tab has to take something more for runs to go on waiting for it."""

STRIDE = 64
"""What it has to take within that time: this part of what it may lag by."""


class Outbox(Protocol):
    """What goes out to a socket."""

    @property
    def pending_bytes(self) -> int:
        """Bytes that the client has not taken yet."""
        ...


class Owner(Protocol):
    """Whose socket it is."""

    @property
    def user_id(self) -> str:
        """The user's id."""
        ...


class Follower(Protocol):
    """The part of ``sockets.Session`` that tells how far it lags."""

    @property
    def actor(self) -> Owner:
        """Whose socket it is."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What goes out to it."""
        ...

    @property
    def max_pending_bytes(self) -> int:
        """How far it may lag."""
        ...


class Members(Protocol):
    """The part of ``sockets.Channels`` that tells who follows."""

    def members(self, channel: str) -> Iterable[Follower]:
        """Return the sockets in a channel."""
        ...


class Followers:
    """Who follows which stream, and how far each of them lags."""

    def __init__(self, channels: Members) -> None:
        self._channels = channels
        self._lagging: WeakKeyDictionary[Follower, tuple[int, float]] = WeakKeyDictionary()
        """How much each had yet to take when it last took a stride, and when that was."""

    def hold_up(self, stream: str, user: str) -> bool:
        """Say whether a run of a user's should make no more for now."""
        return any(
            self._lags(follower)
            for follower in self._channels.members(channel_of(stream))
            if follower.actor.user_id == user
        )

    def _lags(self, follower: Follower) -> bool:
        pending, most = follower.outbox.pending_bytes, follower.max_pending_bytes
        known = self._lagging.get(follower)
        if known is None:
            if pending <= most // BEHIND:
                return False
            known = self._lagging[follower] = (pending, time.monotonic())
        if pending <= most // CAUGHT_UP:
            del self._lagging[follower]
            return False
        if known[0] - pending >= most // STRIDE:
            known = self._lagging[follower] = (pending, time.monotonic())
        return time.monotonic() - known[1] < PATIENCE
