"""Outputs kept across runs and restarts: memory in front, the database behind.

What the database knows is known here too, by Python's own hash of each key,
so a key that was never kept costs no read. Two keys that share that cost one
read too many, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from spellwork import CachedOutputs
from spellwork.encoding import Encoded, Encodings
from spellwork.node_type import CachePolicy
from spellwork.values import hash_bytes, json_size
from spellwork_server.errors import ServerError
from spellwork_server.storage.cache import CacheRow, CacheStore
from spellwork_server.storage.group_commit import GroupCommit

WAITING_BYTES = 32 * 1024 * 1024
"""Bytes that may wait to be written; beyond that the cache forgets rather than fill the memory."""

QUICK = 0.001
"""Seconds that a node takes whose outputs are kept in memory alone: to make them again costs less than to read them."""

ENTRY_BYTES = 768
"""Memory that outputs take beside their JSON, about: most of it where they are numbers."""

DELAY = 0.25
"""Seconds that outputs wait to be written together: a run's own events go first."""

_encoder = msgspec.json.Encoder()
"""Writes what ``spellwork.values.json_bytes`` does, for values that are plain JSON already."""

logger = logging.getLogger(__name__)


class _Waiting(msgspec.Struct, eq=False, gc=False):
    outputs: CachedOutputs
    row: CacheRow
    values: dict[str, bytes]
    size: int
    writing: bool = False


