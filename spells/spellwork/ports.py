"""The ports of a node: named, typed places where wires end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal


class Skip(Enum):
    """The type of ``SKIP``."""

    SKIP = "skip"

    def __repr__(self) -> str:
        return "SKIP"


SKIP: Final = Skip.SKIP
"""Returned for an output port: nothing leaves by it, and whatever depends only on it is skipped."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands in a node's code: line and columns count characters from 1, the end is exclusive."""

    line: int
    column: int
    end_column: int

    def to_json(self) -> dict[str, int]:
        """Return ``{line, column, end_column}``, as problems tell it in ``details``."""
        return {"line": self.line, "column": self.column, "end_column": self.end_column}


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a node.

    ``schema`` is a JSON Schema ({} takes anything). ``many``: several wires
    may end here; the node gets a list, in the order of the edges' ids.
    ``stream``: an output yields chunks before its whole value; an input takes
    chunks while they still come. ``trigger``: an input whose wire only says
    when; its value is not used. ``choices``: the name of a function among the
    type's ``choices`` that lists the values this input may have. ``place``, of
    a port that follows from code: where the code first reads the input, or
    first gives the output, its name.
    """

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    required: bool = False
    default: Any = None
    description: str = ""
    many: bool = False
    stream: bool = False
    trigger: bool = False
    choices: str | None = None
    place: Place | None = field(default=None, compare=False)

    def describe(self, side: Literal["input", "output"]) -> dict[str, Any]:
        """Return the port as JSON, for the library that a browser shows."""
        body: dict[str, Any] = {
            "name": self.name,
            "schema": self.schema,
            "description": self.description,
        }
        if side == "input":
            return body | {
                "required": self.required,
                "default": self.default,
                "many": self.many,
                "stream": self.stream,
                "trigger": self.trigger,
                "choices": self.choices,
            }
        body["stream"] = self.stream
        return body | {"role": self.name} if is_reserved(self) else body


FAILURE_PORT: Final = Port(
    "error",
    {"type": "object"},
    description="Why the node failed: {code, message, node, port?, path?, label?, attempts}.",
)
"""The output that every node has where it is wired: active only when the node fails."""

WHOLE_PORT: Final = Port(
    "all", {"type": "object"}, description="All outputs of the node: {port: value}."
)
"""The output that every node has where it is wired: an object of all others."""

RESERVED_PORTS: Final = {port.name: port for port in (FAILURE_PORT, WHOLE_PORT)}
"""By name. A node type may have an output of that name of its own: see ``is_reserved``."""


def is_reserved(port: Port) -> bool:
    """Say whether this is one of the outputs that every node has, and not one that its type declares."""
    return port is FAILURE_PORT or port is WHOLE_PORT


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to warn of in a node's code that keeps nothing from running; ``code`` is a problem's."""

    code: Literal["shadows_builtin"]
    message: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of one node. ``extra_inputs``: it takes further inputs under any name."""

    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    extra_inputs: bool = False
    remarks: tuple[Remark, ...] = field(default=(), compare=False)

    def input(self, name: str) -> Port | None:
        """Return the input port of that name; any name gives one where extra inputs are taken."""
        for port in self.inputs:
            if port.name == name:
                return port
        return Port(name) if self.extra_inputs else None

    def output(self, name: str) -> Port | None:
        """Return the output port of that name."""
        for port in self.outputs:
            if port.name == name:
                return port
        return None

    def describe(self) -> dict[str, Any]:
        """Return ``{inputs, outputs, extra_inputs}`` as JSON."""
        return {
            "inputs": [port.describe("input") for port in self.inputs],
            "outputs": [port.describe("output") for port in self.outputs],
            "extra_inputs": self.extra_inputs,
        }
