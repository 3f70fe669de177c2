"""The host of a run inside a node: the outer run's, with the node's path before what is told."""

from __future__ import annotations

from collections import deque
from typing import Any

from .events import Event
from .host import RunHost, no_readers
from .plan import Plan


class NestedHost(RunHost):
    """Shares everything with the host it is made from but what it reports.

    Nodes are told under ``place/``. ``quiet``: nothing is told.
    """

    def __init__(self, outer: RunHost, plan: Plan, place: str, *, quiet: bool) -> None:
        self.__dict__.update(outer.__dict__)
        self._outer = outer
        self._plan = plan
        self._segment = f"{place}/"
        self.prefix = f"{outer.prefix}{place}/"
        self.behind = None if outer.behind is None else outer.behind.inside.get(place)
        self.depth = outer.depth + 1
        self.fleeting = set()
        self.begin_stream = no_readers
        self.caller = outer.caller.of(self)
        self._waiting = deque()
        self._scheduled = False
        self._tell = None if quiet else outer.sink
        self.sink = None if self._tell is None else self.tell
        self.watched = self.sink is not None
        self.watcher = outer.watcher if self.watched else None

    def tell(self, event: Event) -> None:
        """Pass an event of this run on, under the node's path."""
        if self._tell is not None:
            event.node = f"{self._segment}{event.node}"
            self._tell(event)

    def report_ran(self, event: Event) -> None:
        """Pass on both events of a node in one, under the node's path."""
        event.node = f"{self._segment}{event.node}"
        self._outer.report_ran(event)

    def report_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Pass chunks on, under the node's path."""
        self._outer.report_chunks(f"{self._segment}{node}", port, chunks)

    @property
    def cancelled(self) -> bool:  # type: ignore[override]
        """Whether the outer run was cancelled."""
        return self._outer.cancelled

    @property
    def ended(self) -> bool:  # type: ignore[override]
        """Whether the outer run is over."""
        return self._outer.ended

    @property
    def suspended(self) -> bool:  # type: ignore[override]
        """Whether the outer run ends here, to go on elsewhere."""
        return self._outer.suspended

    def finish(self, owner: str) -> None:
        """Take what was told from other threads; where a node may not be kept, its owner may not either."""
        self._hand_over()
        if self.fleeting:
            self._outer.fleeting.add(owner)
