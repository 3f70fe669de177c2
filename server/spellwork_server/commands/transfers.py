"""Spells between files and the canvases of a running server, as edits that open tabs see at once."""

from __future__ import annotations

import json
from pathlib import Path

from spellwork.errors import SpellworkError
from spellwork.formats import ordered, to_yaml
from spellwork.reading import read_spell
from spellwork.spell import Spell
from spellwork_server.errors import BadRequest

from .remote import Remote, spell_path

NEW = "new"
"""What stands for a canvas that is still to be made."""


class FileUnwritable(SpellworkError):
    """The file cannot be written."""

    code = "file_unwritable"


def export_canvas(remote: Remote, canvas: str, file: Path | None, form: str | None) -> bytes | None:
    """Write what is on a canvas to ``file``; return it where there is none.

    ``form`` is ``json`` or ``yaml``; if not given, the file's ending says it.
    """
    spell = read_spell(remote.call("GET", spell_path(canvas)))
    yaml = form == "yaml" or (
        form is None and file is not None and file.suffix in (".yaml", ".yml")
    )
    content = to_yaml(spell) if yaml else to_json(spell)
    if file is None:
        return content
    try:
        file.write_bytes(content)
    except OSError as error:
        raise FileUnwritable(f"{file} cannot be written: {error}") from error
    return None


def import_spell(remote: Remote, file: Path, canvas: str, *, merge: bool) -> str:
    """Draw the spell of a file on a canvas; return the canvas's id.

    On a ``NEW`` one, or instead of what is on it; with ``merge`` its things are
    put by their ids, and everything else stays. A file without a name, and one
    that is merged, leaves the canvas its own.
    """
    if merge and canvas == NEW:
        raise BadRequest.field("--merge", "needs --canvas ID: a canvas to merge into")
    spell = read_spell(file)
    body = spell.to_json()
    if canvas == NEW:
        if "name" not in spell.model_fields_set:
            body["name"] = file.stem[:200]
        return str(remote.call("POST", "/v1/canvases", {"spell": body})["id"])
    if merge or "name" not in spell.model_fields_set:
        del body["name"]
    remote.call("PATCH" if merge else "PUT", spell_path(canvas), body)
    return canvas


def to_json(spell: Spell) -> bytes:
    """Return a spell as JSON for people and for version control: sorted, indented, layout last."""
    return (json.dumps(ordered(spell.to_json()), ensure_ascii=False, indent=2) + "\n").encode()
