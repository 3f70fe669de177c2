"""External workers: their tokens, their configuration, and the canvases they are given to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal, Protocol

from pydantic import Field, JsonValue

from spellwork import NodeError
from spellwork_server.errors import BadGateway, BadRequest, Conflict, NotFound
from spellwork_server.external.workers import ExternalWorker, ExternalWorkers
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.identity.policy import ExternalWorkerAccess
from spellwork_server.identity.secrets import digest, new_token
from spellwork_server.workers.views import WorkerMetrics, WorkerView

from .registry import Registry
from .service import Call, Done, Request, Service, View, operation

TOKEN_PREFIX = "swx_"  # noqa: S105 - how every one of them begins

MOST_WORKERS = 50
"""External workers of one person."""

ASKING_SECONDS = 30.0
"""How long a worker may take to change or tell its configuration."""

Name = Field(min_length=1, max_length=100)
WorkerId = Field(min_length=1, max_length=64)


class ExternalWorkerView(View):
    """An external worker. ``config`` and what follows are for its owner and administrators."""

    id: str
    name: str
    kind: Literal["external"] = "external"
    owner: str
    state: Literal["ready", "busy", "stopped", "failed"] = Field(
        description="Stopped: it is not connected. Failed: what it says of itself cannot be used."
    )
    reason: str | None
    busy: int = Field(description="Calls under way.")
    pack: dict[str, str] | None = Field(description="{name, title, version} of what it brings.")
    types: list[str]
    given_by: str | None = Field(
        default=None, description="Who gave it to the canvas that was asked for."
    )
    canvases: list[str] | None = Field(default=None, description="Those it was given to.")
    config_schema: dict[str, Any] | None = None
    config: dict[str, Any] | None = Field(default=None, description="Without its secrets.")
    secrets: list[str] | None = Field(
        default=None, description="Fields of the configuration that are never told, as a.b."
    )
    created_at: float
    last_seen_at: float | None


class ExternalWorkerList(View):
    """External workers, the oldest first."""

    items: list[ExternalWorkerView]


class NewExternalWorkerView(ExternalWorkerView):
    """A worker, with the token by which it connects: it is shown this once."""

    token: str
    command: str = Field(description="What to run where the worker is to be.")


class ExternalWorkersOf(Request):
    """Of which canvas; without one, all of one's own."""

    canvas: str | None = Field(default=None, min_length=1, max_length=64)


class NewExternalWorker(Request):
    """What people call it."""

    name: str = Name


class ExternalWorkerId(Request):
    """The worker meant."""

    id: str = WorkerId


class ExternalWorkerPatch(Request):
    """Another name, or the canvases that it is given to (all of them)."""

    id: str = WorkerId
    name: str | None = Field(default=None, min_length=1, max_length=100)
    canvases: list[str] | None = Field(default=None, max_length=200)


class ExternalWorkerOnCanvas(Request):
    """A worker that a canvas was given."""

    id: str = WorkerId
    canvas: str = Field(min_length=1, max_length=64)


class ExternalWorkerConfig(Request):
    """A configuration; secrets that it leaves out stay as they are."""

    id: str = WorkerId
    config: dict[str, JsonValue]


class ExternalWorkerExport(View):
    """What a worker is, without secrets: ``secrets`` names what must be given anew where it is imported."""

    name: str
    pack: dict[str, str]
    config: dict[str, Any]
    secrets: list[str]
    state: JsonValue = None


class ExternalWorkerImport(Request):
    """A configuration, with the secrets that are to change, and the state that was exported."""

    id: str = WorkerId
    config: dict[str, JsonValue]
    state: JsonValue = None


