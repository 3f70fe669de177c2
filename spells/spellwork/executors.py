"""The executors of one run, by isolation; threads are made when first needed."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import NodeError
from .executor import Executor
from .threads import ThreadExecutor


class Executors:
    """Those that were given, and threads of its own where none were."""

    def __init__(self, given: Mapping[str, Executor], threads: int) -> None:
        self._given = dict(given)
        self._most = threads
        self._threads: ThreadExecutor | None = None

    def of(self, isolation: str) -> Executor:
        """Return the executor for an isolation; raises NodeError where there is none."""
        executor = self._given.get(isolation)
        if executor is not None:
            return executor
        if isolation == "queue":
            raise NodeError(
                "the node is to run on a queue, and there is none here: its setting 'queue' is for servers",
                code="no_queue",
                retryable=False,
            )
        if isolation != "thread":
            raise NodeError(
                f"there is no executor for isolation {isolation!r} here",
                code="no_executor",
                retryable=False,
            )
        if self._threads is None:
            self._threads = ThreadExecutor(self._most)
        return self._threads

    def close(self) -> None:
        """Close what was made here."""
        if self._threads is not None:
            self._threads.close()
