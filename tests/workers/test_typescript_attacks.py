"""TypeScript cells that try to get out: each fails with words of its own, and the next call is as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spellwork.workers import CallFailed, WorkerPool
from spellwork.workers.errors import LimitExceeded, WorkerDied

from .test_typescript_running import Cells

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    async with WorkerPool(memory_mb=512) as pool:
        yield pool


@pytest.fixture
def cells(pool: WorkerPool) -> Cells:
    return Cells(pool, "attacked")


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A module whose text nobody may read."""
    path = tmp_path / "secret.json"
    path.write_text('{"secret": "a-secret-of-the-server"}')
    return str(path)


ATTACKS = {
    "read a file": ("await Deno.readTextFile('FILE')", "no files"),
    "read a file at once": ("Deno.readTextFileSync('FILE')", "no files"),
    "read a file by node": ("(await import('node:fs')).readFileSync('FILE', 'utf8')", "no files"),
    "write a file": ("await Deno.writeTextFile('FILE', '')", "no files"),
    "list a directory": ("[...Deno.readDirSync('/')]", "no files"),
    "open /proc": ("Deno.readTextFileSync('/proc/self/environ')", "no files"),
    "the environment": ("Deno.env.toObject()", "no environment"),
    "the environment by name": ("Deno.env.get('HOME')", "no environment"),
    "the environment by node": ("process.env.HOME", "no environment"),
    "another program": ("new Deno.Command('/bin/sh', { args: ['-c', 'id'] }).outputSync()", "no other programs"),
    "another program by node": ("(await import('node:child_process')).execSync('id')", "no environment"),
    "a library": ("Deno.dlopen('libc.so.6', {})", "no libraries"),
    "the machine": ("Deno.hostname()", "nothing of the system"),
    "a connection": ("await Deno.connect({ port: 80, hostname: '127.0.0.1' })", "no network"),
    "a listener": ("Deno.listen({ port: 0 })", "no network"),
    "a connection by node": (
        "await new Promise(async (_, no) => (await import('node:net')).connect(80, '127.0.0.1').on('error', no))",
        "no network",
    ),
    "a look-up": ("await Deno.resolveDns('example.org', 'A')", "rror"),
    "a signal": ("Deno.kill(Deno.ppid, 'SIGKILL')", "no other programs"),
    "an import of a file": ("await import('file://FILE', { with: { type: 'json' } })", "no files"),
    "an import of a file as text": ("await import('file://FILE', { with: { type: 'text' } })", "no files"),
    "a file within data": (
        "await import(`data:text/javascript,import x from 'file://FILE' with {type:'json'};export default x`)",
        "no files",
    ),
    "a file within a blob": (
        "await import(URL.createObjectURL(new Blob([`import 'file://FILE'`], { type: 'text/javascript' })))",
        "no files",
    ),
    "an import of the network": ("await import('https://deno.land/std/version.ts')", "no modules from the network"),
    "an import of a package": ("await import('npm:lodash')", "no packages"),
    "an import of a registry": ("await import('jsr:@std/path')", "no modules from the network"),
    "more permissions": (
        "(await Deno.permissions.request({ name: 'read' })).state === 'granted' || Deno.readTextFileSync('FILE')",
        "no files",
    ),
    "a worker with more permissions": (
        "new Worker('data:text/javascript,', { type: 'module', deno: { permissions: { read: true } } })",
        "no threads",
    ),
    "leave": ("Deno.exit(0)", "cannot end its worker"),
    "leave by node": ("process.exit(0)", "cannot end its worker"),
    "close": ("globalThis.close()", "cannot end its worker"),
    "much memory at once": ("new Uint8Array(64e9)", "Array"),
    "memory of WebAssembly": (
        ("const a = []; for (let i = 0; i < 100; i++) { const m = new WebAssembly.Memory({ initial: 1000 });"
        " new Uint8Array(m.buffer).fill(1); a.push(m) }"),
        "memory",
    ),
    "typed arrays": ("const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1))", "more memory than its worker has"),
}  # fmt: skip


@pytest.mark.rule("17.51")
@pytest.mark.parametrize(("code", "words"), ATTACKS.values(), ids=ATTACKS)
async def test_an_attack_fails(cells: Cells, secret: str, code: str, words: str) -> None:
    with pytest.raises((CallFailed, LimitExceeded)) as caught:  # memory: who notices first
        await cells.run(code.replace("FILE", secret))
    error = caught.value
    assert words in error.message
    told = f"{error.message} {getattr(error, 'traceback', '')} {cells.events}"
    assert "a-secret-of-the-server" not in told
    assert "--allow-" not in told


