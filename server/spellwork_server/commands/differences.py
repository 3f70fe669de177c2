"""``spellwork diff``: what differs between two spells, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spellwork import read_spell
from spellwork.difference import Change, Difference, FieldChange, difference

SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
LINE_SIGNS = {"same": " ", "added": "+", "removed": "-"}

LONGEST = 200
"""Characters of a value that are shown."""


def compare(before: Path, after: Path) -> Difference:
    """Return what differs between the spells of two files or folders, in whatever form. Raises SpellUnreadable."""
    return difference(read_spell(before), read_spell(after))


def told(found: Difference) -> Iterator[str]:
    """Give the lines in which a difference is told: a sign and a thing, below it what is other."""
    if found.name is not None:
        yield f"~ name: {_value(found.name.before)} -> {_value(found.name.after)}"
    for change in found.changes:
        yield _heading(change)
        for field in change.fields:
            yield from _field(field)


def _heading(change: Change) -> str:
    kind = "wire" if change.kind == "edges" else change.kind.removesuffix("s")
    name = f' "{_line(change.name)}"' if change.name else ""
    type = f" ({change.type})" if change.type else ""
    return f"{SIGNS[change.what]} {kind} {_line(change.id)}{name}{type}: {change.what}"


def _field(field: FieldChange) -> Iterator[str]:
    if field.lines is None:
        yield f"    {_line(field.field)}: {_value(field.before)} -> {_value(field.after)}"
        return
    yield f"    {field.field}:"
    last: int | None = None
    for line in field.lines:
        at = line.after or line.before or 0
        if last is not None and line.op == "same" and at > last + 1:
            yield "      ..."
        last = line.after or last
        yield f"      {LINE_SIGNS[line.op]} {_line(line.text)}"
    if field.cut:
        yield f"      ... {field.cut} more lines"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _line(text: str) -> str:
    """Return a text as one line that steers no terminal."""
    return "".join(
        each if each.isprintable() or each == "\t" else f"\\x{ord(each):02x}" for each in text
    )
