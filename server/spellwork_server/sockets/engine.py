"""The Engine.IO server under ours: its connections have an Outbox, its WebSockets no compression."""

from __future__ import annotations

import asyncio
from typing import Any

import engineio
from aiohttp import web
from engineio.payload import Payload

from .outbox import Outbox

CLOSING_SECONDS = 1.0
"""How long a client has to answer that its WebSocket is closed."""

POLLING_PACKETS = 256
"""Packets in one long-polling request; the library's 16 are fewer than a burst of edits."""


class WebSocketDriver:
    """One WebSocket, as python-engineio's aiohttp driver would wrap it, tied to its Outbox.

    permessage-deflate is not offered: the frames that many receivers share
    could not be compressed with each one's own window.
    """

    def __init__(self, handler: Any, server: Engine) -> None:
        self._handler = handler
        self._engine_socket = handler.__self__
        self._outbox: Outbox = self._engine_socket.queue
        self._live = server.live
        self._transport: asyncio.Transport | None = None
        self._socket = web.WebSocketResponse(
            max_msg_size=server.max_http_buffer_size, compress=False, timeout=CLOSING_SECONDS
        )

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve the WebSocket until it closes."""
        request: web.Request = environ["aiohttp.request"]
        await self._socket.prepare(request)
        self._transport = request.transport
        if self._transport is not None:
            self._outbox.attach(self._engine_socket, self._transport)
        self._live.add(self)
        try:
            await self._handler(self)
        finally:
            self._live.discard(self)
            self._outbox.detach()
        return self._socket

    def abort(self) -> None:
        """Cut the connection, whoever still waits on it."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the WebSocket."""
        self._outbox.detach()
        await self._socket.close()

    async def send(self, message: str | bytes) -> None:
        """Send one Engine.IO packet that went through the queue."""
        if isinstance(message, bytes):
            await self._socket.send_bytes(message)
        else:
            await self._socket.send_str(message)

    async def wait(self) -> str | bytes:
        """Return the next message; raise OSError once the WebSocket is closed."""
        message = await self._socket.receive()
        if not isinstance(message.data, str | bytes):
            raise OSError("the WebSocket is closed")
        return message.data


class Engine(engineio.AsyncServer):  # type: ignore[misc] # the makers ship no types
    """python-engineio's server with our queue and our WebSocket in place of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(async_mode="aiohttp", **options)
        self.live: set[WebSocketDriver] = set()
        """The WebSockets that are open, proven or not."""
        self._async: dict[str, Any] = {**self._async, "websocket": WebSocketDriver}
        Payload.max_decode_packets = POLLING_PACKETS

    def abort(self) -> None:
        """Cut every WebSocket that is still open: the server stops."""
        for driver in list(self.live):
            driver.abort()

    def create_queue(self, *_: Any, **__: Any) -> Outbox:
        """Make the outgoing queue of a new connection."""
        return Outbox()
