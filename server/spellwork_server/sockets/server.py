"""The socket server: who may connect, and what becomes of each event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from types import TracebackType
from typing import Any, Protocol, Self

from aiohttp import web

from spellwork_server.errors import (
    BadRequest,
    RateLimited,
    ServerError,
    Unauthenticated,
    Unavailable,
)
from spellwork_server.identity import Actor
from spellwork_server.identity.origin import origin_allowed, page_allowed
from spellwork_server.identity.tokens import SESSION_COOKIE
from spellwork_server.services.registry import Registry
from spellwork_server.services.service import Call
from spellwork_server.settings import Settings

from .channels import Channels
from .outbox import Outbox
from .packets import encode_disconnect
from .seats import Seat, Seats, TooManySockets
from .session import ClientInfo, Session
from .socketio_server import StrictSocketIO, refused

logger = logging.getLogger(__name__)

RECHECK = 2.0
"""Seconds between two looks at whether the proofs of open sockets still hold."""

LAST_WORDS = 2.0
"""Seconds that closed sockets have, when the server stops, to take what they were sent."""

Hook = Callable[[Session], Awaitable[None]]


class Authenticates(Protocol):
    """The part of ``identity.Authenticator`` that sockets need."""

    async def authenticate(self, token: str) -> Actor:
        """Return whose token or API key it is, or raise Unauthenticated."""
        ...

    async def current(self, actor: Actor) -> Actor:
        """Return the actor as it is now, or raise Unauthenticated when its proof no longer holds."""
        ...


class SocketServer:
    """Socket.IO at ``/socket.io/``, as an async context manager.

    A socket proves who it is at connect: by ``auth: {token}`` of the
    handshake, an ``Authorization: Bearer`` header, or the session cookie from
    an allowed Origin. Until then nothing is sent to it. Each of its events is
    an operation of the registry.
    """

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticates,
        registry: Registry,
        channels: Channels,
        seats: Seats,
    ) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._registry = registry
        self._channels = channels
        self._seats = seats
        self._sessions: dict[str, Session] = {}
        self._seated: dict[Session, Seat] = {}
        self._beginning: dict[Session, asyncio.Task[None]] = {}
        self._ending: dict[Session, asyncio.Task[None]] = {}
        # Made once, not for each session.
        self._handle, self._shortcut = self._answer, self._take_at_once
        self._hang_up, self._flush = self._close, channels.flush
        self._on_connect: list[Hook] = []
        self._on_disconnect: list[Hook] = []
        self._tasks = asyncio.TaskGroup()
        self._stopping = False
        self._look = asyncio.Event()
        self._rechecker: asyncio.Task[None] | None = None
        self._socketio = StrictSocketIO(
            self._take_event,
            self._tasks,
            connect_timeout=settings.connect_timeout,
            max_unproven=settings.max_unproven,
            max_event_bytes=settings.max_event_bytes,
            cors_allowed_origins=self._origin_allowed,
        )
        self._socketio.on("connect", self._connect)
        self._socketio.on("disconnect", self._disconnected)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sockets that are connected and authenticated."""
        return tuple(self._sessions.values())

    def attach(self, app: web.Application) -> None:
        """Mount the Socket.IO route, and say goodbye before the web server closes connections."""
        self._socketio.attach(app)
        app.on_shutdown.append(self._shut_down)

    def on_connect(self, hook: Hook) -> None:
        """Call ``hook`` for each new session, before its first event is answered."""
        self._on_connect.append(hook)

    def on_disconnect(self, hook: Hook) -> None:
        """Call ``hook`` for each session that is gone, after its last event was answered."""
        self._on_disconnect.insert(0, hook)

    def user_changed(self, _user_id: str) -> None:
        """Look at once whether proofs still hold; a watcher for ``identity.Authenticator``."""
        self._look.set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._rechecker = self._tasks.create_task(self._recheck_forever(), name="recheck-sockets")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        await self._tasks.__aexit__(None, None, None)

    async def stop(self) -> None:
        """Refuse intake, let events under way be answered, then close every socket."""
        if self._stopping:
            return
        self._stopping = True
        if self._rechecker is not None:
            self._rechecker.cancel()
        for session in self.sessions:
            session.refuse_events()
            session.send("server.stopping", {"message": "The server is stopping"})
        await _finish(
            [task for session in self.sessions for task in session.running],
            self._settings.stop_timeout / 2,
        )
        for session in self.sessions:
            session.closed = True
            self._close(session, False)
        await _finish(self._ending.values(), LAST_WORDS)
        # A connection may outlive its session: its client left as the server began to stop.
        self._socketio.eio.abort()
        await self._socketio.shutdown()

    async def _shut_down(self, _app: web.Application) -> None:
        await self.stop()

    # Connecting

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Authenticate a socket, or refuse it with the reason."""
        try:
            if self._stopping:
                raise Unavailable("The server is stopping; connect again in a moment")
            token = self._token(environ, auth)
            actor = await self._authenticator.authenticate(token)
        except ServerError as error:
            raise refused(error) from error
        except Exception as error:  # the edge of every handshake
            logger.exception("fault in a handshake")
            raise refused(Unavailable("The server cannot sign you in now")) from error
        eio_sid = self._socketio.manager.eio_sid_from_sid(sid, "/")
        engine_socket = self._socketio.eio.sockets.get(eio_sid)
        if engine_socket is None:
            raise refused(Unavailable("The connection is gone"))
        session = self._make_session(sid, actor, engine_socket.queue, environ)
        try:
            seat = self._seats.take(actor.user_id)
        except TooManySockets as error:
            raise refused(error) from error
        self._socketio.proven(eio_sid)
        self._sessions[sid] = session
        self._seated[session] = seat
        beginning = self._tasks.create_task(self._begin(session), name=f"socket-{sid}")
        self._beginning[session] = beginning
        beginning.add_done_callback(lambda _: self._beginning.pop(session, None))

    def _make_session(
        self, sid: str, actor: Actor, outbox: Outbox, environ: dict[str, Any]
    ) -> Session:
        request: web.Request = environ["aiohttp.request"]
        return Session(
            sid=sid,
            actor=actor,
            outbox=outbox,
            handle=self._handle,
            max_pending_bytes=self._settings.max_pending_bytes,
            max_queued_bytes=self._settings.max_event_bytes,
            rate=self._settings.socket_rate,
            flush=self._flush,
            take_at_once=self._shortcut,
            hang_up=self._hang_up,
            client=ClientInfo(request.remote or "", request.headers.get("User-Agent", "")[:200]),
        )

    def _origin_allowed(self, _origin: str, environ: dict[str, Any]) -> bool:
        return origin_allowed(environ["aiohttp.request"].headers, self._settings)

    def _token(self, environ: dict[str, Any], auth: Any) -> str:
        """Return the proof a handshake carries, the most explicit first."""
        if auth is not None:
            if not isinstance(auth, dict) or not isinstance(auth.get("token"), str | None):
                raise BadRequest.field("auth", "must be an object", {"token": "a string"})
            if auth.get("token"):
                return str(auth["token"])
        scheme, _, value = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        if scheme.lower() == "bearer" and value.strip():
            return value.strip()
        cookie = _cookie(str(environ.get("HTTP_COOKIE", "")))
        if cookie and page_allowed(environ["aiohttp.request"].headers, self._settings):
            return cookie
        raise Unauthenticated(
            "Sign in first: give auth {token}, an Authorization header or the session cookie"
        )

    # Living

    async def _begin(self, session: Session) -> None:
        """Let a session in, and answer its events from then on."""
        try:
            self._channels.join(session, f"user:{session.actor.user_id}")
            for hook in self._on_connect:
                await hook(session)
            session.begin()
        except Exception:  # the edge of one socket: others live on
            logger.exception("fault in socket %s", session.sid)
            session.cut("internal", "Something went wrong on the server")

    def _end(self, session: Session) -> None:
        """Answer no further event of a session, and let it go when those under way are done."""
        session.end()
        if session not in self._ending:
            self._ending[session] = self._tasks.create_task(self._let_go(session))

    async def _let_go(self, session: Session) -> None:
        try:
            beginning = self._beginning.get(session)
            if beginning is not None:
                await asyncio.wait((beginning,))
            await session.settle()
        finally:
            self._channels.leave_all(session)
            for hook in self._on_disconnect:
                await self._call_last(hook, session)
            self._sessions.pop(session.sid, None)
            self._seated.pop(session).give_back()
            del self._ending[session]

    async def _call_last(self, hook: Hook, session: Session) -> None:
        try:
            await hook(session)
        except Exception:  # one hook's fault must not keep the others from letting go
            logger.exception("fault while socket %s was left", session.sid)

    def _take_event(
        self, sid: str, event: str, arguments: list[Any], ack: int | None, size: int
    ) -> Awaitable[None] | None:
        session = self._sessions.get(sid)
        return None if session is None else session.take(event, arguments, ack, size)

    def _take_at_once(
        self, session: Session, event: str, arguments: list[Any], ack: int | None, size: int
    ) -> bool:
        """Let an operation's shortcut take an event."""
        operation = self._registry.operations.get(event)
        if operation is None or operation.shortcut is None or len(arguments) != 1:
            return False
        return operation.shortcut(session, arguments[0], ack, size)

    async def _answer(self, session: Session, event: str, arguments: list[Any]) -> dict[str, Any]:
        if len(arguments) > 1:
            raise BadRequest(f"{event} takes one object of fields, not {len(arguments)} arguments")
        wait = session.requests.take(self._registry.cost(event))
        if wait:
            raise RateLimited("This connection asks for too much at once", retry_after=wait)
        payload = arguments[0] if arguments else {}
        return await self._registry.dispatch(event, payload, Call(session.actor, session=session))

    async def _disconnected(self, sid: str, reason: str) -> None:
        session = self._sessions.get(sid)
        if session is not None:
            logger.debug("socket %s is gone: %s", sid, reason)
            self._end(session)

    def _close(self, session: Session, for_good: bool) -> None:
        self._end(session)
        if for_good:
            session.outbox.send(encode_disconnect())
        if session.outbox.transport is not None:
            session.outbox.put_nowait(None)
        else:
            self._tasks.create_task(self._close_polling(session.sid))

    async def _close_polling(self, sid: str) -> None:
        eio_sid = self._socketio.manager.eio_sid_from_sid(sid, "/")
        engine_socket = self._socketio.eio.sockets.get(eio_sid)
        try:
            if engine_socket is not None:
                await engine_socket.close(wait=False)
        except Exception:  # a connection that is just going must not take the others along
            logger.exception("could not close socket %s", sid)

    # Watching

    async def _recheck_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._recheck()
            except ServerError as error:
                logger.warning("could not look at open sockets' proofs: %s", error)
            except Exception:  # it must go on: a revoked token would stay valid for ever
                logger.exception("fault while looking at open sockets' proofs")

    async def _recheck(self) -> None:
        """Close every socket whose sign-in or API key is expired or revoked, or whose user is disabled."""
        verdicts: dict[Actor, Actor | Unauthenticated] = {}
        for session in self.sessions:
            if session.closed:
                continue
            if session.actor not in verdicts:
                verdicts[session.actor] = await self._verdict(session.actor)
            verdict = verdicts[session.actor]
            if isinstance(verdict, Unauthenticated):
                session.revoke(verdict.code, verdict.message)
            else:
                session.actor = verdict

    async def _verdict(self, actor: Actor) -> Actor | Unauthenticated:
        try:
            return await self._authenticator.current(actor)
        except Unauthenticated as error:
            return error


async def _finish(tasks: Iterable[asyncio.Future[None]], seconds: float) -> None:
    """Wait for tasks, at most ``seconds``."""
    waited = set(tasks)
    if waited:
        await asyncio.wait(waited, timeout=seconds)


def _cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None
