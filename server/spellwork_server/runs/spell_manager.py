"""What one socket has open: a runner for each of its canvases, and the streams it follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from spellwork_server.errors import NotFound, StoreUnavailable, Unauthenticated
from spellwork_server.identity import Actor, allowed
from spellwork_server.storage.journal import StoredEvent
from spellwork_server.storage.run_records import RunRecord

from .journal import Journal
from .runners import Runners
from .spell_runner import SpellRunner
from .stream_log import StreamLog
from .streams import Access, calls_of, canvas_of, channel_of, stream_of, streams_of

PAGE = 200
"""Events that are read from the store at a time."""

PAGE_BYTES = 1024 * 1024
"""Bytes of events after which one answer ends."""


Show = Callable[[Sequence[StoredEvent]], Awaitable[list[StoredEvent]]]
"""Makes of events what somebody may see of them; each keeps its number."""

Current = Callable[[Actor], Awaitable[Actor]]
"""Returns an actor as it is now. Raises Unauthenticated."""


class Subscriber(Protocol):
    """What a manager needs of ``sockets.Session``."""

    @property
    def actor(self) -> Actor:
        """Whose socket it is."""


class Subscriptions(Protocol):
    """What a manager needs of ``sockets.Channels``."""

    def join(self, session: Any, channel: str) -> None:
        """Send the socket what is published to the channel from now on."""

    def leave(self, session: Any, channel: str) -> None:
        """Send it no more."""


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """What a tab needs to follow the runs of a canvas: it misses nothing after ``streams``."""

    streams: dict[str, int] = field(default_factory=dict)
    """The number of the last event of each stream that the socket now follows."""
    going: tuple[RunRecord, ...] = ()
    """The runs there that have not ended, as far as the user may see them."""
    live: bool = False
    live_users: list[str] = field(default_factory=list)
    live_notice: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Events that a socket missed. When ``more`` is False it follows the stream from here on."""

    events: list[StoredEvent]
    seq: int
    more: bool
    snapshot_required: bool = False


class SpellManager:
    """One per socket; no socket knows another's.

    Its runners are shared with the user's other tabs, and stay when this one goes.
    """

    def __init__(
        self, session: Subscriber, runners: Runners, journal: Journal, channels: Subscriptions
    ) -> None:
        self._session = session
        self._runners = runners
        self._journal = journal
        self._channels = channels
        self._open: dict[str, SpellRunner] = {}
        self._caught_up: set[str] = set()
        """Canvases of which it follows a stream that it asked for by name, open or not."""
        self._resuming: dict[str, asyncio.Lock] = {}
        self._detached = False
        channels.join(session, channel_of(stream_of(None, session.actor.user_id, "private")))

    @property
    def canvases(self) -> tuple[str, ...]:
        """The canvases that are open in this socket."""
        return tuple(self._open)

    @property
    def followed(self) -> frozenset[str]:
        """The canvases of which the socket follows a stream."""
        return frozenset(self._caught_up) | self._open.keys()

    async def open(self, canvas: str) -> OpenRuns:
        """Load the runner of a canvas and follow its streams; a second time changes nothing.

        The caller has checked that the actor may read the canvas.
        """
        user = self._session.actor.user_id
        if canvas not in self._open:
            runner = await self._runners.acquire(user, canvas)
            if canvas in self._open or self._detached:
                self._runners.release(runner)
            else:
                self._open[canvas] = runner
        names = streams_of(canvas, user)
        logs = [await self._journal.log(name) for name in names]
        # From here on nothing may await: what is published later finds the socket in its channels.
        for name in names:
            self._channels.join(self._session, channel_of(name))
        return OpenRuns(
            streams={log.stream: log.published for log in logs},
            going=self._runners.going(canvas, user),
            live=self._runners.is_live(user, canvas),
            live_users=self._runners.live_users(canvas, user),
            live_notice=self._runners.live_notice(user, canvas),
        )

    def close(self, canvas: str) -> None:
        """Let go of a canvas and its streams; its runs go on."""
        user = self._session.actor.user_id
        for audience in ("shared", "private"):
            stream = stream_of(canvas, user, audience)
            self._channels.leave(self._session, channel_of(stream))
            self._channels.leave(self._session, channel_of(calls_of(stream)))
        self._caught_up.discard(canvas)
        runner = self._open.pop(canvas, None)
        if runner is not None:
            self._runners.release(runner)

    def detach(self) -> None:
        """Let go of everything: the socket is gone."""
        self._detached = True
        for runner in self._open.values():
            self._runners.release(runner)
        self._open.clear()

    async def resume(self, stream: str, after: int, limit: int, show: Show) -> Replay:
        """Return what the socket missed of a stream, a page at a time; with the last page it follows the stream.

        Until then the socket is not in the stream's channel: what happens
        meanwhile waits in the log, so nothing is held for it in memory, and
        nothing comes twice or out of order. The caller has checked that the
        actor may follow the stream; ``show`` makes of events what the actor may see of them.
        """
        lock = self._resuming.setdefault(stream, asyncio.Lock())
        async with lock:
            self._channels.leave(self._session, channel_of(stream))
            if await self._journal.is_forgotten(stream, after):
                return self._join(await self._journal.log(stream), [], snapshot_required=True)
            return await self._replay(stream, after, limit, show)

    async def _replay(self, stream: str, after: int, limit: int, show: Show) -> Replay:
        events: list[StoredEvent] = []
        size = 0
        while len(events) < limit and size < PAGE_BYTES:
            page = await self._journal.read(
                stream, after=after, limit=min(limit - len(events), PAGE)
            )
            events += await show(page)
            size += sum(len(event.json) for event in page)
            after = page[-1].seq if page else after
            log = await self._journal.log(stream)
            if after >= log.published:  # nothing awaits between here and the answer's way out
                return self._join(log, events)
            if not page:
                return self._join(log, [], snapshot_required=True)
        return Replay(events, after, more=True)

    def _join(
        self, log: StreamLog, events: list[StoredEvent], *, snapshot_required: bool = False
    ) -> Replay:
        if not self._detached:
            self._channels.join(self._session, channel_of(log.stream))
            canvas = canvas_of(log.stream)
            if canvas is not None:
                self._caught_up.add(canvas)
        return Replay(events, log.published, more=False, snapshot_required=snapshot_required)


