"""``spellwork format``: spell files and folders as they are written here."""

from __future__ import annotations

from pathlib import Path

from spellwork import formats, read_spell
from spellwork.errors import SpellUnreadable
from spellwork.reading import read_bytes
from spellwork.spell_files import spells_beside

from .writing import write_file, write_folder


def format_file(path: Path, *, check: bool) -> list[str]:
    """Write a spell's file or folder anew in its own form; return the files that changed, or with ``check`` would.

    A manifest or a plan is compiled anew. Raises SpellUnreadable, FormatInvalid.
    """
    if path.is_dir():
        spell = read_spell(path)
        changed = formats.changes_of(path, spell) if check else write_folder(path, spell)
        return [str(path / each) for each in changed]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpellUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    form = formats.form_of(path.name, data)
    spell = read_bytes(data, str(path), form)
    if form == "yaml" and formats.is_manifest(formats.read_yaml(data)):
        form = "manifest"
    content = formats.write(spell, form, spells=spells_beside(path))
    if content == data.replace(b"\r\n", b"\n" if form != "ir" else b"\r\n"):
        return []
    if not check:
        write_file(path, content)
    return [str(path)]
