"""Drain a queue of runs of one node, with DBOS on SQLite beside it.

    python -m benchmarks.queue

The parts are those of `spellwork serve`, in this process, on a SQLite file with full sync: every run
has its row, its events and what its node left. The runs are queued while the queue is paused, and
are timed from its opening until the last has ended; each node is called. DBOS is timed from the first
that is queued, since its queues do not wait; it has no events and keeps nothing of nodes.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from aiohttp import web

from benchmarks.report import Figure, print_figures
from spellwork import Library, Pack, Spell, node
from spellwork_server.app import PARTS, make_app
from spellwork_server.commands.accounts import add_account
from spellwork_server.runs.spell_runner import Place, RunRequest
from spellwork_server.settings import Settings
from spellwork_server.storage.queues import QueueRecord

RUNS, AT_ONCE = 1_000, 50
DBOS_RUNS = 300
LEAST = 300
"""Runs a second that are wanted of ours."""


@node("bench.count", title="Number", output="value", cache="none", committed=False)
async def count(n: int) -> int:
    """Give the number."""
    return n


async def drained(folder: Path) -> tuple[float, float]:
    """Return how many runs a second are queued, and how many are through once their queue is opened."""
    settings = Settings(data=folder, log_level="warning")
    await asyncio.to_thread(
        add_account, settings, "bench@example.org", password="correct horse", role="member", name=""
    )
    installed = Library.installed()
    pack = Pack(name="bench", version="1", title="Bench", nodes=(count,))
    Library.installed = classmethod(lambda _cls: installed.extended([pack], {}))  # type: ignore[method-assign, assignment]
    app = web.AppRunner(make_app(settings))
    await app.setup()
    try:
        parts = app.app[PARTS]
        user = await parts.stores.users.by_email("bench@example.org")
        assert user is not None
        queueing, store = parts.running.queueing, parts.stores.queues
        await store.put(QueueRecord("work", state="paused"))

        async def put(number: int) -> str:
            drawn = {"nodes": {"a": {"type": "bench.count", "inputs": {"n": number}}}}
            request = RunRequest(
                spell=Spell.model_validate(drawn), audience="private", on_busy="parallel"
            )
            return (await queueing.put(user.id, None, request, Place("work"))).record.id

        began = time.perf_counter()
        runs: list[str] = []
        for first in range(0, RUNS, AT_ONCE):
            runs += await asyncio.gather(*map(put, range(first, first + AT_ONCE)))
        queued = RUNS / (time.perf_counter() - began)
        began = time.perf_counter()
        await store.put(QueueRecord("work"))
        parts.running.dispatcher.ring()
        while len(await store.ended(runs)) < RUNS:  # noqa: ASYNC110 - an event for each would cost more
            await asyncio.sleep(0.05)
        through = RUNS / (time.perf_counter() - began)
        record = await parts.stores.runs.get(runs[-1])
        assert record is not None
        assert record.status == "completed", record
        return queued, through
    finally:
        await app.cleanup()


def beside(folder: Path) -> list[Figure]:
    """Measure DBOS, where it is installed."""
    if importlib.util.find_spec("dbos") is None:
        print("  DBOS is left out: it is not installed")
        return []
    command = [sys.executable, "-m", "benchmarks.queue.dbos_runs", str(folder), str(DBOS_RUNS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  DBOS is left out: {done.stderr.strip().splitlines()[-1]}")
        return []
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure("DBOS: bare workflows through a queue", found["bare"], "/s"),
        Figure("DBOS: workflows of one step through a queue", found["one step"], "/s"),
        Figure("DBOS: a workflow of 200 steps", found["steps"], "ms"),
    ]


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    with tempfile.TemporaryDirectory() as folder:
        queued, through = uvloop.run(drained(Path(folder)))
    figures = [
        Figure("ours: runs queued", queued, "/s"),
        Figure(f"ours: {RUNS:,} runs of one node through a queue", through, "/s", least=LEAST),
    ]
    with tempfile.TemporaryDirectory() as folder:
        figures += beside(Path(folder))
    return 0 if print_figures("Runs of a queue", figures) else 1


if __name__ == "__main__":
    sys.exit(main())
