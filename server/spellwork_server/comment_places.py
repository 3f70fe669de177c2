"""Keeps where nodes with comments are, so that a thread has a place when its node is gone."""

from __future__ import annotations

import logging

from .background import Settling
from .errors import ServerError
from .rooms import Committed, Room
from .storage.comments import CommentRecords, Place

SETTLE = 0.5
"""Seconds for which edits of a canvas are gathered before places are written."""

MAX_BARE = 10_000

logger = logging.getLogger(__name__)


class CommentPlaces(Settling):
    """Follows the edits of all canvases, as an async context manager.

    A node that is moved and removed within SETTLE keeps the place before. What
    a crash loses is at most that; a place is no part of anybody's work.
    """

    name = "comment-places"
    settle = SETTLE

    def __init__(self, records: CommentRecords) -> None:
        super().__init__()
        self._records = records
        self._edited: dict[str, Room] = {}
        self._bare: set[str] = set()
        """Canvases known to have no thread at a node: most, and they cost nothing."""

    def edited(self, room: Room, _committed: Committed) -> None:
        """Look at a canvas soon; a watcher for ``Rooms``."""
        if room.canvas_id not in self._bare:
            self._edited[room.canvas_id] = room
            self._ask()

    def has_nodes(self, canvas_id: str) -> None:
        """Note that a thread was just begun at a node of this canvas."""
        self._bare.discard(canvas_id)

    async def _settle(self) -> None:
        edited, self._edited = self._edited, {}
        for canvas_id, room in edited.items():
            try:
                await self._keep(canvas_id, room)
            except ServerError as error:
                logger.warning("could not keep places on canvas %s: %s", canvas_id, error)
            except Exception:  # it must go on: other canvases wait
                logger.exception("fault while keeping places on canvas %s", canvas_id)

    async def _keep(self, canvas_id: str, room: Room) -> None:
        if len(self._bare) >= MAX_BARE:
            self._bare.clear()
        self._bare.add(canvas_id)  # before looking: a thread begun meanwhile takes it out again
        kept = await self._records.node_places(canvas_id)
        if not kept:
            return
        self._bare.discard(canvas_id)
        nodes = room.spell().nodes
        here: dict[str, Place] = {
            node: (float(nodes[node].position[0]), float(nodes[node].position[1]))
            for node in kept
            if node in nodes
        }
        moved = {node: place for node, place in here.items() if place != kept[node]}
        if moved:
            await self._records.keep_places(canvas_id, moved)
