"""The socket: requests that are answered once, events in order, and a way back after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import socketio

from .credentials import Credentials
from .errors import ClientError, ConnectionLost, Refused, Unauthenticated, refused

CLOSED_BY_CLIENT: Final = "client disconnect"
"""python-socketio's word for a disconnect that this side asked for."""


@dataclass(frozen=True, slots=True)
class Received:
    """An event of the server."""

    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The socket is a new one: whoever follows a stream asks for what it missed."""


@dataclass(frozen=True, slots=True)
class Closed:
    """There will be no further events."""

    reason: ClientError


Item = Received | Reconnected | Closed


class Session:
    """One authenticated socket that reconnects by itself, with backoff and jitter."""

    def __init__(self, url: str, credentials: Credentials, *, timeout: float = 30.0) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout = timeout
        self._stack = AsyncExitStack()
        self._connected = asyncio.Event()
        self._sending = asyncio.Lock()
        self._waiting: set[asyncio.Future[Any]] = set()
        self._queues: set[asyncio.Queue[Item]] = set()
        self._refusal: Refused | None = None
        self._closed: ClientError | None = None
        self._seen_before = False

    async def __aenter__(self) -> Self:
        """Connect; raise Refused when the server does not accept who we are."""
        await self._credentials.token()  # says why, where a handshake would only fail
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            self._socket = self._wired(http)
            stack.push_async_callback(self._hang_up)
            try:
                await self._socket.connect(
                    self._url, auth=self._auth, transports=["websocket"], wait_timeout=self._timeout
                )
            except socketio.exceptions.ConnectionError as error:
                if self._refusal is not None:
                    raise self._refusal from error
                raise ConnectionLost(f"{self._url} cannot be reached: {error}") from error
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Disconnect; whoever still waits gets ConnectionLost."""
        await self._stack.aclose()

    async def request(
        self, event: str, payload: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Send an event and return its answer.

        Waits for the connection first where it is away. Raises Refused when the server says no,
        ConnectionLost when it goes away, or says nothing for ``timeout`` seconds.
        """
        limit = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(limit):
                answer = await self._send(event, dict(payload or {}))
        except TimeoutError as error:
            raise ConnectionLost(f"no answer to {event} within {limit:g} s") from error
        if not answer.get("ok"):
            raise refused(answer.get("error", {}))
        return {name: part for name, part in answer.items() if name != "ok"}

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Item]]:
        """Give a queue of everything that arrives from now on, in order."""
        queue: asyncio.Queue[Item] = asyncio.Queue()
        self._queues.add(queue)
        if self._closed is not None:
            queue.put_nowait(Closed(self._closed))
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def _send(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        await self._connected.wait()
        if self._closed is not None:
            raise self._closed
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.add(answer)

        def settle(*parts: Any) -> None:
            if not answer.done():
                answer.set_result(parts[0] if parts and isinstance(parts[0], dict) else {})

        try:
            async with self._sending:  # a packet with bytes is several frames
                await self._socket.emit(event, payload, callback=settle)
            return await answer
        except socketio.exceptions.SocketIOError as error:
            raise ConnectionLost(f"the connection was lost before {event} was sent") from error
        finally:
            self._waiting.discard(answer)

    def _wired(self, http: aiohttp.ClientSession) -> socketio.AsyncClient:
        """Return a socket that tells us what happens to it."""
        socket = socketio.AsyncClient(
            reconnection_delay=0.2,
            reconnection_delay_max=10,
            handle_sigint=False,
            http_session=http,
        )
        socket.on("connect", self._on_connect)
        socket.on("connect_error", self._on_connect_error)
        socket.on("disconnect", self._on_disconnect)
        socket.on("*", self._on_event)
        return socket

    async def _hang_up(self) -> None:
        self._close(ConnectionLost("the session was closed"))
        # A reconnection that was just asked for has to begin before it can be ended.
        await asyncio.sleep(0)
        await self._socket.shutdown()
        await self._socket.eio.disconnect()

    async def _auth(self) -> dict[str, str]:
        return {"token": await self._credentials.token()}

    async def _on_connect(self) -> None:
        self._refusal = None
        self._connected.set()
        if self._seen_before:
            self._tell(Reconnected())
        self._seen_before = True

    async def _on_connect_error(self, data: Any = None) -> None:
        self._refusal = _refusal(data)
        if self._seen_before and isinstance(self._refusal, Unauthenticated):
            self._close(self._refusal)

    async def _on_disconnect(self, reason: str = "") -> None:
        self._connected.clear()
        lost = ConnectionLost(f"the connection was lost ({reason})")
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(lost)
        if reason == CLOSED_BY_CLIENT:
            self._close(lost)

    async def _on_event(self, event: str, data: Any = None) -> None:
        self._tell(Received(event, data if isinstance(data, dict) else {"data": data}))

    def _tell(self, item: Item) -> None:
        for queue in self._queues:
            queue.put_nowait(item)

    def _close(self, reason: ClientError) -> None:
        """Let everyone who waits, now or later, know that there is nothing to wait for."""
        if self._closed is not None:
            return
        self._closed = reason
        self._connected.set()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(reason)
        self._tell(Closed(reason))


def _refusal(data: Any) -> Refused | None:
    """Read why a connection was refused: ``{message: error}`` or ``{message, data: error}``."""
    if not isinstance(data, dict):
        return None
    for place in (data.get("data"), data.get("message"), data):
        if isinstance(place, dict) and "code" in place:
            return refused(place)
    return None
