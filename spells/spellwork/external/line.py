"""A server's end of the connection to an external worker: calls go out, and what comes for each is told apart."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from spellwork.context import Context, Level
from spellwork.errors import NodeError, OutputInvalid
from spellwork.flows import Flows
from spellwork.ports import SKIP
from spellwork.returned import streamed_outputs
from spellwork.step import Step
from spellwork.values import json_size
from spellwork.workers.beside import Beside

from .feeding import Feeder
from .frames import (
    CREDIT,
    MAX_MESSAGE,
    Answer,
    Ask,
    Call,
    Cancel,
    Chunk,
    Credit,
    Failed,
    FromExternal,
    Hello,
    Log,
    Progress,
    Pull,
    Returned,
    ToExternal,
    encode,
)

MOST_CALLS = 1_000
"""Calls that may be under way on one line."""

MOST_SAID = 10_000
"""Characters of one line of a log, of a message, of a traceback."""

MOST_WAITING = 10_000
"""Records of one call that may wait to be taken. One that sends more, past its credit, is ended."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes of all records of a line that may wait to be taken."""

_LEVELS: dict[str, Level] = {name: name for name in ("debug", "info", "warning", "error")}


class WorkerLost(NodeError):
    """The connection to an external worker was lost in the midst of a call, or there is none."""

    code = "worker_lost"


class BrokenRules(Exception):
    """The worker said what it may not: its connection is to be closed."""


