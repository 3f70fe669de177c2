"""Socket.IO: who is connected, what they may ask, and how events reach them."""

from __future__ import annotations

from .channels import Channels
from .server import SocketServer
from .session import Session

__all__ = ["Channels", "Session", "SocketServer"]
"""``canvas_service`` is imported by ``make_app`` alone: it stands between sockets and rooms."""
