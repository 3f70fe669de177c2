"""The values that an input may have, where they depend on the node's other inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .node_type import NodeType
from .ports import Port
from .spell import Node
from .values import to_json

MOST = 1_000
"""Choices that are given at most."""


def choices_of(declared: NodeType, node: Node, port: Port) -> list[Any]:
    """Return the values that an input (of a list: its items) may have now, as JSON.

    None are given where any value may do: the port has no choices, or they are
    not known, as when what they depend on comes by a wire. Never raises.
    """
    choose = declared.choices.get(port.choices or "")
    if choose is None:
        return []
    try:
        found = choose(node)
    except Exception:  # noqa: BLE001 - an edge: a pack's own function, and values of any kind typed in
        return []
    return [to_json(each) for each in list(found)[:MOST]]


def not_among(choices: Sequence[Any], value: Any) -> list[Any]:
    """Return what of a typed-in value (of a list: which items) is not among the choices; nothing where any may do."""
    if not choices or value is None or value == "":
        return []
    return [each for each in (value if isinstance(value, list) else [value]) if each not in choices]
