"""The way out of an output's chunks: into the whole, to the nodes that read the stream, and to the sink."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

from .errors import OutputTooLarge
from .events import Event
from .nesting import rough_json
from .standstill import Party
from .streams import Stream

if TYPE_CHECKING:
    from .flows import Flows

HELD = 0.2
"""Seconds after which it is told that a node waits for those who read its stream."""

BATCH = 256
"""Chunks that a watcher is told of together, at most."""


class Outlet:
    """Takes the chunks of one output of one call. All of it belongs to the event loop of the run.

    The steps that read the stream are let go with its first chunk. A sink is
    told of each chunk; a ``Watcher`` of batches, before the call's next event
    and before the loop turns twice.
    """

    __slots__ = ("_begun", "_flows", "_port", "_size", "_turn", "_untold", "stream")

    def __init__(self, flows: Flows, port: str) -> None:
        self._flows = flows
        self._port = port
        self._begun = False
        self._size = 0
        self._untold: list[Any] = []
        self._turn: asyncio.Handle | None = None
        self.stream = Stream(port, readers=flows.readers_of(port), writer=flows.party)

    # Taking chunks

    async def drain(self, chunks: AsyncIterator[Any]) -> None:
        """Take all that an async generator yields, at the pace of those who read and watch."""
        if self._flows.watched or self._flows.output_bytes is not None:
            async for chunk in chunks:
                if not self.feed(chunk):
                    await self.room()
            return
        stream = self.stream
        kept = stream.chunks
        append = kept.append
        stream.limit = 0
        async for chunk in chunks:
            append(chunk)
            if len(kept) >= stream.limit and not self._look():
                await self.room()

    async def drain_here(self, chunks: Iterable[Any]) -> None:
        """Do the same with a generator that does not block."""
        for chunk in chunks:
            if not self.feed(chunk):
                await self.room()

    async def put(self, chunk: Any) -> None:
        """Take a chunk, and wait until there is room for more."""
        if not self.feed(chunk):
            await self.room()

    def feed(self, chunk: Any, *, told: bool = False) -> bool:
        """Take a chunk; return whether there is room for more. ``told``: the sink knows of it.

        Raises:
            OutputTooLarge: the chunks together are over the limit of an output.
        """
        flows = self._flows
        if flows.output_bytes is not None:
            self._measure(chunk, flows.output_bytes)
        if not self._begun:
            self._begin()
        is_free = self.stream.feed(chunk)
        if flows.watched and not told:
            self._tell(chunk)
        return is_free and not (flows.watcher is not None and flows.watcher.is_full)

    def _look(self) -> bool:
        if not self._begun:
            self._begin()
        return self.stream.look()

    def _begin(self) -> None:
        self._begun = True
        self._flows.begin(self._port, self.stream)

    def _measure(self, chunk: Any, limit: int) -> None:
        self._size += (
            len(chunk)
            if isinstance(chunk, (str, bytes))
            else 8
            if isinstance(chunk, (int, float))
            else len(rough_json(chunk))
        )
        if self._size > limit:
            raise OutputTooLarge(self._size, limit, self._port)

    def start_over(self) -> None:
        """Forget all chunks: the call is made again."""
        self._size = 0
        self.stream.start_over()

    # Waiting

    async def room(self) -> None:
        """Wait until those who read and watch have caught up; tell the sink when that takes long."""
        self.tell_now()
        watcher = self._flows.watcher
        timer = None
        if self._flows.watched:
            timer = asyncio.get_running_loop().call_later(HELD, self._tell_held)
        try:
            await self.stream.room()
            if watcher is not None and watcher.is_full:
                wait = _ForWatcher()
                self._flows.party.begin_wait(wait)
                try:
                    await watcher.room()
                finally:
                    self._flows.party.end_wait(wait)
        finally:
            if timer is not None:
                timer.cancel()

    def _tell_held(self) -> None:
        whom = "the nodes that read its stream" if self.stream.is_full else "those who watch"
        self._flows.report(
            Event(
                "node.waiting",
                time.time(),
                self._flows.node_id,
                message=f"{self._port!r} waits for {whom}",
                data={"for": "stream"},
            )
        )

    # Telling

    def _tell(self, chunk: Any) -> None:
        flows = self._flows
        if flows.watcher is None:
            flows.report(
                Event("node.chunk", time.time(), flows.node_id, port=self._port, value=chunk)
            )
            return
        if not self._untold:
            self._turn = asyncio.get_running_loop().call_soon(self.tell_now)
        self._untold.append(chunk)
        if len(self._untold) >= BATCH:
            self.tell_now()

    def tell_now(self) -> None:
        """Tell the watcher of what it has not been told yet."""
        if not self._untold:
            return
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        untold, self._untold = self._untold, []
        self._flows.report_chunks(self._port, untold)


class _ForWatcher:
    """A writer that waits for the journal or a tab: these always go on, by themselves."""

    def waits_for(self) -> tuple[Party, ...]:
        return ()

    def widen(self) -> None:
        """Do nothing."""
