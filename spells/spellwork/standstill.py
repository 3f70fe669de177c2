"""Node calls that wait for each other round by their streams, and how that is noticed.

A bounded stream can bring a run to a standstill that no node is to blame for:
a node that reads first one stream to its end and then another holds up whoever
fills both by turns. A cure for all such cases is known (T. M. Parks, 1995): let
one of the full streams grow. It is applied where the standstill is certain:
each of those who wait does so for others that wait, too.

Rejected: growing a stream after some time without progress (a slow reader looks
the same), and no bound for nodes with several streams (a join of a fast and a
slow one is where the bound matters).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Blocked(Protocol):
    """What a party waits for: room in a stream, or a stream's next chunk."""

    def waits_for(self) -> Iterable[Party]:
        """Return the parties on whom it depends; one that can go on is enough to not stand still for good."""
        ...

    def widen(self) -> None:
        """Let it go on, where it waits for room."""
        ...


class Party:
    """One call of a node, as far as it waits by streams.

    ``waits``: what its coroutines wait for at this moment. ``timer``: the
    call's timeout, which does not run meanwhile.
    """

    __slots__ = ("timer", "waits")

    def __init__(self) -> None:
        self.waits: list[Blocked] = []
        self.timer: Timer | None = None

    def begin_wait(self, wait: Blocked) -> None:
        """Take it that the call waits; a standstill that this makes complete is undone."""
        self.waits.append(wait)
        if len(self.waits) == 1 and self.timer is not None:
            self.timer.stop()
        if any(other.waits for other in wait.waits_for()):
            for blocked in knot(self):
                blocked.widen()

    def end_wait(self, wait: Blocked) -> None:
        """Take it that the call goes on."""
        self.waits.remove(wait)
        if not self.waits and self.timer is not None:
            self.timer.go_on()


class Timer(Protocol):
    """A timeout that can be stopped for a while."""

    def stop(self) -> None:
        """Stop."""
        ...

    def go_on(self) -> None:
        """Go on."""
        ...


def knot(start: Party) -> list[Blocked]:
    """Return what the parties wait for who stand still together with ``start``; nothing when one can go on."""
    reached: dict[Party, None] = {}
    found = [start]
    while found:
        party = found.pop()
        if party not in reached:
            reached[party] = None
            found.extend(other for wait in party.waits for other in wait.waits_for())
    stuck = set(reached)
    while free := [party for party in stuck if _may_go_on(party, stuck)]:
        stuck.difference_update(free)
    return [wait for party in reached if party in stuck for wait in party.waits]


def _may_go_on(party: Party, stuck: set[Party]) -> bool:
    return not party.waits or any(
        not any(other in stuck for other in wait.waits_for()) for wait in party.waits
    )
