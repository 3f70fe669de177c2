"""y-websocket: any Yjs program syncs a canvas at ``/v1/canvases/{id}/sync``, under the checks of a tab.

What the standard provider does when its connection closes decides how each
refusal ends: after 4400 to 4499 it stops for good and tells its program
(``closed``); after any other code it comes back, later each time. So whoever
shows what the canvas will not take, or may not see it any more, is closed with
4000 plus the refusal's HTTP status; a stop, a lag and a store that fails are
closed with codes that let it come back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import WSCloseCode, web

from spellwork_server.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    ServerError,
    Unauthenticated,
    Unavailable,
)
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.identity.origin import origin_allowed, page_allowed
from spellwork_server.identity.tokens import SESSION_COOKIE
from spellwork_server.rooms import Committed, Room, Rooms
from spellwork_server.services.rest import bearer
from spellwork_server.settings import Settings

from . import y_messages
from .packets import binary_frame
from .presence_cast import PresenceCast
from .seats import Seat, Seats
from .server import Authenticates
from .spawn import spawner
from .websocket import is_asked, take_over
from .y_peer import BEAT, Accesses, Limits, YPeer

logger = logging.getLogger(__name__)

PATH = "/v1/canvases/{id}/sync"

RECHECK = BEAT
"""Seconds between two looks at whether those who are connected may still be."""

LAST_WORDS = 2.0
"""Seconds that closed peers have, when the server stops, to take what they were sent."""

STOPPING = "The server is stopping; connect again in a moment"


@dataclass(slots=True)
class _Place:
    """A canvas with those who sync it."""

    room: Room
    peers: set[YPeer] = field(default_factory=set)
    held: int = 0
    """Handshakes and peers that hold the room."""
    unfollow: Callable[[], None] = lambda: None

    def pass_on(self, committed: Committed) -> None:
        """Send what was committed to all but the one who made all of it; framed once."""
        frame = binary_frame(y_messages.update(committed.update))
        for peer in tuple(self.peers):
            if committed.origins != (peer,):
                peer.send_edit(frame)


class YWebSockets:
    """The route, and all who are connected to it; an async context manager."""

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticates,
        accesses: Accesses,
        rooms: Rooms,
        cast: PresenceCast,
        seats: Seats,
    ) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._accesses = accesses
        self._rooms = rooms
        self._cast = cast
        self._seats = seats
        self._limits = Limits(
            settings.max_pending_bytes,
            settings.max_event_bytes,
            settings.max_event_bytes,
            settings.max_update_bytes,
            settings.socket_rate,
        )
        self._places: dict[str, _Place] = {}
        self._tasks = asyncio.TaskGroup()
        self._watcher: asyncio.Task[None] | None = None
        self._look = asyncio.Event()
        self._stopping = False
        self._empty: asyncio.Future[None] | None = None
        """Done when the last peer is gone; only while a stop waits for that."""
        self._spawn = spawner(self._tasks)
        cast.watch(self._pass_presence_on)

    @property
    def peers(self) -> tuple[YPeer, ...]:
        """All who are connected."""
        return tuple(peer for place in self._places.values() for peer in place.peers)

    def attach(self, app: web.Application) -> None:
        """Mount the route, and say goodbye before the web server closes connections."""
        app.router.add_get(PATH, self._handle)
        app.on_shutdown.append(self._shut_down)

    def user_changed(self, _user_id: str) -> None:
        """Look at once whether proofs still hold; a watcher for ``identity.Authenticator``."""
        self._look.set()

    def members_changed(self, _canvas_id: str) -> None:
        """Look at roles at once; a watcher for ``storage.CanvasRecords``."""
        self._look.set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._watcher = self._tasks.create_task(self._watch(), name="watch-sync-peers")
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
        """Take no more edits, write those that came, then close every connection: come back later."""
        if self._stopping:
            return
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_timeout / 2):
                await asyncio.gather(*(peer.settle() for peer in self.peers))
        for peer in self.peers:
            peer.part(WSCloseCode.SERVICE_RESTART, STOPPING.encode())
        if self.peers:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._empty,), timeout=LAST_WORDS)

    async def _shut_down(self, _app: web.Application) -> None:
        await self.stop()

    # Connecting

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Refuse as REST does, or upgrade and sync until the connection is closed."""
        if self._stopping:
            raise Unavailable(STOPPING)
        canvas_id = request.match_info["id"]
        actor = await self._authenticator.authenticate(self._token(request))
        access = await self._accesses.access(canvas_id)
        actor = require(actor, "canvas.read", access)
        if not is_asked(request):
            raise BadRequest("This is for WebSockets, as y-websocket opens them")
        seat = self._seats.take(actor.user_id)
        try:
            place = await self._enter(canvas_id)
        except BaseException:
            seat.give_back()
            raise
        try:
            if place.room.fault is not None and allowed(actor, "canvas.edit", access):
                raise Unavailable(place.room.fault, details={"canvas": canvas_id})
            return await self._serve(request, actor, place, seat)
        except ConnectionResetError:  # whoever asked is gone before the answer
            await self._leave(place, seat)
            return web.Response()
        except BaseException:
            await self._leave(place, seat)
            raise

    def _token(self, request: web.Request) -> str:
        """Return the proof that a handshake carries, the most explicit first."""
        if not origin_allowed(request.headers, self._settings):
            raise Forbidden(
                "A page of another origin may not do this",
                code="origin_refused",
                details={"origin": request.headers.get("Origin"), "allowed": self._settings.url},
            )
        counts = page_allowed(request.headers, self._settings)
        cookie = request.cookies.get(SESSION_COOKIE) if counts else None
        token = request.query.get("token") or bearer(request) or cookie
        if not token:
            raise Unauthenticated(
                "Sign in first: give the parameter token, an Authorization header or the session cookie"
            )
        return token

    async def _enter(self, canvas_id: str) -> _Place:
        """Hold the canvas's room, and hear of its edits while anybody does."""
        room = await self._rooms.open(canvas_id)
        place = self._places.get(canvas_id)
        if place is None or place.room is not room:
            place = self._places[canvas_id] = _Place(room)
            place.unfollow = room.follow(place.pass_on)
        place.held += 1
        return place

    async def _leave(self, place: _Place, seat: Seat) -> None:
        seat.give_back()
        canvas_id = place.room.canvas_id
        place.held -= 1
        if place.held == 0:
            place.unfollow()
            if self._places.get(canvas_id) is place:
                del self._places[canvas_id]
        await self._rooms.release(canvas_id)

    async def _serve(
        self, request: web.Request, actor: Actor, place: _Place, seat: Seat
    ) -> web.StreamResponse:
        """Upgrade; the peer holds its place and seat until it is gone."""
        peer = YPeer(
            actor,
            place.room,
            self._accesses,
            self._cast,
            self._limits,
            self._spawn,
            partial(self._left, place, seat),
        )
        response = await take_over(request, peer.socket)
        place.peers.add(peer)
        if self._stopping:
            peer.part(WSCloseCode.SERVICE_RESTART, STOPPING.encode())
        peer.begin()
        return response

    async def _left(self, place: _Place, seat: Seat, peer: YPeer) -> None:
        place.peers.discard(peer)
        if self._empty is not None and not self.peers:
            self._empty.set_result(None)
            self._empty = None
        await self._leave(place, seat)

    # Passing on

    def _pass_presence_on(self, room: Room, update: bytes) -> None:
        place = self._places.get(room.canvas_id)
        if place is not None and place.peers:
            frame = binary_frame(y_messages.awareness(update))
            for peer in tuple(place.peers):
                peer.send_presence(frame, update)

    # Watching

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._recheck(self.peers)
            except ServerError as error:
                logger.warning("could not look at who may sync: %s", error)
            except Exception:  # it must go on: a right that was taken away would stay
                logger.exception("fault while looking at who may sync")
            now = asyncio.get_running_loop().time()
            for peer in self.peers:
                peer.beat(now)

    async def _recheck(self, peers: Iterable[YPeer]) -> None:
        """Close the connections of those whose proof or role is gone, and of those who never spoke."""
        proofs: dict[Actor, Actor | Unauthenticated] = {}
        accesses: dict[str, CanvasAccess | NotFound] = {}
        for peer in peers:
            actor, canvas_id = peer.actor, peer.room.canvas_id
            if actor not in proofs:
                proofs[actor] = await self._prove(actor)
            if canvas_id not in accesses:
                accesses[canvas_id] = await self._access(canvas_id)
            self._judge(peer, proofs[actor], accesses[canvas_id])

    def _judge(
        self, peer: YPeer, proof: Actor | Unauthenticated, access: CanvasAccess | NotFound
    ) -> None:
        try:
            if isinstance(proof, Unauthenticated):
                raise proof
            if isinstance(access, NotFound):
                raise access
            peer.actor = require(proof, "canvas.read", access)
        except ServerError as error:
            peer.refuse(error)
            return
        waited = asyncio.get_running_loop().time() - peer.opened
        if not peer.synced and waited > self._settings.connect_timeout:
            peer.part(WSCloseCode.TRY_AGAIN_LATER, b"silent: nothing was asked for")

    async def _prove(self, actor: Actor) -> Actor | Unauthenticated:
        try:
            return await self._authenticator.current(actor)
        except Unauthenticated as error:
            return error

    async def _access(self, canvas_id: str) -> CanvasAccess | NotFound:
        try:
            return await self._accesses.access(canvas_id)
        except NotFound as error:
            return error
