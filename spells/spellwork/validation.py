"""Say what is wrong with a spell."""

from __future__ import annotations

from .analysis import Analysis
from .library import Library
from .problems import Problem
from .spell import Spell


def validate(spell: Spell, library: Library) -> list[Problem]:
    """Return everything wrong with a spell; never raises. The order is stable: nodes, edges, values, cycles."""
    return Analysis(spell, library).problems
