"""JSON from outside: no NaN, bounded depth, and no number that a JavaScript page could not hold."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_DIGITS = re.compile(r"[0-9]{309}")
_DIGITS_OF_BYTES = re.compile(rb"[0-9]{309}")
"""No smaller whole number is beyond what a double holds."""

_decoder = msgspec.json.Decoder()


def read_json(text: bytes | str) -> Any:
    """Return the value. Raises ValueError or RecursionError for what is not JSON."""
    value = _decoder.decode(text)
    pattern = _DIGITS if isinstance(text, str) else _DIGITS_OF_BYTES
    if pattern.search(text) and _has_beyond_double(value):  # type: ignore[arg-type]
        raise ValueError("a number is out of range")
    return value


def _has_beyond_double(value: Any) -> bool:
    match value:
        case int():
            return abs(value) >= 2**1023
        case list():
            return any(map(_has_beyond_double, value))
        case dict():
            return any(map(_has_beyond_double, value.values()))
        case _:
            return False
