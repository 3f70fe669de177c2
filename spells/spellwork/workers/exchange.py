"""One call, from the engine's side: what is asked of a worker, and what its answers mean."""

from __future__ import annotations

import itertools
from asyncio import TaskGroup
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from spellwork.context import Context, Level
from spellwork.errors import NodeError, OutputInvalid, OutputTooLarge
from spellwork.flows import Flows
from spellwork.ports import SKIP
from spellwork.returned import stream_port, streamed_outputs
from spellwork.step import Step
from spellwork.streams import CAPACITY
from spellwork.values import json_size
from spellwork_worker.frames import (
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

from .errors import CallFailed, InputTooLarge, NotTransferable
from .feeding import Feeder
from .process import WorkerLimits, WorkerProcess, ignore

_ids = itertools.count(1)
_LEVELS: dict[str, Level] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
}


class Exchange:
    """Encodes a call before a worker is taken, and reads the worker's answers."""

    def __init__(
        self, step: Step, inputs: Mapping[str, Any], context: Context, limits: WorkerLimits
    ) -> None:
        self._step = step
        self._context = context
        self._limit = limits.max_frame
        self._id = next(_ids)
        context.begin_flows(lambda host: Flows(step, host))
        self._feeder = Feeder(self._id, limits.max_frame)
        self._frame = self._encode(context.flows.inputs(dict(inputs)))
        self._streams = False
        self._size = 0
        self._taken = 0

    async def run(self, worker: WorkerProcess) -> dict[str, Any]:
        """Do the call in this worker and return the outputs by port."""
        worker.on_raw = self._log_raw
        error: Exception | None = None
        outputs: dict[str, Any] = {}
        try:
            async with TaskGroup() as feeding:
                try:
                    outputs = await self._converse(worker, feeding)
                except Exception as raised:  # noqa: BLE001 - raised below: a group would wrap it
                    error = raised
                finally:
                    self._context.flows.leave()  # what is still asked for is answered by the end
        finally:
            worker.on_raw = ignore
        if error is not None:
            raise error
        return outputs

    async def _converse(self, worker: WorkerProcess, feeding: TaskGroup) -> dict[str, Any]:
        """Answer what the worker asks for, until it has returned."""
        async with aclosing(worker.call(self._frame, self._id)) as answers:
            async for answer in answers:
                if isinstance(answer, Returned):
                    return self._outputs(answer)
                if isinstance(answer, Pull):
                    if self._feeder.may_feed(answer.stream):
                        feeding.create_task(self._feeder.feed(answer.stream, worker.send))
                elif isinstance(answer, (Chunk, Emitted)):
                    await self._take(answer, worker)
                else:
                    self._relay(answer)
        raise AssertionError("a worker's answers end with Returned or Failed")

    async def _take(self, answer: Chunk | Emitted, worker: WorkerProcess) -> None:
        """Hand on a chunk at the pace of those who take it; grant credit for those that went."""
        if isinstance(answer, Emitted):
            await self._context.send(answer.port, answer.value)
        else:
            await self._chunk(answer.value)
        if isinstance(answer, Chunk) or answer.sent:
            self._taken += 1
            if self._taken == CAPACITY // 2:
                worker.send(encode(Credit(self._id, self._taken)))
                self._taken = 0

    def _encode(self, inputs: Mapping[str, Any]) -> bytes:
        step = self._step
        plain, streams = self._feeder.without_streams(inputs)
        cell = step.type.language == "python"
        call = Call(
            id=self._id,
            inputs=plain,
            target=None if cell else step.type.path,
            code=step.node.code or "" if cell else step.node.code,
            context=step.type.wants_context and not cell,
            node=self._context.node_id,
            run=self._context.run_id,
            canvas=self._context.canvas,
            user=self._context.user,
            settings=step.node.settings.model_dump(mode="json", exclude_none=True),
            streams=streams,
            credit=CAPACITY,
        )
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
            self._context.log(answer.message, _LEVELS.get(answer.level, "info"))
        elif isinstance(answer, Progress):
            self._context.progress(answer.fraction, answer.message)
        elif isinstance(answer, Streaming):
            self._streams = True
        elif isinstance(answer, Failed):
            raise _error(answer)

    async def _chunk(self, value: Any) -> None:
        self._size += len(value) if isinstance(value, (str, bytes)) else json_size(value)
        port = stream_port(self._step)
        if self._size > self._limit:
            raise OutputTooLarge(self._size, self._limit, port)
        await self._context.outlet(port).put(value)

    def _outputs(self, answer: Returned) -> dict[str, Any]:
        ports = self._step.ports.outputs
        if self._streams:
            chunks = self._context.outlet(stream_port(self._step)).stream.chunks
            return streamed_outputs(self._step, chunks)
        if self._step.type.returns == "value":
            return {ports[0].name: answer.value} if ports else {}
        if not isinstance(answer.value, dict):
            raise OutputInvalid(
                f"the function returned a {type(answer.value).__name__}, not its outputs by port"
            )
        return {port.name: answer.value.get(port.name, SKIP) for port in ports}

    def _log_raw(self, text: str) -> None:
        if text.strip():
            self._context.log(text.rstrip(), "warning")


def _error(failed: Failed) -> NodeError:
    """Return what a worker reported as the error the engine knows."""
    if failed.code == "not_transferable":
        return NotTransferable(failed.message, details=failed.details)
    if failed.code == "output_too_large":
        details = failed.details
        return OutputTooLarge(int(details.get("size", 0)), int(details.get("limit", 0)))
    return CallFailed(failed)
