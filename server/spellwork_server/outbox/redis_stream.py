"""Redis as a subscriber: events go to one Redis stream, each once.

One script adds a batch. It knows the number of the last event that it added of
each of our streams, so what comes again (an answer was lost, or two processes
tell the same) is left out, and the order within a stream is kept whoever tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from .told import ToldEvent

SUBSCRIBER = "redis"

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0

ADD = """
local added = 0
for at = 2, #ARGV, 5 do
  local last = tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or '0')
  if tonumber(ARGV[at + 1]) > last then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'stream', ARGV[at], 'seq', ARGV[at + 1],
      'type', ARGV[at + 2], 'run', ARGV[at + 3], 'event', ARGV[at + 4])
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
    added = added + 1
  end
end
return added
"""
"""KEYS: the stream, and the hash of the last numbers. ARGV: MAXLEN, then stream, seq, type, run and envelope of each."""


class RedisStream:
    """Adds events to the Redis stream ``key``, which keeps about ``most`` of them. A context manager."""

    def __init__(self, url: str, key: str, most: int, source: str) -> None:
        self._key = key
        self._most = most
        self._source = source
        self._redis: Redis = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),  # the pump tries again
        )
        self._add = self._redis.register_script(ADD)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._redis.aclose()

    async def deliver(self, events: Sequence[ToldEvent]) -> None:
        """Add events of one stream, in order. Raises redis.RedisError and OSError."""
        arguments: list[Any] = [self._most]
        for each in events:
            envelope = each.envelope(self._source)
            arguments += [each.stream, each.seq, each.kind, each.run, envelope]
        await self._add(keys=[self._key, f"{self._key}:last"], args=arguments)
