"""A spell where it lies: a file or folder that is read, and written anew in the form that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spellwork import Library, Spell, formats, read_spell
from spellwork.errors import SpellUnreadable
from spellwork.formats import Form
from spellwork.reading import read_bytes
from spellwork.spell_files import spells_beside

from .writing import write_file, write_folder


@dataclass(frozen=True, slots=True)
class InPlace:
    """A spell, and the file that holds it in ``form``; without one ``path`` is a folder."""

    path: Path
    spell: Spell
    form: Form | None = None
    data: bytes = b""

    def write(
        self, spell: Spell, library: Library | None = None, *, check: bool = False
    ) -> list[str]:
        """Put ``spell`` in the place of what is there; return the files that changed, or with ``check`` would.

        A manifest or a plan is compiled anew. Raises FileUnwritable, FormatInvalid, SpellInvalid.
        """
        if self.form is None:
            changed = (
                formats.changes_of(self.path, spell) if check else write_folder(self.path, spell)
            )
            return [str(self.path / each) for each in changed]
        content = formats.write(spell, self.form, library, spells_beside(self.path))
        if content == (self.data if self.form == "ir" else self.data.replace(b"\r\n", b"\n")):
            return []
        if not check:
            write_file(self.path, content)
        return [str(self.path)]


def read_in_place(path: Path) -> InPlace:
    """Return the spell of a file or folder. Raises SpellUnreadable, FormatInvalid."""
    if path.is_dir():
        return InPlace(path, read_spell(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpellUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    form = formats.form_of(path.name, data)
    spell = read_bytes(data, str(path), form)
    if form == "yaml" and formats.is_manifest(formats.read_yaml(data)):
        form = "manifest"
    return InPlace(path, spell, form, data)
