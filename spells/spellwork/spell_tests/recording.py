"""Put what a test recorded in the place of calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spellwork.plan import Plan
from spellwork.problems import Problem
from spellwork.spell import Spell
from spellwork.spell_test import Recorded, RecordedFailure
from spellwork.step import Step

from .guarding import has_consequences

Recording = dict[str, Problem | None]
"""By node: it stands for its outputs (None), or fails with this."""


def with_record(spell: Spell, record: Mapping[str, Recorded]) -> tuple[Spell, Recording]:
    """Return the spell with what was recorded in its nodes, and for ``Analysis`` which nodes those are.

    What is recorded of nodes that are not there is left out.
    """
    nodes, recording = dict(spell.nodes), Recording()
    for id, each in record.items():
        if id not in nodes:
            continue
        node = nodes[id]
        settings = node.settings.model_copy(update={"pins": dict(each.outputs or {}), "mode": None})
        nodes[id] = node.model_copy(update={"settings": settings})
        recording[id] = None if each.failure is None else _failing(id, each.failure)
    return spell.model_copy(update={"nodes": nodes, "tests": {}}), recording


def _failing(id: str, failure: RecordedFailure) -> Problem:
    code: Any = failure.code  # that of the failure that there was
    return Problem(code, failure.message, node=id)


def not_recorded(plan: Plan) -> list[str]:
    """Return the nodes of a plan that would be called, and have side effects or cost money, by id."""
    return sorted({step.id for step in _called(plan.steps) if has_consequences(step.type)})


def _called(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        if step.stand is None and step.fault is None:
            yield step
            if step.body is not None:
                yield from _called(step.body.plan.steps)
