"""RELIABILITY R21: a durable run goes on after each `kill -9` of its server; what had ended is not done again.

A run of 200 nodes in 20 layers, half of which must not be called twice unawares. The process is
killed at any moment of it; what the database has then as ended must never be called again, and the
run's outputs are those of one that nothing disturbed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from spellwork_server.settings import Settings
from spellwork_server.storage.database import Database
from spellwork_server.storage.run_events import RunEventStore
from tests.seeds import FACTOR, seeds
from tests.server_process import ServerProcess

from .counting_process import mixed
from .served import LIGHT, People, copied
from .test_store_fails import full_disk, locked_database

pytestmark = pytest.mark.soak

LAYERS, WIDTH = 20, 10
KILLS = 2 if FACTOR == 1 else 20
"""Kills of one seed: the five of `make soak` are 100 of them, on each database."""

SEEDS = seeds(1)[:5]

PATIENCE = 120


def spell(seed: int) -> dict[str, Any]:
    """Return the spell: each node mixes two of the layer before, in every other layer as a call."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for layer in range(LAYERS):
        for place in range(WIDTH):
            name = f"n{layer}_{place}"
            nodes[name] = {"type": "count.call" if layer % 2 else "count.step"}
            if layer == 0:
                nodes[name]["inputs"] = {"a": seed, "b": place}
                continue
            for port, source in (("a", place), ("b", (place + 1) % WIDTH)):
                edges[f"{name}{port}"] = {
                    "source": f"n{layer - 1}_{source}",
                    "output": "value",
                    "target": name,
                    "input": port,
                }
    return {"schema": 1, "name": "200 nodes", "nodes": nodes, "edges": edges}


def expected(seed: int) -> dict[str, Any]:
    """Return what an undisturbed run leaves."""
    outputs: dict[str, Any] = {}
    row = [mixed(seed, place) for place in range(WIDTH)]
    for layer in range(LAYERS):
        if layer:
            row = [mixed(row[place], row[(place + 1) % WIDTH]) for place in range(WIDTH)]
        outputs |= {f"n{layer}_{place}": {"value": row[place]} for place in range(WIDTH)}
    return outputs


class Killed:
    """A server, what its nodes noted, and what its database knows."""

    def __init__(self, data: Path, key: str, database: str | None) -> None:
        self.calls_file = data.parent / "calls"
        many = {
            "SPELLWORK_MAX_TAKEOVERS": "100"
        }  # it is killed more often than its runs come further
        environment = {**LIGHT, **many, "COUNT_CALLS": str(self.calls_file)}
        if database is not None:
            environment["SPELLWORK_DATABASE_URL"] = database
        self.process = ServerProcess(
            data, environment=environment, program=("-m", "tests.reliability.counting_process")
        )
        self.key = key
        self._url = Settings(data=data, database_url=database).database

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx.request(
            method,
            f"{self.process.url}{path}",
            headers=headers,
            timeout=PATIENCE,
            verify=False,
            **more,
        )
        assert answer.is_success, answer.text
        return answer.json()

    def calls(self) -> Counter[str]:
        text = self.calls_file.read_text() if self.calls_file.exists() else ""
        return Counter(text.splitlines())

    def done(self, run: str) -> set[str]:
        """Return the nodes whose end is in the database, read while no server has it."""

        async def read() -> set[str]:
            async with Database(self._url) as database:
                events = await RunEventStore(database).of_run(
                    run, ("node.done",), after=0, limit=10_000
                )
            return {event.node for event in events if event.node is not None}

        return asyncio.run(read())

    def await_calls(self, count: int) -> None:
        """Wait until so many calls are noted, or the run has ended."""
        until = time.monotonic() + PATIENCE
        while sum(self.calls().values()) < count:
            assert time.monotonic() < until, self.process.log
            time.sleep(0.002)


def kill_and_go_on(world: Killed, seed: int, kills: int = KILLS) -> None:
    chance = random.Random(seed)
    with world.process:
        run = world.ask("POST", "/v1/runs", json={"spell": spell(seed), "durable": True})["id"]
        nodes = LAYERS * WIDTH
        noted: list[tuple[set[str], Counter[str]]] = []
        moments = sorted(chance.sample(range(1, nodes), kills))
        for moment in moments:
            world.await_calls(moment)
            time.sleep(chance.random() * 0.004)
            world.process.kill()
            noted.append((world.done(run), world.calls()))
            world.process.start()
        ended = world.ask("GET", f"/v1/runs/{run}?wait={PATIENCE}")
        assert (ended["status"], ended["outputs"]) == ("completed", expected(seed))
        assert (ended["attempt"], ended["errors"]) == (1, {})
        calls = world.calls()
        for done, before in noted:
            again = {node for node in done if calls[node] != before[node]}
            assert again == set(), "nodes whose end was durable were called again"
        assert len(calls) == nodes
        assert sum(calls.values()) - nodes <= kills * 2 * WIDTH
        events = world.ask("GET", f"/v1/runs/{run}/events?limit=2000")["events"]
        kinds = Counter(event["kind"] for event in events)
        assert (kinds["run.started"], kinds["run.completed"]) == (1, 1)
        assert kinds["run.resumed"] >= 1


@pytest.mark.rule("B1", "B2", "B10")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_durable_run_survives_kill_9_on_sqlite(people: People, tmp_path: Path, seed: int) -> None:
    data = copied(people, tmp_path)
    kill_and_go_on(Killed(data, people.keys["ada"], None), seed)


@pytest.mark.rule("B1")
@pytest.mark.requires("postgres")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_durable_run_survives_kill_9_on_postgres(
    tmp_path: Path, postgres_url: str, seed: int
) -> None:
    data = tmp_path / "data"
    world = Killed(data, "", postgres_url)
    world.process.add_user("ada@example.org", "correct horse")
    world.key = world.process.api_key("ada@example.org")
    kill_and_go_on(world, seed)


@pytest.mark.rule("B10", "B1")
def test_a_run_waits_for_a_store_that_fails_and_ends_as_if_nothing_had_been(
    people: People, tmp_path: Path
) -> None:
    """R8 with a run under way: nothing is called on the strength of what is not kept; a kill meanwhile loses nothing."""
    seed = 7
    world = Killed(copied(people, tmp_path), people.keys["ada"], None)
    nodes = LAYERS * WIDTH
    with world.process:
        run = world.ask("POST", "/v1/runs", json={"spell": spell(seed), "durable": True})["id"]
        for fault, moment in ((full_disk, 30), (locked_database, 90)):
            world.await_calls(moment)
            with fault(world):
                time.sleep(0.5)  # whatever may go on without the store does
                stands = sum(world.calls().values())
                assert stands < nodes, "calls went on though nothing was kept"
        world.await_calls(150)
        assert set(world.calls().values()) == {1}
        with full_disk(world):
            time.sleep(0.1)
            world.process.kill()
        before, done = world.calls(), world.done(run)
        world.process.start()
        ended = world.ask("GET", f"/v1/runs/{run}?wait={PATIENCE}")
        assert (ended["status"], ended["outputs"]) == ("completed", expected(seed))
        calls = world.calls()
        assert [node for node in done if calls[node] != before[node]] == []
