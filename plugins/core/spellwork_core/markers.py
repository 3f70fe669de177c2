"""The inputs and outputs of a spell or group that another node runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from spellwork import Node, NodeError, Port, Ports, node
from spellwork.sound_schemas import sound


def input_ports(marker: Node) -> Ports:
    """Return the ports of an input: what leaves it is as its schema says."""
    return Ports(spell_input.inputs, (Port("value", sound(marker.inputs.get("schema"))),))


@node(
    "core.input",
    title="Input",
    category="Spells",
    output="value",
    marks="input",
    resolve=input_ports,
    keywords=("parameter", "argument", "subspell", "body"),
    example={"name": "city", "default": "Oslo"},
)
async def spell_input(
    value: Annotated[
        Any, Field(description="Stands for what is given, while the spell runs by itself")
    ] = None,
    name: Annotated[
        str, Field(max_length=128, description="The input's name; the node's own without it")
    ] = "",
    schema: Annotated[  # noqa: ARG001 - read when the ports are derived
        dict[str, Any] | None, Field(description="JSON Schema of what it takes")
    ] = None,
    default: Annotated[Any, Field(description="Given where nobody gives anything")] = None,
    required: Annotated[
        bool | None, Field(description="Without it the input is required unless it has a default")
    ] = None,
    description: str = "",  # noqa: ARG001 - shown with the port
) -> Any:
    """An input of this spell, or of the group around it, where another node runs that."""
    given = default if value is None else value
    if given is None and (default is None if required is None else required):
        raise NodeError(
            f"the input {name!r} has no value: type one in, to try the spell by itself",
            code="missing_input",
            port="value",
            retryable=False,
        )
    return given


@node(
    "core.output",
    title="Output",
    category="Spells",
    output="value",
    marks="output",
    takes_handles=("value",),
    keywords=("result", "return", "end", "subspell", "body"),
)
async def spell_output(
    value: Any,
    name: Annotated[  # noqa: ARG001 - read when the ports are derived
        str, Field(max_length=128, description="The output's name; the node's own without it")
    ] = "",
    description: str = "",  # noqa: ARG001 - shown with the port
) -> Any:
    """A result of the spell, or of the group around it: read it by the node's name."""
    return value
