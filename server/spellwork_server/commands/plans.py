"""Plans of spell files from the command line."""

from __future__ import annotations

from pathlib import Path

import spellwork
from spellwork.formats import to_manifest, write
from spellwork.reading import read_spell


def compile_spell(file: Path, form: str) -> bytes:
    """Return a spell file compiled, in one of the forms that ``spellwork.formats`` writes.

    It is compiled for every form, so that a spell that cannot run is refused.
    The YAML manifest holds the spell too: it can be run and compiled again.
    """
    spell = read_spell(file)
    plan = spellwork.compile(spell, spellwork.Library.installed())
    if form == "yaml":
        return to_manifest(plan, spell)
    return write(spell if form == "python" else plan, form)
