"""Find the ports that the inputs of a run mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .analysis import Analysis, Part
from .errors import InvalidInput
from .rejection import rejection

ALLOWED_SHOWN = 50
"""How many of the allowed inputs an error lists."""


def place_inputs(analysis: Analysis, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the inputs of a run as {node id: {port: value}}.

    A key is ``NODE.PORT``; or ``NODE``, which means the node's port ``value``
    or its only one, or with {port: value, ...} several. NODE is an id or a
    name that only one node has, or else the name of an input marker.

    Raises:
        InvalidInput: for a key that names no port, or a value that does not fit it.
    """
    placed: dict[str, dict[str, Any]] = {}
    for key, value in inputs.items():
        part, values = _place(analysis, key, value)
        for port, given in values.items():
            if reason := rejection(part.type, port, given):
                raise InvalidInput(
                    f"the input {key!r}: {port!r} of node {part.id!r} {reason}",
                    details={"input": key, "node": part.id, "port": port},
                )
        placed.setdefault(part.id, {}).update(values)
    return placed


def _place(analysis: Analysis, key: str, value: Any) -> tuple[Part, dict[str, Any]]:
    part = _find(analysis, key)
    if part is not None:
        return part, _spread(analysis, key, part, value)
    node, dot, port = key, ".", ""
    while dot:  # names may have dots in them: try every split, from the right
        node, dot, rest = node.rpartition(".")
        port = f"{rest}.{port}" if port else rest
        part = _find(analysis, node) if dot else None
        if part is not None and _has(part, port):
            return part, {port: value}
    raise _unknown(analysis, key)


def _find(analysis: Analysis, name: str) -> Part | None:
    if name in analysis.parts:
        return analysis.parts[name]
    found = analysis.named.get(name, ())
    return found[0] if len(found) == 1 else None


def _spread(analysis: Analysis, key: str, part: Part, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and value and all(name in part.inputs for name in value):
        return dict(value)
    if "value" in part.inputs:
        return {"value": value}
    if len(part.inputs) == 1:
        return {next(iter(part.inputs)): value}
    raise _unknown(analysis, key)


def _has(part: Part, port: str) -> bool:
    return port in part.inputs or part.ports.extra_inputs or part.loose


def _unknown(analysis: Analysis, key: str) -> InvalidInput:
    allowed = [
        f"{part.id}.{port}"
        for part in analysis.parts.values()
        for port in part.inputs
        if port not in part.links
    ]
    shown = ", ".join(allowed[:ALLOWED_SHOWN]) or "none"
    return InvalidInput(
        f"the spell has no input {key!r}; it has: {shown}{' ...' if len(allowed) > ALLOWED_SHOWN else ''}",
        details={"input": key, "allowed": allowed[:ALLOWED_SHOWN]},
    )
