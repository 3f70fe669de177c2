"""The context a pack's function gets in a worker: what it may do besides computing.

It has the methods of ``spellwork.Context`` that make sense without the server at
hand. Secrets and other node types stay with the server.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

from .frames import Call

T = TypeVar("T")
TRACK_INTERVAL = 0.05
"""Seconds between two reports of ``track``."""


class Reporter(Protocol):
    """Sends what a call has to say."""

    def say(self, message: str, level: str) -> None:
        """Send a log message."""

    def report(self, fraction: float | None, message: str) -> None:
        """Send progress."""

    def emit(self, port: str, chunk: Any, *, sent: bool = False) -> None:
        """Send a chunk, with credit where it is ``sent``."""


class WorkerContext:
    """Progress, log, chunks and a temporary directory, for one call."""

    cancelled = False
    """A cancelled call is killed, so code that still runs is not cancelled."""

    def __init__(self, call: Call, reporter: Reporter) -> None:
        self.node_id = call.node
        self.run_id = call.run
        self.canvas = call.canvas
        self.user = call.user
        self.node = SimpleNamespace(code=call.code, settings=_Settings(call.settings))
        self._reporter = reporter
        self._tmp: Path | None = None

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Say how far the node is: 0 to 1, or None when it cannot be known."""
        self._reporter.report(
            None if fraction is None else min(1.0, max(0.0, float(fraction))), message
        )

    def log(self, message: str, level: str = "info") -> None:
        """Write a line to the run's log."""
        self._reporter.say(str(message), level)

    def emit(self, port: str, chunk: Any) -> None:
        """Stream a chunk of an output while the node still works."""
        self._reporter.emit(port, chunk)

    async def send(self, port: str, chunk: Any) -> None:
        """Do the same, and wait until those who read the output have room for more."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, partial(self._reporter.emit, port, chunk, sent=True))

    def check_cancelled(self) -> None:
        """Return: a cancelled call does not come here."""

    @property
    def tmp(self) -> Path:
        """A directory of this call alone, removed with the worker."""
        if self._tmp is None:
            self._tmp = Path(tempfile.mkdtemp(dir=Path.cwd()))
        return self._tmp

    async def secret(self, name: str) -> str:
        """Refuse: no secret ever reaches a worker."""
        raise PermissionError(f"a worker holds no secrets, and so not {name!r}")

    async def call(
        self, type: str, inputs: dict[str, Any], code: str | None = None
    ) -> dict[str, Any]:
        """Refuse: other node types are called by the server."""
        raise PermissionError(f"a worker cannot call {type!r}: only a node outside a worker can")

    async def ask(self, question: object) -> Any:
        """Refuse: people are asked by nodes that run outside of workers."""
        raise PermissionError(
            f"a worker cannot ask people ({question!r}): only a node outside a worker can"
        )

    def track(self, items: Iterable[T], total: int | None = None, message: str = "") -> Iterator[T]:
        """Yield the items and report progress as they go."""
        if total is None:
            total = len(items) if isinstance(items, Sized) else None
        due = 0.0
        for index, item in enumerate(items):
            if (now := time.monotonic()) >= due:
                due = now + TRACK_INTERVAL
                self.progress(index / total if total else None, message)
            yield item
        self.progress(1.0, message)


class _Settings:
    """The node's settings, by attribute; one that was not given is None."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def __getattr__(self, name: str) -> Any:
        return self._given.get(name)
