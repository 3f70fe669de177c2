"""Workers: where the code of canvases runs, and what may be done about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from spellwork.errors import NodeError
from spellwork.requirements import wrong_requirements
from spellwork.workers.installer import without_folders
from spellwork_server.errors import BadRequest, Conflict, NotFound
from spellwork_server.identity import Actor, CanvasAccess, require
from spellwork_server.storage.workers import WorkerRecord
from spellwork_server.workers import Workers
from spellwork_server.workers.views import WorkerChanged, WorkerLine, WorkerLines, WorkerView
from spellwork_server.workers.workers import may_use

from .registry import Registry
from .service import Call, Done, Service, operation
from .worker_models import (
    ChangeWorker,
    NewWorker,
    ProvisionWorker,
    WorkerId,
    WorkerList,
    WorkerLock,
    WorkerLog,
    WorkersOf,
    bounds,
)

MAX_SHARED = 100


class WorkerService(Service):
    """Workers of canvases, and those that canvases share."""

    name = "workers"

    def __init__(
        self,
        workers: Workers,
        access: Callable[[str], Awaitable[CanvasAccess]],
        external: Callable[[str], Sequence[WorkerView]],
    ) -> None:
        self._workers = workers
        self._access = access
        self._external = external
        self._bounds = bounds(workers.limits({}))

    @operation(summary="List workers", rest=("GET", "/v1/workers"))
    async def find(self, call: Call, request: WorkersOf) -> WorkerList:
        """List what a canvas can be put on (its own worker, and the shared ones that one may use), and the external ones it was given."""
        actor = require(call.actor, "nodes.read")
        shared = [each for each in self._workers.shared() if may_use(each, actor)]
        if request.canvas is None:
            return WorkerList(items=self._workers.views(shared), bounds=self._bounds)
        require(actor, "canvas.read", await self._access(request.canvas))
        current = self._workers.worker_of(request.canvas)
        own = await self._workers.get(request.canvas)
        if current != request.canvas and all(each.id != current for each in shared):
            shared = [await self._workers.get(current), *shared]
        items = [*self._workers.views([own, *shared]), *self._external(request.canvas)]
        return WorkerList(items=items, current=current, bounds=self._bounds)

    @operation(summary="Look at a worker", rest=("GET", "/v1/workers/{id}"))
    async def get(self, call: Call, request: WorkerId) -> WorkerView:
        """Answer a worker: what it is made of, how it is, and what it uses."""
        return self._workers.view(await self._read(call, request.id))

    @operation(
        summary="Add a shared worker",
        rest=("POST", "/v1/workers"),
        status=201,
        errors=("too_many_workers",),
    )
    async def create(self, call: Call, request: NewWorker) -> WorkerView:
        """Add a worker that several canvases may use. Their code shares its process. Administrators only."""
        actor = require(call.actor, "worker.manage")
        if len(self._workers.shared()) >= MAX_SHARED:
            raise Conflict(
                f"There are {MAX_SHARED} shared workers already", code="too_many_workers"
            )
        _check(request.requirements)
        record = WorkerRecord(
            uuid4().hex,
            "shared",
            request.name,
            owner_id=actor.user_id,
            processes=request.processes,
            limits=request.limits.model_dump(exclude_none=True),
            requirements=request.requirements,
            open=request.open,
        )
        return self._workers.view(await self._workers.create(record))

    @operation(summary="Change a worker", rest=("PATCH", "/v1/workers/{id}"))
    async def patch(self, call: Call, request: ChangeWorker) -> WorkerView:
        """Change a worker's name, requirements, limits or processes. Administrators only."""
        require(call.actor, "worker.manage")
        record = await self._read(call, request.id)
        fields: dict[str, Any] = {
            name: getattr(request, name)
            for name in ("name", "processes", "open", "requirements")
            if getattr(request, name) is not None
        }
        if record.kind == "canvas" and fields.keys() & {"requirements", "open"}:
            raise BadRequest.field(
                "requirements", "those of a canvas's own worker are on the canvas"
            )
        _check(request.requirements or {})
        if request.limits is not None:
            fields["limits"] = request.limits.model_dump(exclude_none=True)
        return self._workers.view(await self._workers.change(request.id, **fields))

    @operation(summary="Remove a worker", rest=("DELETE", "/v1/workers/{id}"))
    async def remove(self, call: Call, request: WorkerId) -> Done:
        """Remove a shared worker: its canvases are on their own again. A canvas's own begins anew."""
        await self._read(call, request.id)
        require(call.actor, "worker.manage")
        await self._workers.remove(request.id)
        return Done()

    @operation(
        summary="Start a worker",
        rest=("POST", "/v1/workers/{id}/start"),
        errors=("environment_failed", "worker_died"),
        cost=5,
    )
    async def start(self, call: Call, request: WorkerId) -> WorkerView:
        """Start a worker that was stopped, or have its process ready before the first call."""
        await self._steer(call, request.id)
        await _in_words(self._workers.start(request.id))
        return await self._view(request.id)

    @operation(summary="Stop a worker", rest=("POST", "/v1/workers/{id}/stop"), cost=5)
    async def stop(self, call: Call, request: WorkerId) -> WorkerView:
        """Stop a worker until somebody starts it; calls fail with ``worker_stopped``, values in it are gone."""
        await self._steer(call, request.id)
        await self._workers.stop(request.id)
        return await self._view(request.id)

    @operation(
        summary="Start a worker anew",
        rest=("POST", "/v1/workers/{id}/restart"),
        errors=("environment_failed", "worker_died"),
        cost=5,
    )
    async def restart(self, call: Call, request: WorkerId) -> WorkerView:
        """End a worker's processes, with calls under way and all values in them, and start it."""
        await self._steer(call, request.id)
        await _in_words(self._workers.restart(request.id))
        return await self._view(request.id)

    @operation(
        summary="Install what a worker requires",
        rest=("POST", "/v1/workers/{id}/provision"),
        errors=("environment_failed",),
        cost=20,
    )
    async def provision(self, call: Call, request: ProvisionWorker) -> WorkerView:
        """Make a worker's environment now; ``anew``: lock the newest versions that the requirements allow."""
        await self._steer(call, request.id)
        await _in_words(self._workers.provision(request.id, anew=request.anew))
        return await self._view(request.id)

    @operation(summary="Read a worker's lock", rest=("GET", "/v1/workers/{id}/lock"))
    async def lock(self, call: Call, request: WorkerId) -> WorkerLock:
        """Answer every package of the environment, with versions and hashes."""
        record = await self._read(call, request.id)
        environment = self._workers.view(record).environment
        return WorkerLock(
            key=None if environment is None else environment.key, lock=without_folders(record.lock)
        )

    @operation(summary="Read a worker's log", rest=("GET", "/v1/workers/{id}/logs"))
    async def logs(self, call: Call, request: WorkerId) -> WorkerLog:
        """Answer the last lines, up to 1,000: what its environment was made of, starts, ends, stray output.

        What code prints while it runs is in the run's own events.
        """
        await self._steer(call, request.id)
        return WorkerLog(
            lines=[
                WorkerLine(at=each.at, level=each.level, text=each.text)
                for each in self._workers.pool.log(request.id).lines
            ]
        )

    async def _view(self, worker: str) -> WorkerView:
        return self._workers.view(await self._workers.get(worker))

    async def _read(self, call: Call, worker: str) -> WorkerRecord:
        """Return a worker that the caller may see, else raise NotFound or Forbidden."""
        actor = require(call.actor, "nodes.read")
        if self._workers.canvas_of(worker) is None:
            return await self._seen(actor, worker)
        require(actor, "canvas.read", await self._canvas(worker))
        return await self._workers.get(worker)

    async def _seen(self, actor: Actor, worker: str) -> WorkerRecord:
        record = await self._workers.get(worker)
        if may_use(record, actor):
            return record
        for canvas in self._workers.canvases_of(worker):
            role = (await self._access(canvas)).role(actor)
            if role is not None:
                return record
        raise _missing(worker)

    async def _steer(self, call: Call, worker: str) -> None:
        """See that the caller may steer a worker: editors their canvas's own, administrators a shared one."""
        if self._workers.canvas_of(worker) is None:
            require(call.actor, "worker.manage")
        else:
            require(call.actor, "canvas.edit", await self._canvas(worker))

    async def _canvas(self, worker: str) -> CanvasAccess:
        try:
            return await self._access(worker)
        except NotFound as error:
            raise _missing(worker) from error


async def _in_words(work: Awaitable[None]) -> None:
    """Await what may fail as a node does, and refuse the request in its words."""
    try:
        await work
    except NodeError as error:
        raise Conflict(error.message, code=error.code, details=error.details) from error


def _check(requirements: dict[str, str]) -> None:
    for name, reason in wrong_requirements(requirements).items():
        raise BadRequest.field(f"requirements.{name}", reason)


def _missing(worker: str) -> NotFound:
    return NotFound(f"There is no worker {worker}", details={"worker": worker})


def announce_workers(registry: Registry) -> None:
    """Document the events that tell of workers."""
    registry.announce(
        "worker.changed", WorkerChanged, "How the worker of an open canvas is, when that changes"
    )
    registry.announce(
        "worker.lines",
        WorkerLines,
        "What the installer of packages for an open canvas just said",
    )
