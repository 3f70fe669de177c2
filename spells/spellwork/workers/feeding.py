"""The streams that a worker's code reads: each batch goes out when the code asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spellwork.errors import NodeError
from spellwork.streams import Reader
from spellwork_worker.feeding import plain_chunk
from spellwork_worker.frames import Feed, FeedEnd, encode
from spellwork_worker.values import NotTransferableError

from .errors import InputTooLarge


class Feeder:
    """Takes chunks from readers and makes frames of them."""

    def __init__(self, call: int, limit: int) -> None:
        self._call = call
        self._limit = limit
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

    def may_feed(self, stream: str) -> bool:
        """Say whether the worker's question is to be answered: of a stream it reads, and one at a time."""
        if stream not in self._readers or stream in self._asked:
            return False
        self._asked.add(stream)
        return True

    async def feed(self, stream: str, send: Callable[[bytes], None]) -> None:
        """Send the next chunks of a stream, or its end. What goes wrong is told to the code that reads."""
        try:
            chunks = await self._readers[stream].take()
            frames = self._frames(stream, chunks) if chunks else [self._end(stream)]
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
            send(frame)

    def _frames(self, stream: str, chunks: list[Any]) -> list[bytes]:
        plain = [plain_chunk(chunk, f"a chunk of the input {stream!r}") for chunk in chunks]
        frame = encode(Feed(self._call, stream, plain))
        if len(frame) <= self._limit:
            return [frame]
        if len(chunks) == 1:
            raise InputTooLarge(len(frame), self._limit)
        half = len(chunks) // 2
        return self._frames(stream, chunks[:half]) + self._frames(stream, chunks[half:])

    def _end(self, stream: str, error: str | None = None, code: str = "") -> bytes:
        return encode(FeedEnd(self._call, stream, error, code))
