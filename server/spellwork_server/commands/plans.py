"""Spell files in other forms, from the command line."""

from __future__ import annotations

from pathlib import Path

from spellwork import Library, compile, formats, read_spell
from spellwork.spell_files import spells_beside

from .writing import write_file, write_folder


def compile_spell(file: Path, form: str, output: Path | None) -> bytes | None:
    """Write the spell of a file or folder in a form, to ``output``; return the bytes where there is none.

    It is compiled for every form, so that a spell that cannot run is refused.
    Every form holds the whole spell: it can be run and compiled again.
    """
    library = Library.installed()
    spell = read_spell(file, library)
    spells = spells_beside(file)
    compile(spell, library, spells=spells)
    if form == "folder":
        if output is None:
            raise formats.FormatInvalid("a folder is not printed: say where with --output DIR")
        write_folder(output, spell)
        return None
    content = formats.write(spell, form, library, spells)
    if output is None:
        return content
    write_file(output, content)
    return None
