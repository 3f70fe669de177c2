"""Workers keep their promises: results, streams, words for failures, and no harm to others."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from spellwork import SKIP, Context, DetachedHost, NodeError, OutputTooLarge
from spellwork.workers import CallFailed, InputTooLarge, NotTransferable, WorkerDied, WorkerPool

from .conftest import Bench, step_of

pytestmark = pytest.mark.anyio


def members(worker: int) -> list[int]:
    """Return all processes of a worker, as they are known outside of it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            group = path.read_text().rpartition(")")[2].split()[2]
        except OSError:
            continue
        if int(group) == worker:
            found.append(int(path.parent.name))
    return found


def gone(pid: int) -> bool:
    """Say whether a process is no more, or is dead with all its threads and not yet buried."""
    try:
        dead = "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
        return dead and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("code", "inputs", "outputs"),
    [
        ("x * 21", {"x": 2}, {"result": 42}),
        ("a = x + 1\nb = a * 2\n_c = 0", {"x": 1}, {"a": 2, "b": 4}),
        (
            "rows = [r for r in rows if r['n']]\nlen(rows)",
            {"rows": [{"n": 0}, {"n": 1}]},
            {"rows": [{"n": 1}], "result": 1},
        ),
        ("if x > 5:\n    big = x", {"x": 1}, {"big": SKIP}),
        ("def f(a, b=3):\n    return a * b", {"a": 2}, {"result": 6}),
        (
            "def f(a, b: Nowhere = 3) -> Unknown:\n    return a * b",
            {"a": 2, "b": 5},
            {"result": 10},
        ),
        ("def f(a, /, **more):\n    return [a, more]", {"a": 1, "z": 2}, {"result": [1, {"z": 2}]}),
        ("def f(a):\n    return a * k", {"a": 2, "k": 4}, {"result": 8}),
        (
            "import asyncio\nasync def f(a):\n    await asyncio.sleep(0)\n    return a",
            {"a": 1},
            {"result": 1},
        ),
        ("import asyncio\nawait asyncio.sleep(0)\nx", {"x": 1}, {"result": 1}),
        ("def f(n):\n    for i in range(n):\n        yield i", {"n": 3}, {"result": [0, 1, 2]}),
        (
            "async def f(n):\n    for i in range(n):\n        yield str(i)",
            {"n": 3},
            {"result": "012"},
        ),
        (
            "import dataclasses\n@dataclasses.dataclass\nclass _P:\n    x: int\np = _P(1)",
            {},
            {"p": {"x": 1}},
        ),
        ("", {}, {}),
    ],
)
async def test_a_cell_of_each_form_gives_its_outputs(
    bench: Bench, code: str, inputs: dict[str, Any], outputs: dict[str, Any]
) -> None:
    assert await bench.run(code, **inputs) == outputs


async def test_calls_of_one_canvas_share_a_worker_but_no_names(bench: Bench) -> None:
    first = await bench.run("import os\nleft = 1\nos.getcwd()")
    second = await bench.run("import os\n(os.getcwd(), 'left' in globals())")
    assert second["result"] == [first["result"], False]


async def test_canvases_never_share_a_worker(bench: Bench) -> None:
    other = Bench(bench.pool, "other")
    mine = await bench.run("import os\nos.getcwd()")
    theirs = await other.run("import os\nos.getcwd()")
    assert mine["result"] != theirs["result"]
    (pid,), (other_pid,) = (bench.pool.pids[each.canvas] for each in (bench, other))
    assert len({pid, other_pid, os.getpid()}) == 3


async def test_chunks_leave_while_the_generator_still_works(bench: Bench) -> None:
    code = "import os\ndef f(path):\n    yield 1\n    while not os.path.exists(path):\n        pass\n    yield 2"
    step, host = step_of(code), DetachedHost(canvas="c")
    path = Path(f"/proc/{os.getpid()}/never")
    async with asyncio.TaskGroup() as group:
        call = group.create_task(
            bench.pool.call(step, {"path": str(path)}, Context("cell", step.node, host))
        )
        await until(lambda: any(event.kind == "node.chunk" for event in host.events))
        assert [event.value for event in host.events if event.kind == "node.chunk"] == [1]
        assert not call.done()
        call.cancel()


