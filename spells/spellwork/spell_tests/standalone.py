"""Run the tests of a spell in a script, with no server."""

from __future__ import annotations

from collections.abc import Sequence

from spellwork.children import Spells
from spellwork.execution import Execution
from spellwork.handing import decoded_outputs
from spellwork.handles import any_handles
from spellwork.library import Library
from spellwork.limits import Limits
from spellwork.plan import Plan
from spellwork.reading import SpellSource, read_spell
from spellwork.result import RunResult
from spellwork.spell_files import spells_beside
from spellwork.standalone import MakesEnvironment, OwnWorkers
from spellwork.workers.program import base_program

from .results import TestResult
from .running import run_tests


async def run_spell_tests(
    spell: SpellSource,
    tests: Sequence[str] | None = None,
    *,
    library: Library | None = None,
    spells: Spells | None = None,
    environment: MakesEnvironment | None = None,
) -> list[TestResult]:
    """Run the tests of a spell (in any form that ``run`` takes), or those named; return how each came out.

    ``spells`` and ``environment`` are as for ``run``.

    Raises:
        SpellUnreadable: when ``spell`` is not a spell.
        InvalidInput: for a test that it does not have.
        ProvisionFailed: where what it requires cannot be had.
    """
    read = read_spell(spell)
    program, packages = base_program(), None
    if environment is not None and read.requirements:
        made = await environment(read.requirements)
        program, packages = made.program, made.key
    async with OwnWorkers(program) as workers:

        async def execute(plan: Plan, limits: Limits) -> RunResult:
            result = await Execution(plan, limits=limits, executors={"worker": workers}).run()
            if any_handles():
                result.replace_outputs(await decoded_outputs(result.outputs))
            return result

        return await run_tests(
            read,
            library or Library.installed(),
            execute,
            tests=tests,
            spells=spells or spells_beside(spell),
            packages=packages,
        )
