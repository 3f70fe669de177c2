"""The streams that a worker's code reads: each batch goes out when the code asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from spellwork.errors import NodeError
from spellwork.handles import any_handles
from spellwork.streams import Reader
from spellwork_worker.feeding import plain_chunk
from spellwork_worker.frames import Feed, FeedEnd, encode
from spellwork_worker.parcels import Given
from spellwork_worker.values import NotTransferableError

from .errors import InputTooLarge
from .giving import Giver, without_handles

if TYPE_CHECKING:
    from .process import WorkerProcess


class Feeder:
    """Takes chunks from readers and makes frames of them."""

    def __init__(self, call: int, limit: int, giver: Giver) -> None:
        self._call = call
        self._limit = limit
        self._giver = giver
        self._encode: Callable[[msgspec.Struct], bytes] = encode
        self._readers: dict[str, Reader] = {}
        self._asked: set[str] = set()

    def without_streams(
        self, inputs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, int | None]]:
        """Keep the readers among the inputs; return the other inputs, and what ``Call.streams`` says."""
        plain: dict[str, Any] = {}
        streams: dict[str, int | None] = {}
        for port, value in inputs.items():
            if isinstance(value, Reader):
                streams[port] = None
                self._readers[port] = value
            elif isinstance(value, list) and value and isinstance(value[0], Reader):
                streams[port] = len(value)
                self._readers |= {f"{port}[{place}]": each for place, each in enumerate(value)}
            else:
                plain[port] = value
        return plain, streams

    @property
    def waits(self) -> bool:
        """Whether the worker asked for chunks that are not there yet."""
        return bool(self._asked)

    def may_feed(self, stream: str) -> bool:
        """Say whether the worker's question is to be answered: of a stream it reads, and one at a time."""
        if stream not in self._readers or stream in self._asked:
            return False
        self._asked.add(stream)
        return True

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
