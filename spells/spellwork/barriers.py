"""Where a run waits until what it told is durable: around calls that must not be made twice unawares."""

from __future__ import annotations

from typing import Protocol


class Barrier(Protocol):
    """Makes sure of what was told.

    Awaited by a run around the calls of types that are ``NodeType.is_committed``:
    after ``node.started`` and before the call; after ``node.done`` (or
    ``node.failed``, ``node.skipped``) and before anything that depends on it starts.
    """

    async def __call__(self) -> None:
        """Return once all that the sink was told so far is durable.

        What it raises ends the run: its status is "failed", with that error.
        """
        ...
