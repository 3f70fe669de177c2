"""Tests of spells: run one, judge what came out, say what is wrong with one, make one from a run.

A test never calls what it has recorded, and calls nothing that has side effects
or costs money unless it says so. See ``spells/SPEC.md``, section 22.
"""

from typing import TYPE_CHECKING, Any

from .making import Chosen, Made, last_nodes, make_test, recordable, told
from .problems import test_problems
from .results import AssertionResult, TestFailure, TestResult
from .running import Execute, run_tests

if TYPE_CHECKING:
    from .standalone import run_spell_tests

__all__ = [
    "AssertionResult",
    "Chosen",
    "Execute",
    "Made",
    "TestFailure",
    "TestResult",
    "last_nodes",
    "make_test",
    "recordable",
    "run_spell_tests",
    "run_tests",
    "test_problems",
    "told",
]


def __getattr__(name: str) -> Any:
    """Return ``run_spell_tests``, loaded when first asked for: who checks a spell needs no workers and no formats."""
    if name == "run_spell_tests":
        from .standalone import run_spell_tests as found  # noqa: PLC0415

        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
