"""One call, from the engine's side: what is asked of a worker, and what its answers mean."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec

from spellwork.context import Context, Level
from spellwork.errors import NodeError, OutputInvalid, OutputTooLarge
from spellwork.flows import Flows
from spellwork.handles import Handle
from spellwork.ports import SKIP
from spellwork.returned import stream_port, streamed_outputs
from spellwork.step import Step
from spellwork.streams import CAPACITY
from spellwork.values import json_size
from spellwork_worker.frames import (
    Answer,
    Ask,
    Call,
    Chunk,
    Credit,
    Emitted,
    Failed,
    FromWorker,
    Log,
    Progress,
    Pull,
    Returned,
    Streaming,
    encode,
)
from spellwork_worker.values import NotTransferableError, to_plain

from .beside import Beside
from .broker import MOST_ASKED, Broker, Caller, answered
from .errors import CallFailed, InputTooLarge, NotTransferable
from .feeding import Feeder
from .giving import Giver, Place, without_handles
from .limits import WorkerLimits
from .process import WorkerProcess

_ids = itertools.count(1)
MOST_UNREAD = 64 * 1024 * 1024
"""Bytes that may wait for a worker to which an answer goes."""

MOST_SAID = 4_000_000
"""Characters that one call may log, with what each line costs; the worker's own bound is lower, but its code may go past that."""

_LINE_COST = 100

_LEVELS: dict[str, Level] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
}