class ServerCache:
    """A ``spellwork.OutputCache`` for the runs of one stream; ``SharedCache.of`` makes it.

    What a run left is found again by those who could have read it there, and by
    nobody else. Were it found by content alone, whoever guesses an input could
    see that somebody ran it; and code that left its worker changed (``sum =
    ...`` in ``builtins``) would decide what others get for the code they share.
    So the stream is the ``scope`` of the engine's keys; the user is in them where the policy is ``private``.
    """

    def __init__(
        self, shared: SharedCache, user: str, stream: str, encodings: Encodings | None = None
    ) -> None:
        self._encodings = encodings or Encodings()
        self._shared = shared
        self._user = user
        self.scope = stream

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys."""
        return await self._shared.get_many(keys)

    def put(self, key: str, outputs: CachedOutputs, policy: CachePolicy, ttl: float | None) -> None:
        """Keep outputs, and return at once."""
        known = self._encodings.of
        if outputs.seconds is not None and outputs.seconds < QUICK:
            size = 0
            for value in outputs.outputs.values():
                encoded = known(value)
                size += json_size(value) if encoded is None else len(encoded.body)
            self._shared.remember(key, outputs, size, ttl)
        else:
            bodies = {port: known(value) for port, value in outputs.outputs.items()}
            self._shared.put(key, outputs, policy, ttl, self._user, bodies)


class Recent:
    """Outputs used lately: the least recently used go when ``max_bytes`` is passed.

    ``spellwork.MemoryCache`` does the same for whoever does not know the size already.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._size = 0
        self._entries: OrderedDict[str, tuple[CachedOutputs, int, float | None]] = OrderedDict()

    def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys and has not expired."""
        found: dict[str, CachedOutputs] = {}
        for key in keys:
            entry = self._entries.get(key)
            if entry is None:
                continue
            if entry[2] is not None and entry[2] <= time.time():
                self._drop(key)
            else:
                self._entries.move_to_end(key)
                found[key] = entry[0]
        return found

    def put(self, key: str, outputs: CachedOutputs, size: int, expires_at: float | None) -> None:
        """Keep outputs, whose JSON is so large; what is larger than the whole is not kept."""
        if key in self._entries:
            self._drop(key)
        size += ENTRY_BYTES
        if size <= self._max:
            self._entries[key] = (outputs, size, expires_at)
            self._size += size
        while self._size > self._max:
            self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._size = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry[1]


class SharedCache:
    """The cache of the whole server, as an async context manager that reads the known keys first."""

    def __init__(self, store: CacheStore, commits: GroupCommit, memory_bytes: int) -> None:
        self._store = store
        self._commits = commits
        self._memory = Recent(memory_bytes)
        self._known: set[int] = set()
        self._waiting: dict[str, _Waiting] = {}
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self.hits = 0
        self.misses = 0

    async def __aenter__(self) -> Self:
        self._known = {hash(key) for key in await self._store.keys()}
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits; the group commit that is left after this one sees it through."""
        if self._timer is not None:
            self._timer.cancel()
        self._write()
        self._memory.clear()

    def of(self, user: str, stream: str, encodings: Encodings | None = None) -> ServerCache:
        """Return the cache as the runs of a stream see it; what they keep is the user's.

        ``encodings`` has the JSON of large values that these runs made already.
        """
        return ServerCache(self, user, stream, encodings)

    async def get_many(self, keys: Sequence[str]) -> dict[str, CachedOutputs]:
        """Return what is known of these keys; a store that fails knows nothing."""
        found = self._memory.get_many(keys)
        if self._waiting:
            for key in keys:
                if key not in found and key in self._waiting:
                    found[key] = self._waiting[key].outputs
        rest = [key for key in keys if key not in found and hash(key) in self._known]
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
            size = sum(len(bodies[key]) for key in row.outputs.values())
            self._memory.put(row.key, cached, size, row.expires_at)
        return found

    def remember(self, key: str, outputs: CachedOutputs, size: int, ttl: float | None) -> None:
        """Keep outputs, whose JSON has so many bytes, in memory; ``ttl`` is seconds."""
        self._memory.put(key, outputs, size, None if ttl is None else time.time() + ttl)

    def put(
        self,
        key: str,
        outputs: CachedOutputs,
        policy: CachePolicy,
        ttl: float | None,
        user: str,
        encoded: Mapping[str, Encoded | None],
    ) -> None:
        """Keep outputs in memory now and in the database soon; ``encoded`` has the JSON that is there already."""
        hashes: dict[str, str] = {}
        values: dict[str, bytes] = {}
        size = 0
        for port, known in encoded.items():
            body = known.body if known is not None else _encoder.encode(outputs.outputs[port])
            hashes[port] = hash_ = known.hash if known is not None else hash_bytes(body)
            values[hash_] = body
            size += len(body)
        now = time.time()
        expires_at = None if ttl is None else now + ttl
        self._memory.put(key, outputs, size, expires_at)
        if self._waiting_bytes + size > WAITING_BYTES:
            return
        row = CacheRow(key, user, "", hashes, list(outputs.skipped), policy, now, expires_at)
        older = self._waiting.get(key)
        if older is not None and not older.writing:
            self._waiting_bytes -= older.size
        self._waiting[key] = _Waiting(outputs, row, values, size)
        self._waiting_bytes += size
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._write)

    def _write(self) -> None:
        """Hand what waits to the database, in one piece."""
        self._timer = None
        batch = {key: each for key, each in self._waiting.items() if not each.writing}
        if not batch:
            return
        for each in batch.values():
            each.writing = True
        try:
            job = self._store.writing([(each.row, each.values) for each in batch.values()])
            self._commits.submit(job).add_done_callback(
                lambda done: self._note_written(batch, done.exception())
            )
        except ServerError as error:
            self._note_written(batch, error)

    def _note_written(self, batch: dict[str, _Waiting], error: BaseException | None) -> None:
        for key, each in batch.items():
            self._waiting_bytes -= each.size
            if self._waiting.get(key) is each:
                del self._waiting[key]
            if error is None:
                self._known.add(hash(key))
        if error is not None:
            logger.warning("outputs could not be kept in the cache: %s", error)

    async def clear(self, user: str | None) -> int:
        """Forget what a user's runs kept, or everything for None; return how many entries that were."""
        self._memory.clear()
        return await self._commits.submit(self._store.clearing(user))
