"""What a server does on its first start: an administrator, and a canvas to look at."""

from __future__ import annotations

import logging
from typing import Any

from spellwork.spell import Spell
from spellwork_server.errors import ServerError
from spellwork_server.identity import Actor
from spellwork_server.identity.accounts import Accounts
from spellwork_server.services.canvases import Rooms, create_canvas
from spellwork_server.storage.canvases import CanvasRecords

logger = logging.getLogger(__name__)


async def prepare_first_start(
    accounts: Accounts, canvases: CanvasRecords, rooms: Rooms, sample: dict[str, Any]
) -> None:
    """Make the administrator, and their sample canvas, where no administrator is."""
    user = await accounts.ensure_administrator()
    if user is None:
        return
    actor = Actor(user.id, user.email, user.name, user.role, via="system")
    try:
        await create_canvas(canvases, rooms, actor, None, Spell.model_validate(sample))
    except ServerError as error:
        logger.warning("the sample canvas was not made: %s", error.message)
