"""Canvases over sockets: open, edit, be seen, close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

from spellwork_server.errors import (
    BadRequest,
    NotFound,
    RateLimited,
    ServerError,
    Unavailable,
    internal,
)
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.protocol import (
    MAX_MSG_ID,
    CanvasOpened,
    CanvasUpdated,
    CloseCanvas,
    MoveOnCanvas,
    OpenCanvas,
    UpdateCanvas,
)
from spellwork_server.rooms import Room, Rooms
from spellwork_server.rooms.errors import EpochMismatch, NotOpen, taken
from spellwork_server.services.service import Call, Done, Service, operation

from .channels import Channels
from .presence_cast import PresenceCast
from .session import Session

logger = logging.getLogger(__name__)

AT_ONCE_BYTES = 64 * 1024
"""Longer edits are read in a thread, which takes waiting."""

BYTES_FOR_ONE = 2_000
"""So many bytes of a state vector cost one more of a socket's rate: they are read item by item."""

RECHECK = 2.0
"""Seconds between two looks at whether those who have a canvas open may still see it."""


class Accesses(Protocol):
    """The part of ``storage.CanvasRecords`` that sockets need."""

    async def access(self, canvas_id: str) -> CanvasAccess:
        """Return who may do what on a canvas. Raises NotFound."""
        ...

    def known_access(self, canvas_id: str) -> CanvasAccess | None:
        """Return the same if it is known already, and recent."""
        ...


class FollowsRuns(Protocol):
    """How a socket follows the runs of the canvases it opens; ``make_app`` ties it to SpellManager."""

    async def open(self, session: Session, canvas_id: str) -> Mapping[str, Any]:
        """Load the canvas's runner; return ``runs``, ``streams``, ``live`` and ``live_users`` for the tab."""
        ...

    def close(self, session: Session, canvas_id: str) -> None:
        """Let the canvas go."""
        ...


@dataclass(slots=True)
class _Open:
    """A canvas that a session has open."""

    room: Room
    client_id: int
    role: str
    author: _Tab
    late: bytes | None = None
    """The latest of the moves that came faster than they are taken."""


@dataclass(slots=True)
class _Tab:
    """The author of the edits that a session makes; it answers them."""

    session: Session

    def settled(self, name: tuple[int | None, str | int, int], outcome: int | Exception) -> None:
        """Answer an edit: ``name`` is what its event is acknowledged as, its msg_id and its bytes."""
        ack, msg_id, size = name
        if isinstance(outcome, int):
            self.session.let_go(ack, {"ok": True, "msg_id": msg_id, "seq": outcome}, size)
        else:
            self.session.let_go(ack, _refusal(outcome), size)

    def flush(self) -> None:
        """Send the answers."""
        self.session.flush_answers()


