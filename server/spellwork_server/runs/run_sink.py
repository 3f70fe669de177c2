"""The sink of one run, as the engine's ``Watcher``: chunks by the batch, at a pace."""

from __future__ import annotations

from typing import Any

from spellwork.events import Event, Sink

from .pace import Pace
from .writer import RunWriter


class RunSink:
    """Hands events to ``say`` and chunks to the writer."""

    def __init__(self, say: Sink, writer: RunWriter, pace: Pace) -> None:
        self._say = say
        self._writer = writer
        self._pace = pace

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self._say(event)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Take chunks of one output."""
        self._writer.take_chunks(node, port, chunks)

    @property
    def is_full(self) -> bool:
        """Whether streams should wait."""
        return self._pace.is_full

    async def room(self) -> None:
        """Wait until they may go on."""
        await self._pace.room()
