"""How far a run is: its own nodes that ended, counted as its events are told."""

from __future__ import annotations

from typing import Any

from spellwork import Event

from .views import RunProgress

BEGINNINGS = frozenset(("run.started", "run.resumed"))
ENDINGS = frozenset(("node.done", "node.failed", "node.skipped"))


class Tally:
    """Of one run. What runs inside its nodes does not count."""

    __slots__ = ("_ended", "_said", "_total")

    def __init__(self) -> None:
        self._total = 0
        self._ended: set[str] = set()
        self._said: dict[str, Event] = {}
        """By node under way, how far it last said it is."""

    def take(self, event: Event) -> None:
        """Take an event as it is told."""
        kind, node = event.kind, event.node
        if kind in ENDINGS:
            if node is not None and "/" not in node:
                self._ended.add(node)
                self._said.pop(node, None)
        elif kind == "node.progress":
            if node is not None and "/" not in node:
                self._said.pop(node, None)
                self._said[node] = event
        elif kind in BEGINNINGS:
            self._begin(event.data or {})

    def _begin(self, data: dict[str, Any]) -> None:
        nodes = data.get("nodes") or ()
        self._total = len(nodes)
        self._ended = set(data.get("kept") or ()).intersection(nodes)
        self._said.clear()

    def progress(self) -> RunProgress | None:
        """Return how far it is; None before it has begun."""
        if not self._total:
            return None
        node, said = next(reversed(self._said.items()), (None, None))
        return RunProgress(
            ended=min(len(self._ended), self._total),
            total=self._total,
            node=node,
            value=None if said is None else said.value,
            message=None if said is None or said.message is None else said.message[:MOST_MESSAGE],
        )


MOST_MESSAGE = 200
"""Characters of what a node says that are told with a run's progress."""
