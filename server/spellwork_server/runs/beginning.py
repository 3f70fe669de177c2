"""What is told, and written, as a run begins or goes on."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.storage.group_commit import Job
from spellwork_server.storage.outputs import insert_references
from spellwork_server.storage.run_events import forget_left
from spellwork_server.storage.run_records import mark_started
from spellwork_server.storage.run_states import note_request

from .origin import Origin


def beginning(origin: Origin) -> dict[str, Any]:
    """Return what the first event says of what was before."""
    said: dict[str, Any] = {}
    if origin.begun and origin.record is not None:
        said |= {"attempt": origin.record.attempt, "within": list(origin.within)}
    if origin.forked_from is not None:
        said |= {"forked_from": origin.forked_from, "changed": origin.changed}
    if origin.begun or origin.forked_from is not None:
        said["kept"] = list(origin.kept)
    return said


def first_job(
    run: str, origin: Origin, request: dict[str, Any], started: float | None
) -> Job[None] | None:
    """Return what is written with a run's first events: when it started, where that is new, and what its past left."""
    if started is None and origin.record is None and not origin.repeated:
        return None
    left = [ref for told in origin.repeated for ref in origin.left.get(told.node, {}).values()]

    known = origin.record
    asked = None if known is None or known.request == request else request

    async def write(conn: AsyncConnection) -> None:
        if started is not None:
            await mark_started(conn, run, started)
        if asked is not None:  # it runs other canvases inside itself than it did
            await note_request(conn, run, asked)
        if origin.stale:
            await forget_left(conn, run, origin.stale)
        if left:
            await insert_references(conn, run, left)

    return write
