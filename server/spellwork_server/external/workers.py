"""The external workers of this server: who is connected, which canvases have them, and the calls to them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from spellwork import Context, Library, NodeError, Step
from spellwork.errors import PackInvalid
from spellwork.external.line import Line, WorkerLost
from spellwork_server.errors import NotFound
from spellwork_server.identity import Actor
from spellwork_server.packs.libraries import Brought, CanvasLibraries
from spellwork_server.storage.external_workers import ExternalWorkerRecord, ExternalWorkerRecords

from .hello import Told, kept, stubs_of

logger = logging.getLogger(__name__)

ExternalState = Literal["ready", "busy", "stopped", "failed"]


@dataclass(slots=True)
class ExternalWorker:
    """A worker as it is now. ``end`` closes its connection with a code and a reason.

    ``canvases`` are those it was given to, and by whom.
    """

    id: str
    name: str
    owner_id: str
    canvases: Mapping[str, str]
    told: Told | None
    created_at: float
    last_seen_at: float | None
    reason: str | None = None
    line: Line | None = None
    end: Callable[[int, str], None] = field(default=lambda _code, _reason: None)

    @property
    def state(self) -> ExternalState:
        """Whether it is connected, and calls are under way; failed where what it says cannot be used."""
        if self.line is not None:
            return "busy" if self.line.busy else "ready"
        return "failed" if self.reason else "stopped"


class ExternalWorkers:
    """An executor for isolation "external", and an async context manager: entering reads those that are known.

    ``watch`` is told of each worker that changed, and of the canvases that it concerns.
    """

    def __init__(
        self,
        records: ExternalWorkerRecords,
        libraries: CanvasLibraries,
        find_actor: Callable[[str], Awaitable[Actor | None]],
    ) -> None:
        self._records = records
        self._find_actor = find_actor
        self._libraries = libraries
        self._workers: dict[str, ExternalWorker] = {}
        self._by_canvas: dict[str, tuple[str, ...]] = {}
        self._watchers: list[Callable[[ExternalWorker, Collection[str]], None]] = []
        libraries.add_source(lambda canvas: self._by_canvas.get(canvas, ()))

    async def __aenter__(self) -> Self:
        for record in await self._records.all():
            worker = _worker(record)
            self._workers[worker.id] = worker
            self._bring(worker)
        self._index()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers.values():
            if worker.line is not None:
                worker.line.end()

    def watch(self, watcher: Callable[[ExternalWorker, Collection[str]], None]) -> None:
        """Call ``watcher`` with each worker that changed and the canvases it was or is given to."""
        self._watchers.append(watcher)

    def get(self, worker_id: str) -> ExternalWorker:
        """Return a worker; raises NotFound."""
        worker = self._workers.get(worker_id)
        if worker is None:
            raise NotFound(
                f"There is no external worker {worker_id[:64]}", details={"worker": worker_id[:64]}
            )
        return worker

    def all(self) -> Iterable[ExternalWorker]:
        """Return every worker, the oldest first."""
        return tuple(self._workers.values())

    def of_canvas(self, canvas: str) -> list[ExternalWorker]:
        """Return the workers that a canvas was given."""
        return [self._workers[each] for each in self._by_canvas.get(canvas, ())]

    async def create(self, owner_id: str, name: str, token_hash: str) -> ExternalWorker:
        """Keep a new worker, which may connect from now on."""
        record = await self._records.create(owner_id, name, token_hash)
        worker = self._workers[record.id] = _worker(record)
        self._tell(worker, ())
        return worker

    async def change(
        self,
        worker: ExternalWorker,
        *,
        name: str | None = None,
        canvases: Mapping[str, str] | None = None,
        token_hash: str | None = None,
    ) -> None:
        """Name a worker, give it to these canvases (by whom) and no others, or make its old token worthless."""
        values: dict[str, Any] = {}
        before = set(worker.canvases)
        if name is not None:
            values["name"] = worker.name = name
        if canvases is not None:
            values["canvases"] = dict(canvases)
            worker.canvases = canvases
        if token_hash is not None:
            values["token_hash"] = token_hash
        await self._records.change(worker.id, **values)
        if token_hash is not None:
            worker.end(4401, "the token was revoked")
        self._index()
        self._tell(worker, before ^ set(worker.canvases) if canvases is not None else ())

    async def remove(self, worker: ExternalWorker) -> None:
        """Forget a worker: its token is worthless, its connection closed, its nodes are of no known type."""
        await self._records.remove(worker.id)
        self._workers.pop(worker.id, None)
        worker.end(4401, "the token was revoked")
        self._libraries.bring(worker.id, Brought())
        self._index()
        self._tell(worker, worker.canvases)

    async def by_token(self, token_hash: str) -> ExternalWorker | None:
        """Return the worker that connects with a token, or None; that of an owner who may not sign in does not."""
        record = await self._records.by_token(token_hash)
        if record is None or await self._find_actor(record.owner_id) is None:
            return None
        return self._workers.get(record.id)

    # Connections

    async def connected(
        self, worker: ExternalWorker, line: Line, told: Told, end: Callable[[int, str], None]
    ) -> None:
        """Take a worker in that has said what it is; one that was connected before is ended.

        Raises PackInvalid where its pack has the name of one of the server's.
        """
        library: Library = self._libraries.base
        library.extended([stubs_of(worker.id, told)], {})
        if worker.line is not None and worker.line is not line:
            worker.end(4409, "the worker connected again from elsewhere")
            worker.line.end()
        worker.line, worker.end, worker.reason = line, end, None
        await self.heard(worker, told)

    async def heard(self, worker: ExternalWorker, told: Told) -> None:
        """Take note of what a connected worker says of itself by now."""
        other = worker.told is None or worker.told.pack != told.pack
        worker.told = told
        self._bring(worker)
        self._tell(worker, worker.canvases if other else ())
        await self._records.seen(worker.id, told.to_json())

    def disconnected(self, worker: ExternalWorker, line: Line, reason: str | None = None) -> None:
        """Take note that a connection is gone."""
        line.end()
        if worker.line is line:
            worker.line = None
            worker.end = _nothing
        worker.reason = reason
        if worker.id in self._workers:
            self._tell(worker, ())

    def refused(self, worker: ExternalWorker, reason: str) -> None:
        """Take note that what a worker says of itself cannot be used."""
        worker.reason = reason
        self._tell(worker, ())

    # Calls

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry out a call of a node whose type an external worker has; raises NodeError.

        Whether the canvas has the worker, and its owner an account, is asked again for each call.
        """
        id = (step.type.target or "").partition("/")[0]
        worker = self._workers.get(id)
        if (
            worker is None
            or context.canvas is None
            or context.canvas not in worker.canvases
            or await self._find_actor(worker.owner_id) is None
        ):
            raise NodeError(
                f"the worker of {step.type.id} was not given to this canvas",
                code="worker_forbidden",
                retryable=False,
            )
        if worker.line is None:
            raise WorkerLost(f"the worker {worker.name!r} is not connected")
        return await worker.line.call(step, inputs, context)

    def _bring(self, worker: ExternalWorker) -> None:
        brought = Brought()
        if worker.told is not None:
            try:
                brought = Brought((stubs_of(worker.id, worker.told),))
            except PackInvalid as error:  # kept by a server with other rules
                brought = Brought(problems={worker.name: error.message})
        self._libraries.bring(worker.id, brought)

    def _index(self) -> None:
        by_canvas: dict[str, list[str]] = {}
        for worker in self._workers.values():
            for canvas in worker.canvases:
                by_canvas.setdefault(canvas, []).append(worker.id)
        self._by_canvas = {canvas: tuple(ids) for canvas, ids in by_canvas.items()}

    def _tell(self, worker: ExternalWorker, libraries: Collection[str]) -> None:
        for watcher in self._watchers:
            watcher(worker, {*worker.canvases, *libraries})
        for canvas in libraries:
            self._libraries.tell(canvas)


def _worker(record: ExternalWorkerRecord) -> ExternalWorker:
    return ExternalWorker(
        record.id,
        record.name,
        record.owner_id,
        record.canvases,
        kept(record.told),
        record.created_at,
        record.last_seen_at,
    )


def _nothing(_code: int, _reason: str) -> None:
    """Close nothing."""
