"""Who is told what happens in runs: other processes by the doorbell, subscribers by the outbox."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from spellwork_server.assembly.stores import Stores
from spellwork_server.outbox import Outbox
from spellwork_server.runs.doorbell import Doorbell
from spellwork_server.runs.journal import Journal
from spellwork_server.settings import Settings
from spellwork_server.sockets.relay import Relay


@dataclass(frozen=True, slots=True)
class Telling:
    """What tells; ``parts`` are entered in this order."""

    doorbell: Doorbell
    outbox: Outbox
    parts: tuple[AbstractAsyncContextManager[Any], ...]


def make_telling(settings: Settings, stores: Stores, journal: Journal, relay: Relay) -> Telling:
    """Put together what tells of runs. Nothing is connected yet."""
    doorbell = Doorbell(stores.database, stores.journal, journal, relay)
    outbox = Outbox(stores.outbox, stores.journal, journal, stores.commits)
    if settings.redis_url is None:
        return Telling(doorbell, outbox, (relay, doorbell, outbox))
    # Redis' client takes a fifth of a second to import, and few servers have one.
    from spellwork_server.outbox.redis_stream import SUBSCRIBER, RedisStream  # noqa: PLC0415

    redis = RedisStream(
        settings.redis_url.get_secret_value(),
        settings.redis_stream,
        settings.redis_events_kept,
        settings.url,
    )
    outbox.subscribe(SUBSCRIBER, redis.deliver)
    return Telling(doorbell, outbox, (redis, relay, doorbell, outbox))
