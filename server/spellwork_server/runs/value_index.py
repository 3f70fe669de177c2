"""Where the items and fields of a large value begin, so that a page of it needs no more than that page.

A list or object is cut into windows of some hundred kilobytes, each a run of
whole items. To read a page, only the windows that it lies in are decoded. Both
are meant for a thread: between two windows the event loop gets its turn.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Shape = Literal["list", "text", "object", "value"]

WINDOW = 256 * 1024
"""Bytes of a window, about; an item is never cut."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)

_items = msgspec.json.Decoder(list[msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Window:
    """``count`` items from number ``first`` on; ``body[start:end]`` is their JSON, with commas between."""

    first: int
    count: int
    start: int
    end: int


class PathMissing(KeyError):
    """A JSON Pointer leads nowhere in the value."""


@dataclass(slots=True)
class ValueIndex:
    """A value given as JSON without spaces. ``total`` counts items, fields or characters."""

    body: bytes
    kind: Shape
    total: int
    windows: list[Window] = field(default_factory=list)
    text: str = ""

    def raws(self, first: int, count: int) -> Iterator[tuple[str, bytes]]:
        """Yield the items from number ``first`` on, as (number or field's name, JSON)."""
        at = bisect_right(self.windows, first, key=lambda window: window.first) - 1
        end = min(first + count, self.total)
        for window in self.windows[max(at, 0) :]:
            if window.first >= end:
                return
            for number, part in enumerate(self._parts(window), window.first):
                if first <= number < end:
                    name, raw = part
                    yield (str(number) if name is None else name), bytes(raw)

    def raws_at(self, numbers: Sequence[int]) -> list[tuple[str, bytes]]:
        """Return the items of a list that have these numbers, in this order."""
        places = [bisect_right(self.windows, n, key=lambda each: each.first) - 1 for n in numbers]
        found: dict[int, bytes] = {}
        for place in sorted(set(places)):
            window = self.windows[place]
            parts = self._parts(window)
            for number, at in zip(numbers, places, strict=True):
                if at == place:
                    found[number] = bytes(parts[number - window.first][1])
        return [(str(number), found[number]) for number in numbers]

    def window_values(self, window: Window) -> list[Any]:
        """Return the items of a window of a list, decoded."""
        found: list[Any] = msgspec.json.decode(b"[" + self.body[window.start : window.end] + b"]")
        return found

    def child(self, name: str) -> bytes:
        """Return the JSON of a field, or of an item by its number; raises PathMissing."""
        if self.kind == "object":
            for window in self.windows:
                for key, part in self._parts(window):
                    if key == name:
                        return bytes(part)
        elif self.kind == "list" and re.fullmatch(r"0|[1-9][0-9]{0,9}", name):
            for _, raw in self.raws(int(name), 1):
                return raw
        raise PathMissing(name)

    def _parts(self, window: Window) -> list[tuple[str | None, msgspec.Raw]]:
        inner = self.body[window.start : window.end]
        if self.kind == "list":
            return [(None, raw) for raw in _items.decode(b"[" + inner + b"]")]
        return list(_fields.decode(b"{" + inner + b"}").items())


def index_of(body: bytes) -> ValueIndex:
    """Return the index of a value given as JSON."""
    first = body[:1]
    if first in (b"[", b"{"):
        windows = list(_windows(body))
        kind: Shape = "list" if first == b"[" else "object"
        return ValueIndex(body, kind, sum(window.count for window in windows), windows)
    if first == b'"':
        text = msgspec.json.decode(body, type=str)
        return ValueIndex(body, "text", len(text), text=text)
    return ValueIndex(body, "value", 1)


def part_at(index: ValueIndex, path: str) -> ValueIndex:
    """Return the part of a value that a JSON Pointer names; raises PathMissing where there is none."""
    if not path:
        return index
    head, *names = path.split("/")
    if head:
        raise PathMissing(path)
    for name in names:
        index = index_of(index.child(name.replace("~1", "/").replace("~0", "~")))
    return index


def _windows(body: bytes) -> Iterator[Window]:
    first, position, end = 0, 1, len(body) - 1
    while position < end:
        cut = _cut(body, position, end)
        count = _count(body, position, cut)
        assert count is not None
        yield Window(first, count, position, cut)
        first += count
        position = cut + 1


def _cut(body: bytes, position: int, end: int) -> int:
    """Return where a window that begins at ``position`` ends: at a comma between items, or at the end of all.

    What ends in such a comma reads as whole items, and nothing else does. So
    the likely ones are tried; where none is, all brackets are counted.
    """
    if end - position <= 2 * WINDOW:
        return end
    for likely in (b"},", b"],", b'",', b","):
        found = body.rfind(likely, position, position + WINDOW)
        if found > position:
            cut = found + len(likely) - 1
            if _count(body, position, cut) is not None:
                return cut
    depth = 0
    for token in _TOKEN.finditer(body, position, end):
        mark = body[token.start()]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        elif mark == 0x2C and not depth and token.start() - position >= WINDOW:
            return token.start()
    return end


def _count(body: bytes, start: int, end: int) -> int | None:
    inner = body[start:end]
    try:
        if body[:1] == b"[":
            return len(_items.decode(b"[" + inner + b"]"))
        return len(_fields.decode(b"{" + inner + b"}"))
    except msgspec.DecodeError:
        return None
