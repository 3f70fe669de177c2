"""Say what is wrong with a spell."""

from __future__ import annotations

from .analysis import Analysis
from .bodies import Spells
from .library import Library
from .problems import Problem
from .spell import Spell
from .spell_tests.problems import test_problems


def validate(spell: Spell, library: Library, spells: Spells | None = None) -> list[Problem]:
    """Return everything wrong with a spell; never raises. The order is stable: nodes, edges, values, cycles, tests.

    ``spells`` finds those that nodes run inside themselves.
    """
    analysis = Analysis(spell, library, spells)
    return [*analysis.problems, *test_problems(analysis)]
