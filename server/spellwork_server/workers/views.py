"""What is told of a worker."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["absent", "provisioning", "starting", "ready", "busy", "stopped", "failed"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class WorkerLimitsView(_View):
    """What each process may use. Null is no limit."""

    memory_mb: int
    cpu_seconds: float | None
    processes: int
    files_mb: int
    output_bytes: int
    wall_seconds: float | None


class WorkerEnvironment(_View):
    """The packages of a worker. ``key`` is ``base`` for the server's own; the lock is had by ``workers.lock``."""

    key: str | None
    requirements: dict[str, str]
    python: str
    locked: bool


class WorkerMetrics(_View):
    """What a worker uses now, and what has happened in it since the server started."""

    cpu_percent: float | None = None
    memory_bytes: int | None = None
    queue: int = 0
    running: int = 0
    calls: int = 0
    failures: int = 0


class WorkerView(_View):
    """A worker. ``faults``: by requirement, why it cannot be had. ``confinement`` is null before one started."""

    id: str
    name: str
    kind: Literal["canvas", "shared", "external"]
    canvas: str | None = None
    owner: str | None = None
    given_by: str | None = Field(
        default=None,
        description="Of an external one: who gave it to the canvas that was asked for.",
    )
    processes: int = 1
    limits: WorkerLimitsView | None = None
    own_limits: dict[str, float] = Field(
        default_factory=dict, description="Those of its limits that are not the server's."
    )
    state: State
    reason: str | None = None
    environment: WorkerEnvironment | None = None
    packs: list[str] = Field(default_factory=list)
    confinement: dict[str, Any] | None = None
    metrics: WorkerMetrics = WorkerMetrics()
    restarts: int = 0
    open: bool = False
    faults: dict[str, str] = Field(default_factory=dict)


class WorkerLine(_View):
    """A line of a worker's log. ``at`` is Unix time in seconds."""

    at: float
    level: str
    text: str


class WorkerChanged(WorkerView):
    """A worker whose state is another now, for those who have a canvas on it open."""


class WorkerLines(_View):
    """What the installer of a worker's packages just said."""

    id: str
    lines: list[WorkerLine]
