"""The streams among the inputs of a call that is made in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .streams import Reader


class InputStreams:
    """Readers by the name under which the other process asks for their chunks: ``port``, or ``port[3]`` in a list."""

    def __init__(self) -> None:
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
        """Whether chunks were asked for that are not there yet."""
        return bool(self._asked)

    def may_feed(self, stream: str) -> bool:
        """Say whether a question is to be answered: of a stream that was given, and one at a time."""
        if stream not in self._readers or stream in self._asked:
            return False
        self._asked.add(stream)
        return True
