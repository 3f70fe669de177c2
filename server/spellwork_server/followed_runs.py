"""What a tab gets of the runs of a canvas that it opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.spell_manager import SpellManager
from spellwork_server.sockets import Session

RECENT_RUNS = 20
"""Runs that a tab is told of when it opens a canvas."""


class FollowedRuns:
    """Ties a socket's canvases to its SpellManager, for ``CanvasSockets``."""

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader

    async def open(self, session: Session, canvas_id: str) -> Mapping[str, Any]:
        """Load the canvas's runner and follow its streams; return what a tab shows of its runs."""
        manager: SpellManager = session.state[SpellManager]
        runs = await self._reader.of_canvas(session.actor, canvas_id, limit=RECENT_RUNS)
        # Last, so that no event comes between the numbers it gives and the answer.
        followed = await manager.open(canvas_id)
        known = {each.id for each in runs}
        begun = self._reader.heads(each for each in followed.going if each.id not in known)
        return {
            "runs": [each.model_dump(mode="json") for each in (*begun, *runs)],
            "streams": followed.streams,
            "live": followed.live,
            "live_users": followed.live_users,
            "live_notice": followed.live_notice,
        }

    def close(self, session: Session, canvas_id: str) -> None:
        """Let the canvas go."""
        manager: SpellManager | None = session.state.get(SpellManager)
        if manager is not None:
            manager.close(canvas_id)