async def test_what_is_printed_becomes_log_and_bars_become_progress(bench: Bench) -> None:
    code = """
        import os, sys
        print("one"); print("two")
        print("careful", file=sys.stderr)
        sys.stderr.write("\\rreading:  50%|#####     | 5/10")
        os.system("echo raw")
    """
    await bench.run(textwrap.dedent(code))
    logged = {
        (line, event.level)
        for event in bench.events
        if event.kind == "node.log"
        for line in (event.message or "").split("\n")
    }
    assert {("one", "info"), ("two", "info"), ("careful", "warning"), ("raw", "warning")} <= logged
    assert ("node.progress", 0.5, "reading") in [(e.kind, e.value, e.message) for e in bench.events]


async def test_a_flood_of_printing_is_cut_and_comes_in_few_events(bench: Bench) -> None:
    await bench.run("for i in range(200_000):\n    print('line', i)")
    logs = bench.of("node.log")
    assert len(logs) < 400
    assert "further output was dropped" in "\n".join(logs)


async def test_an_error_points_to_the_line_in_the_cell_and_shows_the_authors_frames_only(
    bench: Bench,
) -> None:
    code = "import json\ndef read(t):\n    return json.loads(t)\nread('{')"
    with pytest.raises(CallFailed) as caught:
        await bench.run(code)
    error = caught.value
    assert error.code == "exception"
    assert error.message.startswith("json.decoder.JSONDecodeError")
    assert error.details["line"] == 3
    assert error.traceback is not None
    assert error.traceback.splitlines()[:4] == [
        "cell line 4",
        "    read('{')",
        "cell line 3, in read",
        "    return json.loads(t)",
    ]
    assert "spellwork" not in error.traceback
    assert ".py" not in error.traceback


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (cell line 1)"),
        ("x = [1]\n\nx[5]", "cell line 3"),
        ("raise SystemExit(3)", "left its worker"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("'a' * 10**12", "more memory than its worker has"),
        ("def f():\n    return f()\nf()", "cell line"),
        (
            "x = [i for i in range(3)]\nraise ValueError(f'bad {x}')",
            "ValueError: bad [0, 1, 2] (cell line 2)",
        ),
        ("await 5", "TypeError"),
    ],
)
async def test_a_failing_cell_fails_alone_and_its_worker_goes_on(
    bench: Bench, code: str, said: str
) -> None:
    before = await bench.run("import os\nos.getpid()")
    with pytest.raises(CallFailed) as caught:
        await bench.run(code)
    assert said in caught.value.message
    assert await bench.run("import os\nos.getpid()") == before


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", signal.SIGKILL),
        ("import ctypes\nctypes.string_at(0)", signal.SIGSEGV),
        ("import os\nos.abort()", signal.SIGABRT),
    ],
)
async def test_a_killed_worker_fails_its_node_with_the_reason_and_is_replaced(
    bench: Bench, code: str, number: signal.Signals
) -> None:
    with pytest.raises(WorkerDied) as caught:
        await bench.run(code)
    assert caught.value.code == "worker_died"
    assert f"signal {number.value} ({number.name})" in caught.value.message
    assert caught.value.details["signal"] == number
    assert await bench.run("2 + 2") == {"result": 4}


async def test_leaving_without_a_word_is_told_with_the_exit_status(bench: Bench) -> None:
    with pytest.raises(WorkerDied, match="exit status 7"):
        await bench.run("import os\nos._exit(7)")


async def test_a_death_takes_no_other_call_along(bench: Bench) -> None:
    other = Bench(bench.pool, "other")
    results = await asyncio.gather(
        bench.run("import os, time\ntime.sleep(0.05)\nos.kill(os.getpid(), 9)"),
        other.run("import time\ntime.sleep(0.2)\n'fine'"),
        return_exceptions=True,
    )
    assert isinstance(results[0], WorkerDied)
    assert results[1] == {"result": "fine"}


