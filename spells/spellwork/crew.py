"""What a run shares with the runs nested in it: how many nodes may be under way, and who is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from .errors import TooManyCalls

LOOK_AGAIN = 1.0
"""Seconds after which it is seen whether a run that waits for another one does nothing else by now."""


class Member(Protocol):
    """One run of a crew."""

    @property
    def at_work(self) -> int:
        """How many of its nodes are under way, or about to be."""
        ...

    @property
    def reading(self) -> int:
        """How many of its nodes wait for what comes next in a stream of another."""
        ...

    @property
    def over(self) -> bool:
        """Whether the run is at its end."""
        ...

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

    __slots__ = (
        "asks",
        "away",
        "called",
        "calls",
        "credit",
        "free",
        "later",
        "limited",
        "looking",
        "members",
        "nests",
        "on_rest",
        "paused",
        "turning",
    )

    def __init__(self, concurrency: int | None = None, calls: int | None = None) -> None:
        self.calls = calls
        self.called = 0
        self.limited = concurrency is not None
        self.free: float = concurrency if concurrency is not None else float("inf")
        self.members: list[Member] = []
        self.paused = False
        self.credit = 0
        """How many steps may start although all is held."""
        self.asks: dict[str, list[asyncio.Future[Any]]] = {}
        """By the path of a node, what it waits for from people."""
        self.away: dict[str, list[Callable[[bool], None]]] = {}
        """By the path of a node whose calls are runs of their own elsewhere, who hears whether all here only waits."""
        self.nests: dict[str, list[Member]] = {}
        """By the path of a node, the runs inside it that go on."""
        self.turning = 0
        """Calls of bodies that are not yet, no longer, or not at all a run of their own."""
        self.on_rest: Callable[[], None] = _nothing
        """Called when all that is under way has come to wait for people."""
        self.looking = False
        self.later: asyncio.TimerHandle | None = None
        """Looks again: nobody says that who reads a stream has come to wait."""

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

    # Waiting for people

    def begin_ask(self, path: str, answer: asyncio.Future[Any]) -> None:
        """Take it that the call of the node at this path waits for an answer; it leaves its place to others."""
        waits = self.asks.setdefault(path, [])
        waits.append(answer)
        if len(waits) == 1:
            self.lend()
            self.wake()
        self.look()

    def end_ask(self, path: str, answer: asyncio.Future[Any]) -> None:
        """Take it that it waits no more; it goes on at once, even over the limit."""
        waits = self.asks[path]
        waits.remove(answer)
        if not waits:
            del self.asks[path]
            self.take_back()
        self._tell_away(False)

    # Waiting for runs elsewhere

    def begin_away(self, path: str, told: Callable[[bool], None]) -> None:
        """Take it that the call of the node at this path only waits for a run elsewhere.

        ``told`` hears, perhaps more than once, that all under way waits for such runs, or for people; and that it does not any more.
        """
        self.away.setdefault(path, []).append(told)
        self.look()

    def end_away(self, path: str, told: Callable[[bool], None]) -> None:
        """Take it that it goes on here."""
        calls = self.away[path]
        calls.remove(told)
        if not calls:
            del self.away[path]
        if self.later is not None and not self.away:
            self.later.cancel()
            self.later = None

    def _tell_away(self, only_waits: bool) -> None:
        for calls in tuple(self.away.values())[:1]:  # all of them speak of the same run
            calls[0](only_waits)

    def only_waits(self) -> bool:
        """Say whether every call under way waits: for people, a run elsewhere, runs inside it whose calls all do, or a stream."""
        if self.turning or not self.away or self._is_about_to_go_on():
            return False
        waiting = len((self.asks.keys() | self.nests.keys()) - self.away.keys())
        waiting += sum(len(calls) for calls in self.away.values())
        waiting += sum(member.reading for member in self.members)
        return sum(member.at_work for member in self.members) <= waiting

    def nest(self, path: str, member: Member) -> None:
        """Take it that the call of the node at this path waits for a run inside it."""
        self.nests.setdefault(path, []).append(member)

    def unnest(self, path: str, member: Member) -> None:
        """Take it that it waits no more for that run."""
        members = self.nests[path]
        members.remove(member)
        if not members:
            del self.nests[path]

    def at_rest(self) -> bool:
        """Say whether every call under way waits for people, or for runs inside it whose calls all do."""
        if self.paused or self.turning or not self.asks or self._is_about_to_go_on():
            return False
        return sum(member.at_work for member in self.members) == len(
            self.asks.keys() | self.nests.keys()
        )

    def _is_about_to_go_on(self) -> bool:
        """Say whether an answer, or the end of a run inside, is there and not taken yet."""
        return any(answer.done() for waits in self.asks.values() for answer in waits) or any(
            member.over for members in self.nests.values() for member in members
        )

    @property
    def waits(self) -> bool:
        """Whether any call waits for people, or for a run elsewhere: then ``look`` may find that all do."""
        return bool(self.asks or self.away)

    def look(self) -> None:
        """Look soon whether all is at rest: called where that may have come about."""
        if self.waits and not self.looking:
            self.looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self.looking = False
        if self.at_rest():
            self.on_rest()
        if self.away:
            self._look_at_away()

    def _look_at_away(self) -> None:
        if self.later is not None:
            self.later.cancel()
            self.later = None
        only_waits = self.only_waits()
        self._tell_away(only_waits)
        if not only_waits:
            self.later = asyncio.get_running_loop().call_later(LOOK_AGAIN, self.look)

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


def _nothing() -> None:
    """Do nothing: nobody wants to know."""