class Exchange:
    """Encodes a call before a worker is taken, and reads the worker's answers."""

    def __init__(
        self,
        step: Step,
        inputs: Mapping[str, Any],
        context: Context,
        limits: WorkerLimits,
        broker: Broker | None = None,
    ) -> None:
        self._step = step
        self._context = context
        self._limit = limits.max_frame
        self._broker = broker
        self._asked = 0
        self._room = MOST_SAID
        self._id = next(_ids)
        context.begin_flows(lambda host: Flows(step, host))
        self._giver = Giver(step.label, limits.max_frame)
        self._feeder = Feeder(self._id, limits.max_frame, self._giver)
        self._given: list[Place] = []
        self._call: Call
        self._frame = self._encode(context.flows.inputs(dict(inputs)))
        self._sent = False
        self._streams = False
        self._size = 0
        self._taken = 0
        self._putting = False

    @property
    def holder(self) -> str | None:
        """The process that holds most of what is held of the inputs: the best for the call."""
        if not self._given:
            return None
        sizes: dict[str, int] = {}
        for _, handle in self._given:
            sizes[handle.process] = sizes.get(handle.process, 0) + handle.size + 1
        return max(sizes, key=lambda each: sizes[each])

    @property
    def held_up(self) -> bool:
        """Whether the code waits for chunks of a stream, or for who reads its own: other calls may be needed for that."""
        return self._feeder.waits or self._putting

    def begin(self, worker: WorkerProcess) -> bool:
        """Send the call at once, where nothing has to be brought for it; return whether it was sent."""
        if self._given:
            return False
        self._send(worker)
        return True

    async def run(self, worker: WorkerProcess) -> dict[str, Any]:
        """Do the call in this worker, unless it has begun, and return the outputs by port."""
        error: Exception | None = None
        outputs: dict[str, Any] = {}
        try:
            async with Beside() as feeding:
                try:
                    if not self._sent:
                        await self._bring(worker)
                        self._send(worker)
                    outputs = await self._converse(worker, feeding)
                except Exception as raised:  # noqa: BLE001 - raised below: a group would wrap it
                    error = raised
                finally:
                    self._context.flows.leave()  # what is still asked for is answered by the end
        finally:
            worker.leave()
        if error is not None:
            raise error
        return outputs

    async def _bring(self, worker: WorkerProcess) -> None:
        """Bring the values that stay in workers to this one."""
        if not self._given:
            return
        given = await self._giver.give(self._given, worker)
        self._frame = worker.program.codec.encode(msgspec.structs.replace(self._call, given=given))

    def _send(self, worker: WorkerProcess) -> None:
        self._sent = True
        worker.on_raw = self._log_raw
        worker.caller = self._caller
        worker.begin(self._frame)

    async def _converse(self, worker: WorkerProcess, feeding: Beside) -> dict[str, Any]:
        """Answer what the worker asks for, until it has returned."""
        while True:
            answer = await worker.answer(self._id)
            if isinstance(answer, Returned):
                return self._outputs(answer, worker)
            if isinstance(answer, Pull):
                if self._feeder.may_feed(answer.stream):
                    await feeding.begin(self._feeder.feed(answer.stream, worker))
            elif isinstance(answer, Ask):
                self._asked += 1
                await feeding.begin(self._answer(answer, worker))
            elif isinstance(answer, (Chunk, Emitted)):
                await self._take(answer, worker)
            else:
                self._relay(answer)

    @property
    def _caller(self) -> Caller:
        return Caller(self._context.canvas, self._context.user)

    async def _answer(self, ask: Ask, worker: WorkerProcess) -> None:
        """Have the broker do what the code asks for; a failure is an answer too."""
        try:
            if self._asked > MOST_ASKED:
                words = f"the code asks the server for more than {MOST_ASKED} things at once"
                answer = Answer(ask.id, ask.number, None, words, "too_many_requests")
            else:
                answer = await answered(self._broker, self._caller, ask)
        finally:
            self._asked -= 1
        worker.send(encode(answer))
        if worker.unread > MOST_UNREAD:
            worker.kill()  # it asks, and does not read what it is answered

    async def _take(self, answer: Chunk | Emitted, worker: WorkerProcess) -> None:
        """Hand on a chunk at the pace of those who take it; grant credit for those that went."""
        port = answer.port if isinstance(answer, Emitted) else stream_port(self._step)
        value = answer.value
        if answer.kept is not None:
            value = worker.holdings.adopt(answer.kept, self._step.id, port)
        self._putting = True
        if isinstance(answer, Emitted):
            await self._context.send(port, value)
        else:
            await self._chunk(value)
        self._putting = False
        if isinstance(answer, Chunk) or answer.sent:
            self._taken += 1
            if self._taken == CAPACITY // 2:
                worker.send(encode(Credit(self._id, self._taken)))
                self._taken = 0

    def _encode(self, inputs: Mapping[str, Any]) -> bytes:
        step = self._step
        plain, streams = self._feeder.without_streams(inputs)
        cell = step.type.language is not None
        call = Call(
            id=self._id,
            inputs=plain,
            target=None if cell else step.type.path,
            code=step.node.code or "" if cell else step.node.code,
            unit=step.type.unit(step.node) if step.type.unit else None,
            context=step.type.wants_context and not cell,
            node=self._context.node_id,
            run=self._context.run_id,
            canvas=self._context.canvas,
            user=self._context.user,
            settings=_settings(step) if step.type.wants_context else {},
            streams=streams,
            credit=CAPACITY,
            keep=True,
            previews=self._context.flows.watched,
            ports=not cell and step.type.returns != "value",
        )
        self._call = call
        try:
            frame = encode(call)
        except (TypeError, ValueError, OverflowError, RecursionError):
            frame = self._encode_plain(call)
        if len(frame) > self._limit:
            raise InputTooLarge(len(frame), self._limit)
        return frame

    def _encode_plain(self, call: Call) -> bytes:
        """Encode inputs that other nodes left as Python objects."""
        for port, value in list(call.inputs.items()):
            value, given = without_handles(value, [port])
            self._given += given
            try:
                call.inputs[port] = to_plain(value, f"the input {port!r}")
            except NotTransferableError as error:
                raise NotTransferable(
                    str(error), port=port, details={"type": error.kind}
                ) from error
        try:
            return encode(call)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise NotTransferable(f"the inputs cannot go to a worker: {error}") from error

    def _relay(self, answer: FromWorker) -> None:
        """Pass on what the code says while it runs; raise when it failed."""
        if isinstance(answer, Log):
            self._log(answer.message, _LEVELS.get(answer.level, "info"))
        elif isinstance(answer, Progress):
            self._context.progress(answer.fraction, answer.message)
        elif isinstance(answer, Streaming):
            self._streams = True
        elif isinstance(answer, Failed):
            raise _error(answer)

    async def _chunk(self, value: Any) -> None:
        if not isinstance(value, Handle):
            self._size += len(value) if isinstance(value, (str, bytes)) else json_size(value)
        port = stream_port(self._step)
        if self._size > self._limit:
            raise OutputTooLarge(self._size, self._limit, port)
        await self._context.outlet(port).put(value)

    def _outputs(self, answer: Returned, worker: WorkerProcess) -> dict[str, Any]:
        ports = self._step.ports.outputs
        kept = {
            port: worker.holdings.adopt(
                each, self._step.id, port or (ports[0].name if ports else "")
            )
            for port, each in answer.kept.items()
        }
        if self._streams:
            chunks = self._context.outlet(stream_port(self._step)).stream.chunks
            return streamed_outputs(self._step, chunks)
        if self._step.type.returns == "value":
            return {ports[0].name: kept.get("", answer.value)} if ports else {}
        if not isinstance(answer.value, dict):
            raise OutputInvalid(
                f"the function returned a {type(answer.value).__name__}, not its outputs by port"
            )
        values = {**answer.value, **kept}
        return {port.name: values.get(port.name, SKIP) for port in ports}

    def _log_raw(self, text: str) -> None:
        if text.strip():
            self._log(text.rstrip(), "warning")

    def _log(self, text: str, level: Level) -> None:
        """Log what the code says, until it has said too much."""
        if self._room <= 0:
            return
        self._room -= len(text) + _LINE_COST
        self._context.log(text, level)
        if self._room <= 0:
            self._context.log("(what the code logs further is dropped)", "warning")


def _settings(step: Step) -> dict[str, Any]:
    return step.node.settings.model_dump(mode="json", exclude_none=True)


def _error(failed: Failed) -> NodeError:
    """Return what a worker reported as the error the engine knows."""
    if failed.code == "not_transferable":
        return NotTransferable(failed.message, details=failed.details)
    if failed.code == "output_too_large":
        details = failed.details
        return OutputTooLarge(int(details.get("size", 0)), int(details.get("limit", 0)))
    return CallFailed(failed)
