"""A Socket.IO client that bears being cut off in the middle of a message."""

from __future__ import annotations

import asyncio
from typing import Any

import socketio


class Socket(socketio.AsyncClient):  # type: ignore[misc]
    """Drops attachments whose event went with the connection, and keeps packets whole.

    python-socketio begins a task for each frame it read; when the connection breaks, it forgets
    the event they belong to and then fails on them. And of two tasks that emit at once it may mix
    the frames.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._sending = asyncio.Lock()

    async def _send_packet(self, pkt: Any) -> None:
        async with self._sending:
            await super()._send_packet(pkt)

    async def _handle_eio_message(self, data: Any) -> None:
        if isinstance(data, bytes) and self._binary_packet is None:
            return
        await super()._handle_eio_message(data)
