"""Values as they go on the wire: whole when small, by reference when large.

A large value becomes ``{"$ref": HASH, "size": BYTES, "preview": HEAD}``; its
JSON is kept under HASH and read page by page.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

from spellwork.encoding import Encoded
from spellwork.handles import Handle
from spellwork.values import REPR_LIMIT, hash_bytes, json_bytes, plain_bytes

PREVIEW_CHARACTERS = 2_000
"""How much of a large value its preview shows, counted as JSON text, about."""

PREVIEW_ITEMS = 50
"""How many items of a list, or fields of an object, a preview shows at most."""

PREVIEW_DEPTH = 6


def encode(value: Any) -> Encoded:
    """Return ``value`` as JSON with its hash; what JSON lacks becomes what ``to_json`` says. Never raises.

    A value that stays in a worker is what is told of it, and goes by its token in the place of a hash.
    """
    if isinstance(value, Handle):
        if not value.has_plain:
            return Encoded(json_bytes(value.stand_in), value.token, plain=False)
        value = value.plain
    body = plain_bytes(value)
    if body is not None:
        return Encoded(body, hash_bytes(body))
    try:
        body = json_bytes(value)
    except ValueError:  # a text with half a surrogate pair has no UTF-8 form
        body = json_bytes({"$repr": repr(value)[:REPR_LIMIT]})
    return Encoded(body, hash_bytes(body), plain=False)


def reference(key: str, size: int, preview: Any) -> dict[str, Any]:
    """Return what stands on the wire for a large value."""
    return {"$ref": key, "size": size, "preview": preview}


def is_stand_in(key: str, body: bytes) -> bool:
    """Tell whether what is kept under a key is what is told of a value in a worker.

    Any value may look like that; but none has the token in it as its hash.
    """
    return body.startswith(b'{"$handle":"%s"' % key.encode())


def is_reference(value: Any) -> bool:
    """Tell whether a value read from the wire stands for a large one."""
    return isinstance(value, dict) and value.keys() == {"$ref", "size", "preview"}


def preview_of_encoded(value: Encoded) -> Any:
    """Return the head of a value, from the value itself where that is at hand."""
    if value.form is None:
        return preview_of(value.body)
    return _Preview(PREVIEW_CHARACTERS).cut(value.form, PREVIEW_DEPTH)


def preview_of(body: bytes) -> Any:
    """Return the head of a value given as JSON: same shape, cut short, a few kilobytes at most."""
    return _Preview(PREVIEW_CHARACTERS).cut(msgspec.json.decode(body), PREVIEW_DEPTH)


class _Preview:
    """Cuts one value down to a budget of characters, first things first."""

    def __init__(self, budget: int) -> None:
        self._left = budget

    def cut(self, value: Any, depth: int) -> Any:
        match value:
            case str():
                return self._text(value)
            case list():
                return self._list(value, depth)
            case dict():
                return self._object(value, depth)
            case _:
                self._left -= 8
                return value

    def _text(self, text: str) -> str:
        if text.startswith("data:"):  # half a picture is no picture
            text = text.partition(",")[0][:200] + ","
        kept = text[: max(self._left, 0)]
        self._left -= len(kept) + 2
        return kept

    def _list(self, items: list[Any], depth: int) -> list[Any]:
        kept: list[Any] = []
        if depth == 0:
            return kept
        for item in items[:PREVIEW_ITEMS]:
            if self._left <= 0:
                break
            shown = self.cut(item, depth - 1)
            if kept and self._left < 0:  # rather a row less than half a row
                break
            kept.append(shown)
        return kept

    def _object(self, fields: dict[str, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if depth == 0:
            return kept
        for key in islice(fields, PREVIEW_ITEMS):
            if self._left <= 0:
                break
            self._left -= len(key) + 4
            kept[key[:200]] = self.cut(fields[key], depth - 1)
        return kept
