"""Run a spell in a script, with no server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from .bodies import Spells
from .cache import OutputCache
from .compiler import compile
from .context import Context
from .events import Sink
from .execution import Execution
from .handing import decoded_outputs
from .handles import any_handles
from .library import Library
from .limits import Limits
from .memory import RunMemory
from .reaching import Reach
from .reading import SpellSource, read_spell
from .result import RunResult
from .spell_files import spells_beside
from .step import Step
from .workers import WorkerPool
from .workers.program import Program, base_program
from .workers.spec import WorkerSpec

if TYPE_CHECKING:
    from .workers.environments import Environment

MakesEnvironment = Callable[[Mapping[str, str]], Awaitable["Environment"]]
"""Returns the environment of requirements; raises ProvisionFailed where they cannot be had."""


class OwnWorkers:
    """A worker pool that opens at the first call: most spells have no code of their own."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._stack = AsyncExitStack()
        self._pool: WorkerPool | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Call a step in a worker, as executors do."""
        async with self._lock:
            if self._pool is None:
                pool = WorkerPool(
                    unconfined=("files", "network")
                )  # one's own code, on one's own machine
                pool.find = self._find
                self._pool = await self._stack.enter_async_context(pool)
        return await self._pool.call(step, inputs, context)

    async def _find(self, _step: Step, context: Context) -> WorkerSpec:
        assert self._pool is not None
        return WorkerSpec(context.run_id, self._program, self._pool.limits, self._pool.size)


async def run_async(
    spell: SpellSource,
    inputs: Mapping[str, Any] | None = None,
    *,
    scope: Sequence[str] | None = None,
    library: Library | None = None,
    cache: OutputCache | None = None,
    sink: Sink | None = None,
    reach: Reach = "needed",
    memory: RunMemory | None = None,
    limits: Limits | None = None,
    spells: Spells | None = None,
    environment: MakesEnvironment | None = None,
) -> RunResult:
    """Run a spell (a Spell, its JSON, or the path of a JSON or YAML file) and return what it left.

    ``inputs``, ``scope`` and ``reach`` are as for ``compile``; ``library`` is
    all installed packs when not given. ``memory`` is what the last run left,
    and takes what this one leaves. What its code nodes gave that is no plain value is plain
    JSON in the result, or where it has no such form, what was told of it. ``spells`` finds those that nodes run inside
    themselves; of a file, they are files beside it. ``environment`` makes that of what the spell requires
    (as ``workers.locks.Locks`` does); without it, code has this Python's packages. Nodes that fail are in ``result.errors``.

    Raises:
        SpellUnreadable: when ``spell`` is not a spell.
        SpellInvalid: when it cannot be compiled.
        InvalidInput: for an input that it does not have.
        NoValue: where a value of the last run is needed that it did not leave.
        ProvisionFailed: where what it requires cannot be had.
    """
    read = read_spell(spell)
    program, packages = base_program(), None
    if environment is not None and read.requirements:
        made = await environment(read.requirements)
        program, packages = made.program, made.key
    plan = compile(
        read,
        library or Library.installed(),
        inputs,
        scope,
        reach=reach,
        memory=memory,
        packages=packages,
        spells=spells or spells_beside(spell),
    )
    async with OwnWorkers(program) as workers:
        result = await Execution(
            plan,
            sink=sink,
            cache=cache,
            memory=memory,
            limits=limits,
            executors={"worker": workers},
        ).run()
        if any_handles():  # the workers end here
            result.replace_outputs(await decoded_outputs(result.outputs))
        return result


def run(
    spell: SpellSource,
    inputs: Mapping[str, Any] | None = None,
    *,
    scope: Sequence[str] | None = None,
    library: Library | None = None,
    cache: OutputCache | None = None,
    sink: Sink | None = None,
    reach: Reach = "needed",
    memory: RunMemory | None = None,
    limits: Limits | None = None,
    spells: Spells | None = None,
    environment: MakesEnvironment | None = None,
) -> RunResult:
    """Run a spell to its end; as ``run_async``, for scripts without an event loop."""
    return asyncio.run(
        run_async(
            spell,
            inputs,
            scope=scope,
            library=library,
            cache=cache,
            sink=sink,
            reach=reach,
            memory=memory,
            limits=limits,
            spells=spells,
            environment=environment,
        )
    )
