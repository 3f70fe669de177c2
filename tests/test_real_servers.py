"""The servers that tests start are real, and are each test's own for as long as it runs."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from tests.real_servers import PostgresServer, RedisServer

pytestmark = pytest.mark.requires("postgres", "redis")


def test_a_database_has_all_tables_and_ends_with_its_test(
    postgres: PostgresServer, postgres_url: str
) -> None:
    name = str(make_url(postgres_url).database)
    assert postgres.query("SELECT count(*) FROM runs", name) == [(0,)]
    other = postgres.migrated()
    postgres.query("INSERT INTO streams VALUES ('a', 1)", other)
    assert postgres.query("SELECT * FROM streams", name) == []
    postgres.drop(other)
    assert not postgres.has(other)


def test_a_killed_server_starts_again_with_what_it_had() -> None:
    with PostgresServer() as server:
        name = server.empty()
        server.query("CREATE TABLE kept (id integer)", name)
        server.kill()
        assert not server.answers()
        server.start()
        assert server.query("SELECT * FROM kept", name) == []
    with RedisServer() as redis:
        redis.say("SET key value")
        redis.kill()
        redis.start()
        assert redis.say("GET key") == b"$5\r\nvalue\r\n"


def test_redis_is_empty(redis: RedisServer, redis_url: str) -> None:
    assert redis.say("DBSIZE") == b":0\r\n"
