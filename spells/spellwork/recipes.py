"""What steps are made of, as hashes: made when somebody first asks a plan for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .node_type import NodeType
from .step import Step
from .transform import described
from .values import digest, to_json


def local_of(declared: NodeType, code: str | None, environment: str, *further: Any) -> str:
    """Return the hash of what a node itself is; ``further``: its pins, its body."""
    pinned = (declared.pin,) if declared.pin else ()
    return digest(declared.id, declared.version, code, environment, *pinned, *further)


def shapes_of(steps: Sequence[Step]) -> list[str]:
    """Return, by step, the hash of ``local`` and of the step's own inputs and wires."""
    return [shape_of(step, steps) for step in steps]


def recipes_of(steps: Sequence[Step], shapes: Sequence[str]) -> list[str]:
    """Return, by step, the hash of its shape and of everything upstream."""
    recipes: list[str] = []
    for step, shape in zip(steps, shapes, strict=True):
        sources = [recipes[wire.source] for each in step.bindings for wire in each.wires]
        if step.stand == "kept":
            recipes.append(digest("kept", step.id, shape))
        else:
            recipes.append(digest(shape, sources) if sources else shape)
    return recipes


def shape_of(step: Step, steps: Sequence[Step]) -> str:
    """Return the hash of a step's ``local`` and of its own inputs and wires."""
    if step.left is not None:
        return step.left
    parts: list[Any] = [step.local]
    for binding in step.bindings:
        parts.append(binding.port)
        if not binding.wires:
            parts.append([to_json(binding.value)])
            continue
        parts += (binding.many, len(binding.wires))
        for wire in binding.wires:
            parts += (steps[wire.source].id, wire.output)
            if wire.transform:
                parts.append(described(wire.transform))
    if step.stand is not None:
        parts.append([step.stand, step.passes, step.pins])
    return digest(*parts)
