"""Two whole servers on one PostgreSQL: what is started at one is followed, cancelled and carried on at the other."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_servers import PostgresServer
from tests.server_process import ServerProcess

from .counting_process import mixed
from .served import LIGHT
from .sockets import Socket
from .test_killed_runs import PATIENCE

pytestmark = [pytest.mark.anyio, pytest.mark.requires("postgres")]

QUICK = LIGHT | {
    "SPELLWORK_PROCESS_BEAT": "0.2",
    "SPELLWORK_PROCESS_EXPIRES": "1.5",
    "SPELLWORK_QUEUED_RUNS": "2",
}
"""Processes that are missed soon, and carry few runs, so that both have some."""

RUNS = 120


class Pair:
    """Two servers that note the calls of their nodes in one file, and Ada, who is an administrator."""

    def __init__(self, postgres: PostgresServer, database: str, folder: Path) -> None:
        self.postgres = postgres
        self.database = database
        self.file = folder / "calls"
        environment = QUICK | {
            "SPELLWORK_DATABASE_URL": postgres.url(database),
            "COUNT_CALLS": str(self.file),
        }
        self.one, self.two = (
            ServerProcess(
                folder / name,
                environment=environment | {"SPELLWORK_PROCESS_NAME": name},
                program=("-m", "tests.reliability.counting_process"),
            )
            for name in ("one", "two")
        )
        self.one.add_user("ada@example.org", "correct horse", "admin")
        self.key = self.one.api_key("ada@example.org")

    def listening(self, process: ServerProcess, queue: str) -> None:
        """Have a server that is not started yet take runs from one queue alone."""
        process.environment = {**process.environment, "SPELLWORK_QUEUES": queue}

    def ask(self, process: ServerProcess, method: str, path: str, **more: Any) -> Any:
        answer = self.asked(process, method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def asked(self, process: ServerProcess, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.request(
            method, f"{process.url}{path}", headers=headers, timeout=PATIENCE, verify=False, **more
        )

    def calls(self) -> list[str]:
        """The nodes that were called, in order."""
        return self.file.read_text().splitlines() if self.file.exists() else []

    def await_calls(self, count: int) -> None:
        self.until(lambda: len(self.calls()) >= count)

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, self.one.log + self.two.log
            time.sleep(0.01)

    def told(self, kind: str) -> Counter[str]:
        """Count the events of a kind by run, as they are kept."""
        query = f"SELECT run, count(*) FROM events WHERE kind = '{kind}' GROUP BY run"
        return Counter(dict(self.postgres.query(query, self.database)))


@pytest.fixture
def pair(postgres: PostgresServer, tmp_path: Path) -> Iterator[Pair]:
    """Give two servers that are not started yet, on a database of their own."""
    database = postgres.migrated()
    yield Pair(postgres, database, tmp_path)
    postgres.give_back(database)


CHAIN: dict[str, Any] = {
    "nodes": {
        **{f"n{each}": {"type": "count.step"} for each in range(1, 10)},
        "n0": {"type": "count.step", "inputs": {"a": 1}},
        "last": {"type": "count.call", "inputs": {"seconds": 3600}},
    },
    "edges": {
        f"e{each}": {
            "source": f"n{each}",
            "output": "value",
            "target": "last" if each == 9 else f"n{each + 1}",
            "input": "a",
        }
        for each in range(10)
    },
}
"""Ten nodes in a row, and one that does not end."""


@pytest.mark.rule("Q14", "O4", "E11")
async def test_a_run_of_one_server_is_followed_and_ended_at_the_other(pair: Pair) -> None:
    with pair.one, pair.two:
        body = {"name": "Chain", "spell": CHAIN}
        canvas = pair.ask(pair.one, "POST", "/v1/canvases", json=body)["id"]
        tab, seen = Socket(reconnection=False), list[dict[str, Any]]()
        tab.on("run.events", lambda data: seen.extend(data["events"]))
        await tab.connect(
            pair.two.url, auth={"token": pair.key}, transports=["websocket"], wait_timeout=30
        )
        opened = await tab.call("canvas.open", {"canvas": canvas, "client_id": 2})
        assert opened["ok"], opened

        async def follow_to_its_end(run: str) -> None:
            told.extend(await asyncio.to_thread(follow, pair, run))

        def work(run: str) -> Any:
            pair.await_calls(11)
            steer(pair, run)
            return pair.ask(pair.two, "POST", f"/v1/runs/{run}/cancel", json={})

        told: list[dict[str, Any]] = []
        run = pair.ask(pair.one, "POST", "/v1/runs", json={"canvas": canvas})["id"]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follow_to_its_end(run))
            assert (await asyncio.to_thread(work, run))["status"] == "cancelled"
        kept = pair.ask(pair.one, "GET", f"/v1/runs/{run}/events?limit=500")["events"]
        assert [each["seq"] for each in kept] == list(range(1, len(kept) + 1))
        assert kept[-1]["kind"] == "run.cancelled"
        assert told == kept
        await asyncio.to_thread(pair.until, lambda: len(seen) >= len(kept))
        assert seen == kept
        await tab.disconnect()


def follow(pair: Pair, run: str) -> list[dict[str, Any]]:
    """Return what server-sent events tell of a run at the second server, to its end."""
    headers = {"Authorization": f"Bearer {pair.key}", "Accept": "text/event-stream"}
    url = f"{pair.two.url}/v1/runs/{run}/events"
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data:")]
    return [json.loads(line.removeprefix("data:")) for line in lines]


def steer(pair: Pair, run: str) -> None:
    """See that a run is paused, stepped and played where it is carried, and elsewhere."""
    for process in (pair.two, pair.one):
        for path, status in (("pause", "paused"), (f"{run}/step", "paused"), ("play", "running")):
            body = {} if run in path else {"id": run}
            answer = pair.ask(process, "POST", f"/v1/runs/{path}", json=body)
            assert answer["run"]["status"] == status
        pair.until(lambda: pair.ask(pair.two, "GET", f"/v1/runs/{run}")["status"] == "running")
    refused = pair.asked(pair.two, "POST", f"/v1/runs/{run}/step", json={})
    assert refused.json()["error"]["code"] == "run_not_paused"


@pytest.mark.rule("Q1", "Q2", "Q9")
def test_runs_that_two_servers_share_end_once_and_by_priority_though_one_is_killed(
    pair: Pair,
) -> None:
    chance = random.Random(11)
    priorities = [each % 3 for each in range(RUNS)]
    chance.shuffle(priorities)
    with pair.one, pair.two:
        pair.ask(pair.one, "POST", "/v1/queues/work/pause", json={})
        runs = {}
        with ExitStack() as stack:
            clients = [stack.enter_context(each.http(pair.key)) for each in (pair.one, pair.two)]
            for number, priority in enumerate(priorities):
                node = {"type": "count.call", "inputs": {"a": number, "seconds": 0.1}}
                spell = {"nodes": {f"r{number}": node}}
                body = {"spell": spell, "queue": "work", "priority": priority}
                made = clients[number % 2].post("/v1/runs", json=body)
                assert made.is_success, made.text
                runs[made.json()["id"]] = f"r{number}"
        assert pair.calls() == []
        pair.ask(pair.two, "POST", "/v1/queues/work/play", json={})
        pair.await_calls(RUNS // 3)
        shares = "SELECT count(DISTINCT process_id) FROM runs"
        pair.until(lambda: pair.postgres.query(shares, pair.database) == [(2,)])
        pair.two.kill()

        ended = "SELECT count(*) FROM runs WHERE ended_at IS NOT NULL"
        pair.until(lambda: pair.postgres.query(ended, pair.database) == [(RUNS,)])
        rows = pair.postgres.query(
            "SELECT id, status, priority FROM runs ORDER BY started_at, priority DESC",
            pair.database,
        )
        assert {id for id, _, _ in rows} == runs.keys()
        assert {status for _, status, _ in rows} == {"completed"}
        assert [priority for _, _, priority in rows] == sorted(priorities, reverse=True)
        once = Counter(dict.fromkeys(runs, 1))
        assert pair.told("run.completed") == pair.told("node.done") == once
        calls = Counter(pair.calls())
        assert calls.keys() == set(runs.values())
        assert calls.total() - RUNS <= 2, "more was done again than what was under way"


def placed(number: int) -> dict[str, Any]:
    """Return a spell of one node that is called on a queue, and one here."""
    inputs = {"a": number, "seconds": 1.0}
    nodes = {
        "far": {"type": "count.call", "inputs": inputs, "settings": {"queue": "gpu"}},
        "near": {"type": "count.step"},
    }
    wire = {"source": "far", "output": "value", "target": "near", "input": "a"}
    return {"nodes": nodes, "edges": {"e": wire}}


@pytest.mark.rule("Q15", "B1")
def test_a_parent_that_is_killed_takes_up_what_its_child_gave(pair: Pair) -> None:
    """Whether it comes back while the child goes on, or after that has ended."""
    pair.listening(pair.one, "home")
    pair.listening(pair.two, "gpu")
    with pair.one, pair.two:
        for number, child_ends_first in enumerate((False, True)):
            pair.file.unlink(missing_ok=True)
            body = {"spell": placed(number), "queue": "home"}
            parent = pair.ask(pair.one, "POST", "/v1/runs", json=body)["id"]
            pair.await_calls(1)
            pair.one.kill()
            if child_ends_first:
                pair.until(lambda: pair.told("run.completed").total() == 3)
            pair.one.start()
            ended = pair.ask(pair.one, "GET", f"/v1/runs/{parent}?wait={PATIENCE}")
            assert (ended["status"], ended["errors"]) == ("completed", {})
            assert ended["outputs"]["far"] == {"value": mixed(number, 0)}
            assert pair.calls() == ["node", "near"]
            assert pair.told("run.started")[parent] == pair.told("run.resumed")[parent] == 1
        assert len(pair.told("run.started")) == 4, "no child was made twice"
