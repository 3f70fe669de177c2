"""The values that stay in this process, by number, and which of them go when they are too many."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from .values import name_of

PLAIN = 4 * 1024 * 1024
"""Bytes, about, up to which plain values go to the server as they are, and so outlive this process."""

SMALL = 64 * 1024
"""Bytes, about, up to which the plain form of another value goes along."""

_SAMPLE = 100
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1


class NotPlain(Exception):
    """JSON would not give the value back as it is."""


class Gone(KeyError):
    """The process holds no value of this number any more."""


class Store:
    """Values by number. When they take more than ``budget`` bytes, about, the oldest go first."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._values: dict[int, tuple[Any, int]] = {}
        self._size = 0
        self._last = 0
        self.let: list[int] = []
        """What went to make room, and was not yet told."""

    def keep(self, value: Any, size: int) -> int:
        """Keep a value and return its number; older ones may go for it."""
        self._last += 1
        self._values[self._last] = (value, size)
        self._size += size
        if self._size > self._budget:
            self._make_room()
        return self._last

    def get(self, number: int) -> Any:
        """Return a value; raises Gone."""
        try:
            return self._values[number][0]
        except KeyError:
            raise Gone(number) from None

    def drop(self, numbers: Iterable[int]) -> None:
        """Let go of values that nobody needs any more."""
        for number in numbers:
            value = self._values.pop(number, None)
            if value is not None:
                self._size -= value[1]

    def __len__(self) -> int:
        return len(self._values)

    @property
    def size(self) -> int:
        """Bytes of all of them, about; an object that is kept twice counts twice."""
        return self._size

    def _make_room(self) -> None:
        """Let the oldest go, never the newest. An object under several numbers takes its room once."""
        unique = {id(value): size for value, size in self._values.values()}
        room = sum(unique.values())
        holders: dict[int, int] = {}
        for value, _ in self._values.values():
            holders[id(value)] = holders.get(id(value), 0) + 1
        for number in list(self._values)[:-1]:
            if room <= self._budget:
                break
            value, size = self._values[number]
            holders[id(value)] -= 1
            if not holders[id(value)]:
                room -= size
            self.drop([number])
            self.let.append(number)


def plain_size(value: Any, budget: int = PLAIN) -> int:
    """Return the bytes of plain JSON values, about; more than ``budget`` as soon as that is passed.

    Raises:
        NotPlain: JSON would not give it back as it is.
    """
    kind = type(value)
    if kind is str:
        return len(value) + 2
    if kind is int:
        if not _INT_MIN <= value <= _INT_MAX:
            raise NotPlain
        return 8
    if kind is float:
        if value - value != 0:  # NaN and infinities
            raise NotPlain
        return 8
    if value is None or kind is bool:
        return 5
    if kind is dict:
        return _object_size(value, budget)
    if kind is list:
        total = 2
        for item in value:
            total += plain_size(item, budget - total)
            if total > budget:
                break
        return total
    raise NotPlain


def _object_size(value: dict[Any, Any], budget: int) -> int:
    total = 2
    for key, item in value.items():
        if type(key) is not str:
            raise NotPlain
        total += len(key) + 3 + plain_size(item, budget - total)
        if total > budget:
            break
    return total


def size_of(value: Any, depth: int = 3) -> int:
    """Return how much memory a value takes, about. Libraries are asked by what their objects offer."""
    try:
        for name, call in (("nbytes", False), ("memory_usage", True), ("estimated_size", True)):
            found = getattr(value, name, None)
            if found is None:
                continue
            if call:
                found = found()
                found = found.sum() if hasattr(found, "sum") else found
            return int(found)
    except Exception:  # noqa: BLE001 - a foreign object's own methods may do anything
        return sys.getsizeof(value, 64)
    if depth and isinstance(value, (list, tuple, set, frozenset, dict)):
        return _container_size(value, depth)
    picture = getattr(value, "size", None)
    if isinstance(picture, tuple) and len(picture) == 2 and hasattr(value, "getbands"):
        return int(picture[0]) * int(picture[1]) * len(value.getbands())
    return sys.getsizeof(value, 64)


def _container_size(value: Any, depth: int) -> int:
    """Return the size by a sample of the items."""
    count = len(value)
    items = value.items() if isinstance(value, dict) else value
    sample = [item for item, _ in zip(items, range(_SAMPLE), strict=False)]
    inner = sum(size_of(item, depth - 1) for item in sample)
    return sys.getsizeof(value) + (inner * count // len(sample) if sample else 0)


def kind_of(value: Any) -> str:
    """Return the name of a value's type as its author knows it: "pandas.DataFrame"."""
    name = name_of(value)
    head, _, _ = name.partition(".")
    return f"{head}.{name.rpartition('.')[2]}" if "." in name else name
