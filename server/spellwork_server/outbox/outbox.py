"""All subscribers: those in this process always, and Redis where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

from spellwork_server.runs.journal import Journal
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.outbox import OutboxStore

from .pump import Deliver, Pump


class Outbox:
    """Tells subscribers of every event of every stream while it is entered.

    Each is told at least once, in the order of each stream, from when it first
    subscribed; also what came while the server was down. The journal is read
    for that after the commit: no run ever waits for a subscriber.
    """

    def __init__(
        self,
        store: OutboxStore,
        journal_store: JournalStore,
        journal: Journal,
        commits: GroupCommit,
    ) -> None:
        self._store = store
        self._journal_store = journal_store
        self._commits = commits
        self._pumps: dict[str, Pump] = {}
        self._tasks: asyncio.TaskGroup | None = None
        journal.watch(self._grown)

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        for pump in self._pumps.values():
            pump.begin(self._tasks)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._tasks is not None
        for pump in self._pumps.values():
            pump.end()
        await self._tasks.__aexit__(None, None, None)
        self._tasks = None

    @property
    def names(self) -> Collection[str]:
        """Who is told here: what they have not been told yet must be kept."""
        return tuple(self._pumps)

    def subscribe(
        self, name: str, deliver: Deliver, *, kinds: Collection[str] | None = None
    ) -> None:
        """Have ``deliver`` called with events, of these kinds where given.

        ``name`` (at most 64 characters) stands for the subscriber over restarts:
        what it was told is noted under it, after ``deliver`` returned. Several
        processes may subscribe by one name; each event is then told to one of
        them, now and then to two.
        """
        if name in self._pumps:
            raise ValueError(f"{name!r} is told already")
        pump = Pump(name, deliver, kinds, self._store, self._journal_store, self._commits)
        self._pumps[name] = pump
        if self._tasks is not None:
            pump.begin(self._tasks)

    def unsubscribe(self, name: str) -> None:
        """Tell a subscriber of this process no more."""
        self._pumps.pop(name).end()

    def report(self) -> dict[str, Any]:
        """Return how each subscriber is: ``ok`` or why it is not told now, and how many streams wait."""
        return {
            name: {"state": "ok" if pump.failing is None else "failing", "streams": pump.waiting}
            for name, pump in self._pumps.items()
        }

    def _grown(self, stream: str, seq: int) -> None:
        for pump in self._pumps.values():
            pump.grown(stream, seq)
