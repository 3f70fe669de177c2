"""Calls that are made elsewhere by ``settings.queue``: in a process that listens to the queue.

What crosses is plain JSON, both ways: such a process shares neither memory nor workers with this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .context import Context
from .encoding import is_large
from .errors import NodeError
from .executor import Executor
from .returned import whole_of
from .step import Step
from .streams import Reader
from .values import to_json


async def call_on_queue(
    executor: Executor, step: Step, inputs: Mapping[str, Any], context: Context
) -> dict[str, Any]:
    """Have a step called by who listens to its queue, and return its outputs by port.

    A stream that comes in is taken to its end first. Raises ``NodeError`` for a
    node that runs a body: that is here, and its nodes may be placed themselves.
    """
    if step.body is not None:
        raise NodeError(
            f"{step.label!r} runs nodes inside it, which cannot be sent to a queue:"
            " place those nodes on it instead",
            code="not_placeable",
            retryable=False,
        )
    given = {port: await _plain(await _whole(step, port, value)) for port, value in inputs.items()}
    outputs = await executor.call(step, given, context)
    return {port: await _plain(value) for port, value in outputs.items()}


async def _whole(step: Step, name: str, value: Any) -> Any:
    port = step.ports.input(name)
    if port is None or not port.stream:
        return value
    if isinstance(value, list):
        return [await _whole(step, name, each) for each in value]
    if not isinstance(value, Reader):
        return value
    return whole_of(port, [chunk async for chunk in value])


async def _plain(value: Any) -> Any:
    if is_large(value):
        return await asyncio.to_thread(to_json, value)
    return to_json(value)
