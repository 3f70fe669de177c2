"""What a run shares with the runs nested in it: how many nodes may be under way, and who is held."""

from __future__ import annotations

from typing import Protocol

from .errors import TooManyCalls


class Member(Protocol):
    """One run of a crew."""

    def wake(self) -> None:
        """Go on with what is ready, where there is room."""

    def hold(self) -> None:
        """Start no further step."""

    def let_go(self) -> None:
        """Go on after ``hold``."""

    def look_again(self) -> None:
        """Look at what is held: one of it may start."""


class Crew:
    """The members of one run: itself first, then those nested in it, as long as they go.

    ``free`` is how many more nodes may be under way at once, in all members together.
    """

    __slots__ = ("called", "calls", "credit", "free", "limited", "members", "paused")

    def __init__(self, concurrency: int | None = None, calls: int | None = None) -> None:
        self.calls = calls
        self.called = 0
        self.limited = concurrency is not None
        self.free: float = concurrency if concurrency is not None else float("inf")
        self.members: list[Member] = []
        self.paused = False
        self.credit = 0
        """How many steps may start although all is held."""

    def join(self, member: Member) -> None:
        """Take a run in; it is held where the others are."""
        self.members.append(member)
        if self.paused:
            member.hold()

    def leave(self, member: Member) -> None:
        """Let go of a run that is over."""
        if member in self.members:
            self.members.remove(member)

    def count(self, calls: int = 1) -> None:
        """Count calls of nodes, before they are made; raises TooManyCalls where that is more than allowed."""
        self.called += calls
        if self.calls is not None and self.called > self.calls:
            raise TooManyCalls(self.calls)

    def lend(self) -> None:
        """Take it that a node waits for a run nested in it, and leaves its place to it."""
        self.free += 1

    def take_back(self) -> None:
        """Take it that the nested run is over; its node goes on at once, even over the limit."""
        self.free -= 1

    def wake(self) -> None:
        """Let what waits for a place go on: nested runs first, for others wait for them."""
        for member in reversed(self.members):
            if self.free <= 0:
                return
            member.wake()

    def pause(self) -> None:
        """Start no further node in any member."""
        if not self.paused:
            self.paused = True
            for member in self.members:
                member.hold()

    def play(self) -> None:
        """Go on after ``pause``."""
        if self.paused:
            self.paused = False
            self.credit = 0
            for member in list(self.members):
                member.let_go()

    def step(self) -> None:
        """While paused, let exactly one more node start: one that is ready, or else the next to be."""
        if self.paused:
            self.credit += 1
            for member in reversed(self.members):
                member.look_again()
