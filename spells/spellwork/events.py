"""What a run says while it goes: one record per thing that happened.

The engine hands each Event to a sink (any callable that takes one and returns
at once). The server numbers, stores and sends them; a script may print them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeGuard, runtime_checkable

import msgspec

Kind = Literal[
    "run.started",
    "run.resumed",
    "node.queued",
    "node.started",
    "node.progress",
    "node.log",
    "node.chunk",
    "node.done",
    "node.failed",
    "node.skipped",
    "node.preview",
    "node.waiting",
    "run.completed",
    "run.failed",
    "run.cancelled",
]


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One thing that happened in a run. Fields that a kind does not use stay unset.

    ======================  =====================================================
    kind                    fields beside ``at``
    ======================  =====================================================
    ``run.started``         ``data``: {nodes: [ids in graph order], kept?: as below, ...}
    ``run.resumed``         ``data``: {nodes, kept: [ids of those that had ended], ...}
    ``node.queued``         ``node``
    ``node.started``        ``node``, ``why``
    ``node.progress``       ``node``, ``value`` (0 to 1, or None when unknown), ``message``
    ``node.log``            ``node``, ``message``, ``level`` (debug, info, warning, error)
    ``node.chunk``          ``node``, ``port``, ``value`` (the chunk)
    ``node.done``           ``node``, ``outputs`` {port: value}, ``duration``, ``why``
    ``node.failed``         ``node``, ``error`` {code, message, port?, traceback?, attempts}, ``duration``
    ``node.preview``        ``node``, ``outputs`` for a draft of its inputs; its own stay as they are
    ``node.skipped``        ``node``, ``message`` (the reason, such as which failed node it needed), ``why``
    ``node.waiting``        ``node``, ``message``, ``data``: {for, until?: Unix time, kind?, question?, user?, role?}; ``for`` is limit, stream, wait, debounce or person
    ``run.completed``       ``duration``, ``data``: {failed: [ids], skipped: [ids]}
    ``run.failed``          the same, and ``error`` (the run as a whole could not go on)
    ``run.cancelled``       the same; ``data.superseded`` where a change in live mode ended it
    ======================  =====================================================

    ``at`` is Unix time in seconds, ``duration`` seconds. ``why`` is one of
    ``new``, ``code changed``, ``packages changed``, ``input changed (PORT)``, ``not cacheable``,
    ``cached``, ``expired``, ``worker restarted``, ``value dropped``, ``triggered (PORT)``; ``pinned``, ``muted``, ``bypassed``
    for a node that is not run; ``given`` for an input of a nested spell. ``node`` is a
    path for a node that another runs (``sub/inner``, ``map[3]/inner``). A run whose
    nodes failed still ends with ``run.completed``: failures are data.
    """

    kind: Kind
    at: float
    node: str | None = None
    why: str | None = None
    outputs: dict[str, Any] | None = None
    duration: float | None = None
    port: str | None = None
    value: Any = None
    message: str | None = None
    level: str | None = None
    error: dict[str, Any] | None = None
    data: dict[str, Any] | None = None


Sink = Callable[[Event], None]
"""Takes an event and returns at once; it must not raise or block."""


@runtime_checkable
class Watcher(Protocol):
    """A sink that takes together what comes together, and may hold back who makes chunks.

    Streams wait while it ``is_full``: for ``room``, between two chunks.
    """

    def __call__(self, event: Event) -> None:
        """Take an event; returns at once."""
        ...

    def take_ran(self, event: Event) -> None:
        """Take the ``node.done`` of a node that waited for nothing, in place of its ``node.started`` and that.

        It started ``event.duration`` before ``event.at``, with the same ``why``. Returns at once.
        """
        ...

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Take chunks of one output, in their order, in place of as many ``node.chunk``; returns at once."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether no more chunks should come for now."""
        ...

    async def room(self) -> None:
        """Wait until it is not full."""
        ...


def is_watcher(sink: Sink | None) -> TypeGuard[Watcher]:
    """Say whether a sink is a ``Watcher``: by one method, as Python takes long to look at all of a protocol."""
    return hasattr(sink, "take_ran")


def started_and(done: Event) -> tuple[Event, Event]:
    """Return both events that ``Watcher.take_ran`` takes as one."""
    started = done.at - (done.duration or 0.0)
    return Event("node.started", started, done.node, done.why), done
