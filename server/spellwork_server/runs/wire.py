"""An engine's event as the journal keeps it: JSON once, large values by reference."""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from spellwork.encoding import Encoded, Encodings
from spellwork.events import Event
from spellwork.handles import Handle, any_handles, handles_in
from spellwork.values import to_json
from spellwork_server.storage.event_rows import RAN, Entry
from spellwork_server.storage.output_refs import OutputRef, ref_to
from spellwork_server.storage.outputs import OutputRow

from .past_reader import INEXACT, Told
from .references import encode, is_stand_in, preview_of_encoded, reference
from .run_end import KEPT

TEXT_LIMIT = 64 * 1024
"""Characters of a message or traceback that are kept; the rest is counted."""


MOST_INNER = 100
"""Values in workers, inside one other value, that are kept track of."""


class WireEvent(msgspec.Struct, omit_defaults=True, gc=False):
    """An event in the form and order of its JSON; ``seq`` is put before it when it has one."""

    run: str
    kind: str
    at: float
    node: str | None = None
    port: str | None = None
    value: msgspec.Raw | None = None
    chunks: int | None = None
    outputs: dict[str, msgspec.Raw] | None = None
    why: str | None = None
    message: str | None = None
    level: str | None = None
    error: Any = None
    duration: float | None = None
    data: Any = None


class WireRan(msgspec.Struct, omit_defaults=True, gc=False):
    """The end of a step that waited for nothing, as ``node.ran`` has it: a WireEvent without its run and kind."""

    at: float
    node: str | None = None
    outputs: dict[str, msgspec.Raw] | None = None
    why: str | None = None
    duration: float | None = None
    data: Any = None


_json = msgspec.json.Encoder(enc_hook=to_json)


