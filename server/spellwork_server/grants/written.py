"""Text as it is meant, where addresses, JSON or HTML write some of its characters otherwise."""

from __future__ import annotations

import html
import re
from array import array
from bisect import bisect_right

_ESCAPE = re.compile(
    rb"%([0-9a-fA-F]{2})"
    rb"|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u([0-9a-fA-F]{4})"
    rb"|\\([\"\\/bfnrt])"
    rb"|(&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|amp|lt|gt|quot|apos);)"
)
_SHORT = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True))


class Unescaped:
    """Bytes with each escape put as what it stands for, and where in the ``original`` they are from."""

    def __init__(self, original: bytes) -> None:
        parts: list[bytes] = []
        self._from, self._to = array("Q"), array("Q")
        """Where each escape begins and ends in the original."""
        self._begin, self._end = array("Q"), array("Q")
        """Where what it stands for does here."""
        taken = size = 0
        for match in _ESCAPE.finditer(original):
            meant = _meant(match)
            parts += (original[taken : match.start()], meant)
            begin = size + match.start() - taken
            taken, size = match.end(), begin + len(meant)
            self._from.append(match.start())
            self._to.append(taken)
            self._begin.append(begin)
            self._end.append(size)
        self.content = b"".join([*parts, original[taken:]]) if parts else original

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the original that ``start`` to ``end`` is from; escapes count whole."""
        return self._origin(start)[0], self._origin(end - 1)[1]

    def _origin(self, at: int) -> tuple[int, int]:
        place = bisect_right(self._begin, at) - 1
        if place < 0:
            return at, at + 1
        if at < self._end[place]:
            return self._from[place], self._to[place]
        first = self._to[place] + at - self._end[place]
        return first, first + 1


def _meant(match: re.Match[bytes]) -> bytes:
    byte, high, low, unit, short, entity = match.groups()
    if byte is not None:
        return bytes((int(byte, 16),))
    if high is not None:
        pair = (int(high, 16) - 0xD800 << 10) + int(low, 16) - 0xDC00 + 0x10000
        return chr(pair).encode()
    if unit is not None:
        return chr(int(unit, 16)).encode("utf-8", "surrogatepass")
    if short is not None:
        return bytes((_SHORT[short[0]],))
    return html.unescape(entity.decode()).encode("utf-8", "surrogatepass")
