"""The WebSocket that external workers connect to, each by its token; nothing else is reached by such a token."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import msgspec
from aiohttp import WSMsgType, web

from spellwork.errors import PackInvalid
from spellwork.external.connection import HEARTBEAT, PATH
from spellwork.external.frames import MAX_MESSAGE, Hello, Welcome, decode_from_external, encode
from spellwork.external.line import BrokenRules, Line
from spellwork_server.errors import Forbidden, ServerError, Unauthenticated, Unavailable
from spellwork_server.identity.secrets import digest
from spellwork_server.services.rest import bearer, refusal

from .hello import read_hello
from .workers import ExternalWorker, ExternalWorkers

logger = logging.getLogger(__name__)

HELLO_SECONDS = 10.0
"""How long a worker that connected may take to say what it is."""

MOST_UNSENT = 64 * 1024 * 1024
"""Bytes that may wait for a worker which does not read; beyond, its connection is closed."""

MOST_HELLOS = 60
"""How often a connected worker may say anew what it is, in a minute."""

STOPPING = 1012
BREACH = 4400
TOO_SLOW = 4408


class ExternalEndpoint:
    """The route, and the connections there are."""

    def __init__(self, workers: ExternalWorkers, heartbeat: float = HEARTBEAT) -> None:
        self._workers = workers
        self._heartbeat = heartbeat
        self._sockets: set[web.WebSocketResponse] = set()
        self._stopping = False

    def attach(self, app: web.Application) -> None:
        """Mount the route, and say goodbye before the web server closes connections."""
        app.router.add_get(PATH, self._handle)
        app.on_shutdown.append(self._shut_down)

    async def _shut_down(self, _app: web.Application) -> None:
        self._stopping = True
        for socket in list(self._sockets):
            with suppress(ConnectionError, TimeoutError):
                await socket.close(code=STOPPING, message=b"the server is stopping")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            worker = await self._worker_of(request)
        except ServerError as error:
            return refusal(error)
        socket = web.WebSocketResponse(
            heartbeat=self._heartbeat, max_msg_size=MAX_MESSAGE, compress=False, timeout=5.0
        )
        if not socket.can_prepare(request).ok:
            return refusal(Forbidden("This is for WebSockets of external workers"))
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await _Connection(self._workers, worker, socket).run()
        finally:
            self._sockets.discard(socket)
        return socket

    async def _worker_of(self, request: web.Request) -> ExternalWorker:
        """Return the worker whose token came along. No cookie counts, and no page of a browser may connect."""
        if self._stopping:
            raise Unavailable("The server is stopping")
        if "Origin" in request.headers:
            raise Forbidden("External workers are no pages of a browser")
        token = bearer(request)
        if token is None:
            raise Unauthenticated("An external worker proves who it is by its token")
        worker = await self._workers.by_token(digest(token))
        if worker is None:
            raise Unauthenticated(
                "The token is not that of an external worker", code="token_invalid"
            )
        return worker


class _Connection:
    """One worker that is connected."""

    def __init__(
        self, workers: ExternalWorkers, worker: ExternalWorker, socket: web.WebSocketResponse
    ) -> None:
        self._workers = workers
        self._worker = worker
        self._socket = socket
        self._waiting: asyncio.Queue[bytes | tuple[int, str]] = asyncio.Queue()
        self._unsent = 0
        self._line = Line(worker.name, self._send)
        self._reason: str | None = None

    async def run(self) -> None:
        """Serve it until it is gone."""
        writer = asyncio.get_running_loop().create_task(self._write())
        try:
            await self._greet()
            await self._read()
        except (BrokenRules, PackInvalid, msgspec.DecodeError, RecursionError) as error:
            self._reason = f"it was refused: {error}"[:1_000]
            logger.warning("external worker %s: %s", self._worker.id, self._reason)
            await self._close(BREACH, self._reason)
        except TimeoutError:
            await self._close(BREACH, f"it did not say what it is within {HELLO_SECONDS:g} s")
        except ServerError as error:
            await self._close(STOPPING, error.message)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
            self._workers.disconnected(self._worker, self._line, self._reason)

    async def _greet(self) -> None:
        async with asyncio.timeout(HELLO_SECONDS):
            message = await self._socket.receive()
        if message.type is not WSMsgType.BINARY:
            raise BrokenRules("its first message is not what it is")
        hello = decode_from_external(message.data)
        if not isinstance(hello, Hello):
            raise BrokenRules("its first message is not what it is")
        await self._workers.connected(self._worker, self._line, read_hello(hello), self._end)
        self._send(encode(Welcome(self._worker.name)))

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        hellos: list[float] = []
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                continue
            record = decode_from_external(message.data)
            if not isinstance(record, Hello):
                self._line.take(record, len(message.data))
                continue
            hellos = [at for at in hellos if loop.time() - at < 60] + [loop.time()]
            if len(hellos) > MOST_HELLOS:
                raise BrokenRules("it says too often what it is")
            told = read_hello(record)
            if told.pack["name"] != (self._worker.told.pack["name"] if self._worker.told else ""):
                raise BrokenRules("it has another name than when it connected")
            await self._workers.heard(self._worker, told)

    def _send(self, message: bytes) -> None:
        if self._line.lost:
            return
        self._unsent += len(message)
        if self._unsent > MOST_UNSENT:
            self._end(TOO_SLOW, "it does not read what it is sent")
        else:
            self._waiting.put_nowait(message)

    def _end(self, code: int, reason: str) -> None:
        """Close the connection soon; calls under way are lost at once."""
        self._line.end()
        self._waiting.put_nowait((code, reason))

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while True:
                message = await self._waiting.get()
                if isinstance(message, tuple):
                    await self._close(*message)
                    return
                await self._socket.send_bytes(message)
                self._unsent -= len(message)

    async def _close(self, code: int, reason: str) -> None:
        with suppress(ConnectionError, TimeoutError):
            await self._socket.close(code=code, message=reason.encode()[:120])
