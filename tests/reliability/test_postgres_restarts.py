"""RELIABILITY R8 on PostgreSQL: a database that stops or dies under the server loses nothing that was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_servers import PostgresServer, RedisServer
from tests.server_process import ServerProcess

from .served import LIGHT, Served
from .test_store_fails import mend, restarted, store, told
from .typist import Typist

pytestmark = [pytest.mark.anyio, pytest.mark.requires("postgres", "redis")]

SPELL = {
    "nodes": {
        "name": {"type": "core.text", "inputs": {"text": "Ada"}},
        "greeting": {"type": "core.template", "inputs": {"template": "Hello {name}!"}},
    },
    "edges": {
        "e": {"source": "name", "output": "text", "target": "greeting", "input": "name"},
    },
}


@contextmanager
def on_postgres(
    postgres: PostgresServer, redis: RedisServer, folder: Path
) -> Iterator[tuple[Served, httpx.Client]]:
    """Serve an empty database, and what is told of it; sign in with a password."""
    url = {"SPELLWORK_DATABASE_URL": postgres.url(postgres.empty())}
    environment = LIGHT | url | {"SPELLWORK_REDIS_URL": redis.url}
    with ServerProcess(folder / "data", environment=environment) as process:
        process.add_user("ada@example.org", "correct horse")
        key = process.api_key("ada@example.org")
        with process.http(key) as http:
            typed = draw(http, {})
            yield Served(process, key, typed), http


def draw(http: httpx.Client, spell: dict[str, Any]) -> str:
    made = http.post("/v1/canvases", json={"name": "Made", "spell": spell})
    assert made.is_success, made.text
    return str(made.json()["id"])


def run(http: httpx.Client, canvas: str) -> dict[str, Any]:
    answer = http.post("/v1/runs", json={"canvas": canvas, "wait": 60})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return dict(answer.json())


@pytest.mark.rule("O1", "O3", "R1", "R4")
async def test_a_database_that_stops_and_dies_is_told_to_every_tab_and_mends_unaided(
    tmp_path: Path,
) -> None:
    with (
        PostgresServer() as postgres,
        RedisServer() as redis,
        on_postgres(postgres, redis, tmp_path) as (world, http),
    ):
        signed_in = {"email": "ada@example.org", "password": "correct horse"}
        assert http.post("/v1/auth/login", json=signed_in).is_success
        canvas = draw(http, SPELL)
        first = await asyncio.to_thread(run, http, canvas)
        assert first["status"] == "completed"
        writers = world.typists(2)
        async with world.online(writers):
            for each in writers:
                await each.open()
                assert await each.type_and_wait() is None
            await asyncio.to_thread(postgres.stop)
            assert {await each.type_and_wait() for each in writers} == {"store_unavailable"}
            for each in writers:
                await each.until(told(each, yes=True))
            assert (await asyncio.to_thread(store, world))[:2] == ("degraded", "failing")
            await asyncio.to_thread(postgres.start)
            await mend(writers)
            await dies_while_they_type(postgres, writers)
            await mend(writers)
            assert (await asyncio.to_thread(store, world)) == ("ok", "ok", 0)
            second = await asyncio.to_thread(run, http, canvas)
            world.process.kill()
        await restarted(world, writers)
        found = await asyncio.to_thread(http.get, f"/v1/runs/{second['id']}")
        assert (found.json()["status"], found.json()["outputs"]) == (
            "completed",
            second["outputs"],
        )
        assert b"spellwork.run.completed" in redis.say("XREVRANGE spellwork:events + - COUNT 1")


async def dies_while_they_type(postgres: PostgresServer, writers: list[Typist]) -> None:
    """Kill the database amid edits, start it again; what was acknowledged is checked in the end."""
    async with asyncio.TaskGroup() as tasks:
        typing = [tasks.create_task(each.type_for_ever()) for each in writers]
        for each in writers:
            await each.until(partial(has, each, each.acknowledged + 5))
        await asyncio.to_thread(postgres.kill)
        for each in writers:
            await each.until(told(each, yes=True))
        for task in typing:
            task.cancel()
    await asyncio.to_thread(postgres.start)


def has(typist: Typist, number: int) -> bool:
    return typist.acknowledged >= number
