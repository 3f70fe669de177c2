"""The JSON of large values: made once, in a thread, piece by piece, so that the event loop goes on.

An encoder written in C does not let others run until it is done, in whichever
thread. So a large value is cut into pieces that take a millisecond or so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from .errors import OutputTooDeep, OutputTooLarge
from .nesting import nests_deeper
from .values import DEPTH_LIMIT, hash_bytes, plain_bytes, to_json

LARGE = 10_000
"""What a value must weigh to be large: its items and fields, and its characters by the dozen, about."""

_PER_CHARACTER = 12

KEPT_BYTES = 64 * 1024 * 1024
"""JSON that is kept for those who need it next, for one run."""

_encoder = msgspec.json.Encoder()

_thread = ThreadPoolExecutor(1, thread_name_prefix="spellwork-encode")
"""One, for all: threads that encode take turns with the event loop, and several would take its turns, too."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A value as JSON, and the hash of that. ``plain``: JSON gives the value back unchanged.

    ``form`` is the value as plain JSON values; it is there where ``body`` is large.
    """

    body: bytes
    hash: str
    plain: bool = True
    form: Any = None

    @property
    def size(self) -> int:
        """Bytes of the JSON."""
        return len(self.body)


def is_large(value: Any) -> bool:
    """Say whether to encode a value would take long; looks at no more of it than that takes."""
    return weight(value, LARGE) >= LARGE


def weight(value: Any, budget: int) -> int:
    """Return how much there is of a value; ``budget`` or more when that is reached."""
    kind = type(value)
    if kind is str or kind is bytes or kind is bytearray:
        return 1 + len(value) // _PER_CHARACTER
    if kind is list or kind is tuple or kind is set or kind is frozenset:
        parts: Iterable[Any] = value
    elif kind is dict:
        parts = value.values()
    else:
        return 1 + int(getattr(value, "nbytes", 0) or 0) // _PER_CHARACTER
    if len(value) >= budget:
        return len(value)
    total = 1
    for part in parts:
        kind = type(part)
        total += 1 if kind is int or kind is float else weight(part, budget - total)
        if total >= budget:
            break
    return total


class _NotPlain(Exception):
    """JSON would give something else back."""


def _plain_weight(value: Any, budget: int) -> int:
    """Return what ``weight`` does; raises _NotPlain where it meets what JSON would not give back unchanged.

    To decode the JSON again and to compare would say so, too, and make all of the value a second time.
    """
    kind = type(value)
    if kind is int or kind is bool or value is None:
        return 1
    if kind is str:
        return 1 + len(value) // _PER_CHARACTER
    if kind is float:
        if value - value != 0:  # NaN and infinities
            raise _NotPlain
        return 1
    if kind is list:
        if len(value) >= budget:
            return budget
        parts: Iterable[Any] = value
    elif kind is dict:
        if len(value) >= budget:
            return budget
        if not all(type(name) is str for name in value):
            raise _NotPlain
        parts = value.values()
    else:
        raise _NotPlain
    total = 1
    for part in parts:
        total += 1 if type(part) is int else _plain_weight(part, budget - total)
        if total >= budget:
            break
    return total


class _Pieces:
    """Writes one value down. Not for small ones: each takes a walk and a call of the encoder."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, value: Any, depth: int) -> None:
        """Append the JSON of a value that is ``depth`` deep in the whole."""
        if depth > DEPTH_LIMIT:
            raise OutputTooDeep(DEPTH_LIMIT)
        if _plain_weight(value, LARGE) < LARGE:
            self._put(self._encoded(value, depth))
        elif type(value) is list:
            self._write_parts(b"[", self._lists(value, depth), b"]")
        elif type(value) is dict:
            self._write_parts(b"{", self._objects(value, depth), b"}")
        else:
            self._put(self._encoded(value, depth))

    def _put(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def _write_parts(self, opening: bytes, parts: Iterator[bytes | None], closing: bytes) -> None:
        self._put(opening)
        begun = False
        for piece in parts:
            if piece is None:  # a large part, whose comma comes before it
                begun = True
                continue
            if begun:
                self._put(b",")
            begun = True
            self._put(piece)
        self._put(closing)

    def _lists(self, value: list[Any], depth: int) -> Iterator[bytes | None]:
        batch: list[Any] = []
        weight = 0
        first = True
        for item in value:
            added = _plain_weight(item, LARGE)
            if batch and (weight + added > LARGE or added >= LARGE):
                yield self._encoded(batch, depth)[1:-1]
                first = False
                batch, weight = [], 0
            if added >= LARGE:
                if not first:
                    self._put(b",")
                first = False
                self.write(item, depth + 1)
                yield None
            else:
                batch.append(item)
                weight += added
        if batch:
            yield self._encoded(batch, depth)[1:-1]

    def _objects(self, value: dict[Any, Any], depth: int) -> Iterator[bytes | None]:
        batch: dict[Any, Any] = {}
        weight = 0
        first = True
        for name, item in value.items():
            if type(name) is not str:
                raise _NotPlain
            added = _plain_weight(item, LARGE) + len(name) // _PER_CHARACTER
            if batch and (weight + added > LARGE or added >= LARGE):
                yield self._encoded(batch, depth)[1:-1]
                first = False
                batch, weight = {}, 0
            if added >= LARGE:
                if not first:
                    self._put(b",")
                first = False
                self._put(_encoder.encode(name) + b":")
                self.write(item, depth + 1)
                yield None
            else:
                batch[name] = item
                weight += added
        if batch:
            yield self._encoded(batch, depth)[1:-1]

    def _encoded(self, value: Any, depth: int) -> bytes:
        try:
            piece = _encoder.encode(value)
        except RecursionError as error:
            raise OutputTooDeep(DEPTH_LIMIT) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise _NotPlain from error
        if nests_deeper(piece, DEPTH_LIMIT - depth):
            raise OutputTooDeep(DEPTH_LIMIT)
        return piece


def encode_in_pieces(value: Any) -> Encoded:
    """Return the JSON of a large value: the same as in one piece. Meant for a thread.

    Raises:
        OutputTooDeep: where it nests more than DEPTH_LIMIT deep.
    """
    try:
        writer = _Pieces()
        writer.write(value, 0)
        plain, form = True, value
    except _NotPlain:
        form, plain = to_json(value), False
        writer = _Pieces()
        writer.write(form, 0)
    body = b"".join(writer.pieces)
    return Encoded(body, hash_bytes(body), plain, form)


class Encodings:
    """The JSON of the values that a run came by of late, by the values themselves: large ones, and small ones of a moment."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Any, Encoded]] = OrderedDict()
        self._size = 0
        self._moment: dict[int, tuple[Any, Encoded]] = {}

    def of(self, value: Any) -> Encoded | None:
        """Return the JSON of this very object, where it was made."""
        known = self._moment.get(id(value))
        if known is None and self._known:
            known = self._known.get(id(value))
        return known[1] if known is not None and known[0] is value else None

    def small(self, value: Any) -> Encoded | None:
        """Return the JSON of a value that JSON gives back unchanged, else None.

        Made once for all who ask until ``end_moment``, before which nobody else may come to change the value.
        """
        known = self.of(value)
        if known is not None:
            return known if known.plain else None
        body = plain_bytes(value)
        if body is None:
            return None
        encoded = Encoded(body, hash_bytes(body))
        self._moment[id(value)] = (value, encoded)
        return encoded

    def end_moment(self) -> None:
        """Forget what was made of small values: others may change them from here on."""
        self._moment.clear()

    async def make(self, value: Any, limit: int | None = None, port: str | None = None) -> Encoded:
        """Encode a value in a thread, and keep that.

        Raises:
            OutputTooLarge: for more than ``limit`` bytes.
            OutputTooDeep: where it nests too deep.
        """
        known = self.of(value)
        if known is not None:
            return known
        try:
            encoded = await asyncio.get_running_loop().run_in_executor(
                _thread, encode_in_pieces, value
            )
        except OutputTooDeep as error:
            raise OutputTooDeep(DEPTH_LIMIT, port) from error
        except RuntimeError:  # another node changed it meanwhile: here nobody does
            encoded = encode_in_pieces(value)
        if limit is not None and encoded.size > limit:
            raise OutputTooLarge(encoded.size, limit, port)
        self._keep(value, encoded)
        return encoded

    def _keep(self, value: Any, encoded: Encoded) -> None:
        self._known[id(value)] = (value, encoded)
        self._size += encoded.size
        while self._size > KEPT_BYTES and len(self._known) > 1:
            _, (_, oldest) = self._known.popitem(last=False)
            self._size -= oldest.size

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._moment.clear()
        self._size = 0
