"""The streams of one call of a node: those that it fills, and those that it reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from .context import Host
from .errors import NodeCancelled, OutputTooLarge, StreamFailed
from .events import Event
from .outlet import Outlet
from .rejection import accepted
from .returned import whole_of
from .standstill import Party
from .step import Binding, Step
from .streams import Reader, Stream

if TYPE_CHECKING:
    from .ports import Port


class Flows:
    """What a call puts out and takes in by streams. ``inner``: the call is made by another node, so nobody reads it."""

    __slots__ = (
        "_host",
        "_outlets",
        "_readers",
        "_step",
        "_tasks",
        "inner",
        "loop",
        "node_id",
        "output_bytes",
        "party",
        "thread",
        "watched",
        "watcher",
    )

    def __init__(
        self, step: Step, host: Host, *, inner: bool = False, output_bytes: int | None = None
    ) -> None:
        self._step = step
        self._host = host
        self._outlets: dict[str, Outlet] = {}
        self._readers: list[Reader] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.inner = inner
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.node_id = step.id
        self.party = Party()
        self.output_bytes = output_bytes
        self.watched = host.watched and not inner
        self.watcher = None if inner else host.watcher

    # Out

    def outlet(self, port: str) -> Outlet:
        """Return the way out of the chunks of an output."""
        outlet = self._outlets.get(port)
        if outlet is None:
            outlet = self._outlets[port] = Outlet(self, port)
        return outlet

    def has(self, port: str) -> bool:
        """Say whether the node has such an output."""
        return self._step.ports.output(port) is not None

    def emit(self, port: str, chunk: Any) -> None:
        """Hand on a chunk that the sink was told of; from any thread, and without waiting."""
        if not self.has(port):
            return
        if threading.get_ident() == self.thread:
            self.outlet(port).feed(chunk, told=True)
        else:
            self.loop.call_soon_threadsafe(self._feed, port, chunk)

    def _feed(self, port: str, chunk: Any) -> None:
        outlet = self.outlet(port)
        if outlet.stream.is_open:
            try:
                outlet.feed(chunk, told=True)
            except OutputTooLarge as error:
                outlet.stream.fail(error)

    async def send(self, port: str, chunk: Any) -> None:
        """Hand on a chunk, and wait until there is room for more; from any thread."""
        if threading.get_ident() == self.thread:
            await self.send_here(port, chunk)
        else:
            put = asyncio.run_coroutine_threadsafe(self.send_here(port, chunk), self.loop)
            await asyncio.wrap_future(put)

    async def send_here(self, port: str, chunk: Any) -> None:
        """Do so on the thread of the run."""
        await self.outlet(port).put(chunk)

    def is_read(self, port: str) -> bool:
        """Say whether other steps take this output while it comes."""
        return port in self._outlets or self.readers_of(port) > 0

    def completed(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs with what chunks add up to, where the function left out what it sent chunks of."""
        for port, outlet in self._outlets.items():
            declared = self._step.ports.output(port)
            if port not in outputs and outlet.stream.chunks and declared is not None:
                outputs = {**outputs, port: whole_of(declared, outlet.stream.chunks)}
        return outputs

    @property
    def taken(self) -> bool:
        """Whether others have taken chunks: then the call cannot be made again."""
        return any(outlet.stream.taken for outlet in self._outlets.values())

    def readers_of(self, port: str) -> int:
        """Return how many steps wait for an output's stream: for one that is given by hand none does."""
        if self.inner or port in self._step.pins:
            return 0
        return self._host.readers_of(self._step.index, port)

    def begin(self, port: str, stream: Stream) -> None:
        """Let the steps start that read an output."""
        if self.readers_of(port):
            self._host.begin_stream(self._step.index, port, stream)

    def report(self, event: Event) -> None:
        """Tell the sink."""
        self._host.report(event)

    def report_chunks(self, port: str, chunks: list[Any]) -> None:
        """Tell the watcher of chunks."""
        self._host.report_chunks(self.node_id, port, chunks)

    def tell_now(self) -> None:
        """Tell of all chunks that came, before something else is told."""
        for outlet in self._outlets.values():
            outlet.tell_now()

    # In

    def inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs with a reader, from the first chunk on, where the node takes a stream."""
        if not any(port.stream for port in self._step.ports.inputs):
            return inputs
        given = dict(inputs)
        for binding in self._step.bindings:
            port = self._step.ports.input(binding.port)
            if port is None or not port.stream or binding.port not in inputs:
                continue
            value, check = inputs[binding.port], self._check_of(binding, port)
            given[binding.port] = (
                [self._read(each, check) for each in value]
                if binding.many
                else self._read(value, check)
            )
        return given

    def _read(self, value: Any, check: Callable[[Any], Any] | None) -> Reader:
        if isinstance(value, Reader):
            return value
        stream = value if isinstance(value, Stream) else Stream.of(value)
        reader = stream.read(self.party, check)
        self._readers.append(reader)
        return reader

    def _check_of(self, binding: Binding, port: Port) -> Callable[[Any], Any] | None:
        adapter = self._step.type.adapters.get(binding.port) if binding.check else None
        return None if adapter is None else chunk_check(binding.port, adapter, port.schema)

    @contextmanager
    def timed(self, timeout: asyncio.Timeout) -> Iterator[None]:
        """Let a timeout stand still while the call waits for other nodes."""
        self.party.timer = _Stoppable(timeout)
        try:
            yield
        finally:
            self.party.timer = None

    # The end

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Cancel the present task when the call ends before it: it works for a thread, which nobody can cancel."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    def leave(self) -> None:
        """Stop reading."""
        for reader in self._readers:
            reader.close()
        self._readers.clear()

    def start_over(self) -> None:
        """Forget what an attempt put out, and stop reading."""
        self.leave()
        for outlet in self._outlets.values():
            outlet.tell_now()
            outlet.start_over()

    def close(self, error: BaseException | None = None) -> None:
        """End the streams that the call fills: for good, or with what it raised."""
        self.leave()
        for task in self._tasks:
            task.cancel()
        for outlet in self._outlets.values():
            outlet.tell_now()
            if error is None:
                outlet.stream.close()
            elif isinstance(error, Exception):
                failed = StreamFailed(
                    f"{self._step.label!r} failed while its stream was read: {error}"
                )
                failed.__cause__ = error
                outlet.stream.fail(failed)
            else:
                outlet.stream.fail(NodeCancelled("the run was cancelled"))


class _Stoppable:
    """An asyncio timeout that can stand still."""

    __slots__ = ("_left", "_timeout")

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self._left = 0.0

    def stop(self) -> None:
        """Stop."""
        due = self._timeout.when()
        if due is not None and not self._timeout.expired():
            self._left = due - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)

    def go_on(self) -> None:
        """Go on."""
        if self._timeout.when() is None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)


def chunk_check(
    port: str, adapter: TypeAdapter[Any], schema: dict[str, Any]
) -> Callable[[Any], Any]:
    """Return what checks one chunk by the adapter of the whole: a list of them, or a text."""
    listed = schema.get("type") == "array"
    validate, what = adapter.validate_python, f"a chunk of the input {port!r}"

    def check(chunk: Any) -> Any:
        checked = accepted(validate, [chunk] if listed else chunk, what, port)
        return checked[0] if listed else checked

    return check
