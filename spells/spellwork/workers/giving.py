"""Values that stay in workers, as inputs of a call: by number in their own process, encoded into any other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from spellwork.handles import Handle, handles_in, replaced
from spellwork_worker.memory import BESIDE
from spellwork_worker.parcels import Encoding, Given

from .errors import InputTooLarge, NotTransferable
from .holdings import gone

if TYPE_CHECKING:
    from .process import WorkerProcess

_numbers = itertools.count(1)

Place = tuple[list[str | int], Handle]
"""Where a handle stands: keys of objects and numbers in lists."""


def without_handles(value: Any, at: Sequence[str | int]) -> tuple[Any, list[Place]]:
    """Return a value with None in the place of each handle, and the handles, their paths beginning with ``at``."""
    places: list[Place] = []
    for path, handle in list(handles_in(value)):
        value = replaced(value, path, None)
        places.append(([*at, *path], handle))
    return value, places


class Giver:
    """Brings values to the process that a call of ``consumer`` is made in."""

    def __init__(self, consumer: str, limit: int) -> None:
        self._consumer = consumer
        self._limit = limit

    async def give(self, places: Iterable[Place], worker: WorkerProcess) -> list[Given]:
        """Return what the call is told of the values; memory of those from elsewhere is sent already.

        Raises:
            ValueGone: one is there no more.
            NotTransferable: one cannot leave the process it is in.
        """
        given: list[Given] = []
        for path, handle in places:
            if handle.gone is not None:
                raise gone(handle)
            if handle.process == worker.holdings.process:
                given.append(Given(path, handle.value))
            else:
                given.append(await self._bring(path, handle, worker))
        return given

    async def _bring(self, path: list[str | int], handle: Handle, worker: WorkerProcess) -> Given:
        holdings = worker.holdings
        accepted: list[Encoding] = [each for each in handle.encodings if each in holdings.reads]
        if not accepted:
            raise self._refused(path, handle)
        beside = holdings.beside
        limit = 0 if beside else self._limit
        try:
            parcel, memory = await handle.holder.fetch(handle, accepted, limit)
        except NotTransferable as error:
            raise self._refused(path, handle, error.message) from error
        if memory is not None and (not beside or memory.size < BESIDE):
            if memory.size > self._limit:
                raise InputTooLarge(memory.size, self._limit)
            parcel, memory = msgspec.structs.replace(parcel, data=bytes(memory.view())), None
        if memory is None:
            return Given(path, parcel=parcel)
        number = next(_numbers)
        try:
            holdings.give(number, memory)
        except BlockingIOError as error:
            raise NotTransferable(
                f"too many large values are on their way to the worker of {self._consumer!r}",
                port=str(path[0]),
            ) from error
        return Given(path, parcel=msgspec.structs.replace(parcel, memory=number))

    def _refused(self, path: list[str | int], handle: Handle, reason: str = "") -> NotTransferable:
        made, port = handle.node or "another node", str(path[0])
        words = (
            f"{self._consumer!r} takes a {handle.kind} from {made!r} on {port!r}, which cannot leave"
            f" the process it was made in: have {self._consumer!r} run there (in the same language, on"
            " a worker with one process), or give a table, an array, bytes or plain values instead"
        )
        return NotTransferable(
            f"{words} ({reason})" if reason else words,
            port=port,
            details={"node": handle.node, "consumer": self._consumer, "type": handle.kind},
        )
