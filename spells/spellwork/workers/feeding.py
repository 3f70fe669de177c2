"""The streams that a worker's code reads: each batch goes out when the code asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from spellwork.errors import NodeError
from spellwork.handles import any_handles
from spellwork.input_streams import InputStreams
from spellwork_worker.feeding import plain_chunk
from spellwork_worker.frames import Feed, FeedEnd, encode
from spellwork_worker.parcels import Given
from spellwork_worker.values import NotTransferableError

from .errors import InputTooLarge
from .giving import Giver, without_handles

if TYPE_CHECKING:
    from .process import WorkerProcess


class Feeder(InputStreams):
    """Takes chunks from readers and makes frames of them."""

    def __init__(self, call: int, limit: int, giver: Giver) -> None:
        super().__init__()
        self._call = call
        self._limit = limit
        self._giver = giver
        self._encode: Callable[[msgspec.Struct], bytes] = encode

    async def feed(self, stream: str, worker: WorkerProcess) -> None:
        """Send the next chunks of a stream, or its end. What goes wrong is told to the code that reads."""
        self._encode = worker.program.codec.encode
        try:
            chunks = await self._readers[stream].take()
            if chunks and any_handles():
                chunks, places = without_handles(chunks, [])
                given = await self._giver.give(places, worker)
            else:
                given = []
            frames = self._frames(stream, chunks, given) if chunks else [self._end(stream)]
        except NodeError as error:
            frames = [self._end(stream, error.message, error.code)]
        except (
            NotTransferableError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            message = f"a chunk of the input {stream!r} cannot go to a worker: {error}"
            frames = [self._end(stream, message, "not_transferable")]
        self._asked.discard(stream)
        for frame in frames:
            worker.send(frame)

    def _frames(self, stream: str, chunks: list[Any], given: list[Given]) -> list[bytes]:
        plain = [plain_chunk(chunk, f"a chunk of the input {stream!r}") for chunk in chunks]
        frame = self._encode(Feed(self._call, stream, plain, given))
        if len(frame) <= self._limit:
            return [frame]
        if len(chunks) == 1:
            raise InputTooLarge(len(frame), self._limit)
        half = len(chunks) // 2
        first = [each for each in given if int(each.path[0]) < half]
        rest = [
            msgspec.structs.replace(each, path=[int(each.path[0]) - half, *each.path[1:]])
            for each in given
            if int(each.path[0]) >= half
        ]
        return self._frames(stream, chunks[:half], first) + self._frames(
            stream, chunks[half:], rest
        )

    def _end(self, stream: str, error: str | None = None, code: str = "") -> bytes:
        return self._encode(FeedEnd(self._call, stream, error, code))
