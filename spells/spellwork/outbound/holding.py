"""Secrets are held to the hosts for which they were given: what nodes send is looked at before it goes.

Whoever gives a node a secret says so by ``hold``; ``GuardedTransport`` asks before each request
of that run, redirects included. A node that sends by other means is not looked at: a pack
that runs in the server is trusted by its operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from spellwork.errors import NodeError


class HeldSecret(Protocol):
    """A secret that a node was given. Equal ones are the same."""

    @property
    def longest(self) -> int:
        """Bytes that it takes at most, however it is written."""
        ...

    def is_in(self, content: bytes) -> bool:
        """Say whether it can be read there, as it is or as the usual encodings make it look."""
        ...

    async def may_go(self, host: str, port: int) -> bool:
        """Say whether it may go to a host, now."""
        ...

    async def refusal(self, host: str, port: int) -> NodeError:
        """Return why it may not, in words for who made the spell."""
        ...


_held: ContextVar[list[HeldSecret] | None] = ContextVar("held", default=None)


def begin_holding() -> None:
    """Hold from now on what this task and those that it starts are given, and nothing that others are."""
    _held.set([])


def hold(secret: HeldSecret) -> None:
    """Hold a secret in all that is sent by the run in which this is called."""
    known = _held.get()
    if known is None:
        _held.set([secret])
    elif secret not in known:
        known.append(secret)


def held() -> Sequence[HeldSecret]:
    """Return the secrets that the run has been given."""
    return tuple(_held.get() or ())
