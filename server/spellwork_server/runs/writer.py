"""The sink of one run: takes its events at once and hands them to the journal.

Values are encoded as they come, so what a node does to a value later does not
show. Chunks of one port, and progress of one node, that come within one frame
(16 ms) become one event. Everything goes on in order, and what comes in one
turn of the loop in one piece.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spellwork.encoding import Encoded
from spellwork.events import Event
from spellwork.values import hash_bytes
from spellwork_server.storage.event_rows import Entry

from .references import encode
from .wire import Wire

FRAME = 0.016
"""Seconds within which chunks and progress of one node are put together."""

CHUNK_CHARACTERS = 16 * 1024
"""Characters of text that one chunk event carries at most; longer text becomes several events."""

LOG_LINES = 10_000
"""Log lines of one node that are kept in one run; the rest is counted and said."""

MOST_TOGETHER = 256
BYTES_TOGETHER = 64 * 1024
"""Entries, and bytes of them, that go on in one piece, about; more becomes several."""

TERMINAL = frozenset({"run.completed", "run.failed", "run.cancelled"})


@dataclass(slots=True)
class _Chunks:
    """Chunks of one port that wait for the end of the frame: texts, or values as JSON."""

    first: Event
    texts: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def count(self) -> int:
        return len(self.texts) or len(self.values)

    def joined(self) -> Encoded:
        """Return the texts as one text, or the values as a list."""
        if self.texts:
            return encode("".join(self.texts))
        body = b"[" + b",".join(self.values) + b"]"
        return Encoded(body, hash_bytes(body))


class RunWriter:
    """A ``spellwork.events.Sink`` for one run, safe to call from any thread.

    ``append`` takes finished entries, and how many bytes of memory they hold. The terminal event is not passed on but
    kept in ``terminal``: the run's owner writes it together with the result.
    """

    def __init__(self, wire: Wire, append: Callable[[list[Entry], int], None]) -> None:
        self.wire = wire
        self.terminal: Event | None = None
        """The run's last event, once the engine has said it; what comes after it is left out."""
        self.said: Event | None = None
        """The last that a node said of how far it is."""
        self._append = append
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._chunks: dict[tuple[str | None, str | None], _Chunks] = {}
        self._progress: dict[str | None, Event] = {}
        self._lines: dict[str | None, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._entries: list[Entry] = []
        self._size = 0

    def __call__(self, event: Event) -> None:
        """Take one event; returns at once."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self, event)
        elif self.terminal is not None:
            return
        elif event.kind == "node.chunk":
            self._take_chunk(event)
        elif event.kind == "node.progress":
            self.said = self._progress[event.node] = event
            self._start_frame()
        elif event.kind in TERMINAL:
            self.flush()
            self.terminal = event
        elif event.kind != "node.log" or self._may_log(event):
            if self._chunks or self._progress:
                self._flush_node(event.node)
            if self._lines and event.kind in ("node.done", "node.failed"):
                self._say_left_out(event)
            self.put(self.wire.entry(event))

    def take_ran(self, event: Event) -> None:
        """Take both events of a step that waited for nothing, as its ``node.done``; on the loop's thread, and returns at once."""
        if self.terminal is None:
            if self._chunks or self._progress:
                self._flush_node(event.node)
            self.put(self.wire.ran(event))

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        """Take chunks of one output that came together; on the loop's thread, and returns at once."""
        if self.terminal is None:
            first = Event("node.chunk", time.time(), node, port=port)
            for chunk in chunks:
                self._take_value(first, chunk)

    def put(self, entry: Entry) -> None:
        """Pass on an entry after what came before it, by the end of this turn of the loop."""
        if not self._entries:
            self._loop.call_soon(self._pass_on)
        self._entries.append(entry)
        self._size += entry.size
        if self._size > BYTES_TOGETHER or len(self._entries) >= MOST_TOGETHER:
            self._pass_on()

    def _pass_on(self) -> None:
        if self._entries:
            entries, size = self._entries, self._size
            self._entries, self._size = [], 0
            self._append(entries, size)

    def flush(self) -> None:
        """Pass on all there is, also what waits for the end of its frame, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries = [self._joined(chunks) for chunks in self._chunks.values()]
        entries += [self.wire.entry(event) for event in self._progress.values()]
        self._chunks.clear()
        self._progress.clear()
        for entry in entries:
            self.put(entry)
        self._pass_on()

    def _start_frame(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(FRAME, self.flush)

    def _take_chunk(self, event: Event) -> None:
        self._take_value(event, event.value)

    def _take_value(self, event: Event, value: Any) -> None:
        if isinstance(value, str):
            text = value
            for start in range(0, len(text) or 1, CHUNK_CHARACTERS):
                part = text[start : start + CHUNK_CHARACTERS]
                self._room(event, text=True).texts.append(part)
                self._count(event, len(part))
        else:
            body = encode(value).body
            self._room(event, text=False).values.append(body)
            self._count(event, len(body))
        self._start_frame()

    def _room(self, event: Event, *, text: bool) -> _Chunks:
        """Return what gathers the port's chunks, a new one where texts and values would mix."""
        place = (event.node, event.port)
        chunks = self._chunks.get(place)
        if chunks is not None and bool(chunks.texts) != text:
            self._flush_port(place)
            chunks = None
        if chunks is None:
            chunks = self._chunks[place] = _Chunks(event)
        return chunks

    def _count(self, event: Event, size: int) -> None:
        place = (event.node, event.port)
        self._chunks[place].size += size
        if self._chunks[place].size >= CHUNK_CHARACTERS:
            self._flush_port(place)

    def _flush_port(self, place: tuple[str | None, str | None]) -> None:
        self.put(self._joined(self._chunks.pop(place)))

    def _flush_node(self, node: str | None) -> None:
        """Pass on what this node said before, so that its own events keep their order."""
        if node is None:
            return
        for place in [place for place in self._chunks if place[0] == node]:
            self._flush_port(place)
        if (progress := self._progress.pop(node, None)) is not None:
            self.put(self.wire.entry(progress))

    def _joined(self, chunks: _Chunks) -> Entry:
        return self.wire.chunk(chunks.first, chunks.joined(), chunks.count)

    def _may_log(self, event: Event) -> bool:
        lines = self._lines.get(event.node, 0)
        left_out = (event.data or {}).get("left_out")
        if (
            left_out is not None
        ):  # of a call that another process made: it is said with what is left out here
            self._lines[event.node] = max(lines, LOG_LINES) + left_out
            return False
        self._lines[event.node] = lines + 1
        return lines < LOG_LINES

    def _say_left_out(self, event: Event) -> None:
        left_out = self._lines.pop(event.node, 0) - LOG_LINES
        if left_out > 0:
            message = f"{left_out:,} more log lines of this node were left out"
            note = Event(
                kind="node.log",
                at=event.at,
                node=event.node,
                message=message,
                level="warning",
                data={"left_out": left_out},
            )
            self.put(self.wire.entry(note))
