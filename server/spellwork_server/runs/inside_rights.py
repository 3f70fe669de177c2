"""Who may see now what a run told of the canvases that it ran (SPEC N3): roles change after runs have ended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from spellwork_server.errors import NotFound
from spellwork_server.identity import Actor, allowed
from spellwork_server.storage.journal import StoredEvent, numbered
from spellwork_server.storage.run_records import RunRecord, RunRecords

from .insides import ALL_SHOWN, Insides
from .streams import Access

KNOWN = 1_000
"""Runs of which is kept in memory what they ran inside themselves; that never changes."""

HIDDEN = "node.hidden"
"""What an event is told as of which nothing may be told but its number."""


class _Told(msgspec.Struct):
    """What of an event says where it happened."""

    run: str
    node: str | None = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Ran:
    """The canvases that a run ran, and the nodes that ran canvases."""

    children: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()


class InsideRights:
    """Finds what of a run's inside somebody may read: all of it, or nothing where a canvas in it is closed to them."""

    def __init__(self, records: RunRecords, access: Access) -> None:
        self._records = records
        self._access = access
        self._ran: OrderedDict[str, _Ran] = OrderedDict()

    async def of_record(self, actor: Actor, record: RunRecord) -> Insides:
        """Return what the actor may see of a run, whose record has its spell."""
        if record.id not in self._ran:
            self._keep(record.id, _ran(record))
        return await self.of_run(actor, record.id)

    async def of_run(self, actor: Actor, run: str) -> Insides:
        """Return what the actor may see of a run; of one that is gone nothing is left to hide."""
        if run not in self._ran:
            record = await self._records.get(run)
            self._keep(run, _Ran() if record is None else _ran(record))
        ran = self._ran[run]
        for canvas in ran.children:
            if not await self._may_read(actor, canvas):
                return Insides(ran.owners)
        return ALL_SHOWN

    async def shown(self, actor: Actor, events: Sequence[StoredEvent]) -> list[StoredEvent]:
        """Return events as the actor may see them: each keeps its number."""
        known: dict[str, Insides] = {}
        shown = []
        for event in events:
            if not _may_tell_of_inside(event):
                shown.append(event)
                continue
            told = msgspec.json.decode(event.json, type=_Told)
            if told.run not in known:
                known[told.run] = await self.of_run(actor, told.run)
            shown.append(_as_told(event, told, known[told.run]))
        return shown

    def _keep(self, run: str, ran: _Ran) -> None:
        self._ran[run] = ran
        while len(self._ran) > KNOWN:
            self._ran.popitem(last=False)

    async def _may_read(self, actor: Actor, canvas: str) -> bool:
        try:
            return allowed(actor, "canvas.read", await self._access(canvas))
        except NotFound:
            return False


def _may_tell_of_inside(event: StoredEvent) -> bool:
    """Say, soon, of most events that they cannot: there is no path in them."""
    return event.kind.startswith("node.") and b"/" in event.json


def _as_told(event: StoredEvent, told: _Told, insides: Insides) -> StoredEvent:
    if insides.hides(told.node):
        body = msgspec.json.encode({"run": told.run, "kind": HIDDEN, "at": 0})
        return StoredEvent(event.seq, HIDDEN, numbered(event.seq, body))
    if told.error is None or (error := insides.failure(told.error)) is told.error:
        return event
    whole = msgspec.json.decode(event.json)
    return StoredEvent(event.seq, event.kind, msgspec.json.encode(whole | {"error": error}))


def _ran(record: RunRecord) -> _Ran:
    children = frozenset((record.request or {}).get("children") or {})
    nodes = (record.spell or {}).get("nodes", {}) if children else {}
    owners = [id for id, node in nodes.items() if _runs_canvas(node)]
    return _Ran(children, frozenset(owners))


def _runs_canvas(node: dict[str, Any]) -> bool:
    body = (node.get("settings") or {}).get("body") or {}
    return body.get("spell") is not None
