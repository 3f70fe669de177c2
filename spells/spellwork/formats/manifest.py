"""A plan as a YAML manifest: its steps for people to read, and the spell it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spellwork.plan import Plan
from spellwork.spell import Spell

from .order import as_given, sorted_values
from .yaml_writer import write_yaml


def to_manifest(plan: Plan, spell: Spell) -> bytes:
    """Return a plan as YAML together with the spell it was made from."""
    body = plan.to_json()
    body["steps"] = [
        {key: sorted_values(value) for key, value in step.items()} for step in body["steps"]
    ]
    return write_yaml(body | {"spell": as_given(spell)})


def is_manifest(body: Any) -> bool:
    """Tell whether a YAML or JSON value is a plan with its spell."""
    return isinstance(body, Mapping) and body.keys() >= {"plan", "spell"}
