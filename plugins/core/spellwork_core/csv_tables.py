"""Tables from CSV text."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections import Counter
from typing import Any
from urllib.parse import unquote_to_bytes

from .naming import unique_names
from .types import Row

DELIMITERS = ",;\t|"
"""What may part the fields of a line."""

MAX_FIELDS = 5_000_000
"""Fields of a table: one long line must not make all short ones as long."""

EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
"""What stands for a missing value, in lower case."""

_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TRUTH = {"true": True, "false": False}


def read_csv(
    text: str, delimiter: str = "", *, header: bool = True, types: bool = True
) -> list[Row]:
    """Return the rows of a CSV text.

    The delimiter is found when it is empty. Each column of numbers or of true and
    false becomes that, as a whole or not at all; missing values become None.

    Raises:
        ValueError: the text is not CSV.
    """
    text = text.removeprefix("\ufeff")
    try:
        lines = [
            line
            for line in csv.reader(
                io.StringIO(text), delimiter=delimiter or find_delimiter(text), strict=True
            )
            if any(field.strip() for field in line)
        ]
    except csv.Error as error:
        raise ValueError(f"the text is not CSV: {error}") from error
    if not lines:
        return []
    width = max(map(len, lines))
    if width * len(lines) > MAX_FIELDS:
        raise ValueError(
            f"the table would have {width:,} columns and {len(lines):,} rows;"
            f" at most {MAX_FIELDS:,} fields are allowed"
        )
    names = _names(lines.pop(0) if header else [], width)
    columns = [
        [line[place] if place < len(line) else "" for line in lines] for place in range(width)
    ]
    typed = [_typed(column) if types else list(column) for column in columns]
    return [dict(zip(names, fields, strict=True)) for fields in zip(*typed, strict=True)]


def find_delimiter(text: str) -> str:
    """Return the delimiter that cuts the first lines most evenly; a comma when none does."""
    sample = text[:65_536].splitlines()[:50]
    best = (0.0, 0, ",")
    for mark in DELIMITERS:
        try:
            widths = [len(line) for line in csv.reader(sample, delimiter=mark) if line]
        except csv.Error:
            continue
        if not widths:
            continue
        width, lines = Counter(widths).most_common(1)[0]
        if width > 1:
            best = max(best, (lines / len(widths), width, mark), key=lambda found: found[:2])
    return best[2]


def text_of(source: str) -> str:
    """Return CSV text as it is, or decoded from a ``data:`` URL.

    Raises:
        ValueError: the URL cannot be decoded.
    """
    if not source.startswith("data:"):
        return source
    head, _, body = source.partition(",")
    try:
        data = (
            base64.b64decode(body, validate=True)
            if head.endswith(";base64")
            else unquote_to_bytes(body)
        )
    except binascii.Error as error:
        raise ValueError(f"the data: URL is broken: {error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _names(header: list[str], width: int) -> list[str]:
    """Return a name for every column: unique, and never empty."""
    given = [name.strip() for name in header] + [""] * (width - len(header))
    return unique_names([name or f"column {place}" for place, name in enumerate(given, 1)])


def _typed(column: list[str]) -> list[Any]:
    """Return a column as whole numbers, numbers, truth values or text, all of one kind."""
    fields = [field.strip() for field in column]
    present = [field for field in fields if field.lower() not in EMPTY]
    if present and all(_INTEGER.fullmatch(field) and not _is_code(field) for field in present):
        return [None if field.lower() in EMPTY else int(field) for field in fields]
    if present and all(_NUMBER.fullmatch(field) and not _is_code(field) for field in present):
        return [None if field.lower() in EMPTY else float(field) for field in fields]
    if present and all(field.lower() in _TRUTH for field in present):
        return [_TRUTH.get(field.lower()) for field in fields]
    return [None if field.strip().lower() in EMPTY else field for field in column]


def _is_code(field: str) -> bool:
    """Whether digits are a code (a postcode such as 01234), which as a number would lose its zero."""
    digits = field.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
