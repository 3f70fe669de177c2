"""Large values, a page at a time and at every depth: items of a list, characters of a text, fields of an object."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from pydantic import Field

from spellwork_server.errors import BadRequest
from spellwork_server.services.service import Request, View
from spellwork_worker.parcels import ReadPage

from .errors import ValueNotFound
from .references import is_stand_in, preview_of, reference
from .row_order import TooManyRows, ordered
from .value_index import PathMissing, Shape, ValueIndex, index_of, part_at
from .worker_values import read_in_worker

PAGE = 1_000
"""Items, or fields, of a page unless asked otherwise; of a text 64 times as many characters."""

TEXT_PAGE = 64 * PAGE

PAGE_BYTES = 1024 * 1024
"""JSON of a page after which no further item begins on it."""

MOST_OF_WORKER = 100_000
"""Items of a page that a worker is asked for."""

KEPT_BYTES = 64 * 1024 * 1024
"""JSON of values that are kept between two pages, all together."""

KEPT_SECONDS = 30.0
"""Seconds that a value is kept after its last page."""


class PageRequest(Request):
    """Which page of a value: of its part at ``path``, in an order of its rows."""

    offset: int = Field(default=0, ge=0, le=2**53)
    limit: int | None = Field(default=None, ge=1, le=1_000_000)
    path: str = Field(
        default="",
        max_length=4_096,
        description="A JSON Pointer to a part of the value; '' is all.",
    )
    parts: Literal["whole", "reference"] = Field(
        default="whole",
        description="reference: large items and fields stand as {$ref, size, preview, path}.",
    )
    sort: str | None = Field(
        default=None,
        max_length=256,
        description="Of a list: the field of its rows (or number of their cell) to sort by; '' is the item itself.",
    )
    descending: bool = False
    filter: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Of a list: only rows that have this text in a cell; case does not matter.",
    )


class ValuePage(View):
    """Part of a value. The whole is the pages from ``offset`` 0 until ``more`` is false, put together."""

    hash: str
    size: int = Field(description="Bytes of the whole value, or of its part at path, as JSON.")
    kind: Shape = Field(
        description="What a page holds: items of a list, characters of a text, fields of an object."
    )
    total: int = Field(
        description="Items, characters or fields of the whole; of a filtered list, those left."
    )
    offset: int
    more: bool
    value: Any
    path: str = Field(default="", description="The part of the value that this is a page of.")
    rows: list[int] | None = Field(
        default=None, description="The items' own numbers, where the list is sorted or filtered."
    )


@dataclass(slots=True)
class _Kept:
    """A value between two pages: its parts by path, and orders of their rows."""

    index: ValueIndex
    used: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    parts: OrderedDict[str, ValueIndex] = field(default_factory=OrderedDict)
    orders: OrderedDict[tuple[Any, ...], array[int]] = field(default_factory=OrderedDict)

    @property
    def size(self) -> int:
        """Bytes held, about."""
        parts = sum(len(part.body) for part in self.parts.values())
        orders = sum(8 * len(order) for order in self.orders.values())
        return 2 * len(self.index.body) + parts + orders


class Pages:
    """Reads pages of values in a thread, and keeps the values a moment for the next page."""

    def __init__(self, inline_bytes: int) -> None:
        self._inline = inline_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turn = asyncio.Semaphore(2)
        self._timer: asyncio.TimerHandle | None = None

    async def page(
        self, key: str, load: Callable[[], Awaitable[bytes]], request: PageRequest
    ) -> ValuePage:
        """Return a page of the value ``key``, which ``load`` reads where it is not kept.

        Raises:
            ValueNotFound: for a path that the value does not have.
            BadRequest: for an order or a filter of what is no list.
        """
        async with self._turn:
            kept = self._kept.get(key)
            if kept is None:
                body = await load()
                if is_stand_in(key, body):
                    return await page_in_worker(key, body, request)
                index = await asyncio.to_thread(index_of, body)
                kept = self._kept.setdefault(key, _Kept(index, 0.0))
            kept.used = time.monotonic()
            self._kept.move_to_end(key)
            async with kept.lock:
                page = await asyncio.to_thread(_page, key, kept, request, self._inline)
            self._forget()
        return page

    def _forget(self) -> None:
        """Drop what was used longest ago, beyond the bound or the time."""
        now = time.monotonic()
        size = sum(kept.size for kept in self._kept.values())
        for key, kept in list(self._kept.items()):
            if size > KEPT_BYTES or now - kept.used >= KEPT_SECONDS:
                size -= kept.size
                del self._kept[key]
        if self._timer is None and self._kept:
            self._timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._forget()


async def page_in_worker(key: str, body: bytes, request: PageRequest) -> ValuePage:
    """Return a page of a value that stays in a worker, as the worker reads it. Raises ValueGone, ValueNotFound, Conflict."""
    asked = ReadPage(
        number=0,
        value=0,
        offset=request.offset,
        limit=min(request.limit or PAGE, MOST_OF_WORKER),
        path=request.path,
        sort=request.sort,
        descending=request.descending,
        filter=request.filter,
    )
    page, value = await read_in_worker(key, body, asked)
    return ValuePage(
        hash=key,
        size=page.size,
        kind=page.shape,
        total=page.total,
        offset=request.offset,
        more=page.more,
        value=value,
        path=request.path,
        rows=page.rows,
    )


def page_of(key: str, body: bytes, offset: int, limit: int | None, **more: Any) -> ValuePage:
    """Return the page at ``offset`` of a value given as JSON. A number, a truth or null is one page."""
    request = PageRequest(offset=offset, limit=limit, **more)
    return _page(key, _Kept(index_of(body), 0.0), request, PAGE_BYTES)


def _page(key: str, kept: _Kept, request: PageRequest, inline: int) -> ValuePage:
    index = _part(key, kept, request.path)
    rows: array[int] | None = None
    if request.sort is not None or request.filter is not None:
        rows = _order(kept, index, request)
    total = index.total if rows is None else len(rows)
    shown: list[int] | None = None
    if index.kind == "text":
        end = request.offset + (request.limit or TEXT_PAGE)
        value: Any = index.text[request.offset : end]
        taken = len(value)
    elif index.kind == "value":
        value, taken = msgspec.json.decode(index.body), 1
    else:
        count = request.limit or PAGE
        raws: Iterable[tuple[str, bytes]]
        if rows is None:
            raws = index.raws(request.offset, count)
        else:
            shown = list(rows[request.offset : request.offset + count])
            raws = index.raws_at(shown)
        stand = inline if request.parts == "reference" else None
        found = list(_filled(raws, key, request.path, stand))
        taken = len(found)
        value = dict(found) if index.kind == "object" else [part for _, part in found]
        shown = None if shown is None else shown[:taken]
    return ValuePage(
        hash=key,
        size=len(index.body),
        kind=index.kind,
        total=total,
        offset=request.offset,
        more=request.offset + taken < total and taken > 0,
        value=value,
        path=request.path,
        rows=shown,
    )


def _filled(
    raws: Iterable[tuple[str, bytes]], key: str, path: str, stand: int | None
) -> Iterable[tuple[str, Any]]:
    """Yield what fits on a page, at least one part; larger ones than ``stand`` bytes as references."""
    size = 0
    for name, raw in raws:
        if stand is not None and len(raw) > stand:
            place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            yield name, reference(key, len(raw), preview_of(raw)) | {"path": place}
            size += 4_096
        else:
            yield name, msgspec.json.decode(raw)
            size += len(raw)
        if size >= PAGE_BYTES:
            return


def _part(key: str, kept: _Kept, path: str) -> ValueIndex:
    if not path:
        return kept.index
    part = kept.parts.get(path)
    if part is None:
        try:
            part = part_at(kept.index, path)
        except PathMissing as error:
            raise ValueNotFound(
                f"The value has nothing at {path!r}", details={"hash": key, "path": path}
            ) from error
        kept.parts[path] = part
        while len(kept.parts) > 64 or kept.size > KEPT_BYTES:
            kept.parts.popitem(last=False)
            if not kept.parts:
                break
    return part


def _order(kept: _Kept, index: ValueIndex, request: PageRequest) -> array[int]:
    if index.kind != "list":
        raise BadRequest.field("sort", "only the rows of a list are sorted and filtered")
    key = (request.path, request.sort, request.descending, request.filter)
    order = kept.orders.get(key)
    if order is None:
        try:
            order = ordered(index, request.sort, request.descending, request.filter)
        except TooManyRows as error:
            raise BadRequest.field("sort", str(error)) from error
        kept.orders[key] = order
        while len(kept.orders) > 8:
            kept.orders.popitem(last=False)
    return order
