"""Events that are told and not kept, on their way to the sockets of other processes.

Each process writes what it tells into a table, and reads there what others
told: in the order of their commits, each once. That something is there the
doorbell says (``runs/doorbell.py``). Nobody depends on it: an event that the
store does not take is told here alone, and whoever connects reads how things are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import msgspec

from spellwork_server.errors import ServerError
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.relayed import KEPT, PAGE, Relayed, RelayStore

from .channels import Channels

CROSSING = frozenset({"run.status", "tasks.changed", "triggers.changed", "user.mentions"})
"""What happens in one process and concerns tabs at any. All else of a canvas is told where it is edited."""

logger = logging.getLogger(__name__)


class Relay:
    """Channels over all processes on a database, as an async context manager.

    ``others``: whether there are any; only then something is written.
    """

    def __init__(self, channels: Channels, store: RelayStore, commits: GroupCommit) -> None:
        self.channels = channels
        """Those of the sockets here."""
        self._store = store
        self._commits = commits
        self._name = uuid4().hex[:12]
        self.others = False
        self._told = 0
        """The number up to which what others wrote is told here."""
        self._telling = asyncio.Lock()
        self._waiting: list[Relayed] = []
        self._writing: asyncio.Task[None] | None = None
        self._written: Callable[[int], None] = lambda _number: None
        self._open = False

    async def __aenter__(self) -> Self:
        self._told = await self._store.last()
        self._open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
        if self._writing is not None:
            await self._writing

    def watch(self, written: Callable[[int], None]) -> None:
        """Have ``written`` called with the number of what this process wrote last, after each commit."""
        self._written = written

    def followed(self, channel: str) -> bool:
        """Say whether any socket of this process is in a channel."""
        return self.channels.followed(channel)

    def reaches(self, channel: str) -> bool:
        """Say whether anybody may hear what is published to a channel: here, or elsewhere."""
        return self.others or self.channels.followed(channel)

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to all in a channel; where it is CROSSING, at other processes too."""
        self.channels.publish(channel, event, data)
        if event in CROSSING and self.others and self._open and len(self._waiting) < KEPT:
            self._waiting.append(Relayed(channel, event, msgspec.json.encode(data)))
            if self._writing is None:
                loop = asyncio.get_running_loop()
                self._writing = loop.create_task(self._write(), name="relay")

    async def look(self) -> None:
        """Tell the sockets here what other processes wrote since the last look. Raises Unavailable."""
        async with self._telling:
            while True:
                before = self._told
                found, self._told = await self._store.of_others(self._name, before)
                for each in found:
                    self.channels.publish(each.channel, each.event, msgspec.Raw(each.body))
                if self._told - before < PAGE:
                    return

    async def _write(self) -> None:
        try:
            while self._waiting:
                events, self._waiting = self._waiting[:PAGE], self._waiting[PAGE:]
                self._written(await self._commits.submit(self._store.writing(self._name, events)))
        except ServerError as error:
            self._waiting.clear()
            logger.warning("other processes are not told: %s", error.message)
        except Exception:  # the edge of telling: what was done is done
            self._waiting.clear()
            logger.exception("other processes are not told")
        finally:
            self._writing = None
