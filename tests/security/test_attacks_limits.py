"""Cells that use up what a worker has, lie to its pool, or do not end: each fails with the name of its limit.

Whatever they do, the canvas's next cell runs within 2 seconds, and another canvas's worker goes on.
"""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from spellwork import Context, DetachedHost
from spellwork.workers import WorkerDied, WorkerPool
from spellwork.workers.errors import LimitExceeded
from tests.workers.conftest import Bench, step_of
from tests.workers.test_pool import gone, members, until

from .conftest import Arena

pytestmark = pytest.mark.anyio

GREEDY = {
    "one allocation": ("memory_mb", "b'x' * (1 << 40)"),
    "many allocations": (
        "memory_mb",
        "held = []\nwhile True:\n    held.append(bytearray(8 << 20))",
    ),
    "memory of children": (
        "memory_mb",
        """
        import os, time
        for _n in range(4):
            if os.fork() == 0:
                _held = [bytearray(b"x") * (96 << 20) for _ in range(3)]
                time.sleep(60)
        _held = [bytearray(b"x") * (96 << 20) for _ in range(3)]
        time.sleep(60)
        """,
    ),
    "one large file": (
        "files_mb",
        "_f = open('large', 'wb')\nwhile True:\n    _f.write(bytes(1 << 20))",
    ),
    "many files": (
        "files_mb",
        "for n in range(100):\n    open(f'file-{n}', 'wb').write(bytes(1 << 20))",
    ),
    "a file's size": ("files_mb", "import os\nos.truncate(os.open('hole', 66), 1 << 40)"),
    "descriptors": (
        "open_files",
        "import os\n_held = []\nwhile True:\n    _held.append(os.open('/dev/null', 0))",
    ),
    "pipes": ("open_files", "import os\n_held = []\nwhile True:\n    _held.append(os.pipe())"),
    "threads": (
        "processes",
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    ),
    "a fork bomb": ("processes", "import os\nwhile True:\n    os.fork()"),
    "a bomb of programs": (
        "processes",
        "import subprocess\n_held = []\nwhile True:\n    _held.append(subprocess.Popen(['sleep', '60']))",
    ),
    "processor time": ("cpu_seconds", "while True:\n    pass"),
    "processor time in one call of C": ("cpu_seconds", "sum(range(1 << 62))"),
    "processor time, and no signal heard": (
        "cpu_seconds",
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass",
    ),
    "processor time of a child": (
        "cpu_seconds",
        "import os\nif os.fork() == 0:\n    while True:\n        pass\nos.wait()",
    ),
}


@pytest.mark.rule("19.5")
@pytest.mark.parametrize("name", GREEDY)
async def test_what_uses_too_much_fails_with_the_name_of_its_limit(arena: Arena, name: str) -> None:
    limit, code = GREEDY[name]
    error = await arena.attack(code)
    assert (error.code, error.details["limit"]) == ("limit_exceeded", limit), error.message
    assert any(word in error.message for word in ("worker", "call may", "may hold")), error.message


@pytest.mark.rule("19.5")
async def test_a_call_that_takes_too_long_fails_with_the_time_it_had(arena: Arena) -> None:
    limits = replace(arena.pool.limits, wall_seconds=0.3)
    async with WorkerPool(size=1, limits=limits) as pool:
        bench = Bench(pool)
        with pytest.raises(
            LimitExceeded, match=r"took longer than a call may \(0\.3 s\)"
        ) as caught:
            await bench.run("import time\nwhile True:\n    time.sleep(60)")
        assert caught.value.details["limit"] == "wall_seconds"
        assert await bench.run("40 + 2") == {"result": 42}


ENDINGS = {
    "os._exit": ("import os\nos._exit(3)", "exit status 3"),
    "exit": ("raise SystemExit(3)", "left its worker"),
    "segfault": ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    "abort": ("import os\nos.abort()", "SIGABRT"),
    "kill itself": ("import os\nos.kill(os.getpid(), 9)", "SIGKILL"),
    "a stack without end": ("def f():\n    return f()\nf()", "RecursionError"),
    "writable code": (
        (
            "import ctypes, mmap\n_m = mmap.mmap(-1, 4096, prot=7)\n_m.write(b'\\x0f\\x0b')\n"
            "ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(_m)))()"
        ),
        "SIGILL",
    ),
    "a frame that is none": (
        "import os\nfor fd in range(3, 60):\n    try:\n        os.write(fd, b'\\0\\0\\0\\1\\xc1')\n    except OSError:\n        pass\nwhile True:\n    pass",
        "not a message",
    ),
    "a frame without end": (
        "import os\nfor fd in range(3, 60):\n    try:\n        os.write(fd, b'\\xff\\xff\\xff\\xff')\n    except OSError:\n        pass\nwhile True:\n    pass",
        "bytes at once",
    ),
    "the pipe closed": ("import os\nos.closerange(3, 96)", "the worker"),
}


