"""How deeply the lists and objects of a value nest, told from its JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from .values import json_bytes

_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ALIKE = bytes.maketrans(b"{}", b"[]")


def rough_json(value: Any) -> bytes:
    """Return JSON of the size and shape of a value, in whatever order is made soonest."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return json_bytes(value)


def nests_deeper(body: bytes, limit: int) -> bool:
    """Tell whether lists and objects nest more than ``limit`` deep in a value given as JSON.

    Looks at the brackets only, innermost first; at the value itself only where
    brackets in texts are in the way.
    """
    if len(body) <= limit or body.count(b"[") + body.count(b"{") <= limit:
        return False
    brackets = body.translate(_ALIKE, _NO_BRACKETS)
    for _ in range(limit):
        outer = brackets.replace(b"[]", b"")
        if not outer:
            return False
        if len(outer) == len(brackets):
            break
        brackets = outer
    try:
        return _is_deeper(msgspec.json.decode(body), limit)
    except RecursionError:
        return True


def _is_deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(
        _is_deeper(item, limit - 1) for item in items if isinstance(item, (list, dict))
    )
