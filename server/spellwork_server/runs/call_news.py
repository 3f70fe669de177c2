"""What the calls of placed nodes tell while they go, told of those nodes in the runs that placed them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from spellwork.context import Context
from spellwork_server.errors import StoreUnavailable
from spellwork_server.storage.journal import StoredEvent
from spellwork_server.storage.outputs import OutputStore

from .journal import Journal
from .references import is_reference

KINDS = frozenset({"node.started", "node.progress", "node.log", "node.chunk", "node.waiting"})

PAUSE = 1.0
"""Seconds until it looks again after the store failed."""

PATIENCE = 5.0
"""Seconds that the end of a call waits, at most, for what it told before."""

logger = logging.getLogger(__name__)


class CallNews:
    """Follows streams of calls for as long as somebody here waits for one of them, each once for all who do."""

    def __init__(
        self,
        journal: Journal,
        outputs: OutputStore,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        node: str,
    ) -> None:
        self._journal = journal
        self._outputs = outputs
        self._spawn = spawn
        self._node = node
        """The id of the one node in the run of a call."""
        self._streams: dict[str, CallStream] = {}

    @asynccontextmanager
    async def following(self, stream: str) -> AsyncIterator[CallStream]:
        """Follow a stream from now on. Raises StoreUnavailable."""
        calls = self._streams.get(stream)
        if calls is None:
            calls = CallStream(self._journal, self._outputs, stream, self._node)
            self._streams[stream] = calls
        calls.users += 1
        try:
            await calls.open(self._spawn)
            yield calls
        finally:
            calls.users -= 1
            if not calls.users:
                del self._streams[stream]
                calls.close()


class CallStream:
    """A stream of calls, and which nodes here are called by some of them."""

    def __init__(self, journal: Journal, outputs: OutputStore, name: str, node: str) -> None:
        self.users = 0
        self._journal = journal
        self._outputs = outputs
        self._name = name
        self._node = node
        self._contexts: dict[str, Context] = {}
        self._begun: set[str] = set()
        self._seen = 0
        self._moved = asyncio.Event()
        self._opening = asyncio.Lock()
        self._is_open = False
        self._task: asyncio.Task[None] | None = None

    async def open(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """Begin to follow, where that is not so yet."""
        async with self._opening:
            if not self._is_open:
                self._seen = (await self._journal.log(self._name)).published
                self._is_open = True
                spawn(self._follow())

    def close(self) -> None:
        """Follow it no more."""
        if self._task is not None:
            self._task.cancel()

    @asynccontextmanager
    async def told(self, call: str, context: Context) -> AsyncIterator[None]:
        """Tell by ``context`` what a call tells; when this is left in peace, all that it told is told."""
        self._contexts[call] = context
        try:
            yield
            with suppress(TimeoutError, StoreUnavailable):
                async with asyncio.timeout(PATIENCE):
                    await self._catch_up()
        finally:
            if self._contexts.get(call) is context:
                del self._contexts[call]
                self._begun.discard(call)

    async def _catch_up(self) -> None:
        last = (await self._journal.up_to_date(self._name)).published
        while self._seen < last:
            self._moved.clear()
            await self._moved.wait()

    async def _follow(self) -> None:
        self._task = asyncio.current_task()
        with suppress(asyncio.CancelledError):
            while self.users:
                try:
                    await self._tell_all()
                except StoreUnavailable as error:
                    logger.warning("calls in %s are not heard now: %s", self._name, error.message)
                    await asyncio.sleep(PAUSE)
                except Exception:  # an event of another version, say: those after it are told
                    logger.exception("fault in what calls in %s tell", self._name)
                    await asyncio.sleep(PAUSE)

    async def _tell_all(self) -> None:
        events = self._journal.follow(
            self._name, after=self._seen, run=None, is_open=lambda: bool(self.users)
        )
        async for event in events:
            try:
                if event.kind in KINDS:
                    await self._tell(event)
            finally:
                self._seen = event.seq
                self._moved.set()

    async def _tell(self, event: StoredEvent) -> None:
        told = msgspec.json.decode(event.json)
        call = told["run"]
        context = self._contexts.get(call)
        if context is None or told.get("node") != self._node:
            return
        value = told.get("value")
        if event.kind == "node.started":
            if call in self._begun:  # its process died, and another one makes it anew
                context.again()
            else:
                self._begun.add(call)
                context.progress(None)  # it waits for the queue no more
        elif event.kind == "node.progress":
            context.progress(value, told.get("message", ""))
        elif event.kind == "node.log":
            _tell_line(context, told)
        elif event.kind == "node.waiting":
            data = told["data"]
            context.waits(data["for"], told.get("message", ""), data.get("until"))
        else:
            if is_reference(value):
                body = await self._outputs.body(value["$ref"])
                if body is None:  # it is not kept any more
                    return
                value = msgspec.json.decode(body)
            for chunk in value if isinstance(value, list) else [value]:
                context.tell_chunk(told["port"], chunk)


def _tell_line(context: Context, told: Mapping[str, Any]) -> None:
    left_out = (told.get("data") or {}).get("left_out")
    if left_out is None:
        context.log(told["message"], told["level"])
    else:
        context.tell_left_out(left_out)
