"""One call, from the engine's side: what is asked of a worker, and what its answers mean."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from spellwork.context import Context, Level
from spellwork.errors import NodeError, OutputInvalid, OutputTooLarge
from spellwork.ports import SKIP
from spellwork.step import Step
from spellwork.streams import accumulate
from spellwork.values import json_size
from spellwork_worker.frames import (
    Call,
    Chunk,
    Emitted,
    Failed,
    FromWorker,
    Log,
    Progress,
    Returned,
    Streaming,
    encode,
)
from spellwork_worker.values import NotTransferableError, to_plain

from .errors import CallFailed, InputTooLarge, NotTransferable
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
        self._frame = self._encode(inputs)
        self._streams = False
        self._chunks: list[Any] = []
        self._size = 0

    async def run(self, worker: WorkerProcess) -> dict[str, Any]:
        """Do the call in this worker and return the outputs by port."""
        worker.on_raw = self._log_raw
        try:
            async with aclosing(worker.call(self._frame, self._id)) as answers:
                async for answer in answers:
                    if isinstance(answer, Returned):
                        return self._outputs(answer)
                    self._relay(answer)
        finally:
            worker.on_raw = ignore
        raise AssertionError("a worker's answers end with Returned or Failed")

    def _encode(self, inputs: Mapping[str, Any]) -> bytes:
        step = self._step
        cell = step.type.language == "python"
        call = Call(
            id=self._id,
            inputs=dict(inputs),
            target=None if cell else step.type.path,
            code=step.node.code or "" if cell else step.node.code,
            context=step.type.wants_context and not cell,
            node=self._context.node_id,
            run=self._context.run_id,
            canvas=self._context.canvas,
            user=self._context.user,
            settings=step.node.settings.model_dump(mode="json", exclude_none=True),
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
        elif isinstance(answer, Emitted):
            self._context.emit(answer.port, answer.value)
        elif isinstance(answer, Streaming):
            self._streams = True
        elif isinstance(answer, Chunk):
            self._chunk(answer.value)
        elif isinstance(answer, Failed):
            raise _error(answer)

    def _chunk(self, value: Any) -> None:
        self._size += len(value) if isinstance(value, str) else json_size(value)
        port = self._step.ports.outputs[0].name
        if self._size > self._limit:
            raise OutputTooLarge(self._size, self._limit, port)
        self._chunks.append(value)
        self._context.emit(port, value)

    def _outputs(self, answer: Returned) -> dict[str, Any]:
        ports = self._step.ports.outputs
        if self._streams:
            return {ports[0].name: accumulate(self._chunks)}
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