class Managers:
    """Gives every socket its SpellManager when it connects, under ``session.state[SpellManager]``.

    ``connected`` and ``gone`` are hooks of the socket server, ``watch_canvas``
    one of the canvas records.
    """

    def __init__(
        self, runners: Runners, journal: Journal, channels: Subscriptions, access: Access
    ) -> None:
        self._runners = runners
        self._journal = journal
        self._channels = channels
        self._access = access
        self._managers: dict[Any, SpellManager] = {}

    async def connected(self, session: Any) -> None:
        """Give a new socket its manager."""
        manager = SpellManager(session, self._runners, self._journal, self._channels)
        session.state[SpellManager] = self._managers[session] = manager

    async def gone(self, session: Any) -> None:
        """Let go of what a socket had open."""
        manager = self._managers.pop(session, None)
        if manager is not None:
            manager.detach()

    def watch_canvas(self, canvas: str) -> None:
        """Look again at who may follow a canvas whose members changed, or that was deleted."""
        self._runners.watch_canvas(canvas)
        if self._managers:
            self._runners.spawn(self._recheck(canvas))

    def watch_user(self, current: Current, user: str) -> None:
        """Look again at what a user's sockets may follow, whose account changed; ``current`` tells who they are now."""
        if any(session.actor.user_id == user for session in self._managers):
            self._runners.spawn(self._recheck_user(current, user))

    async def _recheck_user(self, current: Current, user: str) -> None:
        for session, manager in list(self._managers.items()):
            if session.actor.user_id != user or not manager.followed:
                continue
            try:
                actor = await current(session.actor)
            except Unauthenticated:
                continue  # the socket itself is about to be closed
            for canvas in manager.followed:
                if not await self._may_read(actor, canvas):
                    manager.close(canvas)

    async def _recheck(self, canvas: str) -> None:
        for session, manager in list(self._managers.items()):
            if not await self._may_read(session.actor, canvas):
                manager.close(canvas)

    async def _may_read(self, actor: Actor, canvas: str) -> bool:
        try:
            return allowed(actor, "canvas.read", await self._access(canvas))
        except NotFound:
            return False
        except StoreUnavailable:  # nobody is let in anew; who is in stays until it can be told
            return True
