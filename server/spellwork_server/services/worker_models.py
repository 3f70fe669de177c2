"""What is asked of workers, and answered."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

from spellwork.requirements import MAX_REQUIREMENTS, PackageName, Specifier
from spellwork.workers.limits import WorkerLimits
from spellwork_server.workers.views import WorkerLine, WorkerView

from .service import Request, View


class WorkersOf(Request):
    """The canvas whose choice of workers is meant; without one, all shared workers."""

    canvas: str | None = Field(default=None, min_length=1, max_length=64)


class WorkerId(Request):
    """The worker meant. A canvas's own has the id of the canvas."""

    id: str = Field(min_length=1, max_length=64)


class OwnLimits(Request):
    """Limits in place of the server's; of what is left out the server's hold."""

    memory_mb: int | None = Field(default=None, ge=64, le=1_048_576)
    cpu_seconds: float | None = Field(default=None, gt=0, le=604_800)
    processes: int | None = Field(default=None, ge=1, le=10_000)
    files_mb: int | None = Field(default=None, ge=1, le=1_048_576)
    wall_seconds: float | None = Field(default=None, gt=0, le=604_800)


class NewWorker(Request):
    """A worker that canvases may share. ``open``: whoever edits a canvas may put it there, else administrators."""

    name: str = Field(min_length=1, max_length=200)
    requirements: dict[PackageName, Specifier] = Field(
        default_factory=dict, max_length=MAX_REQUIREMENTS
    )
    processes: int = Field(default=1, ge=1, le=16)
    limits: OwnLimits = OwnLimits()
    open: bool = False


class ChangeWorker(WorkerId):
    """What to change; what is left out stays. Requirements are a shared worker's; a canvas's are on the canvas."""

    name: str | None = Field(default=None, max_length=200)
    requirements: dict[PackageName, Specifier] | None = Field(
        default=None, max_length=MAX_REQUIREMENTS
    )
    processes: int | None = Field(default=None, ge=1, le=16)
    limits: OwnLimits | None = None
    open: bool | None = None


class ProvisionWorker(WorkerId):
    """The worker meant, and whether to look anew which versions there are."""

    anew: bool = False


class Bound(View):
    """What may be set: more than 0, and from ``least`` to ``most``. ``usual`` holds where nothing is set; null: no limit."""

    least: float
    most: float
    whole: bool
    usual: float | None


class WorkerBounds(View):
    """What administrators may set of a worker: how many calls it takes at once, and its limits by name."""

    processes: Bound
    limits: dict[str, Bound]


class WorkerList(View):
    """Workers: a canvas's own first. ``current`` is the one that the canvas is on."""

    items: list[WorkerView]
    current: str | None = None
    bounds: WorkerBounds


class WorkerLog(View):
    """The last lines of a worker's log, oldest first."""

    lines: list[WorkerLine]


class WorkerLock(View):
    """What an environment holds, as a requirements.txt with hashes; empty where nothing is required."""

    key: str | None
    lock: str


def bounds(usual: WorkerLimits) -> WorkerBounds:
    """Return what may be set of a worker, beside the limits of the server."""
    limits = {
        name: _bound(field, getattr(usual, name)) for name, field in OwnLimits.model_fields.items()
    }
    return WorkerBounds(processes=_bound(NewWorker.model_fields["processes"], 1), limits=limits)


def _bound(field: FieldInfo, usual: float | None) -> Bound:
    declared: dict[str, Any] = {}
    for each in field.metadata:
        for name in ("ge", "gt", "le"):
            if (value := getattr(each, name, None)) is not None:
                declared[name] = value
    return Bound(
        least=declared.get("ge", declared.get("gt", 0)),
        most=declared["le"],
        whole=field.annotation in (int, int | None),
        usual=usual,
    )
