"""What sockets that lag are owed: one difference for all the edits that they were not sent.

A socket that cannot keep up with a canvas's edits would only be buried by more
of them. So from a point on it is sent none, and what it had got by then is kept
as a Yjs state vector. Once it has taken what was in its way, it gets everything
since as one update. Rejected: keeping the edits (that is what must not grow),
and reading them from the log (it may have been trimmed, and a difference is
smaller than its parts).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from spellwork_server.rooms.lib0 import write_uint
from spellwork_server.rooms.update_parser import parse_state_vector, parse_update

from .session import Session

logger = logging.getLogger(__name__)

FALLS_BEHIND = 4
"""A socket that lags by this part of its limit is sent no single edits any more."""

HAS_DRAINED = 16
"""One that lags by less than this part is sent what it is owed."""

GLANCE = 0.05
"""Seconds between two looks at whether sockets have drained, while any is behind."""

STALLED = 10.0
"""Seconds after which a socket that is behind and takes nothing is cut."""


class Source(Protocol):
    """The part of ``rooms.Room`` that says what a socket lacks."""

    canvas_id: str
    seq: int
    problems: list[dict[str, Any]]
    ports: dict[str, Any]

    @property
    def channel(self) -> str:
        """The channel its events go to."""
        ...

    def state_vector(self) -> bytes:
        """Return which edits the document has."""
        ...

    def diff(self, state_vector: bytes | None = None) -> bytes:
        """Return what a client with ``state_vector`` lacks."""
        ...


class Skippable:
    """An event of a canvas that may be left out, because ``source`` can make it good later."""

    __slots__ = ("_starts", "source", "updates")

    def __init__(self, source: Source, updates: Sequence[bytes]) -> None:
        self.source = source
        self.updates = updates
        """The edits in it; none where the event tells a state, which the next one replaces."""
        self._starts: dict[int, int] | None = None

    def starts(self) -> dict[int, int]:
        """Return the first clock of each Yjs client that the edits bring; read once, when asked first."""
        if self._starts is None:
            starts: dict[int, int] = {}
            for update in self.updates:
                for client, (start, _) in parse_update(update).spans.items():
                    starts[client] = min(start, starts.get(client, start))
            self._starts = starts
        return self._starts


class _Debt:
    """What one socket is owed of one canvas."""

    __slots__ = ("edits", "has", "problems", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.has = parse_state_vector(source.state_vector())
        """What the socket was sent, and perhaps less: too much in a difference does no harm."""
        self.edits = False
        self.problems = False

    def add(self, event: Skippable) -> None:
        if not event.updates:
            self.problems = True
            return
        self.edits = True
        for client, start in event.starts().items():
            if start < self.has.get(client, 0):
                self.has[client] = start


class _Behind:
    """A socket that is behind; ``pending`` bytes were in its way when it last took any, at ``moved``."""

    __slots__ = ("debts", "moved", "pending")

    def __init__(self, pending: int, now: float) -> None:
        self.debts: dict[str, _Debt] = {}
        self.pending = pending
        self.moved = now


class CatchUp:
    """Keeps what sockets are owed, and sends it. ``flush`` writes the events that are held back."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._behind: dict[Session, _Behind] = {}
        self._timer: asyncio.TimerHandle | None = None

    def takes(self, session: Session, events: Sequence[Skippable]) -> bool:
        """Note the events as owed if the socket lags; say whether it did, and must not be sent them."""
        if session.closed:
            return True
        try:
            return self._takes(session, events)
        except Exception:  # the edge of one socket: the others get their events
            logger.exception("fault while events were noted for socket %s", session.sid)
            session.cut("internal", "Something went wrong on the server")
            return True

    def _takes(self, session: Session, events: Sequence[Skippable]) -> bool:
        channel = events[0].source.channel
        behind = self._behind.get(session)
        if behind is None or channel not in behind.debts:
            pending = session.outbox.pending_bytes
            if pending <= session.max_pending_bytes // FALLS_BEHIND:
                return False
            behind = behind or self._begin(session, pending)
            behind.debts[channel] = _Debt(events[0].source)
        for event in events:
            behind.debts[channel].add(event)
        return True

    def forget(self, session: Session, channel: str) -> None:
        """Let a socket's debts of a channel go: it left."""
        behind = self._behind.get(session)
        if behind is None:
            return
        behind.debts.pop(channel, None)
        if not behind.debts:
            self._end(session)

    def _begin(self, session: Session, pending: int) -> _Behind:
        loop = asyncio.get_running_loop()
        behind = self._behind[session] = _Behind(pending, loop.time())
        session.behind = True
        if self._timer is None:
            self._timer = loop.call_later(GLANCE, self._look)
        return behind

    def _end(self, session: Session) -> None:
        session.behind = False
        del self._behind[session]

    def _look(self) -> None:
        """Send what is owed to those who have drained, and cut those who take nothing."""
        self._timer = None
        self._flush()  # what is held back is in the difference; it must not follow it
        now = asyncio.get_running_loop().time()
        for session, behind in list(self._behind.items()):
            try:
                self._look_at(session, behind, now)
            except Exception:  # the edge of one socket: others are looked at
                logger.exception("fault while socket %s was to catch up", session.sid)
                session.cut("internal", "Something went wrong on the server")
        if self._behind:
            self._timer = asyncio.get_running_loop().call_later(GLANCE, self._look)

    def _look_at(self, session: Session, behind: _Behind, now: float) -> None:
        if session.closed:
            self._end(session)
            return
        pending = session.outbox.pending_bytes
        if pending <= session.max_pending_bytes // HAS_DRAINED:
            self._end(session)
            for debt in behind.debts.values():
                _pay(session, debt)
        elif pending != behind.pending:
            behind.pending, behind.moved = pending, now
        elif now - behind.moved >= STALLED:
            session.cut("too_slow", f"The connection took nothing for {STALLED:g} s; come back")


def _pay(session: Session, debt: _Debt) -> None:
    source = debt.source
    if debt.edits:
        update = source.diff(_vector(debt.has))
        data = {"canvas": source.canvas_id, "seq": source.seq, "updates": [update]}
        session.send("canvas.updates", data)
    if debt.problems:
        state = {"canvas": source.canvas_id, "problems": source.problems, "ports": source.ports}
        session.send("canvas.problems", state)


def _vector(clocks: dict[int, int]) -> bytes:
    known = {client: clock for client, clock in clocks.items() if clock}
    parts = [write_uint(client) + write_uint(clock) for client, clock in known.items()]
    return write_uint(len(known)) + b"".join(parts)
