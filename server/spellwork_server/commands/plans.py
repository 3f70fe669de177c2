"""Plans of spell files from the command line."""

from __future__ import annotations

from pathlib import Path

import spellwork
from spellwork.formats import write
from spellwork.reading import read_spell


def compile_spell(file: Path, form: str) -> bytes:
    """Return a spell file compiled, in one of the forms that ``spellwork.formats`` writes.

    It is compiled for every form, so that a spell that cannot run is refused.
    """
    spell = read_spell(file)
    plan = spellwork.compile(spell, spellwork.Library.installed())
    return write(spell if form == "python" else plan, form)
