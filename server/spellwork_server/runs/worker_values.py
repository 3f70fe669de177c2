"""Values that stay in workers, read from outside of runs; and those of ended runs, held for a while."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from spellwork.errors import NodeError
from spellwork.handles import Handle, find_handle, handles_in
from spellwork_server.errors import Conflict
from spellwork_worker.parcels import PageRead, ReadPage

from .errors import ValueGone, ValueNotFound

PAGE_SECONDS = 15.0
"""How long a page waits for its worker, which reads pages when no call waits."""

PAGE_BYTES = 8 * 1024 * 1024
"""JSON of a page that is taken from a worker."""

KEPT_RUNS = 200
KEPT_SECONDS = 600.0
"""How many ended runs, and for how long, hold the values that they left in workers."""

MOST_OF_RUN = 10_000


async def read_in_worker(key: str, body: bytes, request: ReadPage) -> tuple[PageRead, Any]:
    """Return a page of the value that ``key`` stands for, and the values on it; ``body`` is what was told of it.

    Raises:
        ValueGone: its worker has it no more.
        ValueNotFound: the path, or the column to sort by, is not in it.
        Conflict: the worker is busy (``worker_busy``), or no page can be made of the value (``not_transferable``).
    """
    handle = find_handle(key)
    if handle is None:
        kind = msgspec.json.decode(body).get("kind", "value")
        raise ValueGone(
            f"The {kind} stayed in its worker, which has it no more; run the node again",
            details={"hash": key},
        )
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            page = await handle.holder.page(handle, request)
    except TimeoutError as error:
        raise Conflict(
            "The worker is busy with a call; try again when it is done",
            code="worker_busy",
            details={"hash": key},
        ) from error
    except NodeError as error:
        raise _refusal(key, error) from error
    return page, await asyncio.to_thread(_values, page)


def _values(page: PageRead) -> Any:
    if len(page.body) > PAGE_BYTES:
        raise Conflict("The worker gave too large a page", code="worker_failed")
    try:
        return msgspec.json.decode(page.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Conflict(f"The worker gave no JSON ({error})", code="worker_failed") from error


def _refusal(key: str, error: NodeError) -> ValueGone | ValueNotFound | Conflict:
    details = {"hash": key}
    if error.code == "value_gone":
        return ValueGone(error.message, details=details)
    if error.code == "value_not_found":
        return ValueNotFound(error.message, details=details)
    return Conflict(error.message, code=error.code, details=details)


class LeftInWorkers:
    """Holds what ended runs left in workers, so that it can be read after them; the oldest go first."""

    def __init__(self, runs: int = KEPT_RUNS, seconds: float = KEPT_SECONDS) -> None:
        self._runs = runs
        self._seconds = seconds
        self._held: OrderedDict[str, tuple[float, list[Handle]]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def hold(self, run: str, outputs: Mapping[str, Mapping[str, Any]]) -> None:
        """Hold the values in workers that a run left."""
        found = [
            handle
            for ports in outputs.values()
            for value in ports.values()
            for _, handle in handles_in(value)
            if not handle.has_plain
        ]
        if found:
            self._held[run] = (time.monotonic(), list(islice(found, MOST_OF_RUN)))
            self._forget()

    def close(self) -> None:
        """Let go of all."""
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()

    def _forget(self) -> None:
        """Drop the oldest beyond the number or the time, and those whose workers are gone."""
        now = time.monotonic()
        for run, (at, handles) in list(self._held.items()):
            gone = all(handle.gone is not None for handle in handles)
            if gone or len(self._held) > self._runs or now - at >= self._seconds:
                del self._held[run]
        if self._timer is None and self._held:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds / 10, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._forget()
