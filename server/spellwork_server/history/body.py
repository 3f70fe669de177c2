"""What was drawn, as a version keeps it: the spell's JSON, always the same bytes for the same spell, packed.

Large spells pass through here in a thread. Their things stay bytes wherever
they can: thousands of small objects at once would keep the garbage collector,
and with it the event loop, busy.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from pydantic import ValidationError

from spellwork.difference import KINDS, Change, Effort, changes
from spellwork.spell import SCHEMA, Spell
from spellwork_server.errors import Conflict

CHUNK = 250
"""Things turned into JSON at a time: between two chunks the event loop gets its turn."""

Things = dict[str, msgspec.Raw]
"""Things by id, each as JSON."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Drawing:
    """A spell's JSON, cut into its things."""

    def __init__(self, name: Any, things: dict[str, Things]) -> None:
        self.name = name
        self.things = things

    @classmethod
    def of(cls, spell: Spell) -> Drawing:
        """Cut up a spell."""
        things: dict[str, Things] = {}
        for kind in KINDS:
            parts = iter(getattr(spell, kind).items())
            made = things[kind] = {}
            while chunk := dict(islice(parts, CHUNK)):
                json = Spell().model_copy(update={kind: chunk}).to_json()[kind]
                made.update((id, msgspec.Raw(_encode(thing))) for id, thing in json.items())
        return cls(spell.name, things)

    @classmethod
    def unpack(cls, body: bytes) -> Drawing:
        """Cut up the body of a version, of whatever schema it is."""
        fields = _fields.decode(zlib.decompress(body))
        name = fields.get("name")
        return cls(
            None if name is None else msgspec.json.decode(name),
            {kind: _object(fields.get(kind), kind) for kind in KINDS},
        )

    def pack(self) -> bytes:
        """Return the body of a version."""
        json: dict[str, Any] = {"schema": SCHEMA, "name": self.name, "nodes": {}, "edges": {}}
        return zlib.compress(
            _encode(json | {kind: each for kind, each in self.things.items() if each})
        )


NOTHING = Drawing(None, {kind: {} for kind in KINDS})


def pack(json: Mapping[str, Any]) -> bytes:
    """Return a spell's JSON as the body of a version."""
    return zlib.compress(_encode(json))


def unpack(body: bytes) -> dict[str, Any]:
    """Return the JSON of a version's spell, of whatever schema it is."""
    json: dict[str, Any] = msgspec.json.decode(zlib.decompress(body))
    return json


def readable(body: bytes) -> Spell:
    """Return a version's spell. Raises Conflict where this server cannot draw such a one any more."""
    try:
        return Spell.model_validate_json(zlib.decompress(body))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Conflict(
            f"This version cannot be restored: {where}: {first['msg']}",
            code="version_unreadable",
            details={"field": where, "message": first["msg"]},
        ) from error


def compare(before: Drawing, after: Drawing) -> Iterator[Change]:
    """Give what differs, reading only the things that do, one at a time."""
    effort = Effort()
    for kind in KINDS:
        old, new = before.things[kind], after.things[kind]
        same = {id for id in old.keys() & new.keys() if bytes(old[id]) == bytes(new[id])}
        yield from changes(kind, _Lazy(old, same), _Lazy(new, same), effort)


class _Lazy(Mapping[str, Any]):
    """Things without those that are the same on both sides, read when they are asked for."""

    def __init__(self, things: Things, same: set[str]) -> None:
        self._things = things
        self._ids = things.keys() - same

    def __getitem__(self, id: str) -> Any:
        if id not in self._ids:
            raise KeyError(id)
        return msgspec.json.decode(self._things[id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


def _object(raw: msgspec.Raw | None, kind: str) -> Things:
    """Return the things of a field; none of one that holds something else than things."""
    if raw is None:
        return {}
    try:
        things = _fields.decode(raw)
    except msgspec.ValidationError:
        return {}
    begins = b'"' if kind == "requirements" else b"{"
    return {id: thing for id, thing in things.items() if bytes(thing)[:1] == begins}
