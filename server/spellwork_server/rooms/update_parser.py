"""A strict reader of Yjs updates (format v1), run before any byte reaches the CRDT.

The CRDT library trusts its input: lengths that lie, unknown kinds and clocks
from nowhere make it allocate, wait for ever or abort. So an update is first
read here to its last byte, and only its outline is kept: which clocks it
brings, which it builds on, which it deletes, and which roots it writes to.

Format: ``encodeStateAsUpdate`` of https://github.com/yjs/yjs (UpdateEncoderV1)
over lib0's variable-length integers and ``writeAny``. Rejected: decoding with
the CRDT library in a subprocess (a round trip per edit), and decoding to
objects (three times slower, and nothing here needs the contents).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from .errors import UpdateGap, UpdateInvalid
from .lib0 import MAX_CLOCK, Malformed, Reader

T = TypeVar("T")

ORIGIN, RIGHT_ORIGIN, PARENT_SUB, KIND = 0x80, 0x40, 0x20, 0x1F
GC, DELETED, STRING, TYPE, ANY, SKIP = 0, 1, 4, 7, 8, 10
REFUSED_KINDS = {
    2: "legacy JSON content",
    3: "binary content",
    5: "embedded content",
    6: "text formatting",
    9: "a subdocument",
}
MAP_TYPE, TEXT_TYPE = 1, 2
TYPE_NAMES = {0: "Y.Array", 3: "Y.XmlElement", 4: "Y.XmlFragment", 5: "Y.XmlHook", 6: "Y.XmlText"}


@dataclass(slots=True)
class Outline:
    """What an update brings and builds on, clocks per client."""

    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Client -> first clock, and the clock after the last."""
    needs: dict[int, int] = field(default_factory=dict)
    """Client -> the clock up to which its edits must be known."""
    deletes: dict[int, int] = field(default_factory=dict)
    """Client -> the clock after the last one deleted."""
    roots: set[str] = field(default_factory=set)
    """Names of the root types written to directly."""
    skips: bool = False
    """Whether it says itself that edits are missing from it."""
    new_types: bool = False
    """Whether it makes shared types."""


def parse_update(update: bytes) -> Outline:
    """Read a whole update; raise UpdateInvalid at the first thing wrong with it."""
    return _read_common(update) or read_strictly(update)


def read_strictly(update: bytes) -> Outline:
    """Do what ``parse_update`` does, byte by byte: it takes short cuts that must come to the same."""
    return _read_whole("update", update, _read_update)


def parse_state_vector(vector: bytes) -> dict[int, int]:
    """Read a Yjs state vector: client -> the clock up to which its edits are known."""
    return _read_whole("state vector", vector, _read_state_vector)


def _read_whole(what: str, data: bytes, read: Callable[[Reader], T]) -> T:
    reader = Reader(data)
    try:
        value = read(reader)
        if not reader.at_end:
            raise reader.wrong(f"{len(data) - reader.at} bytes follow its end")
    except Malformed as error:
        raise UpdateInvalid(
            f"Not a valid {what}: {error} (at byte {error.at})", details={"at": error.at}
        ) from error
    except IndexError as error:
        raise UpdateInvalid(
            f"Not a valid {what}: it ends too early", details={"at": len(data)}
        ) from error
    return value


_UINT = rb"([\x00-\x7f]|[\x80-\xff]{1,6}[\x01-\x7f]|[\x80-\xff]{7}[\x01-\x0f])"
_CLOCK = rb"([\x00-\x7f]|[\x80-\xff]{1,3}[\x01-\x7f])"
_LENGTH = rb"([\x01-\x7f]|[\x80-\xff]{1,3}[\x01-\x7f])"
_INTEGER = rb"\x7d[\x80-\xff]{0,6}[\x00-\x7f]"
_FLOAT = rb"\x7c(?:[^\x7f\xff].|[\x7f\xff][\x00-\x7f]).."
_DOUBLE = rb"\x7b(?:[^\x7f\xff].|[\x7f\xff][\x00-\xef])......"
_TEXT = rb"\x77([\x00-\x7f])([\x00-\x7f]*)"
_SCALAR = rb"(?:" + rb"|".join((_INTEGER, _FLOAT, _DOUBLE, rb"[\x78\x79\x7e\x7f]")) + rb")"
_VALUE = rb"(?:" + rb"|".join((_SCALAR, rb"\x75\x02" + _SCALAR + _SCALAR, _TEXT)) + rb")"
_AFTER = _UINT + _CLOCK
_SET_AGAIN = rb"\xa8" + _AFTER + rb"\x01" + _VALUE
_TYPED = rb"\x84" + _AFTER + rb"\x01[\x00-\x7f]"
_DELETED = rb"\x00|\x01" + _UINT + rb"\x01" + _CLOCK + _LENGTH
_COMMON = re.compile(
    rb"\x01\x01" + _AFTER + rb"(?:" + _SET_AGAIN + rb"|" + _TYPED + rb")(?:" + _DELETED + rb")",
    re.DOTALL,
)
"""A plain value or a place set anew in a map, or one character typed after another: most of all edits.
It matches less than what is valid, and nothing that is not, but for a text's length, which is looked at."""


def _read_common(update: bytes) -> Outline | None:
    """Read one of the most common updates at a fraction of the cost; None for any other."""
    match = _COMMON.fullmatch(update)
    if match is None:
        return None
    client, clock, on, at, size, text, typed_on, typed_at, deleted, start, length = match.groups()
    if size is not None and size[0] != len(text):
        return None
    client, clock = _integer(client), _integer(clock)
    on, at = _integer(on or typed_on), _integer(at or typed_at)
    if on == client and at >= clock:
        return None
    outline = Outline({client: (clock, clock + 1)}, {on: at + 1})
    if deleted is not None:
        outline.deletes[_integer(deleted)] = _integer(start) + _integer(length)
    return outline


