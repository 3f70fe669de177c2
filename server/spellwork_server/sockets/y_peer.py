"""One y-websocket connection to one canvas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import WSCloseCode

from spellwork_server.errors import BadRequest, ServerError, TooLarge, internal
from spellwork_server.identity import Actor, CanvasAccess, allowed, require
from spellwork_server.rooms import Room
from spellwork_server.rooms.errors import UpdateGap, taken
from spellwork_server.rooms.known import brings_nothing
from spellwork_server.rooms.presence import MAX_TOLD, parse_states

from . import y_messages
from .canvas_service import BYTES_FOR_ONE
from .packets import binary_frame
from .presence_cast import PresenceCast
from .rate import TokenBucket
from .session import BURST
from .spawn import Spawn
from .websocket import WebSocket
from .y_messages import Kind, Message

logger = logging.getLogger(__name__)

MAX_AT_ONCE = 1_024
"""Edits of one peer that wait for their commit; its reading stops beyond that."""

BEAT = 2.0
"""Seconds between two looks at a peer; what follows is sooner than promised by so much."""

KEEP_ALIVE = 15.0 - BEAT
"""Seconds after which a peer is sent something: a provider that hears nothing for 30 s starts anew."""

HEARTBEAT, GONE = 15.0 - BEAT, 23.0 - BEAT
"""Seconds of silence after which a peer is asked whether it is there, and taken for gone."""

NOBODY_FRAME = binary_frame(y_messages.NOBODY)

COSTS: Mapping[Kind, float] = {"step 1": 5, "query awareness": 1, "awareness": 0.2}
"""What messages cost of a peer's rate; edits are held back by their commits alone."""

COMPARED_COST = 1.0
"""What an edit of somebody who may not edit costs: it is compared, and no commit holds it back."""

MAX_VECTOR_BYTES = 1_000_000
"""Bytes of a state vector, as in ``canvas.open``."""

MAX_PRESENCE_BYTES = 64 * 1024
"""A longer awareness update is not looked at: it can only repeat what others said."""

COMPARE_APART_BYTES = 64 * 1024
"""Answers of members who may only read that are longer are compared in a thread."""

MAX_REASON = 123
"""Bytes of the reason in a close frame (RFC 6455, 5.5)."""

REFUSED = 4000
"""A refusal closes with this and its HTTP status. The provider takes 4400 to 4499 as final, others as
passing."""


class Accesses(Protocol):
    """The part of ``storage.CanvasRecords`` that peers need."""

    async def access(self, canvas_id: str) -> CanvasAccess:
        """Return who may do what on a canvas. Raises NotFound."""
        ...

    def known_access(self, canvas_id: str) -> CanvasAccess | None:
        """Return what ``access`` would without looking into the store; None when it must look."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may hold up."""

    pending_bytes: int
    """Unsent bytes at which a peer is cut; presence stops at a sixteenth of it."""
    message_bytes: int
    """Bytes of one message."""
    queued_bytes: int
    """Bytes of edits that wait for their commit; reading stops there."""
    update_bytes: int
    """Bytes of one edit."""
    rate: float
    """What a peer may ask for a second; see COSTS."""


