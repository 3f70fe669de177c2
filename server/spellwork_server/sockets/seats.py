"""How many connections each user has open here: tabs, scripts and Yjs programs together, and no more than is allowed."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from spellwork_server.errors import RateLimited

RETRY_AFTER = 10
"""Seconds after which it is worth another try: connections that are gone are noticed within a few of these."""


class TooManySockets(RateLimited):
    """The user has as many connections open as one user may."""

    default_code: ClassVar[str] = "too_many_sockets"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} connections to this server open, which is the most at a time; "
            "close one first",
            retry_after=RETRY_AFTER,
        )
        self.details["limit"] = limit


class Seat:
    """What one open connection takes. It is given back once; again is harmless."""

    __slots__ = ("_seats", "_user")

    def __init__(self, seats: Seats, user: str) -> None:
        self._seats: Seats | None = seats
        self._user = user

    def give_back(self) -> None:
        """Let another connection of the user have it."""
        seats, self._seats = self._seats, None
        if seats is not None:
            seats.left(self._user)


class Seats:
    """The connections of every user. One user's many keep nobody else out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def take(self, user: str) -> Seat:
        """Take a seat for a connection that has proved whose it is. Raises TooManySockets."""
        if self._taken[user] >= self._most:
            raise TooManySockets(self._most)
        self._taken[user] += 1
        return Seat(self, user)

    def left(self, user: str) -> None:
        """Count one connection of a user less."""
        self._taken[user] -= 1
        if not self._taken[user]:
            del self._taken[user]
