"""A queue with one reader, made for being empty: thousands of sockets each have two.

An ``asyncio.Queue`` takes 3 KiB while nothing is in it (three deques, and an
event with a fourth); this one 150 bytes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """Things in the order they came, for one reader at a time."""

    __slots__ = ("_handed", "_items", "_reader")

    def __init__(self) -> None:
        self._items: deque[T] | None = None
        self._reader: asyncio.Future[T] | None = None
        self._handed = False

    def empty(self) -> bool:
        """Tell whether nothing waits, not even what the reader was given and did not come back from yet."""
        return self._items is None and not self._handed

    def qsize(self) -> int:
        """Return how many wait."""
        return 0 if self._items is None else len(self._items)

    def put_nowait(self, item: T) -> None:
        """Put one at the end, or into the reader's hand."""
        reader = self._reader
        if reader is not None:
            self._reader = None
            if not reader.done():
                reader.set_result(item)
                self._handed = True
                return
        if self._items is None:
            self._items = deque()
        self._items.append(item)

    def get_nowait(self) -> T:
        """Take the first; raise asyncio.QueueEmpty when there is none."""
        items = self._items
        if items is None:
            raise asyncio.QueueEmpty
        item = items.popleft()
        if not items:
            self._items = None
        return item

    def get(self) -> asyncio.Future[T]:
        """Return what gives the first, now or as soon as there is one. A future, so that waiting takes no task."""
        given: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._handed = False
        if self._items is None:
            self._reader = given
        else:
            given.set_result(self.get_nowait())
        return given
