"""DBOS on SQLite, as it is fastest: WAL, no full sync. Prints JSON; a process of its own.

    python -m benchmarks.queue.dbos_runs FOLDER RUNS

``bare`` and ``one step``: workflows drained from a queue, a second. ``steps``: milliseconds of one
workflow of 200 steps, one after another.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbos import DBOS
from sqlalchemy import create_engine, event

STEPS = 200


@DBOS.step()
async def noop(value: int) -> int:
    """Give the value."""
    return value


@DBOS.workflow()
async def bare(value: int) -> int:
    """Do nothing."""
    return value


@DBOS.workflow()
async def one_step(value: int) -> int:
    """Do one step."""
    return int(await noop(value))


@DBOS.workflow()
async def steps(value: int) -> int:
    """Do 200 steps."""
    for _ in range(STEPS):
        value = await noop(value)
    return value


async def drain(workflow: Callable[..., Any], count: int) -> float:
    """Return how many workflows a second are through, from the first that is queued to the last that ended."""
    began = time.perf_counter()
    handles = [
        await DBOS.enqueue_workflow_async("work", workflow, number) for number in range(count)
    ]
    for handle in handles:
        await handle.get_result()
    return count / (time.perf_counter() - began)


async def main(runs: int) -> None:
    """Measure and print."""
    DBOS.launch()
    await DBOS.register_queue_async("work", concurrency=200, polling_interval_sec=0.2)
    found = {"bare": await drain(bare, runs), "one step": await drain(one_step, runs)}
    began = time.perf_counter()
    await steps(1)
    found["steps"] = (time.perf_counter() - began) * 1e3
    print(json.dumps(found))


def launch(folder: Path) -> None:
    """Make DBOS ready to be launched."""
    url = f"sqlite:///{folder / 'dbos.sqlite'}"
    engine = create_engine(url, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "system_database_engine": engine,
            "run_admin_server": False,
            "log_level": "ERROR",
            "executor_id": "bench",
            "application_version": "1",
        }
    )


if __name__ == "__main__":
    launch(Path(sys.argv[1]))
    asyncio.run(main(int(sys.argv[2])))
