"""What pydantic finds wrong with a value, as far as it can be listed soon."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

MANY = 1_000
"""Findings beyond which none is listed: each costs microseconds, and a list may have millions, wrong one by one."""


def findings(error: ValidationError, *, context: bool = True) -> list[dict[str, Any]]:
    """Return what was found, without the values; of more than MANY only how many there are, about the whole."""
    count = error.error_count()
    if count > MANY:
        return [{"type": "many", "loc": (), "msg": f"{count:,} parts of it do not fit"}]
    return list(error.errors(include_url=False, include_input=False, include_context=context))  # type: ignore[arg-type]
