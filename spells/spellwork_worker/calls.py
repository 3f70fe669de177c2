"""Carries out one call in the worker, and sends what comes of it."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .asking import Asking, serve
from .confinement import Confinement
from .context import WorkerContext
from .feeding import Chunks, Inlet, plain_chunk
from .frames import (
    Call,
    Chunk,
    Emitted,
    Failed,
    Feed,
    Log,
    Progress,
    Pull,
    Returned,
    Streaming,
    encode,
)
from .holding import Holding
from .limits import is_spent, limit_met, limit_words
from .output import Printed
from .parcels import Kept
from .pipe import Pipe
from .running import FILENAME, CellOutputs, CellStream, Waiter, run_cell
from .tracebacks import cell_line, chain, explain, was_refused
from .values import NotTransferableError, to_plain


class TooLargeError(Exception):
    """What a call gave is larger than a frame may be."""

    def __init__(self, size: int, limit: int, what: str) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"{what} is {size:,} bytes; at most {limit:,} can leave a worker")


class Calls:
    """Runs calls one after the other, and reports on the one that runs."""

    def __init__(self, pipe: Pipe, limit: int, confinement: Confinement, holding: Holding) -> None:
        self._pipe = pipe
        self._holding = holding
        self._keeps = False
        self._previews = False
        self._limit = limit
        self._confinement = confinement
        self._wait = Waiter()
        self._current = 0
        self.printed = Printed(self.say, self.report)
        asking = Asking(pipe.send, pipe.attend, lambda: self._current)
        pipe.on_answer = asking.take
        serve(asking)

    # What running code says

    def say(self, message: str, level: str) -> None:
        """Send a log message of the current call."""
        self._pipe.send(
            encode(Log(self._current, message.encode("utf-8", "replace").decode(), level))
        )

    def report(self, fraction: float | None, message: str) -> None:
        """Send the progress of the current call."""
        self._pipe.send(encode(Progress(self._current, fraction, message)))

    def emit(self, port: str, chunk: Any, *, sent: bool = False) -> None:
        """Send a chunk that the code emitted on a port; one that is ``sent`` waits for credit."""
        value, kept = self._chunk(chunk, f"a chunk of {port}")
        if sent:
            self._pipe.inlet.spend()
        self._send(Emitted(self._current, port, value, sent, kept), "a chunk")

    def pull(self, stream: str) -> None:
        """Ask for the next chunks of a stream."""
        self._pipe.send(encode(Pull(self._current, stream)))

    # The call

    def run(self, call: Call) -> None:
        """Run the call; whatever happens in it, end with one Returned or Failed."""
        self._current = call.id
        self._keeps, self._previews = call.keep, call.previews
        self._pipe.inlet = inlet = Inlet(call.id, call.credit, self._pipe.attend)
        for name, count in call.streams.items():
            call.inputs[name] = (
                self._stream(inlet, name)
                if count is None
                else [self._stream(inlet, f"{name}[{place}]") for place in range(count)]
            )
        self.printed.begin()
        last: Returned | Failed
        try:
            self._holding.fill(call.inputs, call.given)
            last = self._deliver(call, self._value(call))
        except NotTransferableError as error:
            last = Failed(call.id, "not_transferable", str(error), details={"type": error.kind})
        except TooLargeError as error:
            last = Failed(
                call.id,
                "output_too_large",
                str(error),
                details={"size": error.size, "limit": error.limit},
            )
        except BaseException as error:  # noqa: BLE001 - the edge: whatever user code raises becomes data
            last = failure(call, error, self._confinement)
        self.printed.end()
        self._send_last(call, last)
        call.inputs.clear()
        self._holding.tell()

    def _stream(self, inlet: Inlet, name: str) -> Chunks:
        return Chunks(inlet, name, self.pull, self._filled)

    def _filled(self, feed: Feed) -> list[Any]:
        chunks = dict(enumerate(feed.chunks))
        self._holding.fill(chunks, feed.given)
        return list(chunks.values())

    def _value(self, call: Call) -> Any:
        if call.target is None:
            return run_cell(call.code or "", call.inputs, self._wait)
        function = resolve(call.target)
        arguments = [WorkerContext(call, self)] if call.context else []
        value = function(*arguments, **call.inputs)
        if inspect.isawaitable(value):
            return self._wait(value)
        if inspect.isasyncgen(value):
            return CellStream(self._drain(value))
        return CellStream(value) if inspect.isgenerator(value) else value

    def _drain(self, items: Any) -> Iterator[Any]:
        while True:
            try:
                item = self._wait(anext(items))
            except StopAsyncIteration:
                return
            yield item

    def _deliver(self, call: Call, value: Any) -> Returned:
        if isinstance(value, CellStream):
            self._pipe.send(encode(Streaming(call.id)))
            for place, item in enumerate(value.items):
                chunk = Chunk(call.id, *self._chunk(item, f"chunk {place}"))
                self._pipe.inlet.spend()
                self._send(chunk, f"chunk {place}")
            return Returned(call.id)
        if isinstance(value, CellOutputs):
            return self._outputs(call, value)
        if self._keeps:
            return self._returned(call, value)
        return Returned(call.id, to_plain(value))

    def _chunk(self, chunk: Any, where: str) -> tuple[Any, Kept | None]:
        """Return a chunk as plain values, or what is told of it where it stays here."""
        if not self._keeps or isinstance(chunk, (str, bytes, bytearray, memoryview)):
            return plain_chunk(chunk, where), None
        kept = self._holding.kept(chunk, previews=self._previews)
        return (chunk, None) if kept is None else (None, kept)

    def _returned(self, call: Call, value: Any) -> Returned:
        """Return what a function gave: its outputs each for itself, or the value as one."""
        if not call.ports:
            kept = self._holding.kept(value, previews=self._previews)
            return Returned(call.id, value) if kept is None else Returned(call.id, kept={"": kept})
        if hasattr(value, "_asdict"):
            value = value._asdict()
        if not isinstance(value, Mapping):
            return Returned(call.id, to_plain(value))
        return self._shared_out(call, {str(name): part for name, part in value.items()})

    def _shared_out(self, call: Call, outputs: Mapping[str, Any]) -> Returned:
        plain: dict[str, Any] = {}
        stay: dict[str, Kept] = {}
        for name, value in outputs.items():
            kept = self._holding.kept(value, previews=self._previews)
            if kept is None:
                plain[name] = value
            else:
                stay[name] = kept
        return Returned(call.id, plain, kept=stay)

    def _outputs(self, call: Call, outputs: CellOutputs) -> Returned:
        """Return a cell's outputs; a name that cannot travel is left out, but a result must."""
        if self._keeps:
            return self._shared_out(call, outputs)
        plain: dict[str, Any] = {}
        for name, value in outputs.items():
            try:
                plain[name] = to_plain(value, name)
            except NotTransferableError as error:
                if name == "result":
                    raise
                self.say(f"{error}; begin its name with _ to keep it in the cell", "warning")
        return Returned(call.id, plain)

    # Sending

    def _send(self, record: msgspec.Struct, what: str) -> None:
        frame = encode(record)
        if len(frame) > self._limit:
            raise TooLargeError(len(frame), self._limit, what)
        self._pipe.send(frame)

    def _send_last(self, call: Call, last: Returned | Failed) -> None:
        try:
            self._send(last, "the result")
        except TooLargeError as error:
            details = {"size": error.size, "limit": error.limit}
            self._pipe.send(
                encode(Failed(call.id, "output_too_large", str(error), details=details))
            )
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            self._pipe.send(
                encode(
                    Failed(
                        call.id, "not_transferable", f"the result cannot leave the worker: {error}"
                    )
                )
            )


