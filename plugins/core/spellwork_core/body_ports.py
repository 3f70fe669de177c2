"""The ports of nodes that run a body: the body's inputs beside the node's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from spellwork import Port


def outer_name(name: str, own: Collection[str]) -> str:
    """Return the name under which an input of the body is one of the node: apart from the node's own."""
    return f"{name}_" if name in own else name


def beside(
    body: Iterable[Port], own: Iterable[Port], taken: Collection[str] = ()
) -> tuple[Port, ...]:
    """Return the body's inputs but those in ``taken``, then the node's own."""
    own = tuple(own)
    names = {port.name for port in own}
    shown = (port for port in body if port.name not in taken)
    return (*(replace(port, name=outer_name(port.name, names)) for port in shown), *own)


def for_body(
    inputs: Mapping[str, Any], body: Iterable[Port], own: Iterable[Port]
) -> dict[str, Any]:
    """Return the inputs of a node that are meant for its body, by the body's names."""
    names = {port.name for port in own}
    named = ((port.name, outer_name(port.name, names)) for port in body)
    return {name: inputs[outer] for name, outer in named if outer in inputs}
