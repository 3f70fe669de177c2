"""What a run leaves: outputs, failures, skips, and why each node ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from .values import to_json

Status = Literal["completed", "cancelled", "failed", "waiting"]


class NodeFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a node failed. ``code`` is stable; ``attempts`` counts every try; ``retryable`` is for who runs it again."""

    code: str
    message: str
    port: str | None = None
    traceback: str | None = None
    attempts: int = 1
    details: dict[str, Any] = {}
    retryable: bool = True

    def brief(self, node: str) -> dict[str, Any]:
        """Return what the output ``error`` of a node brings: {code, message, node, port?, path?, label?, attempts}."""
        body = {"code": self.code, "message": self.message, "node": node, "attempts": self.attempts}
        if self.port is not None:
            body |= {"port": self.port}
        if "label" in self.details:  # of a node inside this one: see BodyFailed
            body |= {key: self.details[key] for key in ("path", "label")}
        return body

    def to_json(self) -> dict[str, Any]:
        """Return the failure as JSON, always with ``attempts``, and with ``retryable`` where it is false."""
        body: dict[str, Any] = to_json(msgspec.structs.asdict(self))
        return {
            key: value
            for key, value in body.items()
            if key == "attempts" or (value not in (None, {}) and not (key == "retryable" and value))
        }


class RunResult:
    """The end of a run. ``status`` is "completed" even when nodes failed: failures are data.

    "waiting": it was suspended (``Execution.suspend``), and what is left waits for people.

    ``outputs`` is {node: {port: value}} of the nodes that finished, in graph
    order; ``skipped`` {node: reason}; ``why`` {node: why it ran or did not};
    ``durations`` {node: seconds} where they were taken. ``outputs`` and
    ``why`` are put together when first asked for.
    """

    __slots__ = (
        "_make_outputs",
        "_make_why",
        "_outputs",
        "_why",
        "duration",
        "durations",
        "error",
        "errors",
        "skipped",
        "status",
    )

    def __init__(
        self,
        status: Status,
        *,
        duration: float,
        errors: Mapping[str, NodeFailure],
        skipped: Mapping[str, str],
        durations: Mapping[str, float],
        outputs: Callable[[], dict[str, dict[str, Any]]],
        why: Callable[[], dict[str, str]],
        error: NodeFailure | None = None,
    ) -> None:
        self.status: Status = status
        self.duration = duration
        self.error = error
        """Why the run as a whole could not go on, with status "failed"."""
        self.errors = dict(errors)
        self.skipped = dict(skipped)
        self.durations = dict(durations)
        self._make_outputs = outputs
        self._make_why = why
        self._outputs: dict[str, dict[str, Any]] | None = None
        self._why: dict[str, str] | None = None

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs of every node that finished: {node: {port: value}}, in graph order."""
        if self._outputs is None:
            self._outputs = self._make_outputs()
        return self._outputs

    def replace_outputs(self, outputs: dict[str, dict[str, Any]]) -> None:
        """Put the same outputs in another form."""
        self._outputs = outputs

    @property
    def why(self) -> dict[str, str]:
        """Why each node ran, or "cached" when it did not: {node: why}."""
        if self._why is None:
            self._why = self._make_why()
        return self._why

    @property
    def ok(self) -> bool:
        """Whether the run completed and no node failed."""
        return self.status == "completed" and not self.errors

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain JSON."""
        return {
            "status": self.status,
            "duration": self.duration,
            "outputs": to_json(self.outputs),
            "errors": {node: failure.to_json() for node, failure in self.errors.items()},
            "skipped": self.skipped,
            "why": self.why,
        }

    def __repr__(self) -> str:
        return f"<RunResult {self.status}: {len(self.outputs)} done, {len(self.errors)} failed, {len(self.skipped)} skipped>"
