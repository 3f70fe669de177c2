"""Streams at the edge of a thread: chunks come and go by the batch, and the thread waits where a coroutine would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from .context import Context
from .errors import NodeCancelled
from .streams import CAPACITY, Reader

GLANCE = 0.5
"""Seconds between two looks at whether the call was given up, while its thread waits."""

T = TypeVar("T")


class Bridge:
    """What the thread of one call has done on the loop of the run, until the call ends.

    The thread of a call that was given up goes on for a while; what it asks for
    then is refused, so that the run leaves no task.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start work on the loop, from the thread. Where the loop has ended, nothing ever comes of it."""
        future: Future[T] = Future()

        def begin() -> None:  # the coroutine is made there: one that is never begun would complain
            if self._ended:
                future.set_exception(NodeCancelled("the call has ended"))
                return
            task = self._loop.create_task(work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(partial(_pass_on, future))

        self._loop.call_soon_threadsafe(begin)
        return future

    async def end(self) -> None:
        """Take no more work, and end what is under way; on the loop."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


class Handover:
    """Brings the chunks of a generator from its thread to the loop of the run, and waits there for room.

    One batch is under way at a time. What comes meanwhile is the next one, so
    a slow generator's chunks arrive at once, and a fast one pays little for each.
    """

    def __init__(self, context: Context, port: str, bridge: Bridge) -> None:
        self._context = context
        self._port = port
        self._bridge = bridge
        self._batch: list[Any] = []
        self._under_way: Future[None] | None = None
        self._needed = context.has_pace(port)

    def put(self, chunk: Any) -> None:
        """Take a chunk; wait when a batch is full before the one ahead of it is through."""
        if not self._needed:
            return
        self._batch.append(chunk)
        if self._under_way is None or self._under_way.done() or len(self._batch) >= CAPACITY:
            self._send()

    def finish(self) -> None:
        """Wait until all chunks are through."""
        if self._batch:
            self._send()
        if self._under_way is not None:
            wait_for(self._under_way, self._context)

    def _send(self) -> None:
        if self._under_way is not None:
            wait_for(self._under_way, self._context)
        batch, self._batch = self._batch, []
        self._under_way = self._bridge.submit(partial(self._deliver, batch))

    async def _deliver(self, batch: list[Any]) -> None:
        outlet = self._context.outlet(self._port)
        with self._context.flows.under_way():
            for chunk in batch:
                if not outlet.feed(chunk, told=True):
                    await outlet.room()


class BlockingReader(Iterator[Any]):
    """What a function in a thread gets for a stream: an iterator that waits for chunks."""

    def __init__(self, reader: Reader, bridge: Bridge, context: Context) -> None:
        self._reader = reader
        self._bridge = bridge
        self._context = context

    def __next__(self) -> Any:
        for chunk in self._reader.batch:
            return chunk
        if wait_for(self._bridge.submit(self._reader.refill), self._context):
            for chunk in self._reader.batch:
                return chunk
        self._context.check_cancelled()
        raise StopIteration


def blocking(value: Any, bridge: Bridge, context: Context) -> Any:
    """Return a value as a thread may use it: streams are waited for."""
    if isinstance(value, Reader):
        return BlockingReader(value, bridge, context)
    if isinstance(value, list) and value and isinstance(value[0], Reader):
        return [blocking(each, bridge, context) for each in value]
    return value


def _pass_on(future: Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        future.set_exception(NodeCancelled("the call has ended"))
    elif (error := task.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


def wait_for(future: Future[T], context: Context) -> T:
    """Wait, in a thread, for what the loop does; raises ``NodeCancelled`` when the call was given up."""
    while True:
        try:
            return future.result(GLANCE)
        except TimeoutError:
            if future.done():
                raise
            context.check_cancelled()
