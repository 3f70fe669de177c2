"""Runs that end, and the triggers on other canvases that wait for it.

The end of a run is found in its record, so that none is lost with a process: at the end
itself, and again with each round of the timer. The run's id is the key of the firing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import ServerError
from spellwork_server.identity import Actor
from spellwork_server.identity.policy import CanvasAccess, require
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.triggers import (
    EndedRun,
    TriggerRecord,
    TriggerRecords,
    put_cursor,
)

from .firing import Came, Firer, nothing
from .kinds import EventSettings, read_settings
from .mapping import wanted_outputs

BACK = 600.0
"""Seconds that are looked back behind the last end: one is dated before it is committed."""

MOST = 100
"""Ends that are read at a time."""

MOST_PAGES = 10
"""How often that is done in one round; more follow with the next."""

MAX_OUTPUT = 8 * 1024 * 1024


class Values(Protocol):
    """What is needed of ``storage.OutputStore``."""

    async def ref_of_port(self, run: str, node: str, port: str) -> OutputRef | None:
        """Return where what a run left on a port is."""

    async def values(
        self, refs: Iterable[OutputRef], *, at_most: int | None = None
    ) -> dict[str, bytes]:
        """Return values by hash."""


class Endings:
    """Fires what waits for the ends of runs. ``canvases`` is where such ends matter."""

    def __init__(
        self,
        records: TriggerRecords,
        firer: Firer,
        values: Values,
        access: Callable[[str], Awaitable[CanvasAccess]],
    ) -> None:
        self._records = records
        self._firer = firer
        self._values = values
        self._access = access
        self.canvases: frozenset[str] = frozenset()

    async def sweep(self) -> None:
        """Learn which canvases matter, and fire for each end that nobody has fired for. Raises NotNow."""
        waiting = await self._records.enabled("event")
        self.canvases = frozenset(each.settings["canvas"] for each in waiting)
        for trigger in waiting:
            await self._catch_up(trigger)

    async def ended(self, canvas: str) -> None:
        """Fire for what just ended on a canvas. Raises NotNow."""
        for trigger in await self._records.enabled("event"):
            if trigger.settings["canvas"] == canvas:
                await self._catch_up(trigger)

    async def _catch_up(self, trigger: TriggerRecord) -> None:
        cursor = trigger.cursor or {"from": trigger.created_at, "at": trigger.created_at}
        since = max(float(cursor["from"]), float(cursor["at"]) - BACK)
        settings: EventSettings = read_settings(trigger.kind, trigger.settings)
        for _ in range(MOST_PAGES):
            ended = await self._records.ended_runs(
                trigger, settings.canvas, settings.on, since=since, limit=MOST
            )
            for run in ended:
                cursor = cursor | {"at": max(float(cursor["at"]), run.ended_at)}
                await self._fire(trigger, run, cursor)
            if len(ended) < MOST:
                return

    async def _fire(self, trigger: TriggerRecord, run: EndedRun, cursor: dict[str, Any]) -> None:
        async def write(conn: AsyncConnection) -> None:
            await put_cursor(conn, trigger, cursor)

        depth = int(run.request.get("depth") or 0) + 1
        came = Came(run.id, run.ended_at, depth=depth)
        try:
            values = await self._came(trigger, run, await self._firer.require_owner(trigger))
        except ServerError as error:
            await self._firer.refuse(trigger, came, str(error), nothing)
            return
        await self._firer.fire(trigger, Came(run.id, run.ended_at, values, depth), write)

    async def _came(self, trigger: TriggerRecord, run: EndedRun, actor: Actor) -> dict[str, Any]:
        """Return what is told of a run, to somebody who may read its canvas now. Raises ServerError."""
        canvas = trigger.settings["canvas"]
        require(actor, "canvas.read", await self._access(canvas))
        outputs: dict[str, dict[str, Any]] = {}
        for node, port in sorted(wanted_outputs(trigger.inputs)):
            ref = await self._values.ref_of_port(run.id, node, port)
            bodies = await self._values.values([ref] if ref else [], at_most=MAX_OUTPUT)
            for body in bodies.values():
                outputs.setdefault(node, {})[port] = msgspec.json.decode(body)
        return {
            "run": run.id,
            "canvas": canvas,
            "status": _how(run),
            "errors": run.result.get("errors") or {},
            "outputs": outputs,
            "due": run.ended_at,
        }


def _how(run: EndedRun) -> str:
    """Return how a run ended, as people mean it: one with failed nodes failed."""
    return "failed" if run.status == "failed" or run.result.get("errors") else "completed"