@pytest.mark.rule("19.6")
@pytest.mark.parametrize("name", ENDINGS)
async def test_what_ends_its_worker_ends_nothing_else(arena: Arena, name: str) -> None:
    code, words = ENDINGS[name]
    error = await arena.attack(code)
    assert words in error.message


@pytest.mark.rule("19.6")
async def test_frames_of_other_calls_are_not_believed(arena: Arena) -> None:
    code = """
        import os
        from spellwork_worker.frames import Failed, Log, Returned, encode
        for _id in range(1, 5000):
            _frames = encode(Log(_id + 100_000, "forged", "error")) + encode(Returned(_id + 100_000, {"result": "forged"}))
            for _fd in range(3, 8):
                try:
                    os.write(_fd, _frames) if _fd in _pipes else None
                except OSError:
                    pass
        40 + 2
    """
    pipes = """
import os, stat
_pipes = []
for _fd in range(3, 8):
    try:
        if stat.S_ISFIFO(os.fstat(_fd).st_mode) and os.get_blocking(_fd) and (os.write(_fd, b"") == 0):
            _pipes.append(_fd)
    except OSError:
        pass
"""
    step, host = step_of("'mine'"), DetachedHost(canvas="victim")
    attack = arena.attacker.run(pipes + textwrap.dedent(code))
    theirs = arena.pool.call(step, {}, Context(step.id, step.node, host))
    forged, mine = await asyncio.gather(attack, theirs)
    assert forged["result"] == 42
    assert mine == {"result": "mine"}
    assert all(event.message != "forged" for event in host.events)


@pytest.mark.rule("19.5")
async def test_a_flood_of_output_is_cut_and_said(arena: Arena) -> None:
    await arena.attacker.run("for i in range(100_000):\n    print('x' * 100)")
    said = "\n".join(map(str, arena.attacker.of("node.log")))
    assert len(said) < 1_100_000
    assert "further output was dropped" in said
    error = await arena.attack("def f():\n    while True:\n        yield 'x' * 100_000")
    assert error.code == "output_too_large"


LINGERING = {
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "a child": "import subprocess\n_p = subprocess.Popen(['sleep', '60'])",
    "a daemon": """
        import os, time
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)
        os.wait()
    """,
    "one that hears no signal": """
        import signal
        for _number in range(1, 64):
            try:
                signal.signal(_number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
    """,
}


@pytest.mark.rule("19.7")
@pytest.mark.parametrize("name", LINGERING)
async def test_nothing_goes_on_after_a_cancel(arena: Arena, name: str) -> None:
    ending = "\nprint('there')\nimport time\nwhile True:\n    time.sleep(1)"
    step, host = (
        step_of(textwrap.dedent(LINGERING[name]) + ending),
        DetachedHost(canvas="lingering"),
    )
    async with asyncio.TaskGroup() as group:
        call = group.create_task(arena.pool.call(step, {}, Context(step.id, step.node, host)))
        await until(lambda: any(event.message == "there" for event in host.events))
        (worker,) = arena.pool.pids["lingering"]
        found = members(worker)
        assert found
        call.cancel()
    await until(lambda: all(map(gone, found)), seconds=30)
    assert not members(worker) or all(map(gone, members(worker)))


@pytest.mark.rule("19.6")
async def test_a_worker_that_dies_leaves_nothing_behind(arena: Arena) -> None:
    where = (await arena.attacker.run("import os\nopen('left', 'w').write('x')\nos.getcwd()"))[
        "result"
    ]
    with pytest.raises(WorkerDied):
        await arena.attacker.run("import os\nos._exit(1)")
    await until(lambda: not Path(where).exists(), seconds=30)
