"""Pages of a value that stays in the worker, as JSON: rows of a table, items, characters, fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from .encoders import is_array, is_table
from .keeping import size_of
from .parcels import PageRead, ReadPage
from .tables import length_of, ordered, records, sort_key
from .values import NotTransferableError, to_plain

PAGE_BYTES = 1024 * 1024
"""JSON of a page after which no further item begins on it."""

MOST_SORTED = 5_000_000
"""Rows that are sorted or filtered."""

TEXT = 64
"""So many characters are worth one item."""

_json = msgspec.json.Encoder()


class NoSuchPart(Exception):
    """A path leads nowhere in the value."""


def read_page(value: Any, request: ReadPage) -> PageRead:
    """Return a page of a value, or of its part at a path.

    Raises:
        NoSuchPart: for a path, or a column to sort by, that it does not have.
        NotTransferableError: something on the page has no plain form.
    """
    for name in request.path.split("/")[1:]:
        value = _part(value, name.replace("~1", "/").replace("~0", "~"))
    if is_table(value):
        return _rows(
            value, length_of(value), request, lambda start, stop: records(value, start, stop)
        )
    if isinstance(value, str):
        return _text(value, request)
    if isinstance(value, Mapping):
        return _fields(value, request)
    if is_array(value) and value.ndim:
        return _rows(value, len(value), request, lambda start, stop: value[start:stop].tolist())
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return _rows(value, len(value), request, lambda start, stop: list(value[start:stop]))
    if isinstance(value, (set, frozenset)):
        listed = sorted(value, key=sort_key)
        return _rows(listed, len(listed), request, lambda start, stop: listed[start:stop])
    body = _json.encode(to_plain(value))
    return PageRead(request.number, "value", 1, len(body), False, body)


def _part(value: Any, name: str) -> Any:
    try:
        if is_table(value):
            return records(value, int(name), int(name) + 1)[0]
        if isinstance(value, Mapping):
            return next(part for key, part in value.items() if str(key) == name)
        if name.isdecimal() and (is_array(value) or isinstance(value, Sequence)):
            return value[int(name)]
    except (IndexError, StopIteration, ValueError):
        pass
    raise NoSuchPart(name)


def _rows(value: Any, total: int, request: ReadPage, read: Any) -> PageRead:
    numbers: list[int] | None = None
    if request.sort is not None or request.filter is not None:
        numbers = _order(value, total, request)
        total = len(numbers)
    start, stop = request.offset, min(request.offset + request.limit, total)
    if numbers is not None:
        numbers = numbers[start:stop]
    bodies: list[bytes] = []
    size = 0
    while start + len(bodies) < stop and size < PAGE_BYTES:
        at = start + len(bodies)
        if numbers is None:
            batch = read(at, min(at + 500, stop))
        else:
            batch = read(numbers[at - start], numbers[at - start] + 1)
        for item in batch:
            bodies.append(_json.encode(to_plain(item)))
            size += len(bodies[-1])
            if size >= PAGE_BYTES:
                break
    more = start + len(bodies) < total and bool(bodies)
    body = b"[" + b",".join(bodies) + b"]"
    rows = None if numbers is None else numbers[: len(bodies)]
    return PageRead(request.number, "list", total, size_of(value), more, body, rows)


def _order(value: Any, total: int, request: ReadPage) -> list[int]:
    if total > MOST_SORTED:
        raise NotTransferableError(
            "table", "the value", f"over {MOST_SORTED:,} rows are not sorted"
        )
    if is_table(value):
        try:
            return ordered(
                value, request.sort or None, request.filter, descending=request.descending
            )
        except KeyError as error:
            raise NoSuchPart(str(error.args[0])) from error
    numbers = list(range(total))
    if request.filter is not None:
        wanted = request.filter.casefold()
        numbers = [number for number in numbers if wanted in str(value[number]).casefold()]
    if request.sort is not None:
        numbers.sort(
            key=lambda number: sort_key(_cell(value[number], request.sort or "")),
            reverse=request.descending,
        )
    return numbers


def _cell(item: Any, name: str) -> Any:
    if not name:
        return item
    if isinstance(item, Mapping):
        return item.get(name)
    if isinstance(item, Sequence) and not isinstance(item, str) and name.isdecimal():
        return item[int(name)] if int(name) < len(item) else None
    return None


def _text(value: str, request: ReadPage) -> PageRead:
    limit = min(request.limit * TEXT, PAGE_BYTES)
    text = value[request.offset : request.offset + limit]
    more = request.offset + len(text) < len(value) and bool(text)
    return PageRead(request.number, "text", len(value), len(value), more, _json.encode(text))


def _fields(value: Mapping[Any, Any], request: ReadPage) -> PageRead:
    found: dict[str, msgspec.Raw] = {}
    size = 0
    for key, part in islice(value.items(), request.offset, request.offset + request.limit):
        body = _json.encode(to_plain(part))
        found[str(key)] = msgspec.Raw(body)
        size += len(body)
        if size >= PAGE_BYTES:
            break
    more = request.offset + len(found) < len(value) and bool(found)
    return PageRead(request.number, "object", len(value), size_of(value), more, _json.encode(found))
