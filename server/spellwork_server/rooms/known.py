"""Tell whether an update brings anything that a document has not got.

A Yjs client that is asked for what the server lacks always answers, and when
there is nothing it still lists all deletions it knows. Somebody who may only
read may give that answer; so it is compared, and never applied.
"""

from __future__ import annotations

from bisect import bisect_right

from .lib0 import Reader
from .update_parser import parse_update

Ranges = dict[int, list[tuple[int, int]]]
"""Client -> the first clock and the clock after the last of each deleted range, in order."""


def brings_nothing(update: bytes, deletions: bytes) -> bool:
    """Tell whether ``update`` holds no edits, and only deletions that ``deletions`` has too.

    ``deletions`` is an update without edits, as a document gives it to
    somebody who knows all its edits. Raises UpdateInvalid where ``update`` is none.
    """
    parse_update(update)
    if update[0] != 0:
        return False
    known = _deleted(deletions)
    return all(
        _covers(known.get(client, []), start, end)
        for client, ranges in _deleted(update).items()
        for start, end in ranges
    )


def _deleted(update: bytes) -> Ranges:
    """Read the deletions of a valid update that holds no edits; neighbouring ranges become one."""
    reader = Reader(update)
    assert reader.uint() == 0, "an update without edits begins with a zero"
    deleted: Ranges = {}
    for _ in range(reader.uint()):
        ranges = deleted.setdefault(reader.uint(), [])
        for _ in range(reader.uint()):
            start = reader.uint()
            end = start + reader.uint()
            if ranges and ranges[-1][1] == start:
                start = ranges.pop()[0]
            ranges.append((start, end))
    return deleted


def _covers(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    at = bisect_right(ranges, start, key=lambda each: each[0]) - 1
    return at >= 0 and ranges[at][1] >= end
