"""The Engine.IO server under ours: its WebSockets take no task, and one look in a second serves them all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import engineio
from aiohttp import WSCloseCode, web
from engineio import packet
from engineio.async_socket import AsyncSocket
from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.payload import Payload

from .outbox import Outbox
from .spawn import Spawn
from .unproven import UNPROVEN_BYTES, Unproven
from .websocket import WebSocket, take_over, text_frame

POLLING_PACKETS = 256
"""Packets in one long-polling request; the library's 16 are fewer than a burst of edits."""

LOOK = 1.0
"""Seconds between two looks at who is to be pinged, and who did not answer."""


class EngineSocket(AsyncSocket):  # type: ignore[misc] # the makers ship no types
    """One Engine.IO connection; what comes over its WebSocket is taken without a task."""

    server: Engine
    last_ping: float | None
    """When the client was asked whether it is there, as long as it has not answered."""

    def __init__(self, server: Engine, sid: str) -> None:
        super().__init__(server, sid)
        self.websocket: WebSocket | None = None
        self._probed = False
        self._ping_at = 0.0

    async def _upgrade_websocket(self, environ: dict[str, Any]) -> Any:
        """Open the connection's WebSocket, at its begin or in place of long-polling."""
        if self.websocket is not None:
            return self.server._bad_request("The WebSocket is open already")  # noqa: SLF001 - as the library does
        websocket = self.websocket = WebSocket(self, self.server.max_http_buffer_size)
        if self.server.unproven.guard(self.sid, websocket.trust):
            websocket.trust(UNPROVEN_BYTES)
        self._probed, self.upgrading = False, self.connected
        try:
            response = await take_over(environ["aiohttp.request"], websocket)
        except BaseException:
            self.websocket, self.upgrading = None, False
            raise
        self.server.live.add(websocket)
        if not self.upgrading:
            self._begin(websocket)
        return response

    def _begin(self, websocket: WebSocket) -> None:
        """Send over the WebSocket from here on."""
        self.connected = self.upgraded = True
        self.upgrading = False
        self.queue.attach(websocket)
        if self.closed:
            websocket.close()

    # In

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        """Take a message of the WebSocket."""
        if self.upgrading:
            self._probe(message)
            return None
        if self.closing or self.closed:
            return None
        if isinstance(message, bytes):
            return self.server.take_message(self.sid, message)
        kind = message[:1]
        if kind == "4":
            return self.server.take_message(self.sid, message[1:])
        if kind == "3":
            self.schedule_ping()
            return None
        return self._take_other(message)

    async def _take_other(self, message: str) -> None:
        """Leave a message to the library."""
        try:
            await self.receive(packet.Packet(encoded_packet=message))
        except UnknownPacketError:
            return
        except (ValueError, IndexError, SocketIsClosedError):
            self.queue.put_nowait(None)

    def _probe(self, message: str | bytes) -> None:
        """Go through an upgrade: a probe, which ends the last poll, and the word that it is done."""
        websocket = self.websocket
        if websocket is None:
            return
        if not self._probed and message == "2probe":
            self._probed = True
            websocket.transport.write(text_frame("3probe"))
            self.queue.put_nowait(packet.Packet(packet.NOOP))
        elif self._probed and message == "5":
            self._begin(websocket)
        else:
            self._give_up(websocket)

    def _give_up(self, websocket: WebSocket) -> None:
        """Go on with long-polling."""
        self.upgrading, self.websocket = False, None
        websocket.close(WSCloseCode.PROTOCOL_ERROR)

    def lost(self) -> None:
        """Take note that the WebSocket is gone, and the connection with it if it was upgraded to."""
        websocket = self.websocket
        if websocket is None:
            return
        self.server.live.discard(websocket)
        self.queue.detach()
        if self.upgrading:
            self._give_up(websocket)
        else:
            self.server.spawn(self._end())

    async def _end(self) -> None:
        await self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        self.server.sockets.pop(self.sid, None)

    async def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """Close the connection, with the WebSocket if there is one."""
        await super().close(wait=wait, abort=abort, reason=reason)
        if self.websocket is not None:
            self.websocket.close()

    # Alive?

    def schedule_ping(self) -> None:
        """Take note that the client is there: it is asked again later."""
        self.last_ping = None
        self._ping_at = time.time() + self.server.ping_interval

    async def look(self, now: float) -> None:
        """Ping the client when it is time, and close the connection when it does not answer."""
        if self.closing or self.closed:
            return
        if self.last_ping is not None:
            await self.check_ping_timeout()
        elif now >= self._ping_at:
            self.last_ping = now
            self.queue.put_nowait(packet.Packet(packet.PING))


def _take_nothing(_eio_sid: str, _message: str | bytes) -> None:
    return None


class Engine(engineio.AsyncServer):  # type: ignore[misc] # the makers ship no types
    """python-engineio's server with our queue and our WebSocket in place of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(async_mode="aiohttp", **options)
        self.unproven: Unproven
        """Those who have not proved who they are; StrictSocketIO keeps it, and the next."""
        self.spawn: Spawn
        self.live: set[WebSocket] = set()
        """The WebSockets that are open, proven or not."""
        self.take_message: Callable[[str, str | bytes], Awaitable[None] | None] = _take_nothing
        """Takes a message that came over a WebSocket, by connection; returns what the next must wait for."""
        self._looker: asyncio.TimerHandle | None = None
        Payload.max_decode_packets = POLLING_PACKETS

    def abort(self) -> None:
        """Cut every WebSocket that is still open: the server stops."""
        for websocket in list(self.live):
            websocket.abort()

    async def shutdown(self) -> None:
        """Stop looking after connections."""
        if self._looker is not None:
            self._looker.cancel()
        await super().shutdown()

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
        sid = self.generate_id()
        socket = self.sockets[sid] = EngineSocket(self, sid)
        socket.schedule_ping()
        self._look_later()
        socket.queue.put_nowait(packet.Packet(packet.OPEN, self._greeting(sid, transport)))
        await self._trigger_event("connect", sid, environ, run_async=False)
        if transport != "websocket":
            socket.connected = True
            return self._ok(await socket.poll(), jsonp_index=jsonp_index)
        try:
            return await socket.handle_get_request(environ)
        except BaseException:  # no handshake, or the client is gone
            await socket.close(wait=False, abort=True)
            self.sockets.pop(sid, None)
            raise

    def _greeting(self, sid: str, transport: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }

    def _look_later(self) -> None:
        if self._looker is None:
            self._looker = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        self._looker = None
        if self.sockets:
            self._look_later()
            self.spawn(self._look_at_all())

    async def _look_at_all(self) -> None:
        """Look after every connection; the library has a timer and a task for each."""
        now = time.time()
        for socket in list(self.sockets.values()):
            if socket.closed:
                self.sockets.pop(socket.sid, None)
            else:
                await socket.look(now)

    def create_queue(self, *_: Any, **__: Any) -> Outbox:
        """Make the outgoing queue of a new connection."""
        return Outbox()


def address_of(environ: dict[str, Any]) -> str:
    """Return the network address that a request comes from."""
    request: web.Request = environ["aiohttp.request"]
    return request.remote or ""
