"""Runs a cell. Only a worker imports this module."""

from __future__ import annotations
import __future__

import ast
import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any

from .cells import RESULT, Cell, parse, read_cell
from .tracebacks import remember

FILENAME = "<cell>"
"""The file name of a cell's code, by which its frames are known."""

MODULE = "cell"
"""The name of the module in which a cell runs."""


class CellOutputs(dict[str, Any]):
    """What a cell gave, by output. An output that got no value is missing."""


class CellStream:
    """What a generator cell gives: items one by one, all of the output ``result``."""

    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items


Wait = Callable[[Awaitable[Any]], Any]
"""Runs something awaitable to its end and returns what it gives."""


def run_cell(code: str, inputs: dict[str, Any], wait: Wait) -> CellOutputs | CellStream:
    """Run a cell in a fresh module and return what it gives."""
    cell = read_cell(code)
    remember(FILENAME, code)
    body, last = _compiled(code)
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module  # dataclasses and typing look a class's module up
    module.__dict__["__file__"] = FILENAME
    if cell.entry is not None:
        return _run_function(cell, body, module.__dict__, inputs, wait)
    module.__dict__.update(inputs)
    _execute(body, module.__dict__, wait)
    outputs = CellOutputs(
        (output.name, module.__dict__[output.name])
        for output in cell.outputs
        if output.name in module.__dict__
    )
    if last is not None:
        outputs[RESULT] = _execute(last, module.__dict__, wait)
        for output in cell.outputs:  # the last line may bind names too
            if output.name != RESULT and output.name in module.__dict__:
                outputs[output.name] = module.__dict__[output.name]
    return outputs


@lru_cache(maxsize=64)
def _compiled(code: str) -> tuple[CodeType, CodeType | None]:
    """Return the cell's statements, and its last line when that is an expression with a result."""
    tree = parse(code)
    last: CodeType | None = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = _compile(ast.Expression(tree.body.pop().value), "eval")  # type: ignore[attr-defined]
    return _compile(tree, "exec"), last


def _compile(tree: ast.Module | ast.Expression, mode: str) -> CodeType:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | __future__.annotations.compiler_flag
    code: CodeType = compile(tree, FILENAME, mode, flags=flags, dont_inherit=True)
    return code


def _execute(code: CodeType, names: dict[str, Any], wait: Wait) -> Any:
    """Execute code that may hold top-level ``await``; return its value."""
    value = eval(code, names)  # noqa: S307 - this is what a worker is for
    return wait(value) if code.co_flags & inspect.CO_COROUTINE else value


def _run_function(
    cell: Cell, body: CodeType, names: dict[str, Any], inputs: dict[str, Any], wait: Wait
) -> CellOutputs | CellStream:
    """Define the function, call it with the inputs and return what it gives."""
    assert cell.entry is not None
    names.update({name: value for name, value in inputs.items() if name not in _parameters(cell)})
    _execute(body, names, wait)
    function = names[cell.entry]
    given = {
        name: value
        for name, value in inputs.items()
        if name in _parameters(cell) or cell.extra_inputs
    }
    placed = [given.pop(name) for name in cell.positional if name in given]
    value = function(*placed, **given)
    if cell.form == "async generator":
        return CellStream(_each(value, wait))
    if cell.form == "generator":
        return CellStream(iter(value))
    return CellOutputs({RESULT: wait(value) if inspect.isawaitable(value) else value})


def _parameters(cell: Cell) -> set[str]:
    return {port.name for port in cell.inputs if port.parameter}


def _each(items: AsyncIterator[Any], wait: Wait) -> Iterator[Any]:
    """Yield the items of an async generator, one wait each."""
    iterator = aiter(items)
    while True:
        try:
            item = wait(_next(iterator))
        except StopAsyncIteration:
            return
        yield item


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


class Waiter:
    """Runs awaitables on a loop of the worker's own, made when first needed."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def __call__(self, awaitable: Awaitable[Any]) -> Any:
        """Run it to its end and return what it gives."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(_settle(awaitable))


async def _settle(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
