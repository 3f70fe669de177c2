"""What a call in a worker can end with.

::

    NodeError (spellwork.errors)
    ├── CallFailed          the code raised; code "exception", or the code of a NodeError raised there
    ├── NotTransferable     a value cannot go to a worker or come from it
    ├── InputTooLarge       the inputs are over the pool's limit
    ├── OutputTooLarge      (spellwork.errors) the outputs are
    └── WorkerDied          the process ended in the middle of the call
"""

from __future__ import annotations

import signal
from typing import Any

from spellwork.errors import NodeError
from spellwork_worker.frames import Failed


class CallFailed(NodeError):
    """The code in the worker raised. ``traceback`` shows its author's own frames."""

    code = "exception"

    def __init__(self, failed: Failed) -> None:
        super().__init__(
            failed.message,
            code=failed.code,
            port=failed.port,
            details=failed.details,
            retryable=failed.retryable,
        )
        self.traceback = failed.traceback


class NotTransferable(NodeError):
    """A value has a type that cannot pass between the server and a worker."""

    code = "not_transferable"
    retryable = False


class InputTooLarge(NodeError):
    """The inputs of a call are over the limit."""

    code = "input_too_large"
    retryable = False

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the inputs are {size:,} bytes; at most {limit:,} can go to a worker",
            details={"size": size, "limit": limit},
        )


class WorkerDied(NodeError):
    """The worker ended in the middle of a call; ``status`` is its exit code, negative for a signal."""

    code = "worker_died"

    def __init__(self, status: int | None, memory_mb: int, reason: str = "") -> None:
        details: dict[str, Any] = {"exit_status": status}
        if status is not None and status < 0:
            details["signal"] = -status
        super().__init__(reason or _how(status, memory_mb), details=details)
        self.status = status


def _how(status: int | None, memory_mb: int) -> str:
    """Return how the worker ended, in words."""
    if status is None:
        return "the worker closed its pipe in the middle of the call"
    if status >= 0:
        return f"the worker ended with exit status {status} in the middle of the call"
    number = -status
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "an unknown signal"
    reasons: dict[int, str] = {
        signal.SIGKILL: "; the machine may be short of memory, or somebody ended it",
        signal.SIGSEGV: "; the code, or a library it uses, crashed",
        signal.SIGABRT: f"; the code, or a library it uses, gave up (it may use {memory_mb} MB)",
    }
    why = reasons.get(number, "")
    return f"the worker was killed by signal {number} ({name}) in the middle of the call{why}"
