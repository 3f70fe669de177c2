"""An event as others are told it: what is in the journal, checked against its schema, in an envelope.

The envelope has the fields of CloudEvents 1.0 in JSON:
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from spellwork_server.runs.streams import canvas_of, owner_of
from spellwork_server.runs.views import EventView
from spellwork_server.storage.journal import StoredEvent

TYPE = "spellwork."
"""Before the kind of an event: ``spellwork.run.completed``."""


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event of a stream. ``json`` is its EventView: large values are references, secrets are masked."""

    stream: str
    seq: int
    run: str
    kind: str
    at: float
    json: bytes

    @property
    def owner(self) -> str | None:
        """Whose private run it is of; None for runs that all of a canvas see."""
        return owner_of(self.stream)

    def envelope(self, source: str) -> bytes:
        """Return the event as a CloudEvent. ``source`` is the address of this server."""
        fields: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{self.stream}:{self.seq}",
            "source": source,
            "type": TYPE + self.kind,
            "subject": self.run,
            "time": datetime.fromtimestamp(self.at, UTC).isoformat(),
            "datacontenttype": "application/json",
            "stream": self.stream,
            "seq": self.seq,
            "private": self.owner is not None,
        }
        if (canvas := canvas_of(self.stream)) is not None:
            fields["canvas"] = canvas
        if self.owner is not None:
            fields["user"] = self.owner
        return msgspec.json.encode(fields | {"data": msgspec.Raw(self.json)})


def checked(stream: str, event: StoredEvent) -> ToldEvent:
    """Return a stored event as it may be told. Raises pydantic.ValidationError for what is none."""
    view = EventView.model_validate_json(event.json)
    return ToldEvent(stream, view.seq, view.run, view.kind, view.at, event.json)
