"""Nodes that are not run: what stands for them.

``muted``: nothing leaves, what needs it is skipped. ``pinned``: every output
that is needed was given by hand. ``bypassed``: each output takes the first
input whose type fits it. Such a node needs nothing but what passes through it,
and what is wrong with it keeps nothing from running.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

from .node_type import NodeType
from .ports import FAILURE_PORT, SKIP, WHOLE_PORT, Port
from .schemas import items_of, mismatch
from .spell import AS_DECLARED, Edge, Node
from .step import Pass, Stand, Step


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for a node. ``passes`` says what passes through one that is bypassed."""

    stand: Stand
    passes: tuple[Pass, ...] = ()


class Drawn(Protocol):
    """What is to be known of a node: ``analysis.Part``."""

    node: Node
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    links: dict[str, list[Any]]


def stands(node: Node) -> bool:
    """Say whether anything but the node's own function may give its outputs."""
    settings = node.settings
    return settings is not AS_DECLARED and (settings.mode is not None or bool(settings.pins))


def needed_outputs(edges: Iterable[Edge], nodes: Mapping[str, Node]) -> dict[str, set[str]]:
    """Return, for the nodes that may stand, which of their outputs have a wire."""
    needed: dict[str, set[str]] = {id: set() for id, node in nodes.items() if stands(node)}
    if needed:
        for edge in edges:
            if edge.source in needed:
                needed[edge.source].add(edge.output)
    return needed


def standing_of(part: Drawn, needed: Iterable[str]) -> Standing | None:
    """Return what stands for a node whose outputs in ``needed`` are wired, or None when it is run."""
    settings = part.node.settings
    if settings.mode == "mute":
        return Standing("muted")
    if settings.pins and is_pinned(settings.pins, needed, part.outputs):
        return Standing("pinned")
    if settings.mode == "bypass":
        return Standing("bypassed", tuple(_passes(part)))
    return None


def is_pinned(pins: Mapping[str, Any], needed: Iterable[str], outputs: Iterable[str]) -> bool:
    """Say whether all outputs that have a wire are pinned; where none has, all that there are."""
    wanted = set(needed) - {FAILURE_PORT.name}
    if WHOLE_PORT.name in wanted or not wanted:
        wanted = (wanted | set(outputs)) - {FAILURE_PORT.name, WHOLE_PORT.name}
    return wanted <= pins.keys()


def placeholder(node: Node, wired: Iterable[str] = ()) -> NodeType:
    """Return a type for a node whose own is not known: it has the ports that its wires and pins name.

    ``wired`` are outputs of wires that may lack a pin.
    """
    return NodeType(
        id=node.type,
        call=_never,
        version=node.version or 1,
        outputs=tuple(Port(name) for name in sorted({*node.settings.pins, *wired})),
        extra_inputs=True,
        expose_in_library=False,
    )


def _never(**_inputs: Any) -> None:
    raise AssertionError("a placeholder is not called")


def _passes(part: Drawn) -> Iterable[Pass]:
    """Give each output the first input whose type fits: of those with a wire, else of those with a value.

    Where several wires may end, the list that they bring may fit, or else its first item.
    """
    wired = [port for name, port in part.inputs.items() if part.links.get(name)]
    valued = [
        port
        for name, port in part.inputs.items()
        if name in part.node.inputs and not part.links.get(name)
    ]
    for output in part.outputs.values():
        if output.name in (FAILURE_PORT.name, WHOLE_PORT.name):
            continue
        for port in (*wired, *valued):
            if port.trigger:
                continue
            if mismatch(port.schema, output.schema) is None:
                yield output.name, port.name, False
                break
            if port.many and mismatch(items_of(port.schema), output.schema) is None:
                yield output.name, port.name, True
                break


def outputs_in_place(step: Step, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the outputs of a step that is not run, or None when nothing leaves it."""
    if step.stand == "muted":
        return None
    if step.stand == "kept":
        return dict(step.pins)
    outputs = {}
    wired = {binding.port for binding in step.bindings if binding.many and binding.wires}
    for output, name, is_item in step.passes:
        given = inputs.get(name, SKIP)
        if name in wired and not given:  # none of its wires brought anything
            given = SKIP
        if is_item:
            given = given[0] if isinstance(given, list) and given else SKIP
        if given is not SKIP:
            outputs[output] = given
    outputs |= deepcopy(step.pins)
    if step.stand == "bypassed" and not outputs:
        return None
    return outputs


def overridden(step: Step, outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a step's outputs with those in their place that were given by hand."""
    return outputs | deepcopy(step.pins) if step.pins else outputs
