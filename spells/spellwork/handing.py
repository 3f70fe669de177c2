"""Values that stay in workers, for those who are no worker: decoded before a call, a transform, or the end of a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import NodeError
from .handles import Handle, any_handles, handles_in, replaced
from .step import Step


async def inputs_for(step: Step, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs as the step's function takes them: outside a worker values, in a worker handles.

    What is read as a stream is decoded for both, and all of what goes to another process by a queue.

    Raises:
        NodeError: ``not_transferable``, naming both nodes, or ``value_gone``.
    """
    if not any_handles():
        return inputs
    ports: Sequence[str] = [port for port in inputs if port not in step.type.takes_handles]
    if step.node.settings.queue is not None:
        ports = list(inputs)
    elif step.type.isolation == "worker":
        ports = [port.name for port in step.ports.inputs if port.stream and port.name in inputs]
    given = inputs
    for port in ports:
        for path, handle in list(handles_in(inputs[port])):
            value = await _value(handle, step, port)
            if given is inputs:
                given = dict(inputs)
            given[port] = replaced(given[port], path, value)
    return given


async def _value(handle: Handle, step: Step, port: str) -> Any:
    try:
        return await handle.holder.decoded(handle)
    except NodeError as error:
        if error.code != "not_transferable":
            raise
        made = handle.node or "another node"
        raise NodeError(
            f"{step.label!r} runs outside of workers and takes a {handle.kind} from {made!r} on {port!r},"
            f" which cannot leave its worker: do this in a code node beside {made!r}, or have"
            f" {made!r} give a table, an array, bytes or plain values",
            code="not_transferable",
            port=port,
            details={"node": handle.node, "consumer": step.id, "type": handle.kind},
            retryable=False,
        ) from error


async def decoded(value: Any) -> Any:
    """Return a value with what stays in workers as plain JSON, or where that cannot be as what is told of it."""
    for path, handle in list(handles_in(value)):
        try:
            part = await handle.holder.decoded(handle)
        except NodeError:
            part = handle.stand_in
        value = replaced(value, path, part)
    return value


async def decoded_outputs(
    outputs: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return the outputs of a run likewise: {node: {port: value}}."""
    return {
        node: {port: await decoded(value) for port, value in ports.items()}
        for node, ports in outputs.items()
    }
