"""Keeps when canvases were last edited, for lists of them."""

from __future__ import annotations

import logging
import time

from .background import Settling
from .errors import ServerError
from .rooms import Committed, Room
from .storage.canvases import CanvasRecords

SETTLE = 5.0
"""Seconds for which edits are gathered before their times are written."""

logger = logging.getLogger(__name__)


class EditTimes(Settling):
    """Follows the edits of all canvases, as an async context manager. What a crash loses is the last few seconds."""

    name = "edit-times"
    settle = SETTLE

    def __init__(self, records: CanvasRecords) -> None:
        super().__init__()
        self._records = records
        self._edited: dict[str, float] = {}

    def edited(self, room: Room, _committed: Committed) -> None:
        """Note that a canvas was edited now; a watcher for ``Rooms``."""
        self._edited[room.canvas_id] = time.time()
        self._ask()

    async def _settle(self) -> None:
        edited, self._edited = self._edited, {}
        try:
            if edited:
                await self._records.note_edits(edited)
        except ServerError as error:
            logger.warning("could not keep when canvases were edited: %s", error.message)
            self._edited = edited | self._edited
        except Exception:  # it must go on: other canvases are edited, too
            logger.exception("fault while keeping when canvases were edited")
