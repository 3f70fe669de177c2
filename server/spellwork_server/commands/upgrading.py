"""``spellwork upgrade``: the nodes of a spell's file or folder at the newest versions of their types."""

from __future__ import annotations

from pathlib import Path

from spellwork import Library, NodeUpgrade, formats, read_spell
from spellwork.errors import SpellUnreadable
from spellwork.reading import read_bytes

from .writing import write_file, write_folder


def upgrade_file(
    path: Path, *, check: bool, library: Library | None = None
) -> tuple[NodeUpgrade, ...]:
    """Upgrade the old nodes of a spell where it lies, in the form that it is in; return what became of each.

    With ``check``, and where nothing was upgraded, nothing is written. All
    installed packs are the library, unless one is given. Raises
    SpellUnreadable, FormatInvalid, FileUnwritable.
    """
    library = library or Library.installed()
    if path.is_dir():
        spell, report = library.upgrade(read_spell(path))
        if _has_changed(report) and not check:
            write_folder(path, spell)
        return report
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpellUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    form = formats.form_of(path.name, data)
    spell, report = library.upgrade(read_bytes(data, str(path), form))
    if form == "yaml" and formats.is_manifest(formats.read_yaml(data)):
        form = "manifest"
    if _has_changed(report) and not check:
        write_file(path, formats.write(spell, form, library))
    return report


def _has_changed(report: tuple[NodeUpgrade, ...]) -> bool:
    return any(each.reason is None for each in report)
