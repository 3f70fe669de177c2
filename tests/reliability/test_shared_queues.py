"""Several processes share the queues of one database: each run ends exactly once, whoever dies or sleeps meanwhile."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess, clean_environment

from .served import LIGHT, People, copied
from .test_killed_runs import Killed

RUNS = 24

QUICK = {
    "SPELLWORK_PROCESS_BEAT": "0.2",
    "SPELLWORK_PROCESS_EXPIRES": "1.5",
    "SPELLWORK_QUEUED_RUNS": "2",
    "SPELLWORK_QUEUES": "home",
}
"""Processes that are missed soon, and carry few runs, so that all have some. The server takes none of these runs."""

PATIENCE = 120


@contextmanager
def worker(process: ServerProcess) -> Iterator[subprocess.Popen[bytes]]:
    """Be, for the block, a process beside a server that carries runs of the queue ``gpu``."""
    command = [sys.executable, *process.program, "worker", "--queues", "gpu"]
    with (process.data / "worker.log").open("ab") as log:
        carrier = subprocess.Popen(
            [*command, "--data", str(process.data)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=clean_environment(process.environment),
        )
    try:
        yield carrier
    finally:
        carrier.send_signal(signal.SIGCONT)
        carrier.terminate()
        carrier.wait(60)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.requires("postgres"))])
def world(request: pytest.FixtureRequest, people: People, tmp_path: Path) -> Killed:
    """Return a server that is not started yet, on either database."""
    if request.param == "sqlite":
        found = Killed(copied(people, tmp_path), people.keys["ada"], None)
    else:
        found = Killed(tmp_path / "data", "", request.getfixturevalue("postgres_url"))
        found.process.add_user("ada@example.org", "correct horse")
        found.key = found.process.api_key("ada@example.org")
    found.process.environment = {**found.process.environment, **LIGHT, **QUICK}
    return found


def queue_runs(world: Killed, count: int, seconds: float) -> list[str]:
    """Queue runs of one call each, in nodes of other names; return their ids."""
    found = []
    for number in range(count):
        node = {"type": "count.call", "inputs": {"a": number, "seconds": seconds}}
        body = {"spell": {"nodes": {f"r{number}": node}}, "queue": "gpu"}
        found.append(str(world.ask("POST", "/v1/runs", json=body)["id"]))
    return found


def check(world: Killed, runs: list[str]) -> Counter[str]:
    """See that every run ended once, with what its one node gives; return how often each was called."""
    for number, run in enumerate(runs):
        ended = world.ask("GET", f"/v1/runs/{run}?wait={PATIENCE}")
        assert ended["status"] == "completed", ended
        assert list(ended["outputs"]) == [f"r{number}"]
        events = world.ask("GET", f"/v1/runs/{run}/events?limit=500")["events"]
        kinds = Counter(event["kind"] for event in events)
        assert (kinds["node.done"], kinds["run.completed"]) == (1, 1), kinds
    return world.calls()


def fall_asleep(process: subprocess.Popen[bytes], database: Path) -> None:
    """Stop a process, where it shares a SQLite file not in the midst of a write: that would hold up everybody."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if not database.exists():  # PostgreSQL ends a transaction that stands still
            return
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as look:
            try:
                look.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.002)
            else:
                look.execute("ROLLBACK")
                return


@pytest.mark.rule("Q16", "Q11")
def test_runs_of_a_process_that_is_killed_are_carried_on_by_another(world: Killed) -> None:
    with world.process, worker(world.process) as first, worker(world.process):
        assert world.calls() == {}
        runs = queue_runs(world, RUNS, 0.1)
        world.await_calls(RUNS // 3)
        first.kill()
        calls = check(world, runs)
        assert sum(calls.values()) - RUNS <= 2, "more was done again than what was under way"
        shares: list[dict[str, Any]] = world.ask("GET", "/v1/processes")["items"]
        assert any("gpu" in (each["queues"] or []) for each in shares)


@pytest.mark.rule("Q12", "Q16")
def test_a_process_that_slept_past_its_time_writes_nothing_more(world: Killed) -> None:
    with world.process, worker(world.process) as first:
        runs = queue_runs(world, 2, 1.0)
        world.await_calls(2)
        fall_asleep(first, world.process.data / "spellwork.db")
        with worker(world.process):
            until = time.monotonic() + PATIENCE
            while sum(world.calls().values()) < 4:  # both were taken over
                assert time.monotonic() < until, world.process.log
                time.sleep(0.05)
            first.send_signal(signal.SIGCONT)
            check(world, runs)
            more = queue_runs(world, 4, 0.01)
            assert sum(check_more(world, more).values()) >= 4


def check_more(world: Killed, runs: list[str]) -> Counter[str]:
    """See that runs go on as ever."""
    for run in runs:
        assert world.ask("GET", f"/v1/runs/{run}?wait={PATIENCE}")["status"] == "completed"
    return world.calls()
