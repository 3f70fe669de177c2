"""Why a call finds no worker that may take it.

::

    NodeError (spellwork.errors)
    ├── StoppedWorker       somebody stopped it, and it is to be started by hand
    ├── EnvironmentFailed   its packages cannot be installed
    └── WorkerNotAllowed    whoever put the canvas on a shared worker may not any more
"""

from __future__ import annotations

from collections.abc import Sequence

from spellwork.errors import NodeError


class StoppedWorker(NodeError):
    """The worker is stopped until somebody starts it."""

    code = "worker_stopped"
    retryable = False
    traceback = ""  # the words say all; frames would be the server's

    def __init__(self) -> None:
        super().__init__("the worker of this canvas is stopped; start it to run code")


class EnvironmentFailed(NodeError):
    """The packages that a canvas requires cannot be installed; ``reason`` in the installer's words."""

    code = "environment_failed"
    retryable = False
    traceback = ""  # the words say all; frames would be the server's

    def __init__(self, reason: str, requirements: Sequence[str] = ()) -> None:
        super().__init__(
            f"the environment cannot be made: {reason}",
            details={"requirements": list(requirements)},
        )
        self.reason = reason
        self.requirements = tuple(requirements)


class WorkerNotAllowed(NodeError):
    """The canvas is on a worker that it may not use any more."""

    code = "worker_not_allowed"
    retryable = False
    traceback = ""  # the words say all; frames would be the server's

    def __init__(self) -> None:
        super().__init__("this canvas may not use its shared worker any more; choose another")
