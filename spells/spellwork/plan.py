"""The plan: an immutable list of steps that a spell compiles to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from .library import Library
from .memory import UNCHANGING, mark_of
from .problems import Problem
from .program import Program
from .recipes import recipes_of, shape_of, shapes_of
from .step import Binding, Step
from .transform import described
from .values import hash_bytes, to_json

if TYPE_CHECKING:
    from .subplan import SubPlan

__all__ = ["PLAN_FORMAT", "Plan", "Step"]

PLAN_FORMAT = 1
"""The version of what ``Plan.to_bytes`` writes."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A spell, checked and put in order, ready to run any number of times.

    ``steps`` are in graph order: every step after those it needs, otherwise
    in the order of the nodes' ids. Two plans are equal when their bytes are.
    """

    name: str
    steps: tuple[Step, ...]
    library: Library
    program: Program
    environment: str = ""
    warnings: tuple[Problem, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)
    """The place of each node id in ``steps``."""
    outside: frozenset[str] = frozenset()
    """The nodes of the spell that a plan of part of it leaves out."""
    varies: tuple[Plan, Sequence[int]] | None = None
    """A plan that is the same but for these steps."""

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON: what ``to_bytes`` and the writers in ``formats`` write."""
        return {
            "plan": PLAN_FORMAT,
            "name": self.name,
            "environment": self.environment,
            "steps": [step_json(self, step) for step in self.steps],
        } | self._bodies_json()

    def _bodies_json(self) -> dict[str, Any]:
        """Return what nodes run inside them, each once, by its recipe: bodies nest, and share theirs."""
        found: dict[str, SubPlan] = {}
        left = [step.body for step in self.steps if step.body is not None]
        while left:
            body = left.pop()
            if body.recipe not in found:
                found[body.recipe] = body
                left.extend(step.body for step in body.plan.steps if step.body is not None)
        return {"bodies": {key: found[key].to_json() for key in sorted(found)}} if found else {}

    def to_bytes(self) -> bytes:
        """Return the plan as canonical MessagePack: the same spell gives the same bytes, everywhere."""
        return msgspec.msgpack.encode(self.to_json(), order="deterministic")

    @cached_property
    def shapes(self) -> list[str]:
        """By step, the hash of what its node is (``Step.local``) and of its own inputs and wires."""
        if self.varies is None:
            return shapes_of(self.steps)
        other, changed = self.varies
        shapes = list(other.shapes)
        for index in changed:
            shapes[index] = shape_of(self.steps[index], self.steps)
        return shapes

    @cached_property
    def recipes(self) -> list[str]:
        """By step, the hash of its shape and of everything upstream."""
        return recipes_of(self.steps, self.shapes)

    @cached_property
    def hash(self) -> str:
        """The hash of the plan's bytes."""
        return hash_bytes(self.to_bytes())

    @cached_property
    def running(self) -> list[str]:
        """The nodes of the plan, in graph order, without those that stand as the last run left them."""
        if self.varies is not None:
            return self.varies[0].running
        return [step.id for step in self.steps if step.stand != "kept"]

    @cached_property
    def typed_marks(self) -> list[Any]:
        """By slot, what a value that is typed in is known by; None for what a node may change, and for outputs."""
        if self.varies is None:
            return [None] * self.program.constants_from + [
                self._mark(slot)
                for slot in range(self.program.constants_from, len(self.program.template))
            ]
        other, changed = self.varies
        marks = other.typed_marks.copy()
        for index in changed:
            for _, source in self.program.gathers[index]:
                if type(source) is int and source >= self.program.constants_from:
                    marks[source] = self._mark(source)
        return marks

    def _mark(self, slot: int) -> Any:
        value = self.program.raw.get(slot, self.program.template[slot])
        return mark_of(value) if type(value) in UNCHANGING else None

    def __getitem__(self, node: str) -> Step:
        return self.steps[self.index[node]]

    def __contains__(self, node: str) -> bool:
        return node in self.index

    def __len__(self) -> int:
        return len(self.steps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.hash)


def step_json(plan: Plan, step: Step) -> dict[str, Any]:
    """Return a step as part of its plan's JSON."""
    body: dict[str, Any] = {
        "node": step.id,
        "type": step.type.id,
        "version": step.type.version,
        "name": step.node.name,
        "code": step.node.code,
        "inputs": [_binding_json(plan, binding) for binding in step.bindings],
        "outputs": [port.name for port in step.ports.outputs],
        "fault": step.fault.to_json() if step.fault else None,
        "isolation": step.type.isolation,
        "cache": step.cache,
        "ttl": step.ttl,
        "timeout": step.timeout,
        "retries": step.retries,
        "backoff": step.backoff,
        "recipe": plan.recipes[step.index],
        "stand": step.stand,
        "pins": to_json(step.pins) if step.stand != "kept" else None,
        "passes": [list(each) for each in step.passes],
        "body": None if step.body is None else step.body.recipe,
    }
    return {key: value for key, value in body.items() if value not in (None, [], {})}


def _binding_json(plan: Plan, binding: Binding) -> dict[str, Any]:
    body: dict[str, Any] = {"port": binding.port}
    if binding.wires:
        body["from"] = [
            [
                plan.steps[wire.source].id,
                wire.output,
                *([wire.edge] if wire.edge is not None else []),
                *described(wire.transform),
            ]
            for wire in binding.wires
        ]
    else:
        body["value"] = to_json(binding.value)
    if binding.many:
        body["many"] = True
    return body
