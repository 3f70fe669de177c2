"""Large values, a page at a time: items of a list, characters of a text, fields of an object."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import Field

from spellwork_server.services.service import View

Shape = Literal["list", "text", "object", "value"]

PAGE = 1_000
"""Items, or fields, of a page unless asked otherwise; of a text 64 times as many characters."""

TEXT_PAGE = 64 * PAGE

_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


class ValuePage(View):
    """Part of a value. The whole is the pages from ``offset`` 0 until ``more`` is false, put together."""

    hash: str
    size: int = Field(description="Bytes of the whole value as JSON.")
    kind: Shape = Field(
        description="What a page holds: items of a list, characters of a text, fields of an object."
    )
    total: int = Field(description="Items, characters or fields of the whole.")
    offset: int
    more: bool
    value: Any


def page_of(key: str, body: bytes, offset: int, limit: int | None) -> ValuePage:
    """Return the page at ``offset`` of a value given as JSON. A number, a truth or null is one page."""
    kind, total, value = _cut(body, offset, limit)
    taken = len(value) if kind != "value" else 1
    return ValuePage(
        hash=key,
        size=len(body),
        kind=kind,
        total=total,
        offset=offset,
        more=offset + taken < total,
        value=value,
    )


def _cut(body: bytes, offset: int, limit: int | None) -> tuple[Shape, int, Any]:
    if body.startswith(b"["):  # the items outside the page are not decoded
        items = _raw_list.decode(body)
        page = items[offset : offset + (limit or PAGE)]
        return "list", len(items), [msgspec.json.decode(item) for item in page]
    value = msgspec.json.decode(body)
    if isinstance(value, str):
        return "text", len(value), value[offset : offset + (limit or TEXT_PAGE)]
    if isinstance(value, dict):
        names = list(value)[offset : offset + (limit or PAGE)]
        return "object", len(value), {name: value[name] for name in names}
    return "value", 1, value
