"""One authenticated socket: who it is, what it asked, what goes out to it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from spellwork_server.errors import ServerError, Unavailable, internal
from spellwork_server.identity import Actor

from .outbox import Outbox
from .packets import Wire, encode_ack, encode_event, join
from .rate import TokenBucket

logger = logging.getLogger(__name__)

MAX_QUEUED = 1_024
"""Events of one socket that wait their turn; its reading stops beyond that."""

MAX_AT_ONCE = 32
"""Events of one socket that are being answered at once."""

MOVES_PER_SECOND, MOVES_AT_ONCE = 20, 40
"""Moves of one socket that are taken; of those that come faster, the latest, a little later."""

BURST = 10
"""How many seconds' worth of its rate a socket may ask for at once."""

PATIENCE = 1.0
"""Seconds an event may hold up those after it, unless it lets them go first."""

GLANCE = 1.0
"""Seconds between two looks at whether a client whose events are not read is still there."""

LINGER = 2.0
"""Seconds that events under way may still take once their socket is gone."""

Handle = Callable[["Session", str, Any], Awaitable[dict[str, Any]]]
"""Answers an event, by name and payload; raises ServerError."""

TakeAtOnce = Callable[["Session", str, list[Any], int | None, int], bool]
"""Takes an event without waiting, by name, arguments, number of the acknowledgement and bytes, if it
can; else it is handled. What it takes is held (``Session.hold``) until it is answered."""