class ExternalWorkerChanged(View):
    """A worker of a canvas that you have open, or of your own, is another than it was, or gone."""

    worker: ExternalWorkerView


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that this service needs."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class ExternalWorkerService(Service):
    """External workers. One is on no canvas until its owner gives it to one."""

    name = "external_workers"

    def __init__(
        self,
        workers: ExternalWorkers,
        access: Callable[[str], Awaitable[CanvasAccess]],
        url: str,
    ) -> None:
        self._workers = workers
        self._access = access
        self._url = url

    @operation(summary="List external workers", rest=("GET", "/v1/external-workers"))
    async def find(self, call: Call, request: ExternalWorkersOf) -> ExternalWorkerList:
        """List those that a canvas was given, or one's own; administrators see all."""
        if request.canvas is not None:
            actor = require(call.actor, "canvas.read", await self._access(request.canvas))
            found = self._workers.of_canvas(request.canvas)
        else:
            actor = require(call.actor, "external.create")
            found = [each for each in self._workers.all() if _may(actor, each)]
        items = [view(each, whole=_may(actor, each), canvas=request.canvas) for each in found]
        return ExternalWorkerList(items=items)

    @operation(summary="Make an external worker", rest=("POST", "/v1/external-workers"), status=201)
    async def create(self, call: Call, request: NewExternalWorker) -> NewExternalWorkerView:
        """Make a worker, and the token by which it connects. A token is good for that alone."""
        actor = require(call.actor, "external.create")
        mine = [each for each in self._workers.all() if each.owner_id == actor.user_id]
        if len(mine) >= MOST_WORKERS:
            raise Conflict(f"You have {MOST_WORKERS} external workers", code="too_many_workers")
        token = TOKEN_PREFIX + new_token()
        worker = await self._workers.create(actor.user_id, request.name, digest(token))
        return self._with_token(worker, token)

    @operation(
        summary="Name an external worker, or give it to canvases",
        rest=("PATCH", "/v1/external-workers/{id}"),
    )
    async def patch(self, call: Call, request: ExternalWorkerPatch) -> ExternalWorkerView:
        """Change its name, or which canvases have it: those that its owner edits."""
        worker, actor = self._mine(call, request.id)
        canvases = None
        if request.canvases is not None:
            canvases = {
                canvas: worker.canvases.get(canvas, actor.user_id) for canvas in request.canvases
            }
            for canvas in canvases.keys() - worker.canvases.keys():
                require(actor, "canvas.edit", await self._access(canvas))
        await self._workers.change(worker, name=request.name, canvases=canvases)
        return view(worker, whole=True)

    @operation(
        summary="Take an external worker away from a canvas",
        rest=("DELETE", "/v1/canvases/{canvas}/external-workers/{id}"),
    )
    async def withdraw(self, call: Call, request: ExternalWorkerOnCanvas) -> Done:
        """Take it away from that canvas: its owners may, whoever gave it, and whose it is. Its nodes stay there."""
        access = await self._access(request.canvas)
        actor = require(call.actor, "external.create")
        given = {each.id: each for each in self._workers.of_canvas(request.canvas)}
        worker = given.get(request.id)
        own = worker is not None and (
            _may(actor, worker) or worker.canvases[request.canvas] == actor.user_id
        )
        if not own:
            require(
                actor, "canvas.read", access
            )  # before anybody learns whether it has that worker
        if worker is None:
            details = {"worker": request.id, "canvas": request.canvas}
            raise NotFound("The canvas was not given that worker", details=details)
        if not own:
            require(actor, "canvas.share", access)
        left = {key: by for key, by in worker.canvases.items() if key != request.canvas}
        await self._workers.change(worker, canvases=left)
        return Done()

    @operation(
        summary="Make an external worker's token anew",
        rest=("POST", "/v1/external-workers/{id}/token"),
    )
    async def remake(self, call: Call, request: ExternalWorkerId) -> NewExternalWorkerView:
        """Make another token: the old one is worthless, and whoever is connected by it is closed."""
        worker, _ = self._mine(call, request.id)
        token = TOKEN_PREFIX + new_token()
        await self._workers.change(worker, token_hash=digest(token))
        return self._with_token(worker, token)

    @operation(summary="Remove an external worker", rest=("DELETE", "/v1/external-workers/{id}"))
    async def remove(self, call: Call, request: ExternalWorkerId) -> Done:
        """Forget a worker: its token is worthless, its connection closed. Its nodes stay on canvases."""
        worker, _ = self._mine(call, request.id)
        await self._workers.remove(worker)
        return Done()

    @operation(
        summary="Configure an external worker",
        rest=("PUT", "/v1/external-workers/{id}/config"),
        errors=("worker_lost", "config_invalid"),
        cost=5,
    )
    async def configure(self, call: Call, request: ExternalWorkerConfig) -> ExternalWorkerView:
        """Give a worker another configuration, once no call of it is under way."""
        worker, _ = self._mine(call, request.id)
        await self._ask(worker, "configure", request.config)
        return view(worker, whole=True)

    @operation(
        summary="Export an external worker",
        rest=("GET", "/v1/external-workers/{id}/export"),
        errors=("worker_lost",),
        cost=5,
    )
    async def export(self, call: Call, request: ExternalWorkerId) -> ExternalWorkerExport:
        """Answer a worker's configuration and state. No secret is in it: it names those to be given anew."""
        worker, _ = self._mine(call, request.id)
        told = await self._ask(worker, "export")
        if not isinstance(told, dict) or not isinstance(told.get("config"), dict):
            raise BadGateway("The worker's answer is no export", code="worker_broken")
        return ExternalWorkerExport(
            name=worker.name,
            pack=_pack(worker) or {},
            config=told["config"],
            secrets=[str(each)[:200] for each in list(told.get("secrets") or ())[:100]],
            state=told.get("state"),
        )

    @operation(
        summary="Import into an external worker",
        rest=("POST", "/v1/external-workers/{id}/import"),
        errors=("worker_lost", "config_invalid"),
        name="external_workers.import",
        cost=5,
    )
    async def take_over(self, call: Call, request: ExternalWorkerImport) -> ExternalWorkerView:
        """Give a worker the configuration and state that another one exported."""
        worker, _ = self._mine(call, request.id)
        given = {"config": request.config, "state": request.state}
        await self._ask(worker, "import", given)
        return view(worker, whole=True)

    def _mine(self, call: Call, id: str) -> tuple[ExternalWorker, Actor]:
        """Return a worker for whoever may change it; to others it does not exist."""
        actor = require(call.actor, "external.create")
        worker = self._workers.get(id)
        if not _may(actor, worker):
            raise NotFound(f"There is no external worker {id}", details={"worker": id})
        return worker, actor

    async def _ask(
        self,
        worker: ExternalWorker,
        what: Literal["configure", "export", "import"],
        value: Any = None,
    ) -> Any:
        if worker.line is None:
            raise Conflict(f"The worker {worker.name!r} is not connected", code="worker_lost")
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                return await worker.line.ask(what, value)
        except NodeError as error:
            if error.code == "config_invalid":
                raise BadRequest(error.message, code=error.code, details=error.details) from error
            raise BadGateway(error.message, code=error.code) from error
        except TimeoutError as error:
            message = f"The worker did not answer within {ASKING_SECONDS:g} s"
            raise BadGateway(message, code="timeout") from error

    def _with_token(self, worker: ExternalWorker, token: str) -> NewExternalWorkerView:
        address = self._url.replace("http", "ws", 1)
        command = f"SPELLWORK_WORKER_TOKEN={token} spellwork worker connect {address} MODULE:CLASS"
        shown = view(worker, whole=True).model_dump()
        return NewExternalWorkerView(**shown, token=token, command=command)


