"""Where the tests of a canvas's spell are run: with its library, workers and grants, and nothing kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

from spellwork import Execution, InvalidInput, Plan, RunContext, RunResult, Spell
from spellwork.handing import decoded_outputs
from spellwork.handles import any_handles
from spellwork.library import Libraries
from spellwork.limits import Limits
from spellwork.outbound.holding import begin_holding
from spellwork.spell_tests import TestResult, run_tests
from spellwork_server.errors import BadRequest
from spellwork_server.identity import Actor

from .errors import TooManyTests
from .run import Machinery

MOST_SECONDS = 600.0
"""How long all tests of one request may take together; what has not ended by then is cancelled."""

AT_ONCE = 2
"""Requests of one user that run tests at a time."""


class TestBench:
    """Runs tests for whoever may run the canvas. A result is all that is left of it."""

    __test__ = False  # pytest collects classes by their names

    def __init__(self, libraries: Libraries, machinery: Machinery) -> None:
        self._libraries = libraries
        self._machinery = machinery
        self._going: dict[str, int] = {}

    async def run(
        self, actor: Actor, canvas: str, spell: Spell, tests: Sequence[str] | None
    ) -> list[TestResult]:
        """Return how the tests came out, all or those named, without secrets.

        Raises:
            BadRequest: for a test that the spell does not have.
            TooManyTests: when the user has as many requests going as one may.
        """
        machinery, user = self._machinery, actor.user_id
        secrets = machinery.secrets(canvas, user)
        seconds = _Left(MOST_SECONDS)

        async def execute(plan: Plan, limits: Limits) -> RunResult:
            begin_holding()
            execution = Execution(
                plan,
                run_id=uuid4().hex,
                executors=machinery.executors,
                context=RunContext(canvas=canvas, user=user, secrets=secrets.source),
                limits=seconds.within(limits),
                limiters=machinery.limiters,
            )
            result = await execution.run()
            if any_handles():
                result.replace_outputs(await decoded_outputs(result.outputs))
            return result

        with self._place(user):
            packages = await machinery.packages(canvas)
            children = await machinery.children.for_actor(spell, user, actor)
            try:
                results = await run_tests(
                    spell,
                    self._libraries.of(canvas),
                    execute,
                    tests=tests,
                    spells=children.spells.get,
                    root=canvas,
                    packages=packages or None,
                    limits=machinery.limits,
                )
            except InvalidInput as error:
                raise BadRequest(error.message, code=error.code, details=error.details) from error
        if not secrets.masks:
            return results
        return [
            TestResult.model_validate(secrets.masks.plain(each.model_dump(mode="json")))
            for each in results
        ]

    @contextmanager
    def _place(self, user: str) -> Iterator[None]:
        going = self._going.get(user, 0)
        if going >= AT_ONCE:
            raise TooManyTests(AT_ONCE)
        self._going[user] = going + 1
        try:
            yield
        finally:
            self._going[user] -= 1
            if not self._going[user]:
                del self._going[user]


class _Left:
    """The seconds that are left of one request."""

    def __init__(self, seconds: float) -> None:
        self._until = asyncio.get_running_loop().time() + seconds

    def within(self, limits: Limits) -> Limits:
        """Return the limits of a run that ends in time."""
        left = max(0.001, self._until - asyncio.get_running_loop().time())
        seconds = left if limits.seconds is None else min(left, limits.seconds)
        return replace(limits, seconds=seconds)
