"""What the server tells, as frozen records. A field that a newer server adds is passed over."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

RunStatus = Literal[
    "queued", "running", "paused", "completed", "failed", "cancelled", "interrupted"
]

ENDED: frozenset[str] = frozenset({"completed", "failed", "cancelled", "interrupted"})
"""Statuses after which nothing more happens in a run."""

LAST_KINDS: frozenset[str] = frozenset(
    {"run.completed", "run.failed", "run.cancelled", "run.interrupted"}
)
"""Kinds of event that end a run."""

V = TypeVar("V", bound=msgspec.Struct)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened in a run; ``seq`` counts the events of its stream, without gaps."""

    seq: int
    run: str
    kind: str
    at: float
    node: str | None = None
    port: str | None = None
    value: Any = None
    chunks: int | None = None
    outputs: dict[str, Any] | None = None
    why: str | None = None
    message: str | None = None
    level: str | None = None
    error: dict[str, Any] | None = None
    duration: float | None = None
    data: dict[str, Any] | None = None


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the server has it; ``outputs`` are ``{node: {port: value}}``, failures are data in ``errors``."""

    id: str
    status: RunStatus
    stream: str
    canvas: str | None = None
    user: str | None = None
    mode: str = "once"
    audience: str = "shared"
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    scope: list[str] | None = None
    order: list[str] | None = None
    outputs: dict[str, dict[str, Any]] | None = None
    errors: dict[str, dict[str, Any]] | None = None
    skipped: dict[str, str] | None = None
    why: dict[str, str] | None = None
    durations: dict[str, float] | None = None
    hashes: dict[str, dict[str, str]] | None = None

    @property
    def ended(self) -> bool:
        """Say whether nothing more will happen in it."""
        return self.status in ENDED


class Canvas(msgspec.Struct, frozen=True, kw_only=True):
    """A canvas, and what this account may do on it."""

    id: str
    name: str
    owner_id: str | None = None
    role: str | None = None
    created_at: float | None = None
    updated_at: float | None = None


def view(kind: type[V], answer: dict[str, Any]) -> V:
    """Read an answer of the server as ``kind``; raise msgspec.ValidationError where it is not one."""
    return msgspec.convert(answer, kind)
