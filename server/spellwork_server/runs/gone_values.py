"""Values that runs left in workers and that are there no more: tabs are told at once, and whoever asks later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from spellwork.handles import Handle, find_handle, watch_gone
from spellwork.workers.holdings import RESTARTED

AGAIN = 0.5
"""Seconds after which values are looked for once more whose run had not kept them yet."""

MOST = 500
"""Values that one event names."""


class FindsPlaces(Protocol):
    """What is needed of ``storage.OutputStore``."""

    async def places(self, keys: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """Return where values were left: (stream, run, node, port, key)."""


class TellsStreams(Protocol):
    """What is needed of ``Journal``."""

    def tell(self, stream: str, event: str, data: dict[str, Any]) -> None:
        """Send an event that is not kept to all who follow the stream."""


class GoneValues:
    """Tells the streams of runs, while it is entered, which of their values are gone (``values.gone``)."""

    def __init__(self, outputs: FindsPlaces, journal: TellsStreams) -> None:
        self._outputs = outputs
        self._journal = journal
        self._tasks = asyncio.TaskGroup()
        self._begun: set[asyncio.Task[None]] = set()
        self._stop: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._stop = watch_gone(self._heard)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        for task in self._begun:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def _heard(self, handles: Sequence[Handle], why: str) -> None:
        tokens = [each.token for each in handles]
        task = self._tasks.create_task(self._tell(tokens, why), name="values that are gone")
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _tell(self, tokens: Sequence[str], why: str) -> None:
        missing = await self._tell_known(tokens, why)
        if missing:  # no run has left them, or its events are on their way to the store
            await asyncio.sleep(AGAIN)
            await self._tell_known(missing, why)

    async def _tell_known(self, tokens: Sequence[str], why: str) -> list[str]:
        """Tell of those that runs left; return the others."""
        places = await self._outputs.places(tokens)
        by_stream: dict[str, list[dict[str, str]]] = {}
        for stream, run, node, port, key in places:
            place = {"run": run, "node": node, "port": port, "handle": key}
            by_stream.setdefault(stream, []).append(place)
        for stream, values in by_stream.items():
            for start in range(0, len(values), MOST):
                part = values[start : start + MOST]
                self._journal.tell(stream, "values.gone", {"why": why, "values": part})
        known = {place[-1] for place in places}
        return [token for token in tokens if token not in known]


def gone_among(tokens: Iterable[str]) -> dict[str, str]:
    """Return why values in workers are there no more, of those that are not.

    Of what nobody here has a handle of, the process is taken to have ended: values
    that it let go of by itself say so as long as anybody holds their handle.
    """
    found: dict[str, str] = {}
    for token in tokens:
        handle = find_handle(token)
        why = RESTARTED if handle is None else handle.gone
        if why is not None:
            found[token] = why
    return found
