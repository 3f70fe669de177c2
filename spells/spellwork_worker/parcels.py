"""Records about values that stay in a worker, and about those that leave it or come to it.

A value that is large, or no plain JSON, stays where it was made: a ``Kept`` is told of
it, and later calls of the same process name it by its number (``Given``). To cross a
boundary it becomes a ``Parcel``: bytes in one of a few typed encodings, none of which
runs code when it is read. The bytes go in the frame, or beside it as sealed memory
where the process said that it takes that (``Ready.memory``).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Encoding = Literal["json", "bytes", "arrow", "npy"]
"""``json``: plain values. ``bytes``: as they are, with a MIME type. ``arrow``: a table as an Arrow IPC
stream. ``npy``: an array in NumPy's format, without objects."""


class Kept(msgspec.Struct, frozen=True):
    """A value that stays in the worker under a number of its process, until it is dropped.

    ``kind`` is its type as its author knows it ("pandas.DataFrame"), ``size`` bytes, about;
    ``encodings`` the forms in which it may leave, the best first; none where it cannot.
    ``preview`` is plain JSON, a few kilobytes at most, by ``form``: ``table`` {columns:
    [{name, type}], rows: [{...}], total}, ``list`` {values, total}, ``object`` {value, total},
    ``array`` {dtype, shape, values}, ``image`` {image: data URL, width, height}, ``text``
    {text}; None where a call waited, and there was no time to make one. ``plain``: the value in
    plain JSON, where that is small; then it needs no preview.
    """

    value: int
    kind: str
    size: int
    encodings: list[Encoding] = []
    preview: dict[str, Any] | None = None
    plain: Any = msgspec.UNSET


class Parcel(msgspec.Struct, frozen=True):
    """A value in an encoding.

    Its ``size`` bytes are in ``data``, or where that is None in memory that comes beside the
    frame under the number ``memory``.

    ``kind`` is what it was where it was made, and what who reads it tries to make of it again.
    """

    encoding: Encoding
    size: int
    kind: str = ""
    mime: str = ""
    data: bytes | None = None
    memory: int = 0


class Given(msgspec.Struct, frozen=True):
    """What stands at a place of a call's inputs: a value that the process holds, or one that comes.

    ``path`` leads to the place: a port, then keys of objects and numbers in lists.
    """

    path: list[str | int]
    value: int | None = None
    parcel: Parcel | None = None


class Drop(msgspec.Struct, tag="drop", frozen=True):
    """Nobody needs these values any more."""

    values: list[int]


class Fetch(msgspec.Struct, tag="fetch", frozen=True):
    """Encode a value, in the first of ``encodings`` that it has; Fetched or Refused answers ``number``."""

    number: int
    value: int
    encodings: list[Encoding]
    limit: int = 0
    """Bytes it may have at most; 0 for any number."""
    memory: int = 0
    """The number of memory that came beside, to be filled where the value is large; 0 for none."""


class ReadPage(msgspec.Struct, tag="read_page", frozen=True):
    """Read a page of a value as JSON, when no call waits; PageRead or Refused answers ``number``."""

    number: int
    value: int
    offset: int = 0
    limit: int = 1_000
    path: str = ""
    sort: str | None = None
    descending: bool = False
    filter: str | None = None


class Fetched(msgspec.Struct, tag="fetched", frozen=True):
    """A value, encoded; where its ``data`` is None, in the memory that came with the question."""

    number: int
    parcel: Parcel
    id: int = 0


class PageRead(msgspec.Struct, tag="page_read", frozen=True):
    """A page of a value.

    ``shape``: items of a list (rows of a table), characters of a text, fields of an object,
    or all of it at once; ``total`` counts them.
    """

    number: int
    shape: Literal["list", "text", "object", "value"]
    total: int
    size: int
    more: bool
    body: bytes
    """The page as JSON."""
    rows: list[int] | None = None
    id: int = 0


class Refused(msgspec.Struct, tag="refused", frozen=True):
    """Why a value is not given: ``value_gone``, ``not_transferable``, ``value_not_found``, ``output_too_large``."""

    number: int
    code: str
    message: str
    id: int = 0


class Let(msgspec.Struct, tag="let", frozen=True):
    """The worker let go of values by itself, for it came near its limit of memory."""

    values: list[int]
    reason: str
    id: int = 0


class Shown(msgspec.Struct, tag="shown", frozen=True):
    """The preview of a value that was kept without one."""

    value: int
    preview: dict[str, Any]
    id: int = 0
