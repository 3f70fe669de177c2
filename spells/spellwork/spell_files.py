"""Spells that other spells run inside themselves, as files beside them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from .bodies import Spells
from .reading import SpellSource, read_spell
from .spell import Spell


def spells_beside(source: SpellSource) -> Spells | None:
    """Return what finds spells by file names relative to the folder of the spell that is run, if that is a file.

    Those that children name are relative to that folder, too. A file that
    holds no spell raises SpellUnreadable; an absolute name finds nothing.
    """
    if not isinstance(source, (str, PathLike)):
        return None
    folder = Path(source).parent

    def find(name: str) -> Spell | None:
        path = Path(name)
        if path.is_absolute() or not (folder / path).exists():
            return None
        return read_spell(folder / path)

    return find
