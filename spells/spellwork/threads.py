"""Blocking functions, off the event loop, in a bounded pool of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self

from .context import Context
from .handover import Bridge, Handover, blocking
from .returned import outputs_of, stream_port, streamed_outputs
from .step import Step
from .tracking import tracked


class ThreadExecutor:
    """An Executor for isolation "thread". Threads start when first needed.

    A thread cannot be stopped from outside: a call that is cancelled or timed
    out is left to itself, its ``Context.cancelled`` turns true, and its thread
    comes back to the pool when it returns.
    """

    def __init__(self, threads: int = 8) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="spellwork-node")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take no further calls; those not yet started are dropped, none is waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Call the step's function in a thread and return its outputs by port."""
        loop = asyncio.get_running_loop()
        bridge = Bridge(loop)
        given = {port: blocking(value, bridge, context) for port, value in inputs.items()}
        work: Callable[[], dict[str, Any]] = lambda: call_blocking(step, given, context, bridge)  # noqa: E731
        try:
            return await loop.run_in_executor(self._pool, copy_context().run, work)
        finally:
            await bridge.end()


def call_blocking(
    step: Step,
    inputs: dict[str, Any],
    context: Context,
    bridge: Bridge | None = None,
) -> dict[str, Any]:
    """Call a sync function or generator here and return its outputs by port.

    ``bridge``: to the loop of the run, where this is a thread of its own.
    """
    function = step.type.call
    with tracked(context):
        returned = function(context, **inputs) if step.type.wants_context else function(**inputs)
        if step.type.form != "generator":
            return outputs_of(step, returned)
        assert bridge is not None, "a generator in place is drained by the caller"
        return streamed_outputs(step, _drain(step, returned, context, bridge))


def _drain(
    step: Step,
    generator: Generator[Any, None, None],
    context: Context,
    bridge: Bridge,
) -> list[Any]:
    """Take all that a generator yields, at the pace of those who read and watch."""
    port = stream_port(step)
    handover = Handover(context, port, bridge)
    chunks = []
    try:
        for chunk in generator:
            context.check_cancelled()
            chunks.append(chunk)
            context.tell_chunk(port, chunk)
            handover.put(chunk)
        handover.finish()
    finally:
        generator.close()
    return chunks
