"""What a call in a worker can end with.

::

    NodeError (spellwork.errors)
    ├── CallFailed          the code raised; code "exception", or the code of a NodeError raised there
    ├── NotTransferable     a value cannot go to a worker or come from it
    ├── ValueGone           a value that stayed in a worker is there no more
    ├── InputTooLarge       the inputs are over the pool's limit
    ├── OutputTooLarge      (spellwork.errors) the outputs are
    ├── WorkerDied          the process ended in the middle of the call
    │   └── LimitExceeded   it was ended for using more than it may
    ├── WorkerStopped       somebody stopped the worker
    └── NotConfined         the machine closes too little to run code here
"""

from __future__ import annotations

import signal
from typing import Any

from spellwork.errors import NodeError
from spellwork_worker.frames import Failed
from spellwork_worker.limits import limit_words


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


class WorkerStopped(NodeError):
    """The worker was stopped, or started anew, while the call ran or waited."""

    code = "worker_stopped"

    def __init__(self) -> None:
        super().__init__("the worker was stopped")


class ValueGone(NodeError):
    """A value that stayed in a worker is there no more: the process ended, or needed the memory."""

    code = "value_gone"
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


class LimitExceeded(WorkerDied):
    """The worker was ended because its code used more than it may; ``details`` name the limit."""

    code = "limit_exceeded"

    def __init__(
        self,
        limit: str,
        allowed: float | None,
        used: float | None = None,
        *,
        status: int | None = None,
    ) -> None:
        super().__init__(status, 0, limit_words(limit, allowed))
        self.details |= {"limit": limit, "allowed": allowed}
        if used is not None:
            self.details["used"] = round(used, 1)


OPENED = {"files": "the server's files and secrets", "network": "the network"}
"""What code may reach where it is not closed, by the name under which an operator allows it."""


def opened_words(names: list[str]) -> str:
    """Return what is open, in words."""
    return " and ".join(OPENED[name] for name in names)


class NotConfined(NodeError):
    """The machine does not close to the code what it must not reach, and the operator did not allow that."""

    code = "not_confined"
    retryable = False

    def __init__(self, opened: list[str], reason: str) -> None:
        names = ",".join(opened)
        super().__init__(
            f"code is not run here: it could reach {opened_words(opened)}, because {reason}. An operator who"
            f" accepts that sets SPELLWORK_ALLOW_UNCONFINED={names}",
            details={"open": opened, "reason": reason},
        )


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
