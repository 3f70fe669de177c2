"""Tests of spells: run one, judge what came out, say what is wrong with one, make one from a run.

A test never calls what it has recorded, and calls nothing that has side effects
or costs money unless it says so. See ``spells/SPEC.md``, section 22.
"""

from .making import Chosen, Made, last_nodes, make_test, recordable, told
from .problems import test_problems
from .results import AssertionResult, TestFailure, TestResult
from .running import Execute, run_tests
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
