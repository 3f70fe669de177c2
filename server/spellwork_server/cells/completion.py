"""Completion: Python's in a worker, by Jedi; TypeScript's from the words of the code and what Deno has.

Both know the inputs of the cell: their fields come from what is connected.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from spellwork import Context, DetachedHost, Library, NodeError, Pack, node
from spellwork.compiler import compile_call
from spellwork.step import Step
from spellwork.workers import WorkerPool
from spellwork.workers.limits import WorkerLimits
from spellwork.workers.program import Program, base_program
from spellwork.workers.spec import WorkerSpec
from spellwork_worker.completing import complete

from .fields import Input, key_at, member_at
from .typescript_words import GLOBALS, KEYWORDS, members_of

logger = logging.getLogger(__name__)

SECONDS = 30.0
"""How long a completion may take. One that is given up takes the process along, and all that it has read."""

AT_ONCE = 2
"""Completions that are found at a time; more wait."""

MOST = 200
"""Completions that are told at once."""

LIMITS = WorkerLimits(memory_mb=2048, cpu_seconds=60, processes=16, files_mb=64, wall_seconds=60)
_WORD = re.compile(r"[^\W\d][\w$]*")
_WRITTEN = re.compile(r"[\w$]*$")
_LIBRARY = Library(
    [
        Pack(
            name="cells",
            version="1",
            title="Cells",
            nodes=(node("cells.complete", isolation="worker")(complete),),
        )
    ]
)

Programs = Callable[[str], Program | None]
"""The program of a canvas's worker, whose packages complete; None while it has none."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be written: ``kind`` is a word for an icon, ``detail`` says where it comes from."""

    label: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What may be written, in the place of the ``length`` characters before the cursor."""

    items: tuple[Suggestion, ...]
    length: int


class Completer:
    """Completes code. Its processes are not those in which cells run; they start when first needed."""

    def __init__(self, program_of: Programs | None = None) -> None:
        self._program_of = program_of
        self._pool: WorkerPool | None = None
        self._opening = asyncio.Lock()
        self.turns = asyncio.Semaphore(AT_ONCE)
        """To be held while a worker is asked, so that who waits can see whether it is still wanted."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End its processes."""
        await self._stack.aclose()
        self._pool = None

    async def python(
        self, canvas: str, code: str, line: int, column: int, inputs: Mapping[str, Input]
    ) -> Suggestions:
        """Return what may stand in a Python cell at a place; ``column`` counts characters from 0."""
        before = _line(code, line)[:column]
        keys = key_at(before)
        if keys is not None and keys[0] in inputs:
            return _fields_of(inputs[keys[0]], keys[1], keys[2], keys[0])
        length = len(_written(before))
        own = () if _is_member(before, length) else _inputs_like(inputs, before[column - length :])
        hints = {name: hint for name, each in inputs.items() if (hint := each.hint())}
        found = await self._jedi(canvas, code, line, column, hints)
        more = tuple(each for each in found if each.label not in inputs or not own)
        return Suggestions((*own, *more)[:MOST], length)

    async def _jedi(
        self, canvas: str, code: str, line: int, column: int, hints: dict[str, str]
    ) -> list[Suggestion]:
        given = {"code": code, "line": line, "column": column, "hints": hints}
        step = compile_call(_LIBRARY, "completion", "cells.complete", given, None)
        context = Context("completion", step.node, DetachedHost(canvas=canvas))
        pool = await self._open()
        try:
            async with asyncio.timeout(SECONDS):
                outputs = await pool.call(step, given, context)
        except (NodeError, TimeoutError) as error:
            logger.info("no completions on canvas %s: %s", canvas, error)
            return []
        return [Suggestion(str(each["label"]), str(each["kind"])) for each in outputs["result"]]

    async def _open(self) -> WorkerPool:
        async with self._opening:
            if self._pool is None:
                pool = WorkerPool(size=1, total=AT_ONCE, idle=900, limits=LIMITS, find=self._find)
                self._pool = await self._stack.enter_async_context(pool)
            return self._pool

    async def _find(self, _step: Step, context: Context) -> WorkerSpec:
        """Return the process that reads the packages of a canvas; canvases of one environment share it."""
        own = self._program_of(context.canvas) if self._program_of and context.canvas else None
        program = own or base_program()
        return WorkerSpec(f"completion {program.key}", program, LIMITS)


def typescript(code: str, line: int, column: int, inputs: Mapping[str, Input]) -> Suggestions:
    """Return what may stand in a TypeScript cell at a place; ``column`` counts characters from 0."""
    before = _line(code, line)[:column]
    keys = key_at(before)
    if keys is not None and keys[0] in inputs:
        return _fields_of(inputs[keys[0]], keys[1], keys[2], keys[0])
    member = member_at(before)
    if member is not None:
        name, steps, written = member
        known = (
            [Suggestion(each, "property", name) for each in inputs[name].fields(steps)]
            if name in inputs
            else []
        )
        if not steps or not known:
            schema = inputs[name].schema if name in inputs and not steps else {}
            known += [Suggestion(each, "method") for each in members_of(name, schema, steps)]
        return _like(known, written)
    start = _written(before)
    here = before[: len(before) - len(start)]
    own = [Suggestion(name, "variable", "input") for name in inputs]
    words = dict.fromkeys(_WORD.findall(code.replace(here + start, here, 1)))
    local = [
        Suggestion(word, "variable")
        for word in words
        if word not in inputs and word not in KEYWORDS
    ]
    rest = [Suggestion(word, "keyword") for word in KEYWORDS]
    rest += [Suggestion(word, "class") for word in GLOBALS]
    return _like([*own, *local, *rest], start)


def _like(found: list[Suggestion], written: str) -> Suggestions:
    start = written.lower()
    unique = {each.label: each for each in reversed(found)}
    matching = [
        each
        for each in dict.fromkeys(unique[each.label] for each in found)
        if each.label.lower().startswith(start) and each.label != written
    ]
    return Suggestions(tuple(matching[:MOST]), len(written))


def _fields_of(source: Input, steps: str, written: str, name: str) -> Suggestions:
    return _like([Suggestion(each, "property", name) for each in source.fields(steps)], written)


def _inputs_like(inputs: Mapping[str, Input], written: str) -> tuple[Suggestion, ...]:
    found = [Suggestion(name, "variable", "input") for name in inputs]
    return _like(found, written).items


def _written(before: str) -> str:
    found = _WRITTEN.search(before)
    return "" if found is None else found.group()


def _is_member(before: str, length: int) -> bool:
    return before[: len(before) - length].endswith(".")


def _line(code: str, line: int) -> str:
    lines = code.split("\n")
    return lines[line - 1] if 0 < line <= len(lines) else ""
