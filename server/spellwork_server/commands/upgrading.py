"""``spellwork upgrade``: the nodes of a spell's file or folder at the newest versions of their types."""

from __future__ import annotations

from pathlib import Path

from spellwork import Library, NodeUpgrade

from .in_place import read_in_place


def upgrade_file(
    path: Path, *, check: bool, library: Library | None = None
) -> tuple[NodeUpgrade, ...]:
    """Upgrade the old nodes of a spell where it lies, in the form that it is in; return what became of each.

    With ``check``, and where nothing was upgraded, nothing is written. All
    installed packs are the library, unless one is given. Raises
    SpellUnreadable, FormatInvalid, FileUnwritable.
    """
    library = library or Library.installed()
    found = read_in_place(path)
    spell, report = library.upgrade(found.spell)
    if not check and any(each.reason is None for each in report):
        found.write(spell, library)
    return report
