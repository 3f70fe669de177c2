"""Streams: the chunks of an output, and the whole value they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def accumulate(chunks: Sequence[Any]) -> Any:
    """Return the whole that chunks add up to: text is joined, anything else becomes a list."""
    if chunks and all(isinstance(chunk, str) for chunk in chunks):
        return "".join(chunks)
    return list(chunks)
