"""Plans of spell files from the command line."""

from __future__ import annotations

from pathlib import Path

from spellwork.formats import write

import spellwork
from spellwork.reading import read_spell


def compile_spell(file: Path, form: str) -> str | bytes:
    """Return the plan of a spell file in one of the forms that ``spellwork.formats`` writes."""
    plan = spellwork.compile(read_spell(file), spellwork.Library.installed())
    written: str | bytes = write(plan, form)
    return written
