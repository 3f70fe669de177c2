"""What is durable of a document, while the live one is ahead of it by a batch that is being committed.

The state is kept as bytes: the document at some moment, and the updates
committed since. A second live document would cost as much memory and time
again, and is needed only by who asks in the very moment of a commit.
"""

from __future__ import annotations

from collections.abc import Iterable

from .replica import Replica

LEAST_BYTES = 16 * 1024
"""Updates of fewer bytes are not worth making one of."""


class Durable:
    """Bytes from which the durable document can be built at any time."""

    def __init__(self, updates: Iterable[bytes]) -> None:
        self._updates = list(updates)
        self._bytes = 0
        self._copy: Replica | None = None
        self._copied = 0

    @property
    def size(self) -> int:
        """About how many bytes the document has."""
        return self._bytes + (len(self._updates[0]) if self._updates else 0)

    @property
    def one(self) -> bytes | None:
        """The document as one update, if it is kept so."""
        return self._updates[0] if len(self._updates) == 1 else None

    @property
    def updates(self) -> tuple[bytes, ...]:
        """Updates that make up the document, in order."""
        return tuple(self._updates)

    def add(self, update: bytes, live: Replica) -> None:
        """Take over an update that was committed; ``live`` has it, and nothing more."""
        self._updates.append(update)
        self._bytes += len(update)
        # Each byte is written anew a bounded number of times, however long this goes on.
        if self._bytes > max(LEAST_BYTES, len(self._updates[0])):
            self.whole(live)

    def whole(self, live: Replica) -> bytes:
        """Return the document as one update; ``live`` is not ahead of it."""
        if len(self._updates) != 1:
            self._updates = [live.diff()]
            self._bytes = 0
            self.rest()
        return self._updates[0]

    def copy(self) -> Replica:
        """Return the durable document. It is kept up to date at the next call, until ``rest``."""
        if self._copy is None:
            self._copy = Replica(watched=False)
        for update in self._updates[self._copied :]:
            self._copy.apply(update)
        self._copied = len(self._updates)
        return self._copy

    def rest(self) -> None:
        """Let go of the copy: nobody asks for it now."""
        if self._copy is not None:
            self._copy.close()
        self._copy, self._copied = None, 0