class CanvasSockets(Service):
    """``canvas.*``, for sockets only, as an async context manager."""

    name: ClassVar[str] = "canvas"

    def __init__(
        self, accesses: Accesses, rooms: Rooms, channels: Channels, runs: FollowsRuns
    ) -> None:
        self._accesses = accesses
        self._rooms = rooms
        self._channels = channels
        self._runs = runs
        self.cast = PresenceCast(channels)
        self._open: dict[Session, dict[str, _Open]] = {}
        self._tasks = asyncio.TaskGroup()
        self._watcher: asyncio.Task[None] | None = None
        self._look = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._watcher = self._tasks.create_task(self._watch_roles(), name="watch-roles")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        await self._tasks.__aexit__(None, None, None)

    @operation(
        summary="Open a canvas in this socket",
        binary=True,
        errors=("epoch_mismatch", "client_id_taken", "canvas_quarantined", "update_invalid"),
        cost=5,
    )
    async def open(self, call: Call, request: OpenCanvas) -> CanvasOpened:
        """Load the canvas and join it: from here on the socket gets its events.

        A canvas that is open already is opened anew, with what the tab now lacks.
        """
        session = _session(call)
        _pay_for(session, request.state_vector)
        access = await self._accesses.access(request.canvas)
        actor = require(session.actor, "canvas.read", access)
        opened = await self._enter(session, actor, access, request)
        room = opened.room
        runs = await self._runs.open(session, request.canvas)
        if session.closed:
            await self._leave(session, request.canvas)
            raise Unavailable("The connection is gone")
        self._channels.flush()  # what is held back is part of the answer
        return CanvasOpened(
            canvas=request.canvas,
            epoch=room.epoch,
            role=access.role(actor),
            diff=room.diff(request.state_vector),
            state_vector=room.state_vector(),
            seq=room.seq,
            presence=room.presence.everybody(),
            problems=room.problems,
            ports=room.ports,
            **runs,
        )

    @operation(summary="Close a canvas in this socket")
    async def close(self, call: Call, request: CloseCanvas) -> Done:
        """Leave the canvas; closing one that is not open changes nothing."""
        await self._leave(_session(call), request.canvas)
        return Done()

    @operation(
        summary="Edit a canvas",
        errors=(
            "canvas_not_open",
            "update_invalid",
            "update_gap",
            "update_too_large",
            "canvas_too_large",
            "schema_violation",
            "client_id_taken",
            "store_unavailable",
        ),
        shortcut="update_at_once",
        cost=0,
    )
    async def update(self, call: Call, request: UpdateCanvas) -> CanvasUpdated:
        """Take an edit; answered once it is durable. The others get it in ``canvas.updates``."""
        session = _session(call)
        session.keep_turn()
        opened = self._opened(session, request.canvas)
        access = await self._accesses.access(request.canvas)
        actor = require(session.actor, "canvas.edit", access)
        seq = await opened.room.apply_update(
            actor, request.update, origin=session, queued=session.release_turn
        )
        return CanvasUpdated(msg_id=request.msg_id, seq=seq)

    def update_at_once(self, session: Session, payload: Any, ack: int | None, size: int) -> bool:
        """Take an edit as ``update`` does, if it is one of the plain kind from somebody who may edit.

        Whatever is out of the ordinary is left to ``update``, which has the words for it.
        """
        match payload:
            case {
                "canvas": str(canvas),
                "msg_id": str() | int() as msg_id,
                "update": bytes(update),
            }:
                plain = (
                    len(payload) == 3
                    and len(update) <= AT_ONCE_BYTES
                    and not isinstance(msg_id, bool)
                    and (isinstance(msg_id, int) or len(msg_id) <= MAX_MSG_ID)
                )
            case _:
                return False
        opened = self._open.get(session, {}).get(canvas)
        access = self._accesses.known_access(canvas)
        if not plain or opened is None or access is None:
            return False
        if not allowed(session.actor, "canvas.edit", access):
            return False
        name = (ack, msg_id, size)
        session.hold(size)
        try:
            opened.room.offer(
                session.actor, update, origin=session, author=opened.author, name=name
            )
        except Exception as error:  # noqa: BLE001 - the edge of every event: it is answered, whatever happened
            opened.author.settled(name, error)
            opened.author.flush()
        return True

    @operation(
        summary="Say where one's cursor and selection are", errors=("canvas_not_open",), cost=0
    )
    async def awareness(self, call: Call, request: MoveOnCanvas) -> Done:
        """Tell the others; lossy, the latest wins, at most 20 times a second."""
        session = _session(call)
        opened = self._opened(session, request.canvas)
        wait = session.moves.take()
        if not wait:
            self._move(session, opened, request.update)
        elif opened.late is None:
            loop = asyncio.get_running_loop()
            loop.call_later(wait, self._move_late, session, request.canvas, opened)
        opened.late = request.update if wait else None
        return Done()

    def _move(self, session: Session, opened: _Open, update: bytes) -> None:
        if opened.room.presence.set(opened.client_id, update, session.actor):
            self.cast.soon(opened.room)

    def _move_late(self, session: Session, canvas_id: str, opened: _Open) -> None:
        """Take the latest of the moves that came too fast."""
        update, opened.late = opened.late, None
        if update is not None and self._open.get(session, {}).get(canvas_id) is opened:
            with suppress(ServerError):  # it was answered already
                self._move(session, opened, update)

    async def leave_all(self, session: Session) -> None:
        """Leave every canvas of a session that is gone; a hook of ``SocketServer``."""
        for canvas_id in list(self._open.get(session, ())):
            await self._leave(session, canvas_id)

    def members_changed(self, _canvas_id: str) -> None:
        """Look at roles at once; a watcher for ``storage.CanvasRecords``."""
        self._look.set()

    async def _enter(
        self, session: Session, actor: Actor, access: CanvasAccess, request: OpenCanvas
    ) -> _Open:
        canvas_id = request.canvas
        room = await self._rooms.open(canvas_id)
        mine = self._open.setdefault(session, {})
        before = mine.get(canvas_id)
        try:
            self._check(room, actor, request)
            if not room.presence.enter(request.client_id, actor, session):
                raise taken(request.client_id)
        except ServerError:
            await self._rooms.release(canvas_id)
            if not mine:
                self._open.pop(session, None)
            raise
        if before is not None:
            if before.client_id != request.client_id:
                before.room.presence.leave(before.client_id, session)
            await self._rooms.release(canvas_id)
        mine[canvas_id] = opened = _Open(
            room, request.client_id, access.role(actor) or "viewer", _Tab(session)
        )
        self._channels.join(session, room.channel)
        return opened

    def _check(self, room: Room, actor: Actor, request: OpenCanvas) -> None:
        if request.epoch is not None and request.epoch != room.epoch:
            raise EpochMismatch(
                "The canvas was replaced since this tab loaded it; export what you need and reload",
                details={"epoch": room.epoch},
            )
        if room.owner_of(request.client_id) not in (None, actor.user_id):
            raise taken(request.client_id)
        if request.state_vector is not None:
            room.diff(request.state_vector)  # refuses one that is none, before anything is joined

    def _opened(self, session: Session, canvas_id: str) -> _Open:
        opened = self._open.get(session, {}).get(canvas_id)
        if opened is None:
            raise NotOpen(
                f"Open canvas {canvas_id} first",
                details={"canvas": canvas_id, "open": sorted(self._open.get(session, ()))},
            )
        return opened

    async def _leave(self, session: Session, canvas_id: str) -> None:
        mine = self._open.get(session, {})
        opened = mine.pop(canvas_id, None)
        if opened is None:
            return
        if not mine:
            self._open.pop(session, None)
        opened.room.presence.leave(opened.client_id, session)
        self._channels.leave(session, opened.room.channel)
        self.cast.soon(opened.room)
        self._runs.close(session, canvas_id)
        await self._rooms.release(canvas_id)

    async def _watch_roles(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._check_roles()
            except Exception:  # it must go on: a role that was taken away would stay
                logger.exception("fault while looking at roles")

    async def _check_roles(self) -> None:
        """Tell every socket whose role changed, and close the canvas where it has none any more."""
        accesses: dict[str, CanvasAccess | None] = {}
        for session, canvases in list(self._open.items()):
            for canvas_id, opened in list(canvases.items()):
                if canvas_id not in accesses:
                    accesses[canvas_id] = await self._access(canvas_id)
                await self._apply_role(session, canvas_id, opened, accesses[canvas_id])

    async def _access(self, canvas_id: str) -> CanvasAccess | None:
        try:
            return await self._accesses.access(canvas_id)
        except NotFound:
            return None

    async def _apply_role(
        self, session: Session, canvas_id: str, opened: _Open, access: CanvasAccess | None
    ) -> None:
        role = access.role(session.actor) if access else None
        if access is None or not allowed(session.actor, "canvas.read", access):
            role = None
        if role == opened.role:
            return
        self._channels.send(session, "canvas.role", {"canvas": canvas_id, "role": role})
        if role is None:
            await self._leave(session, canvas_id)
        else:
            opened.role = role


def _session(call: Call) -> Session:
    if call.session is None:
        raise BadRequest("A canvas is opened over a socket")
    return call.session


def _pay_for(session: Session, state_vector: bytes | None) -> None:
    """Take what reading a state vector costs of the socket's rate. Raises RateLimited."""
    requests = session.requests
    wait = requests.take(min(len(state_vector or b"") / BYTES_FOR_ONE, requests.burst / 2))
    if wait:
        raise RateLimited("This connection asks for too much at once", retry_after=wait)


def _refusal(error: Exception) -> dict[str, Any]:
    if not isinstance(error, ServerError):
        error = internal("canvas.update", error)
    return {"ok": False, "error": error.to_json()}
