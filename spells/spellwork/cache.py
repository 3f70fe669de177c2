"""Outputs kept by what they were made from."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from .node_type import CachePolicy
from .values import json_size


class CachedOutputs(msgspec.Struct, frozen=True, gc=False):
    """The outputs of one node call. ``outputs`` is {port: plain JSON value}; skipped ports are in ``skipped``.

    ``seconds`` is what the call took, where that is all that they cost: the function
    was called where the run is, and waited for nobody.
    """

    outputs: dict[str, Any]
    skipped: tuple[str, ...] = ()
    seconds: float | None = None


class OutputCache(Protocol):
    """Keeps outputs by content key. Only plain JSON values are ever put in.

    A cache may forget at any time. Whoever gets a value must not change it.
    """

    @property
    def scope(self) -> str:
        """Goes into every key: what is kept in one scope is not found in another."""
        ...

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys; expired and unknown ones are left out."""
        ...

    def put(self, key: str, outputs: CachedOutputs, policy: CachePolicy, ttl: float | None) -> None:
        """Keep outputs under a key and return at once; writing may happen later. ``ttl`` is seconds."""
        ...


class MemoryCache:
    """An OutputCache in this process: the least recently used go first when ``max_bytes`` is passed."""

    scope = ""

    def __init__(self, max_bytes: int = 256 * 1024 * 1024) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._entries: OrderedDict[str, tuple[CachedOutputs, int, float | None]] = OrderedDict()

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys."""
        found = {}
        for key in keys:
            entry = self._entries.get(key)
            if entry is None:
                continue
            if entry[2] is not None and entry[2] <= time.monotonic():
                self._drop(key)
                continue
            self._entries.move_to_end(key)
            found[key] = entry[0]
        return found

    def put(self, key: str, outputs: CachedOutputs, policy: CachePolicy, ttl: float | None) -> None:
        """Keep outputs under a key; what is larger than the whole cache is not kept."""
        size = json_size(outputs.outputs)
        self._drop(key)
        if size > self.max_bytes:
            return
        self._entries[key] = (outputs, size, None if ttl is None else time.monotonic() + ttl)
        self.size += size
        while self.size > self.max_bytes:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry[1]
