"""A spell as JSON for people and for version control: sorted, indented, layout last."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from spellwork.errors import FormatInvalid
from spellwork.spell import Spell

from .order import as_given


def to_json(spell: Spell) -> bytes:
    """Return a spell as JSON. Raises ValueError for NaN and infinities, which JSON has not."""
    text = json.dumps(as_given(spell), ensure_ascii=False, indent=2, allow_nan=False)
    return (text + "\n").encode()


def read_json(data: bytes) -> Any:
    """Return the JSON value of a text.

    Raises:
        FormatInvalid: with line and column.
    """
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError as error:
        raise FormatInvalid("not JSON that can be read: it nests too deep") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _told(data, error) from error


def _told(data: bytes, error: Exception) -> FormatInvalid:
    """Say where, as ``msgspec`` says it by byte only."""
    try:
        json.loads(data)
    except json.JSONDecodeError as found:
        return FormatInvalid(f"not JSON: {found.msg}", line=found.lineno, column=found.colno)
    except (ValueError, RecursionError):
        pass
    return FormatInvalid(f"not JSON: {error}")