def announce_external_workers(registry: Registry) -> None:
    """Document the event."""
    registry.announce(
        "external_worker.changed",
        ExternalWorkerChanged,
        "An external worker of a canvas that you have open, or of your own, changed",
    )


def tells_of_workers(channels: Publishes) -> Callable[[ExternalWorker, Collection[str]], None]:
    """Return what tells of a worker: those who have its canvases open, and its owner."""

    def tell(worker: ExternalWorker, canvases: Collection[str]) -> None:
        shown = {"worker": view(worker, whole=False).model_dump(mode="json")}
        for canvas in canvases:
            channels.publish(f"canvas:{canvas}", "external_worker.changed", shown)
        channels.publish(f"user:{worker.owner_id}", "external_worker.changed", shown)

    return tell


def view(worker: ExternalWorker, *, whole: bool, canvas: str | None = None) -> ExternalWorkerView:
    """Return a worker as it is shown, on a canvas; ``whole`` to whoever may change it."""
    told = worker.told
    shown: dict[str, Any] = {}
    if whole:
        shown["canvases"] = list(worker.canvases)
        if told is not None:
            shown |= {
                "config_schema": told.schema,
                "config": told.config,
                "secrets": list(told.secrets),
            }
    return ExternalWorkerView(
        id=worker.id,
        name=worker.name,
        owner=worker.owner_id,
        given_by=worker.canvases.get(canvas or ""),
        state=worker.state,
        reason=worker.reason,
        busy=0 if worker.line is None else worker.line.busy,
        pack=_pack(worker),
        types=[] if told is None else [each["id"] for each in told.pack["nodes"]],
        created_at=worker.created_at,
        last_seen_at=worker.last_seen_at,
        **shown,
    )


def listed(workers: ExternalWorkers) -> Callable[[str], list[WorkerView]]:
    """Return what lists the external workers of a canvas beside its other workers."""

    def of_canvas(canvas: str) -> list[WorkerView]:
        return [
            WorkerView(
                id=each.id,
                name=each.name,
                kind="external",
                owner=each.owner_id,
                given_by=each.canvases.get(canvas),
                state=each.state,
                reason=each.reason,
                packs=[] if each.told is None else [str(each.told.pack["name"])],
                metrics=WorkerMetrics(running=0 if each.line is None else each.line.busy),
            )
            for each in workers.of_canvas(canvas)
        ]

    return of_canvas


def _pack(worker: ExternalWorker) -> dict[str, str] | None:
    if worker.told is None:
        return None
    return {name: str(worker.told.pack[name]) for name in ("name", "title", "version")}


def _may(actor: Actor, worker: ExternalWorker) -> bool:
    return allowed(actor, "external.manage", ExternalWorkerAccess(worker.id, worker.owner_id))
