"""The questions that runs of this process wait with, by run and path."""

from __future__ import annotations

import asyncio
from typing import Any

from spellwork import NodeError
from spellwork_server.storage.tasks import TaskRecord

from .outcome import outcome

Place = tuple[str, str]
"""A run, and the path of the node that asks."""


class Waiting:
    """Futures of what is not settled yet. One that its run gives up is forgotten."""

    def __init__(self) -> None:
        self._futures: dict[Place, asyncio.Future[Any]] = {}

    def __bool__(self) -> bool:
        return bool(self._futures)

    @property
    def runs(self) -> set[str]:
        """The runs that wait."""
        return {run for run, _ in self._futures}

    def begin(self, place: Place) -> asyncio.Future[Any]:
        """Return the future of a question's answer; one that was there for it is no longer told."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._futures[place] = future
        future.add_done_callback(lambda done: self._forget(place, done))
        return future

    def hand(self, task: TaskRecord) -> bool:
        """Give what became of a task to the run that waits; False where none waits here."""
        future = self._futures.get((task.run, task.node))
        if future is None or future.done():
            return False
        put(future, task)
        return True

    def _forget(self, place: Place, future: asyncio.Future[Any]) -> None:
        if self._futures.get(place) is future:
            del self._futures[place]


def put(future: asyncio.Future[Any], task: TaskRecord) -> None:
    """Put what became of a task into a future."""
    try:
        future.set_result(outcome(task))
    except NodeError as error:
        future.set_exception(error)
        future.exception()  # it may be given up before anybody looks
