"""The sink of one run, as the engine's ``Watcher``: chunks by the batch, at a pace."""

from __future__ import annotations

from typing import Any

from spellwork.events import Event, Sink
from spellwork_server.grants.masking import Masks

from .pace import Pace
from .writer import RunWriter


class RunSink:
    """Hands events to ``say`` and chunks to the writer, but for what is inside the nodes ``hidden``.

    Secrets that ``masks`` knows are taken out of both.
    """

    def __init__(
        self,
        say: Sink,
        writer: RunWriter,
        pace: Pace,
        hidden: frozenset[str] = frozenset(),
        masks: Masks | None = None,
    ) -> None:
        self._hidden = hidden
        self._say = say
        self._writer = writer
        self._pace = pace
        self._masks = Masks() if masks is None else masks

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if not self._is_hidden(event.node):
            self._say(self._masks.event(event) if self._masks else event)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Take chunks of one output."""
        if not self._is_hidden(node):
            shown = self._masks.plain(chunks) if self._masks else chunks
            self._writer.take_chunks(node, port, shown)

    def _is_hidden(self, path: str | None) -> bool:
        if not self._hidden or path is None or "/" not in path:
            return False
        owners = path.split("/")[:-1]
        return any(owner.partition("[")[0] in self._hidden for owner in owners)

    @property
    def is_full(self) -> bool:
        """Whether streams should wait."""
        return self._pace.is_full

    async def room(self) -> None:
        """Wait until they may go on."""
        await self._pace.room()
