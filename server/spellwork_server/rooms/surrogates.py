"""Keeps edits from cutting a character in two.

Yjs counts text in UTF-16 units, so a client can insert, or delete, between the
two units (surrogates) of a character such as an emoji. Yjs then replaces both
by U+FFFD. The CRDT library here keeps text as UTF-8 and cannot: it moves the
cut to the character's end, and from then on writes clocks that no client
shares (one less for each such cut), so that what was durable is a gap after
the next start. Such an edit must not reach it.

Documents without such characters cost one search of each update.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from .errors import UpdateInvalid
from .lib0 import Reader
from .update_parser import ANY, DELETED, GC, KIND, ORIGIN, PARENT_SUB, RIGHT_ORIGIN, SKIP, STRING

FOUR_BYTES = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
"""A character of two units, as UTF-8 writes it (or, seldom, bytes that look like one)."""

Place = tuple[int, int]
"""A client and one of its clocks."""

_NONE: AbstractSet[Place] = frozenset()


class _Struct(NamedTuple):
    client: int
    clock: int
    origin: Place | None
    right_origin: Place | None
    text: str


class Surrogates:
    """Where the characters of two units are in a document's texts."""

    def __init__(self, updates: Iterable[bytes] = ()) -> None:
        self._seconds: set[Place] = set()
        self._unread = [update for update in updates if FOUR_BYTES.search(update)]

    def add(self, seconds: Iterable[Place]) -> None:
        """Take over the second units of an update that is valid."""
        self._seconds.update(seconds)

    def seconds(self) -> set[Place]:
        """Return the place of each second unit."""
        unread, self._unread = self._unread, []
        for update in unread:  # only now: many documents are opened and not edited
            self._seconds.update(_seconds(update))
        return self._seconds

    def check(self, update: bytes, known: Mapping[int, int]) -> AbstractSet[Place]:
        """Return the second units that a valid update brings.

        Raises UpdateInvalid when it cuts a character that is known, or one of
        its own. ``known`` has each client's next clock.
        """
        seconds = self.seconds() if self._unread else self._seconds
        own = second_units(update)
        if not own and not seconds:
            return own
        # Of an edit that is known in part the CRDT takes the rest.
        cuts = [(client, known.get(client, 0)) for client, _ in own] if own else []
        for place in (*cuts, *_cuts(update)):
            if place in own or place in seconds:
                raise UpdateInvalid(
                    "The update cuts a character in two: a surrogate pair cannot be edited in part",
                    details={"client": place[0], "clock": place[1]},
                )
        return own


def second_units(update: bytes) -> AbstractSet[Place]:
    """Return the place of the second unit of each character of two units in a valid update."""
    return set(_seconds(update)) if FOUR_BYTES.search(update) else _NONE


def _seconds(update: bytes) -> Iterator[Place]:
    """Give the place of the second unit of each character of two units."""
    for struct in _structs(Reader(update)):
        clock = struct.clock
        if not struct.text.isascii():
            for character in struct.text:
                clock += 1
                if character > "\uffff":
                    yield struct.client, clock
                    clock += 1


def _cuts(update: bytes) -> Iterator[Place]:
    """Give each place before which the CRDT must cut a text to take the update."""
    reader = Reader(update)
    for struct in _structs(reader):
        if struct.origin is not None:
            client, clock = struct.origin
            yield client, clock + 1
        if struct.right_origin is not None:
            yield struct.right_origin
    for _ in range(reader.uint()):
        client = reader.uint()
        for _ in range(reader.uint()):
            start = reader.uint()
            yield client, start
            yield client, start + reader.uint()


def _structs(reader: Reader) -> Iterator[_Struct]:
    for _ in range(reader.uint()):
        count, client, clock = reader.uint(), reader.uint(), reader.uint()
        for _ in range(count):
            struct, length = _read_struct(reader, client, clock)
            yield struct
            clock += length


def _read_struct(reader: Reader, client: int, clock: int) -> tuple[_Struct, int]:
    info = reader.byte()
    kind = info & KIND
    if kind in (GC, SKIP):
        return _Struct(client, clock, None, None, ""), reader.uint()
    origin = _read_place(reader) if info & ORIGIN else None
    right_origin = _read_place(reader) if info & RIGHT_ORIGIN else None
    if origin is None and right_origin is None:
        if reader.uint() == 1:
            reader.string()
        else:
            _read_place(reader)
        if info & PARENT_SUB:
            reader.string()
    text, length = _read_content(reader, kind)
    return _Struct(client, clock, origin, right_origin, text), length


def _read_place(reader: Reader) -> Place:
    return reader.uint(), reader.uint()


def _read_content(reader: Reader, kind: int) -> tuple[str, int]:
    if kind == STRING:
        text = reader.string()
        return text, len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    if kind == ANY:
        count = reader.uint()
        for _ in range(count):
            reader.any()
        return "", count
    if kind == DELETED:
        return "", reader.uint()
    reader.uint()  # the kind of a shared type
    return "", 1