async def test_a_worker_that_died_while_idle_is_replaced_unseen(bench: Bench) -> None:
    await bench.run("1")
    (pid,) = bench.pool.pids["canvas"]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: gone(pid))
    assert await bench.run("1") == {"result": 1}


async def test_a_cancelled_call_kills_the_worker_and_all_it_started(bench: Bench) -> None:
    code = "import os, subprocess\nchild = subprocess.Popen(['sleep', '60'])\nprint(os.getpid(), child.pid)\nwhile True:\n    pass"
    step, host = step_of(code), DetachedHost(canvas="canvas")
    async with asyncio.TaskGroup() as group:
        call = group.create_task(bench.pool.call(step, {}, Context("cell", step.node, host)))
        await until(lambda: any(event.kind == "node.log" for event in host.events))
        (worker,) = bench.pool.pids["canvas"]
        pids = members(worker)
        call.cancel()
    assert len(pids) >= 2
    await until(lambda: all(map(gone, pids)), seconds=20)
    assert await bench.run("1") == {"result": 1}


async def test_a_worker_knows_no_secret_and_keeps_to_its_directory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPELLWORK_OPENAI_API_KEY", "not for workers")
    found = await bench.run(
        "import os\nhere = os.getcwd()\nenv = dict(os.environ)\n"
        "_d = '/proc/self/fd'\nlinks = [os.readlink(f'{_d}/{n}') for n in os.listdir(_d) if os.path.exists(f'{_d}/{n}')]"
    )
    assert set(found["env"]) <= {
        "HOME",
        "TMPDIR",
        "OMP_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "LC_CTYPE",
        "PWD",
    }
    assert found["env"]["HOME"] == found["here"] != str(Path.cwd())
    assert all(
        link.startswith(("pipe:", "socket:", "/dev/null", "/proc/")) for link in found["links"]
    ), found["links"]


async def test_files_memory_and_cores_are_limited(bench: Bench) -> None:
    code = "import resource as r\n[r.getrlimit(k)[1] for k in (r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_CORE)]"
    assert (await bench.run(code))["result"] == [512 * 2**20, 512 * 2**20, 0]


async def test_the_private_directory_goes_with_the_worker() -> None:
    async with WorkerPool(size=1) as pool:
        bench = Bench(pool)
        where = (await bench.run("open('left', 'w').write('x')\nimport os\nos.getcwd()"))["result"]
        assert os.access(where, os.F_OK)
    assert where not in [entry.path for entry in os.scandir(tempfile.gettempdir())]


async def test_what_a_killed_server_left_behind_is_removed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:  # noqa: ASYNC220 - it ends at once
        dead.wait()
    for name in (
        f"spellwork-worker-{dead.pid}-a",
        f"spellwork-worker-{os.getppid()}-b",
        "spellwork-worker-mine",
    ):
        (tmp_path / name).mkdir()
    async with WorkerPool(size=1):
        left = set(os.listdir(tmp_path))  # noqa: PTH208 - and a test may wait
    assert f"spellwork-worker-{dead.pid}-a" not in left
    assert {f"spellwork-worker-{os.getppid()}-b", "spellwork-worker-mine"} <= left


async def test_closing_the_pool_leaves_no_process() -> None:
    async with WorkerPool(size=2) as pool:
        await asyncio.gather(*(Bench(pool, str(n)).run("1") for n in range(3)))
        pids = [pid for pids in pool.pids.values() for pid in pids]
        assert len(pids) >= 3
    await until(lambda: all(map(gone, pids)), seconds=20)


async def test_closing_the_pool_fails_the_calls_under_way() -> None:
    async with WorkerPool(size=2) as pool:
        bench, late = Bench(pool), Bench(pool, "late")
        running = asyncio.gather(
            bench.run("print(1)\nwhile True:\n    pass"), late.run("1"), return_exceptions=True
        )
        await until(lambda: bench.of("node.log") == ["1"])
    first, second = await running
    assert isinstance(first, WorkerDied)
    assert second == {"result": 1} or isinstance(second, WorkerDied)


async def test_an_idle_worker_is_ended_in_time() -> None:
    async with WorkerPool(size=1, idle=0.02) as pool:
        await Bench(pool).run("1")
        await until(lambda: "canvas" not in pool.pids)


