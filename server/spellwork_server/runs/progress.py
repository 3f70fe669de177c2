"""How far a run is: counted when somebody asks, from what it knows anyway."""

from __future__ import annotations

from collections.abc import Container, Sequence

from spellwork import Event

from .views import RunProgress
from .wire import shortened

MOST_MESSAGE = 200
"""Characters of what a node says that are told with a run's progress."""


def progress_of(
    nodes: Sequence[str],
    left: Container[str],
    lost: Container[str],
    said: Event | None,
    kept: Container[str] = (),
) -> RunProgress:
    """Return how far a run of these nodes is, of which some left outputs and others failed or were skipped.

    ``kept`` are those that had ended before it went on, whether they left anything or not. ``said`` is the last that any node said of how far it is, nodes inside nodes included.
    """

    def has_ended(node: str) -> bool:
        return node in left or node in lost or node in kept

    ended = sum(map(has_ended, nodes))
    progress = RunProgress(ended=ended, total=len(nodes))
    if said is None or said.node is None or "/" in said.node:
        return progress
    if has_ended(said.node):
        return progress
    message = None if said.message is None else shortened(said.message[:MOST_MESSAGE])
    return progress.model_copy(update={"node": said.node, "value": said.value, "message": message})
