"""WebSockets on the bare connection: none has a task, a queue or a future while it is idle.

aiohttp answers the handshake and then lets go of the connection. What it would
keep for each (two tasks, a dozen coroutines, the request, both sets of headers,
a parser of HTTP) is three times what a socket takes here, and every message
would wait for two more turns of the loop.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Awaitable
from typing import Any, Protocol, cast

from aiohttp import WSCloseCode, hdrs, web
from aiohttp._websocket.helpers import websocket_mask
from aiohttp.http_websocket import WS_KEY

from .pace import Pace
from .packets import BINARY_FRAME, TEXT_FRAME, close_frame, frame

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 0.9
"""How long a client has to answer that its WebSocket is closed; twice as long if it still takes bytes."""

LEAVING_AT_ONCE = 16
"""Connections that are taken leave of in one turn of the loop; others must not wait when thousands go."""

MOST_UNREAD = 64 * 1024
"""Bytes that are kept while an earlier message holds up the reading; beyond, the client must wait."""

MOST_PONGS = 64 * 1024
"""Unsent bytes beyond which a ping is not answered: the client does not read."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PING_FRAME = frame(0x80 | PING, b"")
LEAST = {126: 126, 127: 1 << 16}
"""The least length that is written in two bytes more, or in eight (RFC 6455, 5.2)."""
CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""Codes that a close frame may carry: those with a meaning, and those left to programs (RFC 6455, 7.4)."""

_LEAVING = Pace(LEAVING_AT_ONCE)


class Listener(Protocol):
    """Whom the messages are for."""

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        """Take a message; return what must be waited for before the next, which stops the reading."""
        ...

    def lost(self) -> None:
        """Take note that the connection is gone; no message comes after it."""
        ...


class _BreachError(Exception):
    """The client broke RFC 6455."""

    def __init__(self, code: int, why: bytes) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class WebSocket(asyncio.Protocol):
    """One WebSocket of a client. ``take_over`` gives it its connection.

    A message over ``max_bytes`` closes it with ``too_large``: a code and a reason.
    """

    __slots__ = (
        "_allowance",
        "_closing",
        "_fragments",
        "_gone",
        "_listener",
        "_max_bytes",
        "_opcode",
        "_over",
        "_paused",
        "_timer",
        "_too_large",
        "_unread",
        "_worker",
        "last_heard",
        "transport",
    )

    transport: asyncio.Transport
    """Where ready-made frames are written to."""
    last_heard: float
    """When the client last sent anything, by the loop's clock."""

    def __init__(
        self,
        listener: Listener,
        max_bytes: int,
        too_large: tuple[int, bytes] = (WSCloseCode.MESSAGE_TOO_BIG, b""),
    ) -> None:
        self._listener = listener
        self._max_bytes = max_bytes
        self._too_large = too_large
        self._allowance: int | None = None
        self._unread: bytearray | None = None
        self._fragments: bytearray | None = None
        self._opcode = 0
        self._worker: asyncio.Task[None] | None = None
        """Waits for what holds up the reading."""
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._closing = False
        """Whether no further message is taken: a close frame was sent, or came."""
        self._over = False
        """Whether nothing that comes is looked at any more."""
        self._gone = False

    def trust(self, allowance: int | None = None) -> None:
        """Take only so many more bytes, and cut the connection beyond; None takes any number."""
        self._allowance = allowance

    @property
    def is_open(self) -> bool:
        """Whether frames may be sent."""
        return not self._closing and not self.transport.is_closing()

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        self.transport = cast("asyncio.Transport", transport)
        self.last_heard = asyncio.get_running_loop().time()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell the listener, in turn, and when it has what came before."""
        self._gone = self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._worker is None:
            self._over = True
            _LEAVING.call(self._listener.lost)

    def ping(self) -> None:
        """Ask whether the client is there; any byte of it is an answer (``last_heard``)."""
        if self.is_open:
            self.transport.write(PING_FRAME)

    def close(self, code: int = WSCloseCode.OK, why: bytes = b"") -> None:
        """Say why, and close once the client has heard it; one that does not is cut."""
        if self.is_open:
            self._say_goodbye(code, why)

    def abort(self) -> None:
        """Cut the connection."""
        self._over = True
        self.transport.abort()

    def _say_goodbye(self, code: int, why: bytes) -> None:
        self._closing = True
        self.transport.write(close_frame(code, why))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CLOSING_SECONDS, self._lose_patience, True)

    def _lose_patience(self, again: bool) -> None:
        self._timer = None
        if again and unsent_bytes(self.transport):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CLOSING_SECONDS, self._lose_patience, False)
        else:
            self.abort()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Read what came, up to a message that holds up the reading."""
        if self._over:
            return
        self.last_heard = asyncio.get_running_loop().time()
        if self._allowance is not None:
            self._allowance -= len(data)
            if self._allowance < 0:
                self.abort()
                return
        if self._unread is not None:
            self._unread += data
        if self._worker is not None:
            self._unread = self._unread if self._unread is not None else bytearray(data)
            if len(self._unread) > MOST_UNREAD and not self._paused:
                self._paused = True
                self.transport.pause_reading()
            return
        waiting = self._read(data if self._unread is None else self._unread)
        if waiting is not None:
            self._worker = asyncio.get_running_loop().create_task(self._wait(waiting))

    async def _wait(self, waiting: Awaitable[None] | None) -> None:
        """Read on when what holds up the reading is done."""
        try:
            while waiting is not None:
                await waiting
                waiting = self._read(self._unread) if self._unread and not self._over else None
        except Exception:  # the edge of one connection: others live on
            logger.exception("fault while a message was taken")
            self.abort()
        finally:
            self._worker = None
            if self._gone:
                self._over = True
                self._listener.lost()
            elif self._paused:
                self._paused = False
                self.transport.resume_reading()

    def _read(self, data: bytes | bytearray) -> Awaitable[None] | None:
        """Take the messages in ``data``; keep what is left. Return what must be waited for."""
        try:
            at, waiting = self._read_frames(data)
        except _BreachError as error:
            self._unread, self._over = None, True
            if not self._closing:
                self._say_goodbye(error.code, error.why)
            return None
        if at == len(data) or self._over:
            self._unread = None
        elif data is self._unread:
            del self._unread[:at]
        else:
            self._unread = bytearray(data[at:])
        return waiting

    def _read_frames(self, data: bytes | bytearray) -> tuple[int, Awaitable[None] | None]:
        """Take whole frames; return where they end, and what must be waited for."""
        at, size = 0, len(data)
        while size - at >= 2 and not self._over:
            first, second = data[at], data[at + 1]
            length, start = second & 0x7F, at + 6
            if length == 126:
                start = at + 8
                if size < at + 4:
                    break
                length = data[at + 2] << 8 | data[at + 3]
            elif length == 127:
                start = at + 14
                if size < at + 10:
                    break
                length = int.from_bytes(data[at + 2 : at + 10], "big")
            if first & 0x70 or not second & 0x80:
                raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"reserved bits, or no mask")
            if second & 0x7F > 125 or not first & 0x80:
                self._check_size(first, second & 0x7F, length)
            end = start + length
            if size < end:
                break
            payload = bytearray(data[start:end])
            websocket_mask(bytes(data[start - 4 : start]), payload)
            at = end
            waiting = self._take(first & 0x0F, first & 0x80 != 0, payload)
            if waiting is not None:
                return at, waiting
        return at, None

    def _check_size(self, first: int, said: int, length: int) -> None:
        if first & 0x08:
            raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"a control frame is short and whole")
        if length < LEAST.get(said, 0) or length >> 63:
            raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"a length in more bytes than it needs")
        if length + len(self._fragments or b"") > self._max_bytes:
            raise _BreachError(*self._too_large)

    def _take(self, opcode: int, final: bool, payload: bytearray) -> Awaitable[None] | None:
        if opcode in (TEXT, BINARY):
            if self._fragments is not None:
                raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"a message within another")
            if not final:
                self._opcode, self._fragments = opcode, payload
                return None
        elif opcode == CONTINUATION:
            if self._fragments is None:
                raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"nothing to be continued")
            self._fragments += payload
            if not final:
                return None
            opcode, payload, self._fragments = self._opcode, self._fragments, None
        else:
            self._control(opcode, payload)
            return None
        if self._closing:
            return None
        return self._listener.take(_text(payload) if opcode == TEXT else bytes(payload))

    def _control(self, opcode: int, payload: bytearray) -> None:
        if opcode == PING:
            if self.is_open and unsent_bytes(self.transport) <= MOST_PONGS:
                self.transport.write(frame(0x80 | PONG, bytes(payload)))
        elif opcode == CLOSE:
            code = _code(payload)
            if not self._closing:
                self._say_goodbye(code, b"")
            self._over = True
            self.transport.close()
        elif opcode != PONG:
            raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"an unknown kind of frame")


