"""What a live session says: each settle as a run of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from .events import Event, Sink, is_watcher, started_and
from .live_loop import Call
from .live_state import LiveState
from .result import NodeFailure

LATE_LIMIT = 1_000
"""Events between two settles that are kept for the next, beside how nodes ended; further ones are not told."""

_ENDS = frozenset(("node.done", "node.failed", "node.skipped"))


_KINDS = {"completed": "run.completed", "cancelled": "run.cancelled", "failed": "run.failed"}


class Telling:
    """The sink of a session, and what came while no settle was being told."""

    def __init__(self, sink: Sink | None) -> None:
        self.sink = sink
        self._open = False
        self._late: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Take an event of a node."""
        if self.sink is None:
            return
        if self._open or event.kind == "node.preview":
            self.sink(event)
        elif event.kind in _ENDS or len(self._late) < LATE_LIMIT:
            self._late.append(event)

    @property
    def reports(self) -> Sink:
        """The sink for what nodes say themselves; it holds them back where the session's own does."""
        return _Watched(self) if is_watcher(self.sink) else self

    def begin(self, state: LiveState, going: Iterable[Call]) -> None:
        """Begin a settle: tell of what is under way already, and of what ended meanwhile."""
        if self.sink is None:
            return
        now = time.time()
        self._open = True
        self.sink(Event("run.started", now, data={"nodes": state.plan.running.copy()}))
        told = {call.step.id: call.why for call in going}
        for event in self._late:
            if event.node is not None and event.node in state.plan.index:
                told.setdefault(event.node, event.why or "new")
        for node, why in told.items():
            self.sink(Event("node.started", now, node, why))
        late, self._late = self._late, []
        for event in late:
            if event.kind != "node.started" and event.node in told:
                self.sink(event)

    def drop(self, node: str) -> None:
        """Forget what a node said whose call was overtaken."""
        self._late = [event for event in self._late if event.node != node]

    def end(
        self,
        status: str,
        duration: float,
        state: LiveState,
        crash: NodeFailure | None,
        *,
        superseded: bool,
    ) -> None:
        """End the settle."""
        self._open = False
        if self.sink is None:
            return
        steps = state.steps
        data: dict[str, Any] = {
            "failed": [steps[index].id for index in sorted(state.failures)],
            "skipped": [steps[index].id for index in sorted(state.skipped)],
        }
        if superseded:
            data["superseded"] = True
        kind: Any = "run.failed" if crash is not None else _KINDS[status]
        error = None if crash is None else crash.to_json()
        self.sink(Event(kind, time.time(), duration=duration, error=error, data=data))


class _Watched:
    """Passes on what a ``Watcher`` can do beside taking events."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def __call__(self, event: Event) -> None:
        self._telling(event)

    def take_ran(self, event: Event) -> None:  # as any watcher: who lives here tells both apart
        for told in started_and(event):
            self._telling(told)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        sink = self._telling.sink
        if is_watcher(sink) and self._telling._open:  # noqa: SLF001 - its other half
            sink.take_chunks(node, port, chunks)

    @property
    def is_full(self) -> bool:
        sink = self._telling.sink
        return is_watcher(sink) and sink.is_full

    async def room(self) -> None:
        sink = self._telling.sink
        if is_watcher(sink):
            await sink.room()
