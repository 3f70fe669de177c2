"""``GET /healthz``: whether the server is ready, and how its parts are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from spellwork import Library
from spellwork.workers import WorkerPool
from spellwork_server.outbox import Outbox
from spellwork_server.rooms import Rooms
from spellwork_server.sockets import SocketServer
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.version import VERSION


@dataclass(slots=True)
class Health:
    """What the parts say of themselves. Set ``stopping`` when intake is refused."""

    commits: GroupCommit
    rooms: Rooms
    sockets: SocketServer
    library: Library
    workers: WorkerPool
    outbox: Outbox
    ready: bool = field(default=False)
    stopping: bool = field(default=False)

    def report(self) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the report. Names no canvas, user or secret: anybody may read it."""
        store = "ok" if self.commits.failing is None else "failing"
        status = "ok"
        if self.stopping:
            status = "stopping"
        elif not self.ready:
            status = "starting"
        elif store != "ok":
            status = "degraded"
        report = {
            "status": status,
            "version": VERSION,
            "parts": {
                "store": store,
                "sockets": len(self.sockets.sessions),
                "canvases_at_fault": len(self.rooms.faults),
                "outbox": self.outbox.report(),
                "workers": self._workers(),
                "packs": len(self.library.packs),
                "packs_at_fault": sorted(self.library.problems),
            },
        }
        return (200 if status in ("ok", "degraded") else 503), report

    def _workers(self) -> dict[str, Any]:
        """Return what is closed to the workers' code; nothing until the first worker is ready."""
        confinement = self.workers.confinement
        found: dict[str, Any] = {} if confinement is None else msgspec.structs.asdict(confinement)
        return found