class Wire:
    """Turns the events of one run, under one claim of it, into entries of its journal."""

    def __init__(self, run: str, inline_bytes: int, fence: int = 0) -> None:
        self._run = run
        self._fence = fence
        self._inline = inline_bytes
        self._parts: dict[tuple[str, str], int] = {}
        self.left: dict[str, dict[str, OutputRef]] = {}
        """What the run's own nodes left so far, not those inside others: {node: {port: where it is}}."""
        self.encodings = Encodings()
        """Where large values are encoded already."""

    def entry(self, event: Event) -> Entry:
        """Return the event as an entry; the values it carries are encoded now, so a later change does not show."""
        if event.kind == "node.started":  # it has the least in it
            return self._seal(
                WireEvent(self._run, event.kind, event.at, event.node, why=event.why), ()
            )
        rows: list[OutputRow] = []
        outputs = self._outputs(event, rows)
        wire = WireEvent(
            self._run,
            event.kind,
            event.at,
            event.node,
            event.port,
            None
            if event.value is None and event.kind != "node.chunk"
            else self._value(event, rows),
            outputs=outputs,
            why=event.why,
            message=None if event.message is None else shortened(event.message),
            level=event.level,
            error=None if event.error is None else _error(event.error),
            duration=event.duration,
            data=None if event.data is None else _data(event),
        )
        return self._seal(wire, tuple(rows))

    def ran(self, event: Event) -> Entry:
        """Return both events of a step that waited for nothing as an entry; ``event`` is its ``node.done``."""
        rows: list[OutputRow] = []
        outputs = self._outputs(event, rows)
        body = _json.encode(
            WireRan(event.at, event.node, outputs, event.why, event.duration, event.data)
        )
        return Entry(self._run, RAN, event.node, event.at, body, tuple(rows), self._fence)

    def chunk(self, event: Event, value: Encoded, count: int) -> Entry:
        """Return ``count`` chunks of one port, joined in ``value``, as one entry."""
        rows: list[OutputRow] = []
        wire = WireEvent(
            run=self._run,
            kind=event.kind,
            at=event.at,
            node=event.node,
            port=event.port,
            value=self._chunk_value(event, value, rows),
            chunks=count,
        )
        return self._seal(wire, tuple(rows))

    def repeat(self, told: Told, at: float) -> Entry:
        """Return how a node of another run ended as an entry of this one: it is kept. Its values are kept already, or go along with their references."""
        wire = WireEvent(
            run=self._run,
            kind=told.kind,
            at=at,
            node=told.node,
            outputs=told.outputs,
            why=told.why if told.kind == "node.skipped" else KEPT,
            message=told.message,
            error=told.error,
            duration=told.duration,
            data=told.data,
        )
        return self._seal(wire, ())

    def _seal(self, wire: WireEvent, rows: tuple[OutputRow, ...]) -> Entry:
        body = _json.encode(wire)
        return Entry(self._run, wire.kind, wire.node, wire.at, body, rows, self._fence)

    def _encode(self, value: Any) -> Encoded:
        return self.encodings.of(value) or encode(value)

    def _value(self, event: Event, rows: list[OutputRow]) -> msgspec.Raw:
        if event.kind == "node.chunk":
            return self._chunk_value(event, self._encode(event.value), rows)
        return msgspec.Raw(encode(event.value).body)

    def _chunk_value(self, event: Event, value: Encoded, rows: list[OutputRow]) -> msgspec.Raw:
        if value.size <= self._inline:
            return msgspec.Raw(value.body)
        place = (event.node or "", event.port or "")
        self._parts[place] = part = self._parts.get(place, 0) + 1
        return self._refer(place, value, rows, part)

    def _outputs(self, event: Event, rows: list[OutputRow]) -> dict[str, msgspec.Raw] | None:
        if event.outputs is None or event.node is None:
            return None
        left: dict[str, OutputRef] = {}
        if "/" not in event.node:
            self.left[event.node] = left
        wire: dict[str, msgspec.Raw] = {}
        inexact: list[str] = []
        for port, output in event.outputs.items():
            value = self._encode(output)
            wire[port] = self._refer((event.node, port), value, rows)
            left[port] = rows[-1].ref
            if not value.plain and not isinstance(output, Handle):
                inexact.append(port)
                if any_handles():
                    self._note_inner((event.node, port), output, rows)
        if inexact:
            event.data = _inexact(event.data, inexact)
        return wire

    def _note_inner(self, place: tuple[str, str], value: Any, rows: list[OutputRow]) -> None:
        """Note those values in workers that a value has in it, so that they may be read, too."""
        for _, handle in islice(handles_in(value), MOST_INNER):
            inner = encode(handle)
            if inner.hash == handle.token:
                self._parts[place] = part = self._parts.get(place, 0) + 1
                ref = ref_to(*place, inner.hash, inner.body)
                rows.append(OutputRow(self._run, ref, inner.body, part))

    def _refer(
        self, place: tuple[str, str], value: Encoded, rows: list[OutputRow], part: int = 0
    ) -> msgspec.Raw:
        """Note the value as left at ``place``; return what stands for it on the wire."""
        body, node, port = value.body, *place
        if len(body) <= self._inline or is_stand_in(value.hash, body):
            rows.append(OutputRow(self._run, ref_to(node, port, value.hash, body), body, part))
            return msgspec.Raw(body)
        preview = preview_of_encoded(value)
        rows.append(OutputRow(self._run, ref_to(node, port, value.hash, body, preview), body, part))
        return msgspec.Raw(_json.encode(reference(value.hash, len(body), preview)))


def shortened(text: str) -> str:
    """Return a text of at most TEXT_LIMIT characters that says how much was left out; always valid Unicode."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= TEXT_LIMIT:
        return text
    return f"{text[:TEXT_LIMIT]}\n... {len(text) - TEXT_LIMIT:,} characters more"


def _data(event: Event) -> Any:
    """Return an event's data as JSON; what the engine and the server say of a whole run, which is long, is that already."""
    if event.kind.startswith("run."):
        return event.data
    return to_json(event.data)


def _inexact(data: dict[str, Any] | None, ports: list[str]) -> dict[str, Any]:
    known = data or {}
    return known | {INEXACT: sorted({*known.get(INEXACT, ()), *ports})}


def _error(error: dict[str, Any]) -> Any:
    return {
        name: shortened(part) if isinstance(part, str) else to_json(part)
        for name, part in error.items()
    }
