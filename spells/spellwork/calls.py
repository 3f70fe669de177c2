"""Carry out the call of one step: gather inputs, run it where it belongs, try again, mind the time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, closing, nullcontext
from typing import Any

from .context import Context, Host, InnerCall
from .encoding import Encodings, is_large
from .errors import NodeError, NodeTimeout, OutputTooDeep, OutputTooLarge
from .executor import Executor
from .flows import Flows
from .handing import inputs_for
from .handles import Handle, any_handles, handles_in
from .limiting import Limiters, provider_of
from .nesting import nests_deeper, rough_json
from .placing import call_on_queue
from .ports import SKIP
from .rejection import accepted
from .returned import outputs_of, stream_port, streamed_outputs
from .standing import overridden
from .step import Step
from .threads import call_blocking
from .tracking import tracked
from .values import DEPTH_LIMIT

Started = Callable[[], Awaitable[None] | None]
"""Called as a call begins; where it gives something to await, the call begins after that."""

MAX_BACKOFF = 3_600.0
_SMALL = (bool, int, float, type(None))


class Caller:
    """Calls steps for one run."""

    def __init__(
        self,
        host: Host,
        executor: Callable[[str], Executor],
        output_bytes: int | None,
        limiters: Limiters,
        count: Callable[[], None],
        encodings: Encodings,
    ) -> None:
        self._host = host
        self._executor = executor
        self._output_bytes = output_bytes
        self.measures = output_bytes is not None
        """Whether outputs have a size limit."""
        self._limiters = limiters
        self._count = count
        self.encodings = encodings

    async def call(
        self,
        step: Step,
        inputs: dict[str, Any],
        depth: int = 0,
        started: Started | None = None,
        inner: InnerCall | None = None,
    ) -> dict[str, Any]:
        """Return a step's outputs by port, after at most ``step.retries`` further attempts.

        An attempt first waits where a limit holds it back, which is no part of
        its time. ``started`` is called before the first attempt, after that, and what it returns awaited.
        Raises what the last attempt raised, with ``attempts`` set on it.
        """
        if step.fault is not None:
            raise NodeError(
                step.fault.message,
                code=step.fault.code,
                port=step.fault.port,
                details=step.fault.details,
            )
        inputs = _checked(step, await inputs_for(step, inputs))
        flows = Flows(step, self._host, inner=depth > 0, output_bytes=self._output_bytes)
        try:
            outputs = await self._attempts(step, inputs, depth, flows, started, inner)
        except BaseException as error:
            flows.close(error)
            raise
        flows.close()
        return outputs

    async def _attempts(
        self,
        step: Step,
        inputs: dict[str, Any],
        depth: int,
        flows: Flows,
        started: Started | None,
        inner: InnerCall | None,
    ) -> dict[str, Any]:
        taken = _taken(step, inputs)
        provider = provider_of(step, inputs)
        attempt = 1
        while True:
            context = Context(
                step.id,
                step.node,
                self._host,
                attempt=attempt,
                depth=depth,
                flows=flows,
                inner=inner,
            )
            context.provider = provider
            if step.body is not None:
                context.body = self._host.body(context, step, taken)
            try:
                self._count()
                outputs = flows.completed(await self._in_turn(step, inputs, context, started))
                await self.measure(outputs)
                return overridden(step, outputs)
            except Exception as error:  # the edge: a node's own failure
                if isinstance(error, NodeError) and error.retry_after is not None:
                    context.defer(error.retry_after)
                if not _again(error, step, attempt) or flows.taken:
                    error.spellwork_attempts = attempt  # type: ignore[attr-defined]
                    raise
                flows.start_over()
                await self._back_off(step, context, error)
            finally:
                context.expired = True
            attempt += 1

    def of(self, host: Host) -> Caller:
        """Return the same for a run inside this one."""
        return Caller(
            host, self._executor, self._output_bytes, self._limiters, self._count, self.encodings
        )

    async def _in_turn(
        self,
        step: Step,
        inputs: dict[str, Any],
        context: Context,
        started: Started | None,
    ) -> dict[str, Any]:
        passage = self._limiters.passage(step, context, self._host.report)
        async with passage or nullcontext():
            context.passage = passage
            if started is not None and context.attempt == 1 and (until := started()) is not None:
                await until
            return await self._within_time(step, inputs, context)

    def is_limited(self, step: Step) -> bool:
        """Say whether a call of a step may have to wait for its turn."""
        return self._limiters.covers(step)

    async def _back_off(self, step: Step, context: Context, error: Exception) -> None:
        delay = min(step.backoff * 2 ** (context.attempt - 1), MAX_BACKOFF)
        if isinstance(error, NodeError) and error.retry_after is not None:
            delay = max(delay, error.retry_after)
        context.log(
            f"attempt {context.attempt} of {step.retries + 1} failed:"
            f" {type(error).__name__}: {error}; again in {delay:g} s",
            "warning",
        )
        await asyncio.sleep(delay)

    async def _within_time(
        self, step: Step, inputs: dict[str, Any], context: Context
    ) -> dict[str, Any]:
        """Carry out an attempt; the time in which it waits for other nodes' streams does not count."""
        inputs = context.flows.inputs(inputs)
        if step.timeout is None:
            return await self._once(step, inputs, context)
        try:
            async with asyncio.timeout(step.timeout) as timer:
                with context.flows.timed(timer):
                    return await self._once(step, inputs, context)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise NodeTimeout(f"the node took longer than {step.timeout:g} s") from error

    async def _once(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        declared = step.type
        if step.node.settings.queue is not None:
            return await call_on_queue(self._executor("queue"), step, inputs, context)
        if declared.isolation != "inline":
            return await self._executor(declared.isolation).call(step, inputs, context)
        if declared.form == "sync":
            return call_blocking(step, inputs, context)
        returned = (
            declared.call(context, **inputs) if declared.wants_context else declared.call(**inputs)
        )
        if declared.form == "async":
            return outputs_of(step, await returned)
        outlet = context.outlet(stream_port(step))
        if declared.form == "generator":
            with closing(returned), tracked(context):
                await outlet.drain_here(returned)
        else:
            async with aclosing(returned):
                await outlet.drain(returned)
        return streamed_outputs(step, outlet.stream.chunks)

    async def measure(self, outputs: Mapping[str, Any], *, share: bool = False) -> None:
        """Raise ``OutputTooLarge`` or ``OutputTooDeep`` for an output over the limits.

        Large ones are encoded in a thread, once for all who need their JSON (``encodings``).
        With ``share`` small ones are, too; who asks for that ends the moment (``Encodings.end_moment``).
        """
        if self._output_bytes is None:
            return
        if large := self.measure_small(outputs, share=share):
            await self.measure_large(large)

    def measure_small(
        self, outputs: Mapping[str, Any], *, share: bool = False
    ) -> list[tuple[str, Any]]:
        """Measure the small ones, as ``measure`` does, and return the large ones, which are still to be."""
        assert self._output_bytes is not None
        large: list[tuple[str, Any]] = []
        for port, value in outputs.items():
            kind = type(value)
            if kind in _SMALL:
                if share:
                    self.encodings.small(value)
                continue
            if value is SKIP or kind is Handle:
                continue
            if is_large(value):
                large.append((port, value))
                continue
            encoded = self.encodings.small(value) if share else None
            body = rough_json(value) if encoded is None else encoded.body
            if len(body) > self._output_bytes:
                raise OutputTooLarge(len(body), self._output_bytes, port)
            if nests_deeper(body, DEPTH_LIMIT):
                raise OutputTooDeep(DEPTH_LIMIT, port)
        return large

    async def measure_large(self, large: Iterable[tuple[str, Any]]) -> None:
        """Measure what ``measure_small`` left, in a thread."""
        for port, value in large:
            self.encodings.end_moment()
            await self.encodings.make(value, self._output_bytes, port or None)


def _again(error: Exception, step: Step, attempt: int) -> bool:
    return attempt <= step.retries and not (isinstance(error, NodeError) and not error.retryable)


def _taken(step: Step, inputs: dict[str, Any]) -> dict[str, Any]:
    """Take out of the inputs what is not the function's but its body's."""
    if step.body is None:
        return {}
    return {name: inputs.pop(name) for name, _ in step.body.captures if name in inputs}


def _checked(step: Step, inputs: dict[str, Any]) -> dict[str, Any]:
    for binding in step.bindings:
        if not binding.check or binding.port not in inputs or _is_stream(step, binding.port):
            continue
        if any_handles() and next(handles_in(inputs[binding.port]), None) is not None:
            continue  # what it is shows in its worker
        validate = step.type.adapters[binding.port].validate_python
        inputs[binding.port] = accepted(
            validate, inputs[binding.port], f"the input {binding.port!r}", binding.port
        )
    return inputs


def _is_stream(step: Step, name: str) -> bool:
    port = step.ports.input(name)
    return port is not None and port.stream