def resolve(target: str) -> Any:
    """Return the function that ``module:qualname`` names; a node type stands for its function."""
    module, _, qualname = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return getattr(found, "call", found)


def failure(call: Call, error: BaseException, confinement: Confinement) -> Failed:
    """Return an error that the code raised as data."""
    cell = FILENAME if call.target is None else None
    message = "".join(traceback.format_exception_only(error)[-1:]).strip()
    details: dict[str, Any] = {"exception": type(error).__name__}
    limit = limit_met(chain(error))
    if limit is not None:
        message = f"{limit_words(limit)}: {message}"
        details |= {"limit": limit, "spent": is_spent(limit)}
    elif isinstance(error, SystemExit):
        message = f"the code left its worker ({message})"
    if cell is not None and (line := cell_line(error, cell)) is not None:
        message = f"{message} (cell line {line})"
        details["line"] = line
    if was_refused(error) and "granted" not in message and (closed := confinement.words):
        message = f"{message}; code in a worker reaches {closed}"
        details["confined"] = True
    known = isinstance(getattr(error, "code", None), str) and hasattr(
        error, "retryable"
    )  # a pack's NodeError
    return Failed(
        call.id,
        getattr(error, "code", "") if known else "limit_exceeded" if limit else "exception",
        str(error) if known else message,
        explain(error, cell),
        details,
        port=getattr(error, "port", None) if known else None,
        retryable=bool(getattr(error, "retryable", True)),
    )
