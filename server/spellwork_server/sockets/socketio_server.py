"""python-socketio's server, told to be strict and to keep events in order.

Its handlers are not used for events: each event goes to the socket's own queue
(see Session), and the answer is sent when it is there. What is overridden here
is private in the library; a test names every one of these methods, so that a
new version which renames one is noticed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as Refusal

from spellwork_server.errors import ServerError, Unauthenticated

from .engine import Engine, address_of
from .packets import PlainEvent, ProtocolViolationError, StrictPacket, read_plain_event
from .spawn import spawner
from .unproven import UNPROVEN_BYTES, Unproven

logger = logging.getLogger(__name__)

MAIN = "/"
"""The one namespace there is."""

BREACHES = (
    ProtocolViolationError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    RecursionError,
)
"""What reading a packet raises when its client breaks the protocol."""

NO_ENVIRON: dict[str, Any] = {}
"""What is kept of the handshake of a connection that has proved who it is."""

OnEvent = Callable[[str, str, list[Any], int | None, int], Awaitable[None] | None]


class RoomlessManager(socketio.AsyncManager):  # type: ignore[misc] # the makers ship no types
    """A client manager whose sockets are in no rooms; channels are our own.

    The library's looks through every room of every socket when one leaves,
    which stops the server for seconds when thousands leave at once.
    """

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Take note of a socket; a room of its own is left out, for nothing is sent by room."""
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Forget a socket."""
        self.basic_leave_room(sid, namespace, None)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]


class StrictSocketIO(socketio.AsyncServer):  # type: ignore[misc] # the makers ship no types
    """Socket.IO with one namespace, bounded packets and events handed on in order.

    A connection that is not marked as ``proven`` in time is refused and closed.
    """

    def __init__(
        self,
        on_event: OnEvent,
        tasks: asyncio.TaskGroup,
        *,
        connect_timeout: float,
        max_unproven: int,
        max_event_bytes: int,
        **options: Any,
    ) -> None:
        packet = type("BoundedPacket", (StrictPacket,), {"max_bytes": max_event_bytes})
        super().__init__(
            client_manager=RoomlessManager(),
            serializer=packet,
            async_handlers=False,
            max_http_buffer_size=max_event_bytes,
            logger=logging.getLogger("spellwork_server.socketio"),
            engineio_logger=logging.getLogger("spellwork_server.engineio"),
            **options,
        )
        self._on_event = on_event
        self._connect_timeout = connect_timeout
        # A little less than promised: the refusal itself must be out in time.
        self._unproven = Unproven(max_unproven, connect_timeout * 0.9, self._time_out)
        self.eio.unproven = self._unproven
        self.eio.spawn = self._spawn = spawner(tasks)
        self._sizes: dict[str, int] = {}
        self._max_event_bytes = max_event_bytes
        self._awaiting: dict[str, PlainEvent] = {}
        """Plain events whose attachment is missing, by connection."""
        self.eio.take_message = self._take_message

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def sid_of(self, eio_sid: str) -> str | None:
        """Return the socket that speaks over an Engine.IO connection; None before CONNECT."""
        sid: str | None = self.manager.sid_from_eio_sid(eio_sid, MAIN)
        return sid

    def proven(self, eio_sid: str) -> None:
        """Note that a connection has proved who it is; its request is of no further use."""
        self._unproven.proven(eio_sid)
        self.environ[eio_sid] = NO_ENVIRON

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        """Give a connection its time to prove who it is."""
        await super()._handle_eio_connect(eio_sid, environ)
        self._unproven.add(eio_sid, address_of(environ))

    def _time_out(self, eio_sid: str) -> None:
        self._spawn(self._refuse(eio_sid))

    async def _refuse(self, eio_sid: str) -> None:
        """Tell a connection that never proved itself why it is closed, and close it."""
        error = Unauthenticated(
            f"The connection did not prove who it is within {self._connect_timeout:g} s"
        )
        refusal = self.packet_class(
            socketio.packet.CONNECT_ERROR, data=refused(error).error_args, namespace=MAIN
        )
        await self._send_packet(eio_sid, refusal)
        await self._drop(eio_sid, error.message)

    def _take_message(self, eio_sid: str, message: str | bytes) -> Awaitable[None] | None:
        """Take a message that came over a WebSocket; return what the next must wait for."""
        try:
            plain, waiting = self._take_plain(eio_sid, message)
        except BREACHES as error:
            return self._breached(eio_sid, error)
        except Exception:  # the edge of every message, as the library has it
            logger.exception("fault while reading a message of connection %s", eio_sid)
            return None
        return waiting if plain else self._handle_rest(eio_sid, message)

    def _take_plain(
        self, eio_sid: str, message: str | bytes
    ) -> tuple[bool, Awaitable[None] | None]:
        """Take a message if it is, or completes, a plain event; say so, and what the next must wait for."""
        event = self._awaiting.pop(eio_sid, None)
        if event is not None:
            event.attach(message, self._max_event_bytes)
        elif isinstance(message, str) and eio_sid not in self._binary_packet:
            event = read_plain_event(message)
        if event is None:
            return False, None
        if event.is_whole:
            return True, self._hand_on(eio_sid, event.id, event.data, event.size)
        if self.sid_of(eio_sid) is None:
            raise ProtocolViolationError("an event before the connection was accepted")
        self._awaiting[eio_sid] = event
        return True, None

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Read one message that was polled; a client that breaks the protocol is disconnected."""
        waiting = self._take_message(eio_sid, data)
        if waiting is not None:
            await waiting

    async def _handle_rest(self, eio_sid: str, data: Any) -> None:
        """Read a message that is no plain event."""
        self._sizes[eio_sid] = self._sizes.get(eio_sid, 0) + len(data)
        try:
            if eio_sid in self._unproven and self._sizes[eio_sid] > UNPROVEN_BYTES:
                raise ProtocolViolationError("so much from nobody known")
            await super()._handle_eio_message(eio_sid, data)
        except BREACHES as error:
            await self._breached(eio_sid, error)
        except Exception:  # the edge of every message, as the library has it
            logger.exception("fault while reading a message of connection %s", eio_sid)
        finally:
            if eio_sid not in self._binary_packet:
                self._sizes.pop(eio_sid, None)

    async def _breached(self, eio_sid: str, error: Exception) -> None:
        logger.info("connection %s breaks the protocol: %s", eio_sid, error)
        await self._drop(eio_sid, str(error))

    async def _handle_event(
        self,
        eio_sid: str,
        namespace: str | None,
        id: int | None,
        data: Any,
    ) -> None:
        """Hand an event on to the socket's queue."""
        if (namespace or MAIN) == MAIN:
            waiting = self._hand_on(eio_sid, id, data, self._sizes.pop(eio_sid, 0))
            if waiting is not None:
                await waiting

    def _hand_on(
        self, eio_sid: str, id: int | None, data: Any, size: int
    ) -> Awaitable[None] | None:
        sid = self.sid_of(eio_sid)
        if sid is None or not self.manager.is_connected(sid, MAIN):
            return None
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise ProtocolViolationError("an event without a name")
        return self._on_event(sid, data[0], data[1:], id, size)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        """Forget a connection, half-received attachments too."""
        self._unproven.forget(eio_sid)
        self._sizes.pop(eio_sid, None)
        self._binary_packet.pop(eio_sid, None)
        self._awaiting.pop(eio_sid, None)
        engine_socket = self.eio.sockets.get(eio_sid)
        if engine_socket is not None and engine_socket.queue.transport is None:
            engine_socket.queue.put_nowait(None)  # lets a long poll go that still waits
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _drop(self, eio_sid: str, why: str) -> None:
        """Close a connection once what was sent is out."""
        engine_socket = self.eio.sockets.get(eio_sid)
        if engine_socket is None:
            return
        logger.debug("closing connection %s: %s", eio_sid, why)
        if engine_socket.queue.transport is None:
            await engine_socket.close(wait=False)
        else:
            engine_socket.queue.put_nowait(None)


def refused(error: ServerError) -> Refusal:
    """Return the error as a refused CONNECT carries it: ``message`` for people, ``data`` for programs."""
    return Refusal(error.message, error.to_json())
