"""What goes into a body and comes out of it: the ports of a spell, of a group, or of a node type.

Markers say it where there are any (``core.input``, ``core.output``). Where there is
no input marker, the inputs are the required ones that nothing feeds; where there is
no output marker, the outputs are those that nothing in the body reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import CodeError
from .ports import Port, Ports, is_reserved
from .sound_schemas import sound

if TYPE_CHECKING:
    from .analysis import Part
    from .spell import Edge

MARKED = "value"
"""The port of a marker that carries the value."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a value that is given to the body goes: to an input of a node, or out of an input marker (``input`` None)."""

    port: Port
    node: str
    input: str | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """Which output of which node leaves the body."""

    port: Port
    node: str
    output: str


@dataclass(frozen=True, slots=True)
class Interface:
    """The inputs and outputs of a body, each under a name of its own."""

    entries: tuple[Entry, ...] = ()
    exits: tuple[Exit, ...] = ()

    @property
    def ports(self) -> Ports:
        """The same as ports, for whoever derives a node's own from them."""
        return Ports(
            tuple(entry.port for entry in self.entries), tuple(out.port for out in self.exits)
        )


MAX_PORTS = 200
"""Inputs, and outputs, that a body may have: bodies in bodies would multiply them without end."""

_End = TypeVar("_End", Entry, Exit)


def interface_of(
    parts: Iterable[Part], edges: Collection[Edge], named: Collection[str]
) -> Interface:
    """Return the interface of nodes that make a body, wired by ``edges``; in the order of the nodes' ids.

    ``named``: names that code may read without a wire, as other nodes have them.

    Raises:
        CodeError: where there would be too many.
    """
    body = {part.id: part for part in sorted(parts, key=lambda part: part.id)}
    fed = {(edge.target, edge.input) for edge in edges}
    read = {(edge.source, edge.output) for edge in edges if edge.target in body}
    marks = {
        kind: [p for p in body.values() if p.type.marks == kind] for kind in ("input", "output")
    }
    entries = (
        [_marked_entry(part) for part in marks["input"]]
        if marks["input"]
        else [entry for part in body.values() for entry in _open_inputs(part, fed, named)]
    )
    sources = {(edge.target, edge.input): edge for edge in edges}
    exits = (
        [_marked_exit(part, body, sources) for part in marks["output"]]
        if marks["output"]
        else [out for part in body.values() for out in _unread_outputs(part, read)]
    )
    for side, ends in (("inputs", entries), ("outputs", exits)):
        if len(ends) > MAX_PORTS:
            raise CodeError(
                f"the body would have {len(ends):,} {side}, and may have {MAX_PORTS}:"
                " mark those that it is to have"
            )
    return Interface(tuple(_told_apart(entries, body)), tuple(_told_apart(exits, body)))


def interface_of_type(part: Part) -> Interface:
    """Return the interface of a single node of which nothing is wired: all its ports."""
    return Interface(
        tuple(Entry(port, part.id, port.name) for port in part.ports.inputs),
        tuple(Exit(port, part.id, port.name) for port in part.ports.outputs),
    )


def marker_name(part: Part) -> str:
    """Return the name a marker gives its port: the one typed in, else the node's name, else its id."""
    typed = part.node.inputs.get("name")
    return (typed if isinstance(typed, str) and typed else part.node.name or part.id)[:128]


def _marked_entry(part: Part) -> Entry:
    inputs = part.node.inputs
    default = inputs.get("default")
    port = Port(
        marker_name(part),
        sound(inputs.get("schema")),
        required=bool(default is None if inputs.get("required") is None else inputs["required"]),
        default=default,
        description=_text(inputs.get("description")),
    )
    return Entry(port, part.id)


def _marked_exit(part: Part, body: Mapping[str, Part], sources: Mapping[Any, Edge]) -> Exit:
    edge = sources.get((part.id, MARKED))
    source = body.get(edge.source) if edge is not None else None
    output = source.outputs.get(edge.output) if source is not None and edge is not None else None
    plain = output is not None and edge is not None and not edge.transform
    port = Port(
        marker_name(part),
        output.schema if plain and output is not None else {},
        description=_text(part.node.inputs.get("description")),
    )
    return Exit(port, part.id, MARKED)


def _open_inputs(
    part: Part, fed: Collection[tuple[str, str]], named: Collection[str]
) -> Iterable[Entry]:
    for port in part.ports.inputs:
        known = port.name in part.node.inputs or (part.id, port.name) in fed
        if port.required and not known and not (part.type.language and port.name in named):
            yield Entry(replace(port, many=False, trigger=False), part.id, port.name)


def _unread_outputs(part: Part, read: Collection[tuple[str, str]]) -> Iterable[Exit]:
    for port in part.ports.outputs:
        if not is_reserved(port) and (part.id, port.name) not in read:
            yield Exit(replace(port, stream=False), part.id, port.name)


def _told_apart(ends: list[_End], body: Mapping[str, Part]) -> Iterable[_End]:
    """Give two of one name the names of their nodes too, and where that is not enough a number."""
    names = Counter(end.port.name for end in ends)
    taken: set[str] = set()
    for end in ends:
        name = end.port.name
        if names[name] > 1:
            part = body[end.node]
            name = name if part.type.marks else f"{part.node.name or part.id}_{name}"
        number, found = 1, name
        while found in taken:
            number += 1
            found = f"{name}_{number}"
        taken.add(found)
        yield replace(end, port=replace(end.port, name=found))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
