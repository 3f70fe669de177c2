"""The Engine.IO server under ours: its connections have an Outbox, its WebSockets no compression."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import engineio
from aiohttp import WSCloseCode, web
from aiohttp.web_protocol import RequestHandler
from engineio.payload import Payload

from .outbox import Outbox
from .pace import Pace
from .unproven import UNPROVEN_BYTES, Guarded, Unproven

CLOSING_SECONDS = 1.0
"""How long a client has to answer that its WebSocket is closed."""

LEAVING_AT_ONCE = 16
"""Connections that are taken leave of in one turn of the loop; others must not wait when thousands go."""

POLLING_PACKETS = 256
"""Packets in one long-polling request; the library's 16 are fewer than a burst of edits."""


class _LeavingInTurn(RequestHandler):
    """A connection whose loss is noticed in turn: what follows of it would stall the others."""

    __slots__ = ()

    leaving = Pace(LEAVING_AT_ONCE)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let go of the connection once others have had their turn."""
        self.leaving.call(partial(super().connection_lost, exc))


class _WebSocket(web.WebSocketResponse):
    """A WebSocket that says no farewell to a client that is gone: it would cost more than all the rest."""

    async def close(self, **options: Any) -> bool:
        """Close it."""
        request = self._req
        if request is not None and (request.transport is None or request.transport.is_closing()):
            self._set_closed()
            self._set_code_close_transport(WSCloseCode.ABNORMAL_CLOSURE)
            return True
        return await super().close(**options)


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
        self._unproven = server.unproven
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._socket = _WebSocket(
            max_msg_size=server.max_http_buffer_size,
            compress=False,
            timeout=CLOSING_SECONDS,
        )

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve the WebSocket until it closes."""
        request: web.Request = environ["aiohttp.request"]
        await self._socket.prepare(request)
        self._transport = request.transport
        if self._transport is not None:
            self._outbox.attach(self._engine_socket, self._transport)
            self._guard(request.protocol)
            request.protocol.__class__ = (
                _LeavingInTurn  # aiohttp makes it, and names no way to make another
            )
        self._live.add(self)
        try:
            await self._handler(self)
        finally:
            self._live.discard(self)
            self._outbox.detach()
        return self._socket

    def _guard(self, protocol: Any) -> None:
        """Let little through until the client has proved who it is."""
        parser = protocol._payload_parser  # noqa: SLF001 - the one place where bytes can be counted

        def release() -> None:
            if isinstance(protocol._payload_parser, Guarded):  # noqa: SLF001
                protocol._payload_parser = parser  # noqa: SLF001

        if parser is not None and self._unproven.guard(self._engine_socket.sid, release):
            protocol._payload_parser = Guarded(parser, self.abort)  # noqa: SLF001

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
        """Return the next message that is the library's; raise OSError once the WebSocket is closed.

        The library makes a task and a timer for each call, so what
        ``take_message`` takes goes there without coming by here again.
        """
        take, eio_sid = self._server.take_message, self._engine_socket.sid
        while True:
            data = (await self._socket.receive()).data
            if not isinstance(data, str | bytes):
                raise OSError("the WebSocket is closed")
            if not await take(eio_sid, data):
                return data


async def _take_nothing(_eio_sid: str, _message: str | bytes) -> bool:
    return False


class Engine(engineio.AsyncServer):  # type: ignore[misc] # the makers ship no types
    """python-engineio's server with our queue and our WebSocket in place of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(async_mode="aiohttp", **options)
        self.unproven: Unproven
        """Those who have not proved who they are; StrictSocketIO keeps it."""
        self.live: set[WebSocketDriver] = set()
        """The WebSockets that are open, proven or not."""
        self.take_message: Callable[[str, str | bytes], Awaitable[bool]] = _take_nothing
        """Takes a message that came over a WebSocket, by connection; False leaves it to the library."""
        self._async: dict[str, Any] = {**self._async, "websocket": WebSocketDriver}
        Payload.max_decode_packets = POLLING_PACKETS

    def abort(self) -> None:
        """Cut every WebSocket that is still open: the server stops."""
        for driver in list(self.live):
            driver.abort()

    async def handle_request(self, request: web.Request) -> Any:
        """Answer an HTTP request; one of somebody unknown may not carry much."""
        if (
            request.method == "POST"
            and request.query.get("sid", "") in self.unproven
            and (request.content_length or 0) > UNPROVEN_BYTES
        ):
            return web.Response(status=413)
        return await super().handle_request(request)

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Any:
        """Take in a new connection, if not too many of its address are still to prove themselves."""
        if not self.unproven.admits(address_of(environ)):
            return {"status": "429 TOO MANY REQUESTS", "headers": [], "response": b""}
        return await super()._handle_connect(environ, transport, jsonp_index)

    def create_queue(self, *_: Any, **__: Any) -> Outbox:
        """Make the outgoing queue of a new connection."""
        return Outbox()


def address_of(environ: dict[str, Any]) -> str:
    """Return the network address that a request comes from."""
    request: web.Request = environ["aiohttp.request"]
    return request.remote or ""
