"""An edit on its way: asked for, taken into a batch, told to whoever asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .parts import Changes
from .update_parser import Outline

Outcome = int | Exception
"""What became of an edit: the number it is durable under, or why it was refused."""


class Author(Protocol):
    """Who hands in edits, and hears what became of each."""

    def settled(self, name: Any, outcome: Outcome) -> None:
        """Take note of the outcome of the edit handed in as ``name``; called once for each."""

    def flush(self) -> None:
        """Pass on what was noted: for now there is no more."""


@dataclass(eq=False, slots=True)
class Asked:
    """An edit that waits for its turn: an ``update``, or what ``write`` makes when it is called then."""

    author: Author
    name: Any
    user_id: str | None
    origin: Any = None
    """The session that made it, which needs no copy; None for the server's own edits."""
    update: bytes = b""
    outline: Outline = field(default_factory=Outline)
    write: Callable[[], None] | None = None


@dataclass(eq=False, slots=True)
class Edit:
    """One or more edits of one user that passed, as one row of the log."""

    update: bytes
    user_id: str | None
    origins: tuple[Any, ...] = (None,)
    changes: Changes = field(default_factory=dict)
    seq: int = 0


@dataclass(slots=True)
class Batch:
    """What is committed together."""

    edits: list[Edit] = field(default_factory=list)
    outcomes: list[tuple[Asked, Outcome]] = field(default_factory=list)
    ready: Any = None
    """What the others will be sent, once it is made."""


class Waiter:
    """The author of one edit who awaits its number."""

    def __init__(self) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def settled(self, _name: Any, outcome: Outcome) -> None:
        """Wake who waits."""
        if self.done.done():
            return
        if isinstance(outcome, int):
            self.done.set_result(outcome)
        else:
            self.done.set_exception(outcome)

    def flush(self) -> None:
        """Do nothing: who waits was told."""