def unsent_bytes(transport: asyncio.WriteTransport) -> int:
    """Return how many bytes the client has not taken yet (beyond what the kernel holds)."""
    try:
        return transport.get_write_buffer_size()
    except RuntimeError:  # uvloop's answer once the transport is closed
        return 0


def _text(payload: bytearray) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise _BreachError(WSCloseCode.INVALID_TEXT, b"text that is not UTF-8") from error


def _code(payload: bytearray) -> int:
    """Return the code that answers a close frame."""
    if not payload:
        return WSCloseCode.OK
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or code not in CODES:
        raise _BreachError(WSCloseCode.PROTOCOL_ERROR, b"no such code")
    _text(payload[2:])
    return code


def text_frame(message: str) -> bytes:
    """Frame a text message."""
    return frame(TEXT_FRAME, message.encode())


def message_frame(message: str | bytes) -> bytes:
    """Frame a message."""
    return frame(BINARY_FRAME, message) if isinstance(message, bytes) else text_frame(message)


# Taking over from aiohttp


class _Switching(web.StreamResponse):
    """The answer after which a connection speaks WebSocket."""

    async def write_eof(self, _data: Any = b"") -> None:
        """Nothing ends."""


class _Early:
    """Takes what a client sent before it was answered."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """The connection goes on without aiohttp."""


def is_asked(request: web.Request) -> bool:
    """Tell whether a request asks for a WebSocket as it should."""
    return bool(web.WebSocketResponse(compress=False).can_prepare(request))


async def take_over(request: web.Request, socket: WebSocket) -> web.StreamResponse:
    """Answer a handshake, and give the connection to ``socket``. Compression is not offered.

    Return what the handler is to return. Raises HTTPBadRequest where the
    request is no handshake, and ConnectionResetError where the client is gone.
    """
    if not is_asked(request):
        raise web.HTTPBadRequest(text="This is for WebSockets")
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].encode()
    accept = base64.b64encode(hashlib.sha1(key + WS_KEY, usedforsecurity=False).digest())
    response = _Switching(
        status=101,
        headers={
            hdrs.UPGRADE: "websocket",
            hdrs.CONNECTION: "upgrade",
            hdrs.SEC_WEBSOCKET_ACCEPT: accept.decode(),
        },
    )
    await response.prepare(request)
    http, transport = request.protocol, request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("The client is gone")
    early = _Early()
    http.set_parser(cast("Any", early))
    http.transport = None  # else it would close it
    transport.set_protocol(socket)
    http.connection_lost(None)
    socket.connection_made(transport)
    if early.data:
        socket.data_received(early.data)
    return response