async def test_after_all_that_a_cell_runs_as_ever(cells: Cells) -> None:
    assert await cells.run("x * 2", x=21) == {"result": 42}


async def test_fetch_without_a_grant_says_how_to_get_one(cells: Cells) -> None:
    with pytest.raises(CallFailed) as caught:
        await cells.run("await fetch('http://127.0.0.1:9400/')")
    assert "RequestError" in caught.value.message


async def test_a_heap_that_is_full_ends_the_call_and_names_the_limit(cells: Cells) -> None:
    with pytest.raises(LimitExceeded) as caught:
        await cells.run(
            "const a = []; for (;;) a.push(Array.from({ length: 1000 }, (_, i) => ({ i })))"
        )
    assert caught.value.details["limit"] == "memory_mb"
    assert await cells.run("1") == {"result": 1}


TAMPERING = {
    "lists": "Array.prototype.push = Array.prototype.join = Array.prototype.map = () => { throw 1 }",
    "iteration": "Array.prototype[Symbol.iterator] = () => { throw 1 }",
    "maps": "Map.prototype.get = Map.prototype.set = Map.prototype.has = () => { throw 1 }",
    "promises": "Promise.prototype.then = () => { throw 1 }; Promise.resolve = null",
    "texts": "String.prototype.slice = String.prototype.split = String.prototype.charCodeAt = () => { throw 1 }",
    "patterns": "RegExp.prototype.exec = () => { throw 1 }",
    "JSON": "JSON.stringify = JSON.parse = () => { throw 1 }",
    "objects": "Object.keys = Object.hasOwn = Object.freeze = Reflect.apply = () => { throw 1 }",
    "every object": "Object.prototype.id = 7; Object.prototype.type = 'x'; Object.prototype.kept = { a: 1 }",
    "every object's setters": "Object.defineProperty(Object.prototype, 'x', { set() { throw 1 }, get() { return 5 }, configurable: true })",
    "bytes": "Uint8Array.prototype.subarray = Uint8Array.prototype.set = DataView.prototype.getUint32 = () => { throw 1 }",
    "text of bytes": "TextDecoder.prototype.decode = TextEncoder.prototype.encodeInto = () => { throw 1 }",
    "functions": "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw 1 }",
    "globals": "globalThis.Map = globalThis.Promise = globalThis.Error = globalThis.Uint8Array = globalThis.eval = null",
    "the console": "console.log = console.error = null",
    "timers": "globalThis.setTimeout = () => { throw 1 }",
    "what is offered": "spellwork.progress = 1",
}


@pytest.mark.rule("17.51")
@pytest.mark.parametrize("canvas", ["tampered", "functions", "globals"])
async def test_cells_that_change_the_language_break_each_other_at_most(
    pool: WorkerPool, canvas: str
) -> None:
    cells = Cells(pool, canvas)
    for name, code in TAMPERING.items():
        if (name if name in ("functions", "globals") else "tampered") != canvas:
            continue  # Deno itself needs some of it: with all gone at once it may end
        try:
            await cells.run(f"{code}\n1")
        except CallFailed:
            assert "spellwork." in code
    assert await cells.run("const y = x * 2, z = { a: ['ü'.length, null] }", x=21) == {
        "y": 42,
        "z": {"a": [1, None]},
    }
    if canvas == "tampered":
        assert (await cells.run("function* f() { yield 1; yield 2 }"))["result"] == [1, 2]
    error = await cells.fail("const a = 1\na.b.c")
    if canvas != "functions":  # without which Deno itself cannot say where an error was
        assert error.details["line"] == 2


async def test_what_a_cell_changes_is_not_seen_on_another_canvas(pool: WorkerPool) -> None:
    await Cells(pool, "tampered").run("globalThis.mine = 1; Object.prototype.mine = 2")
    assert await Cells(pool, "other").run("[typeof mine, ({}).mine ?? null]", mine=None) == {
        "result": ["object", None]
    }


async def test_frames_of_its_own_harm_only_the_cell_that_writes_them(pool: WorkerPool) -> None:
    cells = Cells(pool, "forging")
    code = "(await import('node:fs')).writeSync(1, new Uint8Array([255, 255, 255, 255, 1, 2, 3]))"
    with pytest.raises((CallFailed, WorkerDied)):
        await cells.run(code)
    assert await cells.run("1") == {"result": 1}