async def test_no_more_calls_of_a_canvas_run_at_once_than_the_pool_is_wide() -> None:
    async with WorkerPool(size=2, total=3) as pool:
        bench = Bench(pool)
        step = step_of("import os, time\ntime.sleep(0.05)\nos.getcwd()")
        context = Context("cell", step.node, DetachedHost(canvas=bench.canvas))
        found = await asyncio.gather(*(pool.call(step, {}, context) for _ in range(6)))
        assert len({outputs["result"] for outputs in found}) == 2
        await asyncio.gather(*(Bench(pool, str(n)).run("1") for n in range(5)))
        assert sum(len(pids) for key, pids in pool.pids.items() if key) <= 3


async def test_an_input_that_cannot_travel_is_named(bench: Bench) -> None:
    with pytest.raises(NotTransferable, match="the input 'x' is a object"):
        await bench.run("x", x=object())


async def test_outputs_and_inputs_over_the_limit_are_refused_and_the_worker_goes_on() -> None:
    async with WorkerPool(size=1, max_frame=10_000) as pool:
        bench = Bench(pool)
        with pytest.raises(OutputTooLarge) as large:
            await bench.run("'x' * 20_000")
        assert large.value.details == {"size": large.value.details["size"], "limit": 10_000}
        with pytest.raises(OutputTooLarge):
            await bench.run("def f():\n    while True:\n        yield 'x' * 1000")
        with pytest.raises(InputTooLarge):
            await bench.run("x", x="y" * 20_000)
        assert await bench.run("'x' * 1_000") == {"result": "x" * 1_000}


@pytest.mark.parametrize(
    "frame", ["b'\\xff\\xff\\xff\\xff'", "b'\\0\\0\\0\\3abc'", "b'\\0\\0\\0\\1\\xc1'"]
)
async def test_a_worker_that_forges_frames_dies_of_it(bench: Bench, frame: str) -> None:
    code = f"import os\nfor fd in range(3, 20):\n    try:\n        os.write(fd, {frame})\n    except OSError:\n        pass\nwhile True:\n    pass"
    with pytest.raises(WorkerDied):
        await bench.run(code)
    assert await bench.run("1") == {"result": 1}


async def test_a_worker_ends_with_its_pool_even_in_the_middle_of_a_call() -> None:
    program = """
        import asyncio, os
        from spellwork import Context, DetachedHost
        from spellwork.workers import WorkerPool
        from tests.workers.conftest import step_of

        async def main():
            async with WorkerPool(size=1) as pool:
                step = step_of("import os\\nprint(os.getpid())\\nwhile True:\\n    pass")
                host = DetachedHost(canvas="c")
                host.report = lambda event: print(*pool.pids["c"], flush=True)
                await pool.call(step, {}, Context("cell", step.node, host))

        asyncio.run(main())
    """
    root = Path(__file__).parents[2]
    with subprocess.Popen(  # noqa: ASYNC220 - it prints at once
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as parent:
        assert parent.stdout is not None
        pid = int(await asyncio.to_thread(parent.stdout.readline))
        assert not gone(pid)
        parent.kill()
    await until(lambda: gone(pid))


async def test_a_node_error_of_a_pack_keeps_its_code_and_port_across_the_pipe(bench: Bench) -> None:
    with pytest.raises(NodeError) as caught:
        await bench.run(
            "from spellwork import NodeError\nraise NodeError('no', code='mine', port='x', retryable=False)"
        )
    assert (caught.value.code, caught.value.message, caught.value.port) == ("mine", "no", "x")
    assert not caught.value.retryable


async def test_calling_a_warm_worker_costs_little(bench: Bench) -> None:
    step = step_of("x + 1")
    context = Context("cell", step.node, DetachedHost(canvas="canvas"))
    await bench.pool.call(step, {"x": 0}, context)
    taken = []
    for number in range(200):
        start = time.perf_counter()
        await bench.pool.call(step, {"x": number}, context)
        taken.append(time.perf_counter() - start)
    assert sorted(taken)[20] < 0.02, "far less than starting a process, on a busy machine too"
