"""Say what is wrong with a spell."""

from __future__ import annotations

from .library import Library
from .problems import Problem
from .spell import Spell


def validate(spell: Spell, library: Library) -> list[Problem]:
    """Return everything wrong with a spell, in a stable order; never raises."""
    raise NotImplementedError
