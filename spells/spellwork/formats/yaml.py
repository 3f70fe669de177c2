"""A spell as one YAML file: the spell itself, in a form that merges well."""

from __future__ import annotations

from spellwork.spell import Spell

from .order import as_given
from .yaml_writer import write_yaml


def to_yaml(spell: Spell) -> bytes:
    """Return a spell as YAML: things by id, layout last, code as block text."""
    return write_yaml(as_given(spell))
