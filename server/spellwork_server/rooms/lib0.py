"""Variable-length integers, texts and JSON values as lib0 writes them.

Format: https://github.com/dmonad/lib0 (``encoding.js``), which Yjs and
y-protocols are built on. (pycrdt's own Encoder counts characters where bytes
are meant, and its Decoder believes every length.)
"""

from __future__ import annotations

import struct
from math import isfinite

MAX_CLOCK = 2**31 - 1
"""Yrs keeps clocks in 32 bits."""

MAX_INTEGER = 2**53 - 1
"""JavaScript's largest safe integer; client ids travel as numbers."""

MAX_DEPTH = 64
"""Nesting of one JSON value."""


class Malformed(ValueError):
    """The bytes are not what they should be; ``at`` is the offset where that shows."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def write_uint(value: int) -> bytes:
    """Write an unsigned integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


def write_bytes(value: bytes) -> bytes:
    """Write bytes, or a text in UTF-8, after their length."""
    return write_uint(len(value)) + value


class Reader:
    """Reads lib0's encoding strictly. Raises Malformed, or IndexError where the bytes end too early.

    Most integers are one byte, and are read without a further call: reading is
    a good part of what an edit costs.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.at == len(self.data)

    def wrong(self, message: str) -> Malformed:
        """Return the error that names the present position."""
        return Malformed(message, self.at)

    def byte(self) -> int:
        """Read one byte."""
        value = self.data[self.at]
        self.at += 1
        return value

    def uint(self) -> int:
        """Read an unsigned integer of at most 53 bits, written as short as can be."""
        data, at = self.data, self.at
        value = data[at]
        at += 1
        if value > 0x7F:
            value &= 0x7F
            shift = 7
            while True:
                byte = data[at]
                at += 1
                value |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
                if shift > 49:
                    raise self.wrong("an integer of more than 53 bits")
            if byte == 0:
                raise self.wrong("an integer written longer than it needs to be")
            if value > MAX_INTEGER:
                raise self.wrong("an integer of more than 53 bits")
        self.at = at
        return value

    def count(self, least: int) -> int:
        """Read a count of things that take at least ``least`` bytes each."""
        value = self.data[self.at]
        if value < 0x80:
            self.at += 1
        else:
            value = self.uint()
        if value * least > len(self.data) - self.at:
            raise self.wrong(f"a count of {value} where fewer can follow")
        return value

    client = uint
    """Read a client id."""

    def clock(self) -> int:
        """Read a clock."""
        value = self.data[self.at]
        if value < 0x80:
            self.at += 1
            return value
        value = self.uint()
        if value > MAX_CLOCK:
            raise self.wrong(f"clock {value} is over the limit {MAX_CLOCK}")
        return value

    def length(self) -> int:
        """Read the length of a range, at least 1."""
        value = self.clock()
        if value == 0:
            raise self.wrong("an empty range")
        return value

    def string(self) -> str:
        """Read a text."""
        size = self.data[self.at]
        if size < 0x80:
            self.at += 1
        else:
            size = self.uint()
        end = self.at + size
        if end > len(self.data):
            raise self.wrong(f"a text of {size} bytes where fewer follow")
        try:
            text = self.data[self.at : end].decode()
        except UnicodeDecodeError as error:
            raise self.wrong("text that is not UTF-8") from error
        self.at = end
        return text

    def any(self, depth: int = 0) -> None:
        """Skip one JSON value, checking it."""
        if depth > MAX_DEPTH:
            raise self.wrong(f"a value nested more than {MAX_DEPTH} deep")
        tag = self.data[self.at]
        self.at += 1
        if tag == 119:
            self.string()
        elif tag in _NUMBERS:
            form, size = _NUMBERS[tag]
            self._finite(form, size)
        elif tag == 125:
            self.signed()
        elif tag in _WORDS:
            return
        elif tag == 118:
            for _ in range(self.count(2)):
                self.string()
                self.any(depth + 1)
        elif tag == 117:
            for _ in range(self.count(1)):
                self.any(depth + 1)
        else:
            what = _REFUSED_VALUES.get(tag, f"unknown value kind {tag}")
            raise self.wrong(f"{what}: values must be plain JSON")

    def signed(self) -> None:
        """Skip a signed integer; a greater one than JavaScript's would be stored as a BigInt."""
        byte = self.byte()
        value, bits = byte & 0x3F, 6
        while byte >= 0x80 and bits < 60:
            byte = self.byte()
            value |= (byte & 0x7F) << bits
            bits += 7
        if byte >= 0x80 or value > MAX_INTEGER:
            raise self.wrong("an integer of more than 53 bits")

    def _finite(self, form: struct.Struct, size: int) -> None:
        """Skip a number."""
        end = self.at + size
        if end > len(self.data):
            raise self.wrong("a number cut short")
        (value,) = form.unpack_from(self.data, self.at)
        if not isfinite(value):
            raise self.wrong(f"{value} is not a JSON number")
        self.at = end


_WORDS = frozenset({127, 126, 121, 120})
"""undefined, null, false, true."""

_NUMBERS = {124: (struct.Struct(">f"), 4), 123: (struct.Struct(">d"), 8)}
"""How numbers of 32 and 64 bits are written, and their bytes."""

_REFUSED_VALUES = {122: "a BigInt", 116: "bytes inside a value"}
