"""Outputs kept across runs and restarts: memory in front, the database behind.

What the database knows is known here too, by the first half of each key's
hash, so a key that was never kept costs no read. Two keys that share that
half cost one read too many, and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from spellwork import CachedOutputs, MemoryCache
from spellwork.node_type import CachePolicy
from spellwork.values import canonical_bytes, hash_bytes
from spellwork_server.errors import ServerError
from spellwork_server.storage.cache import CacheRow, CacheStore
from spellwork_server.storage.group_commit import GroupCommit

WAITING_BYTES = 32 * 1024 * 1024
"""Bytes that may wait to be written; beyond that the cache forgets rather than fill the memory."""

logger = logging.getLogger(__name__)


class ServerCache:
    """A ``spellwork.OutputCache`` for one user; ``SharedCache.of`` makes it.

    The engine's keys already hold the user where the policy is ``private``.
    """

    def __init__(self, shared: SharedCache, user: str) -> None:
        self._shared = shared
        self._user = user

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys."""
        return await self._shared.get_many(keys)

    def put(self, key: str, outputs: CachedOutputs, policy: CachePolicy, ttl: float | None) -> None:
        """Keep outputs, and return at once."""
        self._shared.put(key, outputs, policy, ttl, self._user)


class SharedCache:
    """The cache of the whole server, as an async context manager that reads the known keys first."""

    def __init__(self, store: CacheStore, commits: GroupCommit, memory_bytes: int) -> None:
        self._store = store
        self._commits = commits
        self._memory = MemoryCache(memory_bytes)
        self._known: set[int] = set()
        self._waiting: dict[str, CachedOutputs] = {}
        self._waiting_bytes = 0
        self.hits = 0
        self.misses = 0

    async def __aenter__(self) -> Self:
        self._known = {_half(key) for key in await self._store.keys()}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._memory.clear()

    def of(self, user: str) -> ServerCache:
        """Return the cache as the runs of one user see it."""
        return ServerCache(self, user)

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys; a store that fails knows nothing."""
        found = await self._memory.get_many(keys)
        for key in keys:
            if key not in found and key in self._waiting:
                found[key] = self._waiting[key]
        rest = [key for key in keys if key not in found and _half(key) in self._known]
        if rest:
            found |= await self._read(rest)
        self.hits += len(found)
        self.misses += len(keys) - len(found)
        return found

    async def _read(self, keys: list[str]) -> dict[str, CachedOutputs]:
        try:
            rows = await self._store.get_many(keys, time.time())
        except ServerError as error:
            logger.warning("the cache could not be read: %s", error.message)
            return {}
        found: dict[str, CachedOutputs] = {}
        for row, bodies in rows:
            outputs = {port: msgspec.json.decode(bodies[key]) for port, key in row.outputs.items()}
            found[row.key] = cached = CachedOutputs(outputs, tuple(row.skipped))
            left = None if row.expires_at is None else row.expires_at - time.time()
            self._memory.put(row.key, cached, row.policy, left)
        return found

    def put(
        self, key: str, outputs: CachedOutputs, policy: CachePolicy, ttl: float | None, user: str
    ) -> None:
        """Keep outputs in memory now and in the database soon."""
        self._memory.put(key, outputs, policy, ttl)
        bodies = {port: canonical_bytes(value) for port, value in outputs.outputs.items()}
        size = sum(map(len, bodies.values()))
        if self._waiting_bytes + size > WAITING_BYTES:
            return
        now = time.time()
        row = CacheRow(
            key=key,
            user_id=user,
            type="",
            outputs={port: hash_bytes(body) for port, body in bodies.items()},
            skipped=list(outputs.skipped),
            policy=policy,
            created_at=now,
            expires_at=None if ttl is None else now + ttl,
        )
        self._waiting[key] = outputs
        self._waiting_bytes += size
        try:
            written = self._commits.submit(self._store.writing(row, bodies))
        except ServerError:
            self._note_written(key, size)
            return
        written.add_done_callback(lambda done: self._note_written(key, size, done.exception()))

    def _note_written(self, key: str, size: int, error: BaseException | None = None) -> None:
        self._waiting.pop(key, None)
        self._waiting_bytes -= size
        if error is None:
            self._known.add(_half(key))
        else:
            logger.warning("outputs could not be kept in the cache: %s", error)

    async def clear(self, user: str | None) -> int:
        """Forget what a user's runs kept, or everything for None; return how many entries that were."""
        self._memory.clear()
        return await self._commits.submit(self._store.clearing(user))


def _half(key: str) -> int:
    return int(key[:16], 16)