class YPeer:
    """A connection after its upgrade, to which ``take_over`` gives ``socket``. What it sends counts in the order it comes."""

    __slots__ = (
        "_accesses",
        "_answered",
        "_asked_bytes",
        "_cast",
        "_caught_up",
        "_client",
        "_draining",
        "_edits",
        "_free",
        "_idle",
        "_left",
        "_limits",
        "_others",
        "_parted",
        "_queued_bytes",
        "_requests",
        "_spawn",
        "actor",
        "last_sent",
        "opened",
        "room",
        "socket",
        "synced",
    )

    def __init__(
        self,
        actor: Actor,
        room: Room,
        accesses: Accesses,
        cast: PresenceCast,
        limits: Limits,
        spawn: Spawn,
        left: Callable[[YPeer], Awaitable[None]],
    ) -> None:
        self.actor = actor
        self.room = room
        error = TooLarge(f"A message may have {limits.message_bytes} bytes")
        # Our own code: at the usual one a provider would come back with the same message at once.
        too_large = (REFUSED + error.status, reason(error))
        self.socket = WebSocket(self, limits.message_bytes, too_large)
        self.synced = False
        """Whether it has asked for the document: from then on it gets edits."""
        self.last_sent = self.opened = asyncio.get_running_loop().time()
        self._accesses = accesses
        self._cast = cast
        self._limits = limits
        self._spawn = spawn
        self._left = left
        self._parted = False
        self._draining = False
        self._answered = False
        self._caught_up = False
        """Whether its first step 2 has come, with all that it had and the server lacked."""
        self._asked_bytes = 0
        self._client: int | None = None
        self._others: set[int] = set()
        self._edits = 0
        self._queued_bytes = 0
        self._requests = TokenBucket(limits.rate, limits.rate * BURST)
        self._free: asyncio.Future[None] | None = None
        """Done when there is room for more edits; only while reading waits for it."""
        self._idle: asyncio.Future[None] | None = None
        """Done when no edit waits for its commit; only while somebody waits for it."""

    # Out

    def send(self, frame: bytes, *, lossy: bool = False) -> None:
        """Write a ready-made frame; a peer that lags gets no presence, and is cut in the end."""
        if self._parted:
            return
        try:
            transport = self.socket.transport
            pending = transport.get_write_buffer_size()
            # The document that it asked for is not held against it.
            if pending > self._limits.pending_bytes + self._asked_bytes:
                self._cut(pending)
            elif not (lossy and pending > self._limits.pending_bytes // 16):
                transport.write(frame)
                self.last_sent = asyncio.get_running_loop().time()
        except RuntimeError:  # uvloop's answer once the transport is closed; its reader notices too
            self._parted = True

    def send_edit(self, frame: bytes) -> None:
        """Pass an edit on, if the peer has what comes before it."""
        if self.synced:
            self.send(frame)

    def send_presence(self, frame: bytes, update: bytes) -> None:
        """Pass presence on."""
        if self._client is None:
            self._others.update(parse_states(update))
        self.send(frame, lossy=True)

    def refuse(self, error: ServerError) -> None:
        """Say why, and close: what the peer shows differs from the canvas, or it may not see it any more."""
        if not self._parted:
            self.send(binary_frame(y_messages.permission_denied(_said(error))))
            self.part(REFUSED + error.status, reason(error))

    def part(self, code: int, why: bytes) -> None:
        """Close the connection; what arrives from here on is not looked at."""
        if self._parted:
            return
        self._parted = True
        logger.info("sync peer of %s is closed (%d): %s", self.actor.email, code, why.decode())
        self.socket.close(code, why)

    def _cut(self, pending: int) -> None:
        self.part(
            WSCloseCode.TRY_AGAIN_LATER, b"too_slow: the connection lags by %d bytes" % pending
        )

    # Living

    def begin(self) -> None:
        """Speak with the peer from here on."""
        try:
            self._greet()
        except ServerError as error:  # the document broke since the room was opened
            self.refuse(error)

    def lost(self) -> None:
        """Take note that the connection is gone; what came of it is settled yet."""
        self._parted = True
        self._make_room()
        self._spawn(self._leave())

    async def _leave(self) -> None:
        try:
            await self.settle()
        finally:
            if self._client is not None:
                self.room.presence.leave(self._client, self)
                self._cast.soon(self.room)
            await self._left(self)

    async def settle(self) -> None:
        """Take no more edits, and wait until those that came are durable or refused."""
        self._draining = True
        while self._edits:
            if self._idle is None:
                self._idle = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._idle)

    def beat(self, now: float) -> None:
        """Keep the connection alive, ask whether the peer is there, and cut one that is gone."""
        silent = now - self.socket.last_heard
        if silent > GONE:
            self.socket.abort()
        elif silent > HEARTBEAT:
            self.socket.ping()
        if now - self.last_sent > KEEP_ALIVE:
            self.send(NOBODY_FRAME)

    def _greet(self) -> None:
        """Ask what the peer has that the server lacks, and say who is there."""
        self.send(binary_frame(y_messages.step_1(self.room.state_vector())))
        everybody = self.room.presence.everybody()
        if everybody is not None:
            self._others.update(parse_states(everybody))
            self.send(binary_frame(y_messages.awareness(everybody)))

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        """Take a message; return what the next must wait for."""
        if self._parted:
            return None
        if isinstance(message, str):
            self.refuse(BadRequest("Messages of y-websocket are binary", code="malformed_message"))
            return None
        if not self._take_at_once(message):
            return self._take_safely(message)
        return self._until_room() if self._is_full() else None

    async def _until_room(self) -> None:
        while self._is_full() and not self._parted:
            self._free = asyncio.get_running_loop().create_future()
            await self._free

    def _is_full(self) -> bool:
        return self._edits >= MAX_AT_ONCE or self._queued_bytes > self._limits.queued_bytes

    def _make_room(self) -> None:
        """Go on reading where there is room, and tell who waits that no edit waits any more."""
        if (
            self._free is not None
            and not self._free.done()
            and (self._parted or not self._is_full())
        ):
            self._free.set_result(None)
        if self._idle is not None and not self._edits:
            self._idle.set_result(None)
            self._idle = None

    async def _take_safely(self, data: bytes) -> None:
        try:
            await self._take(y_messages.read_message(data))
        except ServerError as error:
            self.refuse(error)
        except Exception as error:  # noqa: BLE001 - the edge of one peer: others live on
            self.refuse(internal("a sync peer", error))
        await self._until_room()

    async def _take(self, message: Message) -> None:
        cost = COSTS.get(message.kind, 0)
        if message.kind == "step 1":
            cost += len(message.body) / BYTES_FOR_ONE
        await self._afford(cost)
        match message.kind:
            case "step 1":
                self._answer(message.body)
            case "step 2" | "update":
                self._answered = True
                self._caught_up = self._caught_up or message.kind == "step 2"
                await self._begin_edit(message.body)
            case "awareness":
                self._take_presence(message.body)
            case "query awareness":
                everybody = self.room.presence.everybody()
                if everybody is not None:
                    self.send(binary_frame(y_messages.awareness(everybody)), lossy=True)

    async def _afford(self, cost: float) -> None:
        """Wait until the peer may ask for something of this cost."""
        cost = min(cost, self._requests.burst)
        wait = self._requests.take(cost)
        while wait:
            await asyncio.sleep(wait)
            wait = self._requests.take(cost)

    def _answer(self, state_vector: bytes) -> None:
        if len(state_vector) > MAX_VECTOR_BYTES:
            raise TooLarge(f"A state vector may have {MAX_VECTOR_BYTES} bytes")
        frame = binary_frame(y_messages.step_2(self.room.diff(state_vector)))
        self.send(frame)
        self._asked_bytes = len(frame)
        self.synced = True

    # Edits

    def _take_at_once(self, data: bytes) -> bool:
        """Take a message if it is an edit of the plain kind by somebody who may edit; else leave it."""
        update = y_messages.short_update(data)
        access = self._accesses.known_access(self.room.canvas_id)
        if update is None or access is None or self._draining:
            return False
        if not allowed(self.actor, "canvas.edit", access):
            return False
        self._answered = True
        name = (len(update), self._caught_up)
        self._hold(len(update))
        try:
            self.room.offer(self.actor, update, origin=self, author=self, name=name)
        except Exception as error:  # noqa: BLE001 - the edge of one peer: it is told, whatever happened
            self.settled(name, error)
            self.flush()
        return True

    async def _begin_edit(self, update: bytes) -> None:
        """Take an edit in; return once its place in the order is fixed."""
        if self._draining:
            return
        queued = asyncio.Event()
        self._hold(len(update))
        self._spawn(self._edit(update, self._caught_up, queued.set))
        await queued.wait()

    async def _edit(self, update: bytes, caught_up: bool, queued: Callable[[], None]) -> None:
        outcome: int | Exception = 0
        try:
            access = await self._accesses.access(self.room.canvas_id)
            if allowed(self.actor, "canvas.edit", access) or not await self._is_known(update):
                require(self.actor, "canvas.edit", access)
                await self.room.apply_update(self.actor, update, origin=self, queued=queued)
        except Exception as error:  # noqa: BLE001 - the edge of one peer, as above
            outcome = error
        finally:
            queued()
            self.settled((len(update), caught_up), outcome)
            self.flush()

    def settled(self, name: tuple[int, bool], outcome: int | Exception) -> None:
        """Take note of what became of an edit of so many bytes; a refusal closes the connection.

        One made while the first step 2 was still to come may build on what
        only that brings: the step 2 brings it too.
        """
        size, caught_up = name
        self._edits -= 1
        self._queued_bytes -= size
        if isinstance(outcome, UpdateGap) and not caught_up:
            return
        if isinstance(outcome, ServerError):
            self.refuse(outcome)
        elif isinstance(outcome, Exception):
            self.refuse(internal("an edit of a sync peer", outcome))

    def flush(self) -> None:
        """Read on where there is room again."""
        self._make_room()

    def _hold(self, size: int) -> None:
        self._edits += 1
        self._queued_bytes += size

    async def _is_known(self, update: bytes) -> bool:
        if len(update) > self._limits.update_bytes:
            return False
        await self._afford(COMPARED_COST + len(update) / BYTES_FOR_ONE)
        deletions = self.room.diff(self.room.state_vector())
        if len(update) + len(deletions) > COMPARE_APART_BYTES:
            return await asyncio.to_thread(brings_nothing, update, deletions)
        return brings_nothing(update, deletions)

    # Presence

    def _take_presence(self, update: bytes) -> None:
        """Take over what the peer says of itself.

        A provider also repeats what it was told of others, and never says
        which client it is. The first single state it tells is its own, unless
        it was told of that client before; one that came before it heard
        anything is its own even so: an older connection of it sits there yet.
        What tells of very many is never that.
        """
        if len(update) > MAX_PRESENCE_BYTES or y_messages.count_told(update) > MAX_TOLD:
            return
        told = {each.client: each.entry for each in y_messages.read_told(update)}
        if self._client is None:
            self._sit_down(told)
        if (
            self._client is not None
            and self._client in told
            and self.room.presence.set(self._client, told[self._client], self.actor)
        ):
            self._cast.soon(self.room)

    def _sit_down(self, told: dict[int, bytes]) -> None:
        if len(told) != 1:
            return
        (client,) = told
        if self._answered and client in self._others:
            return
        owned = self.room.owner_of(client) in (None, self.actor.user_id)
        if owned and self.room.presence.enter(client, self.actor, self):
            self._client = client
            self._others.clear()
        elif not self._answered:
            raise taken(client)


def reason(error: ServerError) -> bytes:
    """Return why, as a close frame may carry it."""
    return _said(error).encode()[:MAX_REASON].decode(errors="ignore").encode()


def _said(error: ServerError) -> str:
    return f"{error.code}: {error.message}"
