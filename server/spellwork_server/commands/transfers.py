"""Spells between files and the canvases of a running server, as edits that open tabs see at once."""

from __future__ import annotations

from pathlib import Path

from spellwork import formats
from spellwork.reading import read_spell
from spellwork_server.errors import BadRequest

from .remote import Remote, spell_path
from .writing import write_file, write_folder

NEW = "new"
"""What stands for a canvas that is still to be made."""


def export_canvas(remote: Remote, canvas: str, file: Path | None, form: str | None) -> bytes | None:
    """Write what is on a canvas to ``file``; return it where there is none.

    ``form`` is one of ``formats.FORMS`` or ``folder``. If not given, the file's
    ending says it; a folder that is there is written as one.
    """
    if form is None and file is not None:
        form = "folder" if file.is_dir() else formats.SUFFIXES.get(file.suffix.lower())
    if form == "folder" and file is None:
        raise BadRequest.field("--to", "a folder is not printed", "FILE: the folder to write")
    spell = read_spell(remote.call("GET", spell_path(canvas)))
    if form == "folder" and file is not None:
        write_folder(file, spell)
        return None
    content = formats.write(spell, form or "json")
    if file is None:
        return content
    write_file(file, content)
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
