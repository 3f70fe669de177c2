"""One room per open canvas: its document, who is there, and the rules an edit must pass."""

from __future__ import annotations

from .committed import Committed
from .presence import Presence
from .room import Room
from .rooms import Rooms

__all__ = ["Committed", "Presence", "Room", "Rooms"]
