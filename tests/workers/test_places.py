"""A worker has a process and a queue: who waits for what, what becomes of dead, silent and left-over processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spellwork import Context, DetachedHost, Step
from spellwork.workers import WorkerDied, WorkerPool
from spellwork.workers.errors import WorkerStopped
from spellwork.workers.limits import WorkerLimits
from spellwork.workers.orphans import Orphans, started_at
from spellwork.workers.program import base_program
from spellwork.workers.spec import MAX_LOG_LINES, WorkerLog, WorkerSpec
from spellwork.workers.usage import usage_of
from tests.workers.conftest import Bench, step_of

pytestmark = pytest.mark.anyio


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.rule("18.27", "18.28")
async def test_calls_of_a_worker_follow_each_other_in_one_process() -> None:
    async with WorkerPool() as pool:
        benches = [Bench(pool) for _ in range(4)]
        code = "import os, time\nbegan = time.time()\ntime.sleep(0.02)\n[began, time.time()]"
        spans = [each["result"] for each in await asyncio.gather(*(b.run(code) for b in benches))]
        assert spans == sorted(spans)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
        assert len(pool.pids["canvas"]) == 1
        waited = [
            each for bench in benches[1:] for each in bench.events if each.kind == "node.waiting"
        ]
        assert {(each.data or {})["for"] for each in waited} == {"worker"}
        assert not [each for each in benches[0].events if each.kind == "node.waiting"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.rule("18.27")
async def test_a_process_that_code_forks_and_leaves_takes_no_calls_of_its_worker() -> None:
    async with WorkerPool() as pool:
        bench = Bench(pool)
        await bench.run("import os\nos.fork()\nresult = 0")
        mine = {(await bench.run("import os\nos.getpid()"))["result"] for _ in range(5)}
        assert len(mine) == 1
        left = "import os\n_pid, _status = os.wait()\nos.waitstatus_to_exitcode(_status)"
        assert (await bench.run(left))["result"] == 0, "it ended by itself"


@pytest.mark.rule("18.29")
async def test_a_death_fails_its_call_and_the_next_has_another_process() -> None:
    async with WorkerPool() as pool:
        bench, other = Bench(pool), Bench(pool, "other")
        await other.run("kept = 1")
        before = pool.pids["other"]
        with pytest.raises(WorkerDied, match="exit status 3"):
            await bench.run("import os\nos._exit(3)")
        began = time.monotonic()
        assert await bench.run("1 + 1") == {"result": 2}
        assert time.monotonic() - began < 30
        counts = pool.counts("canvas")
        assert (counts.calls, counts.failures, counts.restarts) == (2, 1, 1)
        assert pool.pids["other"] == before
        assert any("exit status 3" in line.text for line in pool.log("canvas").lines)


async def test_who_follows_a_worker_is_told_that_its_process_starts() -> None:
    async with WorkerPool() as pool:
        told: list[tuple[int, int]] = []

        def note(worker: str) -> None:
            counts = pool.counts(worker)
            told.append((counts.starting, len(counts.pids)))

        pool.on_change = note
        await Bench(pool).run("1")
        assert told[0] == (1, 0)
        assert told[-1] == (0, 1)


@pytest.mark.rule("18.29")
async def test_a_process_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spellwork.workers.pool.ANSWER_SECONDS", 0.3)
    async with WorkerPool(heartbeat=3600) as pool:
        bench = Bench(pool)
        await bench.run("1")
        await until(lambda: pool.pids.get(""))
        assert await pool.check() == 0
        (pid,) = pool.pids["canvas"]
        os.killpg(pid, signal.SIGSTOP)
        assert await pool.check() == 1
        assert await bench.run("2") == {"result": 2}
        assert pool.pids["canvas"] != [pid]
        assert pool.counts("canvas").restarts == 1


@pytest.mark.rule("18.30")
async def test_a_stop_fails_its_calls_and_no_others() -> None:
    async with WorkerPool() as pool:
        bench, queued, other = Bench(pool), Bench(pool), Bench(pool, "other")
        running = asyncio.gather(
            bench.run("print(1)\nwhile True:\n    pass"),
            queued.run("2"),
            other.run("import time\nprint(1)\ntime.sleep(0.3)\n3"),
            return_exceptions=True,
        )
        await until(lambda: bench.of("node.log") and other.of("node.log"))
        pool.stop("canvas")
        first, second, third = await running
        assert isinstance(first, WorkerStopped)
        assert isinstance(second, WorkerStopped)
        assert third == {"result": 3}
        assert await bench.run("4") == {"result": 4}


@pytest.mark.rule("18.32")
async def test_a_process_waits_in_reserve_for_each_program_that_is_kept_warm() -> None:
    async with WorkerPool() as pool:
        await until(lambda: len(pool.pids.get("", [])) == 1)
        (spare,) = pool.pids[""]
        await Bench(pool).run("1")
        assert pool.pids["canvas"] == [spare]
        await until(lambda: len(pool.pids.get("", [])) == 1)
        pool.let_cool(base_program())
        assert "" not in pool.pids


@pytest.mark.rule("18.31")
async def test_left_over_processes_are_ended_and_others_let_be(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        subprocess.Popen(sleeper, start_new_session=True) as left,  # noqa: ASYNC220
        subprocess.Popen(sleeper, start_new_session=True) as other,  # noqa: ASYNC220
        subprocess.Popen([sys.executable, "-c", ""]) as server,  # noqa: ASYNC220
    ):
        server.wait()
        try:
            began, others = started_at(left.pid), started_at(other.pid)
            assert began is not None
            assert others is not None
            (tmp_path / f"{server.pid}-1-{left.pid}-{began}").touch()
            (tmp_path / f"{server.pid}-1-{other.pid}-{others + 1}").touch()
            (tmp_path / f"{server.pid}-1-1-1").touch()
            (tmp_path / "notes.txt").touch()
            own = Orphans(tmp_path)
            own.note(other.pid)
            assert own.reap() == [left.pid]
            assert left.wait(60) == -signal.SIGKILL
            assert other.poll() is None
            own.forget(other.pid)
            assert names(tmp_path) == ["notes.txt"]
        finally:
            left.kill()
            other.kill()


@pytest.mark.rule("18.31")
async def test_a_pool_notes_its_processes_as_long_as_they_live(tmp_path: Path) -> None:
    async with WorkerPool(records=tmp_path) as pool:
        await Bench(pool).run("1")
        await until(lambda: pool.pids.get(""))
        noted = {int(name.split("-")[2]) for name in names(tmp_path)}
        assert noted == {pid for pids in pool.pids.values() for pid in pids}
    assert not names(tmp_path)


async def test_a_log_keeps_its_last_lines() -> None:
    log = WorkerLog()
    for number in range(MAX_LOG_LINES + 10):
        log.add(f"line {number}")
    log.add("x" * 10_000)
    assert len(log.lines) == MAX_LOG_LINES
    assert len(log.lines[-1].text) == 2_000
    for _ in range(1_000):
        log.add("y" * 2_000)
    assert sum(len(line.text) for line in log.lines) <= 256 * 1024


async def test_usage_counts_a_process_with_what_it_started() -> None:
    usage = usage_of([os.getpid()])
    assert usage.memory_bytes > 10_000_000
    assert usage.cpu_seconds > 0
    assert usage_of([2**22 + 1]).memory_bytes == 0


async def test_a_cancelled_call_that_waits_leaves_the_queue() -> None:
    async with WorkerPool() as pool:
        bench = Bench(pool)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bench.run("print(1)\nimport time\ntime.sleep(0.5)\n1"))
            await until(lambda: bench.of("node.log"))
            step = step_of("2")
            waiting = asyncio.ensure_future(  # noqa: TID251 - it is cancelled here
                pool.call(step, {}, Context("c", step.node, DetachedHost(canvas="canvas")))
            )
            await until(lambda: pool.counts("canvas").waiting == 1)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert pool.counts("canvas").waiting == 0
        assert running.result() == {"result": 1}
        assert await bench.run("3") == {"result": 3}


@pytest.mark.rule("18.30")
async def test_a_stop_ends_what_is_being_started() -> None:
    async def own(_step: Step, _context: Context) -> WorkerSpec:
        return WorkerSpec("canvas", base_program(), WorkerLimits(400))  # none waits in reserve

    async with WorkerPool(find=own) as pool:

        async def stop() -> None:
            for _ in range(10):
                await asyncio.sleep(0)
            pool.stop("canvas")

        failed, _ = await asyncio.gather(Bench(pool).run("1"), stop(), return_exceptions=True)
        assert isinstance(failed, WorkerStopped)
        assert "canvas" not in pool.pids
        assert await Bench(pool).run("2") == {"result": 2}


@pytest.mark.rule("18.32")
async def test_nothing_is_kept_of_a_worker_that_one_run_had() -> None:
    async with WorkerPool(idle=0.02) as pool:
        host = DetachedHost(run_id="once")
        step = step_of("1")
        await pool.call(step, {}, Context(step.id, step.node, host))
        await until(lambda: "once" not in pool.pids)
        assert pool.counts("once").calls == 0
        assert pool.log("once").lines == []
