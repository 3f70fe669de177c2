"""What a room tells of each commit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycrdt import merge_updates

from .edits import Edit
from .replica import unpanicked

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """Edits that were committed together, as one."""

    seq: int
    """The number of the last of them."""
    update: bytes
    """All of them as one Yjs update."""
    authors: tuple[str | None, ...]
    """Ids of the users who made them, each once; None is the server."""
    origins: tuple[Any, ...]
    """The sessions or connections they came from, each once; None where there was none."""
    at: float
    """When they were committed, in Unix seconds."""

    @classmethod
    def of(cls, edits: list[Edit]) -> Committed:
        """Return one or more edits that were just committed together."""
        update = edits[0].update
        if len(edits) > 1:
            with unpanicked():
                update = merge_updates(*(edit.update for edit in edits))
        return cls(
            seq=edits[-1].seq,
            update=update,
            authors=tuple(dict.fromkeys(edit.user_id for edit in edits)),
            origins=tuple(
                {id(origin): origin for edit in edits for origin in edit.origins}.values()
            ),
            at=time.time(),
        )


Follower = Callable[[Committed], None]


class Listeners:
    """Those who are called, in the order in which they came, until they leave. A fault of one is logged."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._listeners: dict[object, Callable[..., None]] = {}

    def add(self, listener: Callable[..., None]) -> Callable[[], None]:
        """Take one in; return what lets it leave."""
        key = object()
        self._listeners[key] = listener

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    def tell(self, *what: Any) -> None:
        """Call them all."""
        for listener in list(self._listeners.values()):
            try:
                listener(*what)
            except Exception:  # one listener's fault is not the room's
                logger.exception("fault of one who listens to %s", self._what)

    def clear(self) -> None:
        """Let all of them leave."""
        self._listeners.clear()
