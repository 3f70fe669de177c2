"""``spellwork format``: spell files and folders as they are written here."""

from __future__ import annotations

from pathlib import Path

from .in_place import read_in_place


def format_file(path: Path, *, check: bool) -> list[str]:
    """Write a spell's file or folder anew in its own form; return the files that changed, or with ``check`` would.

    A manifest or a plan is compiled anew. Raises SpellUnreadable, FormatInvalid, FileUnwritable.
    """
    found = read_in_place(path)
    return found.write(found.spell, check=check)
