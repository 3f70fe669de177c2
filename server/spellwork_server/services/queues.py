"""Queues of runs: look at them, set their limits, stop and empty them; and the processes that take from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from spellwork_server.identity import require
from spellwork_server.queues.errors import QueueNotFound
from spellwork_server.queues.processes import Processes
from spellwork_server.storage.processes import ProcessRecord
from spellwork_server.storage.queues import Figures, QueueRecord, QueueStore

from .queue_models import (
    OneQueue,
    PatchQueue,
    ProcessList,
    ProcessName,
    ProcessView,
    QueueList,
    QueueView,
)
from .service import Call, Nothing, Service, operation


class QueueService(Service):
    """Queues, by name. Any name is a queue; what is set up here holds for all processes."""

    name: ClassVar[str] = "queues"

    def __init__(self, store: QueueStore, processes: Processes, ring: Callable[[], None]) -> None:
        self._store = store
        self._processes = processes
        self._ring = ring

    @operation(summary="List queues", rest=("GET", "/v1/queues"))
    async def find(self, call: Call, _request: Nothing) -> QueueList:
        """Give the queues that were set up or have runs; the figures are of the caller's own runs, but for administrators."""
        actor = require(call.actor, "queues.read")
        figures = await self._store.figures(None if actor.is_admin else actor.user_id)
        queues = await self._store.queues()
        processes = await self._processes.find()
        return QueueList(
            items=[
                _view(queues.get(name) or QueueRecord(name), figures.get(name), processes)
                for name in sorted(queues.keys() | figures.keys())
            ]
        )

    @operation(
        summary="Look at a queue", rest=("GET", "/v1/queues/{name}"), errors=("queue_not_found",)
    )
    async def get(self, call: Call, request: OneQueue) -> QueueView:
        """Give one queue, as the list does."""
        actor = require(call.actor, "queues.read")
        figures = await self._store.figures(None if actor.is_admin else actor.user_id)
        queue = (await self._store.queues()).get(request.name)
        if queue is None and request.name not in figures:
            raise QueueNotFound(request.name)
        return _view(
            queue or QueueRecord(request.name),
            figures.get(request.name),
            await self._processes.find(),
        )

    @operation(summary="Set the limits of a queue", rest=("PATCH", "/v1/queues/{name}"))
    async def patch(self, call: Call, request: PatchQueue) -> QueueView:
        """Set how many runs go at once and how often one begins; holds for what is taken from then on."""
        require(call.actor, "queues.manage")
        given = request.model_fields_set
        changes: dict[str, object] = {
            name: getattr(request, name) for name in ("concurrency", "per_process") if name in given
        }
        if "rate" in given:
            rate = request.rate
            changes |= {
                "rate_count": None if rate is None else rate.count,
                "rate_seconds": None if rate is None else rate.seconds,
            }
        return await self._change(call, request.name, **changes)

    @operation(summary="Take nothing from a queue", rest=("POST", "/v1/queues/{name}/pause"))
    async def pause(self, call: Call, request: OneQueue) -> QueueView:
        """Let what waits wait, until ``play``; what goes goes on."""
        return await self._set_state(call, request.name, "paused")

    @operation(summary="Open a queue again", rest=("POST", "/v1/queues/{name}/play"))
    async def play(self, call: Call, request: OneQueue) -> QueueView:
        """Take from the queue, and add to it, as if nothing had been."""
        return await self._set_state(call, request.name, "open")

    @operation(summary="Empty a queue", rest=("POST", "/v1/queues/{name}/drain"))
    async def drain(self, call: Call, request: OneQueue) -> QueueView:
        """Carry what waits and refuse what comes (``queue_draining``), until ``play``."""
        return await self._set_state(call, request.name, "draining")

    async def _set_state(
        self, call: Call, name: str, state: Literal["open", "paused", "draining"]
    ) -> QueueView:
        require(call.actor, "queues.manage")
        return await self._change(call, name, state=state)

    async def _change(self, call: Call, name: str, **changes: object) -> QueueView:
        queue = (await self._store.queues()).get(name) or QueueRecord(name)
        await self._store.put(replace(queue, **changes))  # type: ignore[arg-type] # fields by name
        self._ring()
        return await self.get(call, OneQueue(name=name))


class ProcessService(Service):
    """The server processes on this database."""

    name: ClassVar[str] = "processes"

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    @operation(summary="List the server's processes", rest=("GET", "/v1/processes"))
    async def find(self, call: Call, _request: Nothing) -> ProcessList:
        """Give the processes that are alive, and the queues each takes from."""
        require(call.actor, "queues.read")
        return ProcessList(
            items=[
                ProcessView(
                    id=each.id,
                    name=each.name,
                    queues=None if each.queues is None else list(each.queues),
                    started_at=each.started_at,
                    beat_at=each.beat_at,
                )
                for each in await self._processes.find()
            ]
        )


def _view(
    queue: QueueRecord, figures: Figures | None, processes: Sequence[ProcessRecord]
) -> QueueView:
    listening = [
        ProcessName(id=each.id, name=each.name)
        for each in processes
        if each.queues is None or queue.name in each.queues
    ]
    return QueueView.of(queue, figures or Figures(), listening)
