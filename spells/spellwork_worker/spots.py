"""Where names stand in a cell, as people count: lines and characters from 1.

A syntax tree counts bytes, has no place for some names (``except E as name``), and,
before Python 3.12, a wrong one for much that is in f-strings. So what is kept while
reading is a Spot from which to look for the name, and the look is taken only for
names that somebody asks about.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")
_WORD = re.compile(r"\w+")


class Spot(NamedTuple):
    """A line, counted from 1, and a byte of it, counted from 0, at or behind which a name stands.

    ``text`` is where the f-string around it begins, as line and byte, if there is one.
    """

    line: int
    byte: int
    text: tuple[int, int] | None = None


class CellPlace(NamedTuple):
    """Where a name stands: line and columns count characters from 1; the end is exclusive."""

    line: int
    column: int
    end_column: int


def spot_of(node: ast.AST) -> Spot:
    """Return where a node begins."""
    return Spot(node.lineno, node.col_offset)  # type: ignore[attr-defined]


def spot_after(node: ast.AST, instead: ast.AST) -> Spot:
    """Return where a node ends, or where another begins when that is not known."""
    line, byte = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    if node is instead or line is None or byte is None:
        return spot_of(instead)
    return Spot(line, byte)


class Places:
    """Finds names in one cell's code; ``shift`` characters of its first line were left out before it was parsed."""

    def __init__(self, code: str, shift: int = 0) -> None:
        self._lines = _LINE_END.split(code)
        self._shift = shift

    def of(self, name: str, spot: Spot) -> CellPlace:
        """Return the place of a name; that of the spot itself when it is not found."""
        return (
            self._from(name, spot.line, spot.byte, lines=3)
            or (spot.text and self._from(name, *spot.text, lines=200))
            or self._placed(spot.line, self._characters(spot.line, spot.byte), 1)
        )

    def _from(self, name: str, line: int, byte: int, *, lines: int) -> CellPlace | None:
        start = self._characters(line, byte)
        for number in range(line, min(line + lines, len(self._lines) + 1)):
            for match in _WORD.finditer(self._lines[number - 1], start):
                word = match.group()
                if word == name or unicodedata.normalize("NFKC", word) == name:
                    return self._placed(number, match.start(), len(word))
            start = 0
        return None

    def _placed(self, line: int, start: int, length: int) -> CellPlace:
        column = start + 1 + (self._shift if line == 1 else 0)
        return CellPlace(line, column, column + length)

    def _characters(self, line: int, byte: int) -> int:
        if not 0 < line <= len(self._lines):
            return 0
        text = self._lines[line - 1]
        if text.isascii():
            return byte
        return len(text.encode("utf-8")[:byte].decode("utf-8", "ignore"))
