"""What a node function returned, as outputs by port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import OutputInvalid
from .ports import SKIP, Port
from .step import Step
from .streams import accumulate


def outputs_of(step: Step, returned: Any) -> dict[str, Any]:
    """Return the outputs that a returned value stands for.

    Ports that a mapping leaves out, or that hold ``SKIP``, bring nothing.

    Raises:
        OutputInvalid: when a type that returns ports returned something else,
            or a port that the node does not have.
    """
    ports = step.ports.outputs
    if step.type.returns == "value":
        return {port.name: returned for port in ports[:1]}
    if returned is SKIP:
        return {}
    if hasattr(returned, "_asdict"):
        returned = returned._asdict()
    if not isinstance(returned, Mapping):
        raise OutputInvalid(
            f"{step.type.id} returned {type(returned).__name__}, not values by port"
            f" ({', '.join(port.name for port in ports)})"
        )
    unknown = returned.keys() - {port.name for port in ports}
    if unknown:
        raise OutputInvalid(
            f"{step.type.id} returned {', '.join(map(repr, sorted(map(str, unknown))))};"
            f" it has the outputs {', '.join(repr(port.name) for port in ports)}"
        )
    return dict(returned)


def stream_port(step: Step) -> str:
    """Return the name of the output that a generator yields the chunks of; "" where the node has none."""
    return step.ports.outputs[0].name if step.ports.outputs else ""


def streamed_outputs(step: Step, chunks: list[Any]) -> dict[str, Any]:
    """Return the outputs that the chunks of a generator add up to."""
    if not step.ports.outputs:
        return {}
    port = step.ports.outputs[0]
    return {port.name: whole_of(port, chunks)}


def whole_of(port: Port, chunks: list[Any]) -> Any:
    """Return what the chunks of an output add up to: of text or bytes they are joined even when none came, of a list never."""
    kind = port.schema.get("type")
    if not chunks and kind == "string":
        return b"" if port.schema.get("format") == "binary" else ""
    return list(chunks) if kind == "array" else accumulate(chunks)
