"""How far a run is: counted when somebody asks, from what it knows anyway."""

from __future__ import annotations

from collections.abc import Container, Sequence

from spellwork import Event

from .views import RunProgress

MOST_MESSAGE = 200
"""Characters of what a node says that are told with a run's progress."""


def progress_of(
    nodes: Sequence[str], left: Container[str], lost: Container[str], said: Event | None
) -> RunProgress:
    """Return how far a run of these nodes is, of which some left outputs and others failed or were skipped.

    ``said`` is the last that any node said of how far it is, nodes inside nodes included.
    """
    ended = sum(node in left or node in lost for node in nodes)
    progress = RunProgress(ended=ended, total=len(nodes))
    if said is None or said.node is None or "/" in said.node:
        return progress
    if said.node in left or said.node in lost:
        return progress
    message = None if said.message is None else said.message[:MOST_MESSAGE]
    return progress.model_copy(update={"node": said.node, "value": said.value, "message": message})
