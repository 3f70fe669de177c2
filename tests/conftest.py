"""What every test shares: the event loop, and what happens when a part of the machine is missing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.parts import require
from tests.real_servers import PostgresServer, RedisServer, shared_postgres, shared_redis
from tests.seeds import FACTOR

# What `make test` finds it finds each time, on every machine; `make soak` looks elsewhere each time.
hypothesis.settings.register_profile("spellwork", derandomize=FACTOR == 1, deadline=None)
hypothesis.settings.load_profile("spellwork")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run async tests on asyncio's own loop; tests/server/conftest.py moves the server's to uvloop."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """Give a PostgreSQL that the tests of this process share; who stops it takes one of their own."""
    require("postgres")
    return shared_postgres()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the `database_url` of a PostgreSQL database of the test's own, with all tables and no rows."""
    name = postgres.migrated()
    yield postgres.url(name)
    postgres.give_back(name)


@pytest.fixture(scope="session")
def redis() -> RedisServer:
    """Give a Redis that the tests of this process share; who stops it takes one of their own."""
    require("redis")
    return shared_redis()


@pytest.fixture
def redis_url(redis: RedisServer) -> str:
    """Give the `redis_url` of an empty Redis."""
    redis.say("FLUSHALL")
    return redis.url


def pytest_collection_finish() -> None:
    """Let the collector pass by what stays to the end: the modules, and thousands of collected tests."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour `@pytest.mark.requires("chromium", ...)` before any fixture is made."""
    for mark in item.iter_markers("requires"):
        for part in mark.args:
            require(part)