class Line:
    """One connection. ``send`` takes a message and returns at once; ``take`` gets every record but Hello."""

    def __init__(self, name: str, send: Callable[[bytes], None]) -> None:
        self.name = name
        self._send = send
        self._ids = itertools.count(1)
        self._open: dict[int, _Inbox] = {}
        self.lost = False

    @property
    def busy(self) -> int:
        """How many calls are under way."""
        return len(self._open)

    def take(self, record: FromExternal, size: int) -> None:
        """Give a record of ``size`` bytes to whoever waits for it; what nobody waits for is dropped. Raises BrokenRules."""
        if isinstance(record, Hello):
            return
        inbox = self._open.get(record.id)
        if inbox is not None:
            if sum(each.size for each in self._open.values()) + size > MOST_BYTES:
                raise BrokenRules(f"over {MOST_BYTES:,} bytes that it sent wait to be taken")
            inbox.put(record, size)

    def end(self) -> None:
        """Tell all who wait that the connection is lost."""
        self.lost = True
        for inbox in list(self._open.values()):
            inbox.end()

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry out one call of a step; raises NodeError, and WorkerLost where the connection is."""
        context.begin_flows(lambda host: Flows(step, host))
        id = next(self._ids)
        inbox = self._enter(id)
        feeder = Feeder(id, self._send)
        plain, streams = feeder.without_streams(context.flows.inputs(dict(inputs)))
        call = Call(
            id,
            step.type.id,
            step.type.version,
            plain,
            context.node_id,
            context.run_id,
            context.canvas,
            context.user,
            streams,
        )
        try:
            self._say(call)
            return await self._fed(step, context, inbox, feeder)
        except BaseException:
            if not self.lost and not inbox.ended:
                self._send(encode(Cancel(id)))
            raise
        finally:
            self._open.pop(id, None)

    async def _fed(
        self, step: Step, context: Context, inbox: _Inbox, feeder: Feeder
    ) -> dict[str, Any]:
        """Converse, and feed beside it what the method asks for."""
        error: Exception | None = None
        outputs: dict[str, Any] = {}
        async with Beside() as feeding:
            try:
                outputs = await self._converse(step, context, inbox, feeder, feeding)
            except Exception as raised:  # noqa: BLE001 - raised below: a group would wrap it
                error = raised
            finally:
                context.flows.leave()  # what is still asked for is answered by the end
        if error is not None:
            raise error
        return outputs

    async def ask(self, what: Literal["configure", "export", "import"], value: Any = None) -> Any:
        """Ask for something of the object itself; raises NodeError."""
        id = next(self._ids)
        inbox = self._enter(id)
        try:
            self._say(Ask(id, what, value))
            record = await inbox.next()
            while not isinstance(record, (Answer, Failed)):
                record = await inbox.next()
        finally:
            self._open.pop(id, None)
        if isinstance(record, Failed):
            raise _error(record)
        return record.value

    def _enter(self, id: int) -> _Inbox:
        if self.lost:
            raise WorkerLost(f"the worker {self.name!r} is not connected")
        if len(self._open) >= MOST_CALLS:
            raise NodeError(f"too many calls wait for the worker {self.name!r}", code="worker_busy")
        inbox = self._open[id] = _Inbox(self.name)
        return inbox

    def _say(self, record: ToExternal) -> None:
        try:
            message = encode(record)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise NodeError(
                f"the inputs cannot go to the worker {self.name!r}: {error}",
                code="not_transferable",
                retryable=False,
            ) from error
        if len(message) > MAX_MESSAGE:
            raise NodeError(
                f"the inputs are {len(message):,} bytes; at most {MAX_MESSAGE:,} can go to a worker",
                code="input_too_large",
                retryable=False,
            )
        self._send(message)

    async def _converse(
        self, step: Step, context: Context, inbox: _Inbox, feeder: Feeder, feeding: Beside
    ) -> dict[str, Any]:
        taken = 0
        streamed = step.ports.outputs[0].name if step.ports.outputs else ""
        generator = step.type.form in ("generator", "async generator")
        while True:
            record = await inbox.next()
            if isinstance(record, Log):
                level = _LEVELS.get(record.level, "info")
                context.log(record.message[:MOST_SAID], level)
            elif isinstance(record, Progress):
                context.progress(record.fraction, record.message[:MOST_SAID])
            elif isinstance(record, Chunk):
                if generator and record.port == streamed:
                    await context.outlet(streamed).put(record.value)
                    taken += 1
                elif step.ports.output(record.port) is not None:
                    context.emit(record.port, record.value)
                if taken >= CREDIT // 2:
                    self._send(encode(Credit(feeder.call, taken)))
                    taken = 0
            elif isinstance(record, Pull):
                if feeder.may_feed(record.stream):
                    await feeding.begin(feeder.feed(record.stream))
            elif isinstance(record, Returned):
                inbox.ended = True
                return _outputs(step, context, record, streamed if generator else None)
            elif isinstance(record, Failed):
                inbox.ended = True
                raise _error(record)


class _Inbox:
    """What came for one call and was not yet taken."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._records: deque[tuple[FromExternal, int]] = deque()
        self.size = 0
        self._came = asyncio.Event()
        self._lost = False
        self.ended = False

    def put(self, record: FromExternal, size: int) -> None:
        if len(self._records) >= MOST_WAITING:
            raise BrokenRules(f"it sent over {MOST_WAITING:,} records of one call unasked")
        self._records.append((record, size))
        self.size += size
        self._came.set()

    def end(self) -> None:
        self._lost = True
        self._came.set()

    async def next(self) -> FromExternal:
        while not self._records:
            if self._lost:
                raise WorkerLost(f"the connection to the worker {self._name!r} was lost")
            self._came.clear()
            await self._came.wait()
        record, size = self._records.popleft()
        self.size -= size
        return record


def _outputs(
    step: Step, context: Context, record: Returned, streamed: str | None
) -> dict[str, Any]:
    if streamed:
        return streamed_outputs(step, context.outlet(streamed).stream.chunks)
    names = {port.name for port in step.ports.outputs}
    if unknown := record.outputs.keys() - names:
        raise OutputInvalid(
            f"{step.type.id} returned {', '.join(map(repr, sorted(unknown)))[:200]};"
            f" it has the outputs {', '.join(map(repr, sorted(names)))}"
        )
    return {name: record.outputs.get(name, SKIP) for name in names}


def _error(failed: Failed) -> NodeError:
    error = NodeError(
        failed.message[:MOST_SAID],
        code=failed.code[:64],
        port=failed.port,
        details=failed.details if json_size(failed.details) <= MOST_SAID else {},
        retryable=failed.retryable,
    )
    error.traceback = (failed.traceback or "")[:MOST_SAID] or None  # type: ignore[attr-defined]
    return error