@lru_cache(4096)
def _integer(written: bytes) -> int:
    """Return the value of a variable-length integer."""
    value = 0
    for byte in reversed(written):
        value = value << 7 | byte & 0x7F
    return value


def _read_state_vector(reader: Reader) -> dict[int, int]:
    known: dict[int, int] = {}
    for _ in range(reader.count(2)):
        client = reader.client()
        if client in known:
            raise reader.wrong(f"client {client} is listed twice")
        known[client] = reader.clock()
    return known


def check_dependencies(outline: Outline, known: Mapping[int, int]) -> None:
    """Raise UpdateGap when the update builds on edits that are in neither ``known`` nor itself."""
    if outline.skips:
        raise UpdateGap("The update says itself that edits are missing from it")
    spans = outline.spans
    for client, (start, _) in spans.items():
        if start > known.get(client, 0):
            raise _gap(client, known.get(client, 0), start)
    for wanted in (outline.needs, outline.deletes):
        for client, clock in wanted.items():
            if clock > known.get(client, 0) and clock > spans.get(client, (0, 0))[1]:
                have = max(known.get(client, 0), spans.get(client, (0, 0))[1])
                raise _gap(client, have, clock)


def _gap(client: int, known: int, needed: int) -> UpdateGap:
    return UpdateGap(
        f"The update builds on edits of client {client} up to {needed}; the server knows {known}",
        details={"client": client, "known": known, "needed": needed},
    )


def _read_update(reader: Reader) -> Outline:
    outline = Outline()
    _read_structs(reader, outline)
    _read_deletes(reader, outline)
    return outline


def _read_structs(reader: Reader, outline: Outline) -> None:
    for _ in range(reader.count(4)):
        structs = reader.count(2)
        if structs == 0:
            raise reader.wrong("a client's section holds no edits")
        client, clock = reader.client(), reader.clock()
        if client in outline.spans:
            raise reader.wrong(f"client {client} has two sections")
        start = clock
        for _ in range(structs):
            clock += _read_struct(reader, outline, client, clock)
            if clock > MAX_CLOCK:
                raise reader.wrong(f"clock {clock} is over the limit {MAX_CLOCK}")
        outline.spans[client] = (start, clock)


def _read_struct(reader: Reader, outline: Outline, client: int, clock: int) -> int:
    """Read one edit and return how many clocks it takes."""
    info = reader.data[reader.at]
    reader.at += 1
    kind = info & KIND
    if kind in (GC, SKIP):
        if info != kind:
            raise reader.wrong(f"flags {info:#x} on a struct that has none")
        outline.skips = outline.skips or kind == SKIP
        return reader.length()
    if info & ORIGIN:
        _read_dependency(reader, outline, client, clock)
    if info & RIGHT_ORIGIN:
        _read_dependency(reader, outline, client, clock)
    if not info & (ORIGIN | RIGHT_ORIGIN):
        _read_parent(reader, outline, client, clock)
        if info & PARENT_SUB:
            reader.string()
    outline.new_types = outline.new_types or kind == TYPE
    return _read_content(reader, kind)


def _read_parent(reader: Reader, outline: Outline, client: int, clock: int) -> None:
    match reader.uint():
        case 1:
            outline.roots.add(reader.string())
        case 0:
            _read_dependency(reader, outline, client, clock)
        case other:
            raise reader.wrong(f"{other} says neither root nor nested parent")


def _read_dependency(reader: Reader, outline: Outline, client: int, clock: int) -> None:
    on, at = reader.uint(), reader.clock()
    if on == client and at >= clock:
        raise reader.wrong(f"edit {clock} of client {client} builds on its own future")
    if at >= outline.needs.get(on, 0):
        outline.needs[on] = at + 1


def _read_content(reader: Reader, kind: int) -> int:
    match kind:
        case 8:  # ANY
            count = reader.count(1)
            if count == 0:
                raise reader.wrong("empty JSON content")
            for _ in range(count):
                reader.any()
            return count
        case 4:  # STRING
            text = reader.string()
            if not text:
                raise reader.wrong("empty text content")
            return _utf16_length(text)
        case 7:  # TYPE
            type_ = reader.uint()
            if type_ not in (MAP_TYPE, TEXT_TYPE):
                name = TYPE_NAMES.get(type_, f"shared type {type_}")
                raise reader.wrong(f"{name} is not used in a canvas: only Y.Map and Y.Text are")
            return 1
        case 1:  # DELETED
            return reader.length()
        case _:
            what = REFUSED_KINDS.get(kind, f"unknown content kind {kind}")
            raise reader.wrong(f"{what} is not used in a canvas")


def _read_deletes(reader: Reader, outline: Outline) -> None:
    for _ in range(reader.count(3)):
        client = reader.client()
        if client in outline.deletes:
            raise reader.wrong(f"deletions of client {client} are listed twice")
        end = 0
        for _ in range(reader.count(2)):
            start = reader.clock()
            if start < end:
                raise reader.wrong("deleted ranges overlap or are out of order")
            end = start + reader.length()
            if end > MAX_CLOCK:
                raise reader.wrong(f"clock {end} is over the limit {MAX_CLOCK}")
        if end:
            outline.deletes[client] = end


def _utf16_length(text: str) -> int:
    """Return the length as JavaScript counts it, which is what clocks count."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le")) // 2
