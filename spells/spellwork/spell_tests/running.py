"""Run tests of a spell: each on its own, several at once, and none for longer than it may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from spellwork.analysis import Analysis
from spellwork.children import Spells
from spellwork.compiler import compile
from spellwork.errors import InvalidInput, SpellInvalid, SpellworkError
from spellwork.library import Library
from spellwork.limits import Limits
from spellwork.plan import Plan
from spellwork.result import RunResult
from spellwork.spell import Spell
from spellwork.spell_test import SpellTest

from .asserting import judge_node
from .guarding import NOT_RECORDED, GuardedLibrary
from .recording import not_recorded, with_record
from .results import AssertionResult, Outcome, TestFailure, TestResult

SECONDS = 60.0
"""How long a test may run where it does not say."""

AT_ONCE = 4
"""Tests that run beside each other."""

SMALL = 50
"""Spells of up to this many nodes are compiled at once, larger ones in a thread."""

Execute = Callable[[Plan, Limits], Awaitable[RunResult]]
"""Runs a plan to its end, its values plain JSON; what it leaves is kept nowhere."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where tests are run: ``library`` calls everything, ``guarded`` nothing that has consequences."""

    spell: Spell
    library: Library
    guarded: GuardedLibrary
    execute: Execute
    limits: Limits
    spells: Spells | None
    root: str | None
    packages: str | None


async def run_tests(
    spell: Spell,
    library: Library,
    execute: Execute,
    *,
    tests: Sequence[str] | None = None,
    spells: Spells | None = None,
    root: str | None = None,
    packages: str | None = None,
    limits: Limits | None = None,
    at_once: int = AT_ONCE,
) -> list[TestResult]:
    """Run the tests of a spell, or those named, and return how each came out, in the order of their ids.

    Never raises for what a test or the spell has wrong: that is its result.
    ``spells``, ``root`` and ``packages`` are as for ``Analysis`` and ``compile``.

    Raises:
        InvalidInput: for a test that the spell does not have.
    """
    unknown = sorted(set(tests or ()) - spell.tests.keys())
    if unknown:
        raise InvalidInput(
            f"there is no test {unknown[0]!r}",
            details={"tests": unknown, "allowed": sorted(spell.tests)[:50]},
        )
    bench = _Bench(
        spell,
        library,
        GuardedLibrary(library),
        execute,
        limits or Limits(),
        spells,
        root,
        packages,
    )
    places = asyncio.Semaphore(at_once)

    async def run(id: str) -> TestResult:
        async with places:
            return await _run_test(id, spell.tests[id], bench)

    names = sorted(spell.tests if tests is None else set(tests))
    async with asyncio.TaskGroup() as group:
        started = [group.create_task(run(id)) for id in names]
    return [each.result() for each in started]


async def _run_test(id: str, test: SpellTest, bench: _Bench) -> TestResult:
    begun = time.perf_counter()

    def told(
        outcome: Outcome,
        failure: TestFailure | None = None,
        assertions: Sequence[AssertionResult] = (),
        called: Sequence[str] = (),
    ) -> TestResult:
        return TestResult(
            test=id,
            name=test.name,
            outcome=outcome,
            duration=round(time.perf_counter() - begun, 6),
            assertions=list(assertions),
            failure=failure,
            called=list(called),
        )

    try:
        small = len(bench.spell.nodes) <= SMALL
        plan = _compile(test, bench) if small else await asyncio.to_thread(_compile, test, bench)
    except SpellInvalid as error:
        first = error.problems[0]
        return told("error", TestFailure(code=first.code, message=first.message, node=first.node))
    except SpellworkError as error:
        return told("error", TestFailure(code=error.code, message=error.message))
    refused = [] if test.live else not_recorded(plan)
    if refused:
        names = ", ".join(map(repr, refused[:10]))
        message = (
            f"{names} would be called, and has side effects or costs money:"
            " record what comes of it, or let the test say live: true"
        )
        return told("error", TestFailure(code=NOT_RECORDED, message=message, node=refused[0]))
    result = await bench.execute(plan, _limits(test, bench.limits))
    called = [step.id for step in plan.steps if step.stand is None and step.id not in test.record]
    assertions = [
        each for node in sorted(test.expect) for each in judge_node(node, test.expect[node], result)
    ]
    if result.status != "completed":
        return told("error", _broken(result), assertions, called)
    failure = None if test.expect else _first_failure(result)
    passed = failure is None and all(each.passed for each in assertions)
    return told("passed" if passed else "failed", failure, assertions, called)


def _compile(test: SpellTest, bench: _Bench) -> Plan:
    spell, recording = with_record(bench.spell, test.record)
    library = bench.library if test.live else bench.guarded
    analysis = Analysis(spell, library, bench.spells, root=bench.root, recording=recording)
    scope = sorted(test.expect.keys() & spell.nodes.keys()) if test.expect else None
    return compile(
        spell,
        library,
        test.inputs or None,
        scope,
        packages=bench.packages,
        analysis=analysis,
    )


def _limits(test: SpellTest, most: Limits) -> Limits:
    seconds = test.timeout or SECONDS
    return replace(most, seconds=seconds if most.seconds is None else min(seconds, most.seconds))


def _broken(result: RunResult) -> TestFailure:
    if result.error is not None:
        return TestFailure(code=result.error.code, message=result.error.message)
    return TestFailure(code=result.status, message=f"the run was {result.status}")


def _first_failure(result: RunResult) -> TestFailure | None:
    for node, failure in result.errors.items():
        return TestFailure(code=failure.code, message=failure.message[:2_000], node=node)
    return None