def _never(*_: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a socket comes from."""

    address: str = ""
    user_agent: str = ""


@dataclass(slots=True)
class _Asked:
    event: str
    arguments: list[Any]
    ack: int | None
    size: int


class _Turn:
    """An event's turn: over when the next may begin, at the latest PATIENCE after ``begin``."""

    __slots__ = ("over", "patience")

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.patience: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start the clock."""
        self.patience = asyncio.get_running_loop().call_later(PATIENCE, self.end)

    def keep(self) -> None:
        """Stop the clock: only ``end`` ends the turn now."""
        if self.patience is not None:
            self.patience.cancel()

    def end(self) -> None:
        """Let the next event begin."""
        if not self.over.done():
            self.over.set_result(None)


_TURN: ContextVar[_Turn | None] = ContextVar("turn", default=None)


@dataclass(eq=False, slots=True, weakref_slot=True)
class Session:
    """A socket after authentication. ``make_app`` hands its parts in; services see it as ``call.session``.

    Events are answered in the order they came: the next is begun when the one
    before is answered, has called ``release_turn``, or has taken PATIENCE.
    """

    sid: str
    actor: Actor
    outbox: Outbox
    handle: Handle
    max_pending_bytes: int
    max_queued_bytes: int
    rate: float
    """What the client may ask for a second; see ``services.operation``."""
    flush: Callable[[], None]
    """Writes events that are held back, so that what follows does not overtake them."""
    hang_up: Callable[[Session, bool], None]
    """Closes the connection; when the second argument is true, the client is told not to come back."""
    take_at_once: TakeAtOnce = _never
    client: ClientInfo = field(default_factory=ClientInfo)
    connected_at: float = field(default_factory=time.time)
    channels: set[str] = field(default_factory=set)
    """Names of the channels the socket is in; Channels keeps it."""
    closed: bool = False
    behind: bool = False
    """Whether the socket is owed edits that it was not sent; CatchUp keeps it."""
    state: dict[Any, Any] = field(default_factory=dict)
    """What services keep for this socket, each under a key of its own."""

    requests: TokenBucket = field(init=False)
    moves: TokenBucket = field(init=False)
    _asked: deque[_Asked] | None = field(default=None, init=False)
    """Events that wait their turn."""
    _queued_bytes: int = field(default=0, init=False)
    _free: asyncio.Future[None] | None = field(default=None, init=False)
    """Done when there may be room again; only while the reading has stopped."""
    _stopping: bool = field(default=False, init=False)
    _begun: bool = field(default=False, init=False)
    _worker: asyncio.Task[None] | None = field(default=None, init=False)
    """Gives events their turn; only while one has it or waits for it."""
    _running: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _held: int = field(default=0, init=False)
    _rest: asyncio.Future[None] | None = field(default=None, init=False)
    _answers: list[Wire] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.requests = TokenBucket(self.rate, self.rate * BURST)
        self.moves = TokenBucket(MOVES_PER_SECOND, MOVES_AT_ONCE)

    @property
    def running(self) -> frozenset[asyncio.Future[None]]:
        """What is done when the events under way are answered."""
        rest = () if self._rest is None else (self._rest,)
        return frozenset((*self._running, *rest))

    # Out

    def send(self, event: str, data: Any, *, lossy: bool = False) -> None:
        """Send an event to this socket alone."""
        self.deliver(encode_event(event, data), lossy=lossy)

    def deliver(self, wire: Wire, *, lossy: bool = False) -> None:
        """Send a packet that is already encoded.

        A socket that lags by a sixteenth of its limit gets no lossy packets
        any more; one that lags by all of it is cut off. (In between it is
        spared what it can be given later; see ``catch_up``.)
        """
        if self.closed:
            return
        self.flush()
        pending = self.outbox.pending_bytes
        if pending > self.max_pending_bytes:
            self.cut("too_slow", f"The connection lags by {pending} bytes; reload what you missed")
        elif not (lossy and pending > self.max_pending_bytes // 16):
            self.outbox.send(wire)

    def cut(self, code: str, message: str) -> None:
        """Tell the client why, as far as it still listens, and close the connection.

        It may come back and resume.
        """
        self._part("session.resync", code, message, for_good=False)

    def revoke(self, code: str, message: str) -> None:
        """Tell the client that its proof no longer holds, and close the connection."""
        self._part("session.revoked", code, message, for_good=True)

    def _part(self, event: str, code: str, message: str, *, for_good: bool) -> None:
        if self.closed:
            return
        self.flush()
        self.closed = True
        logger.info("socket %s of %s is closed: %s", self.sid, self.actor.email, message)
        self.outbox.send(encode_event(event, {"code": code, "message": message}))
        self.hang_up(self, for_good)

    # In

    def take(
        self, event: str, arguments: list[Any], ack: int | None, size: int
    ) -> Awaitable[None] | None:
        """Take an event of the client; where too much is queued, return what reading must wait for."""
        if self._is_full(size):
            return self._take_later(event, arguments, ack, size)
        self._take(event, arguments, ack, size)
        return None

    async def _take_later(
        self, event: str, arguments: list[Any], ack: int | None, size: int
    ) -> None:
        while self._is_full(size):
            if self.closed or self._is_gone():
                return
            self._free = asyncio.get_running_loop().create_future()
            # Nobody reads meanwhile, so nobody would notice that the client is gone.
            await asyncio.wait((self._free,), timeout=GLANCE)
        self._take(event, arguments, ack, size)

    def _take(self, event: str, arguments: list[Any], ack: int | None, size: int) -> None:
        if self.closed:
            return
        idle = self._begun and self._worker is None
        if idle and self._takes(event, arguments, ack, size):
            return
        self._queued_bytes += size
        if self._asked is None:
            self._asked = deque()
        self._asked.append(_Asked(event, arguments, ack, size))
        if idle:
            self._work()

    def _is_full(self, size: int) -> bool:
        return self.queued + self._held >= MAX_QUEUED or (
            self._queued_bytes > 0 and self._queued_bytes + size > self.max_queued_bytes
        )

    @property
    def queued(self) -> int:
        """How many events wait their turn."""
        return 0 if self._asked is None else len(self._asked)

    def _takes(self, event: str, arguments: list[Any], ack: int | None, size: int) -> bool:
        return not self._stopping and self.take_at_once(self, event, arguments, ack, size)

    def hold(self, size: int) -> None:
        """Count an event that was taken at once among those that wait, until it is answered."""
        if self._rest is None:
            self._rest = asyncio.get_running_loop().create_future()
        self._held += 1
        self._queued_bytes += size

    def let_go(self, ack: int | None, answer: dict[str, Any], size: int) -> None:
        """Answer an event that was held. The answer goes out with the next ``flush_answers``."""
        self._held -= 1
        self._queued_bytes -= size
        self._freed()
        if self._held == 0 and self._rest is not None:
            self._rest.set_result(None)
            self._rest = None
        if ack is not None:
            self._answers.append(encode_ack(ack, answer))

    def flush_answers(self) -> None:
        """Send the answers that are ready, in one go."""
        answers, self._answers = self._answers, []
        if answers:
            self.deliver(join(answers))

    def _freed(self) -> None:
        """Go on reading: there may be room again."""
        if self._free is not None and not self._free.done():
            self._free.set_result(None)

    def _is_gone(self) -> bool:
        transport = self.outbox.transport
        return transport is not None and transport.is_closing()

    def refuse_events(self) -> None:
        """Answer every further event with ``unavailable``: the server is stopping."""
        self._stopping = True

    def begin(self) -> None:
        """Answer events from here on."""
        self._begun = True
        if self._asked:
            self._work()

    def end(self) -> None:
        """Begin to answer no further event, not even those that are queued."""
        self.closed = True
        self._asked = None
        self._freed()
        if self._worker is not None:
            self._worker.cancel()

    async def settle(self) -> None:
        """Wait, after ``end``, until the events under way are done.

        They get LINGER seconds more, because half of a change is worse than
        one whose answer nobody hears; then they are cancelled.
        """
        waiting = self.running
        if waiting:
            await asyncio.wait(waiting, timeout=LINGER)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def _work(self) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._give_turns())

    async def _give_turns(self) -> None:
        """Answer the events that wait, in their order."""
        try:
            while self._asked and not self.closed:
                asked = self._asked.popleft()
                self._queued_bytes -= asked.size
                self._freed()
                if not self._takes(asked.event, asked.arguments, asked.ack, asked.size):
                    await self._begin(asked)
        except Exception:  # the edge of one socket: others live on
            logger.exception("fault in socket %s", self.sid)
            self.cut("internal", "Something went wrong on the server")
        finally:
            self._worker = None
            if not self._asked:
                self._asked = None

    async def _begin(self, asked: _Asked) -> None:
        """Begin to answer an event; return when the next may begin."""
        while len(self._running) >= MAX_AT_ONCE:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        turn = _Turn()
        task = asyncio.get_running_loop().create_task(self._answer(asked, turn))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await turn.over
        finally:
            turn.keep()

    def keep_turn(self) -> None:
        """Let no later event begin before the present one lets go of its turn, however long that takes.

        For an edit: one that follows it would be refused, because it builds on it.
        """
        turn = _TURN.get()
        if turn is not None:
            turn.keep()

    def release_turn(self) -> None:
        """Let the next event of this socket begin before the present one is answered.

        For an operation whose place in the order is taken: an edit that is
        queued for its commit, a run that is waited for.
        """
        turn = _TURN.get()
        if turn is not None:
            turn.end()

    async def _answer(self, asked: _Asked, turn: _Turn) -> None:
        _TURN.set(turn)
        turn.begin()
        try:
            answer = {"ok": True} | await self._handled(asked)
        except ServerError as error:
            answer = {"ok": False, "error": error.to_json()}
        except Exception as error:  # noqa: BLE001 - the edge of every event: the socket lives on
            answer = {"ok": False, "error": internal(asked.event, error).to_json()}
        finally:
            turn.end()
        if asked.ack is not None:
            self._acknowledge(asked.ack, answer)

    async def _handled(self, asked: _Asked) -> dict[str, Any]:
        if self._stopping:
            raise Unavailable("The server is stopping; connect again in a moment")
        return await self.handle(self, asked.event, asked.arguments)

    def _acknowledge(self, ack: int, answer: dict[str, Any]) -> None:
        try:
            wire = encode_ack(ack, answer)
        except (TypeError, ValueError, RecursionError) as error:  # what was answered is no JSON
            fault = internal("the encoding of an answer", error)
            wire = encode_ack(ack, {"ok": False, "error": fault.to_json()})
        self.deliver(wire)
