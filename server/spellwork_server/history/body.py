"""What was drawn, as a version keeps it: the spell's JSON, always the same bytes for the same spell, packed."""

from __future__ import annotations

import zlib
from itertools import islice
from typing import Any

import msgspec
from pydantic import ValidationError

from spellwork.difference import KINDS
from spellwork.spell import Spell
from spellwork_server.errors import Conflict

CHUNK = 250
"""Things turned into JSON at a time: between two chunks the event loop gets its turn."""

EMPTY: dict[str, Any] = Spell().to_json()


def plain(spell: Spell) -> dict[str, Any]:
    """Return ``spell.to_json()``, made in small steps; for threads."""
    json = Spell(name=spell.name).to_json()
    for kind in KINDS:
        things = iter(getattr(spell, kind).items())
        while chunk := dict(islice(things, CHUNK)):
            part = Spell().model_copy(update={kind: chunk})
            json.setdefault(kind, {}).update(part.to_json()[kind])
    return json


def pack(json: dict[str, Any]) -> bytes:
    """Return a spell's JSON as the body of a version."""
    return zlib.compress(msgspec.json.encode(json, order="deterministic"))


def unpack(body: bytes) -> dict[str, Any]:
    """Return the JSON of a version's spell, of whatever schema it is."""
    json: dict[str, Any] = msgspec.json.decode(zlib.decompress(body))
    return json


def readable(json: dict[str, Any]) -> Spell:
    """Return a version's spell. Raises Conflict where this server cannot draw such a one any more."""
    try:
        return Spell.model_validate(json)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Conflict(
            f"This version cannot be restored: {where}: {first['msg']}",
            code="version_unreadable",
            details={"field": where, "message": first["msg"]},
        ) from error
