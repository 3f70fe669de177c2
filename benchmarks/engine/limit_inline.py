"""The limit for an asyncio engine that can also run things at once.

A deque of ready nodes, counters of missing inputs; each node's coroutine is
stepped once by hand with ``send(None)``: one that ends there costs no task,
one that waits is carried on in a task. Results in a list. No checks, no
failures, no names, no cancel.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

Call = Callable[[list[Any]], Coroutine[Any, Any, Any]]


class LimitInline:
    """A graph, ready to be run any number of times."""

    def __init__(self, call: Call, graph: Sequence[Sequence[int]]) -> None:
        self.call = call
        self.sources = [list(sources) for sources in graph]
        self.successors: list[list[int]] = [[] for _ in graph]
        for index, sources in enumerate(graph):
            for source in dict.fromkeys(sources):
                self.successors[source].append(index)
        self.pending = [len(set(sources)) for sources in graph]
        self.first = [index for index, count in enumerate(self.pending) if not count]
        self.given: list[list[Any]] = [[] for _ in graph]
        """What nodes without sources are called with."""
        self.results: list[Any] = []

    async def run(self) -> list[Any]:
        """Run every node once and return the results by node."""
        results: list[Any] = [None] * len(self.sources)
        self.results = await self._go(results, self.pending.copy(), deque(self.first))
        return results

    async def change(self, root: int, value: Any) -> list[Any]:
        """Give a node without sources another value; run it and all that depends on it, and return the results.

        One pass finds the set and its in-degrees, as in a full run nothing is compared.
        """
        successors = self.successors
        pending = {root: 0}
        found = [root]
        for index in found:
            for successor in successors[index]:
                if successor in pending:
                    pending[successor] += 1
                else:
                    pending[successor] = 1
                    found.append(successor)
        self.given[root] = value
        return await self._go(self.results, pending, deque((root,)))

    async def _go(self, results: list[Any], pending: Any, ready: deque[int]) -> list[Any]:
        call, sources, successors, given = self.call, self.sources, self.successors, self.given
        running: set[asyncio.Task[Any]] = set()
        number: dict[asyncio.Task[Any], int] = {}
        while True:
            while ready:
                index = ready.popleft()
                coroutine = call([results[source] for source in sources[index]] or given[index])
                try:
                    waited_for = coroutine.send(None)
                except StopIteration as stop:
                    results[index] = stop.value
                    for successor in successors[index]:
                        left = pending[successor] - 1
                        pending[successor] = left
                        if not left:
                            ready.append(successor)
                else:
                    task = asyncio.get_running_loop().create_task(_carry_on(coroutine, waited_for))
                    running.add(task)
                    number[task] = index
            if not running:
                return results
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                index = number.pop(task)
                results[index] = task.result()
                for successor in successors[index]:
                    pending[successor] -= 1
                    if not pending[successor]:
                        ready.append(successor)


async def _carry_on(coroutine: Coroutine[Any, Any, Any], waited_for: Any) -> Any:
    return await _Rest(coroutine, waited_for)


class _Rest:
    def __init__(self, coroutine: Coroutine[Any, Any, Any], waited_for: Any) -> None:
        self.coroutine = coroutine
        self.waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waited_for = self.waited_for
        while True:
            yield waited_for
            try:
                waited_for = self.coroutine.send(None)
            except StopIteration as stop:
                return stop.value
