"""The sink of one run, as the engine's ``Watcher``: chunks by the batch, at a pace."""

from __future__ import annotations

from typing import Any

from spellwork.events import Event, Sink, started_and
from spellwork_server.grants.masking import Masks

from .insides import Insides
from .pace import Pace
from .past_reader import INEXACT
from .tokens import PORT, TokenTally
from .writer import RunWriter


class RunSink:
    """Hands events to ``say``; chunks, and steps that ran at once, to the writer; but for what ``insides`` hides.

    Secrets that ``masks`` knows are taken out of both.
    """

    def __init__(
        self,
        say: Sink,
        writer: RunWriter,
        pace: Pace,
        insides: Insides | None = None,
        masks: Masks | None = None,
    ) -> None:
        self._insides = Insides() if insides is None else insides
        self._say = say
        self._writer = writer
        self._pace = pace
        self._masks = Masks() if masks is None else masks
        self.tokens = TokenTally()
        """What nodes report of tokens, those that are hidden included."""

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.outputs and PORT in event.outputs and event.kind == "node.done":
            self.tokens.take(event)
        if not self._insides.hides(event.node):
            if event.error is not None and event.kind == "node.failed":
                event.error = self._insides.failure(event.error)
            self._say(self._masked(event) if self._masks else event)

    def _masked(self, event: Event) -> Event:
        """Return an event without secrets; one that gives outputs says of which nobody may take the value up again."""
        masked = self._masks.event(event)
        if event.outputs and masked.outputs != event.outputs:
            shown = masked.outputs or {}
            ports = [port for port, value in event.outputs.items() if shown[port] != value]
            masked.data = (masked.data or {}) | {INEXACT: ports}
        return masked

    def take_ran(self, event: Event) -> None:
        """Take both events of a step that waited for nothing, as its ``node.done``."""
        if self._masks or (event.outputs and PORT in event.outputs):
            for told in started_and(event):
                self(told)
        elif not self._insides.hides(event.node):
            self._writer.take_ran(event)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Take chunks of one output."""
        if not self._insides.hides(node):
            shown = self._masks.plain(chunks) if self._masks else chunks
            self._writer.take_chunks(node, port, shown)

    @property
    def is_full(self) -> bool:
        """Whether streams should wait."""
        return self._pace.is_full

    async def room(self) -> None:
        """Wait until they may go on."""
        await self._pace.room()
