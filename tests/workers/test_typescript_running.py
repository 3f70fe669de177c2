"""TypeScript cells as they run: what goes in, what comes out, and what is said on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import spellwork
from spellwork import Context, DetachedHost, Execution, Library, Node, NodeError, Spell
from spellwork.handing import decoded
from spellwork.ports import SKIP
from spellwork.workers import CallFailed, WorkerPool
from spellwork_code import pack

from .conftest import Bench

pytestmark = pytest.mark.anyio


class Cells(Bench):
    """Calls TypeScript cells; a Python cell where its type is given."""

    async def keep(
        self, code: str, *, type: str = "code.typescript", **inputs: Any
    ) -> dict[str, Any]:
        host = DetachedHost(canvas=self.canvas)
        self.events = host.events
        spell = Spell(nodes={"cell": Node(type=type, code=code)})
        step = spellwork.compile(spell, Library([pack]))["cell"]
        return await self.pool.call(step, inputs, Context(step.id, step.node, host))

    async def moved(self, code: str, **inputs: Any) -> Any:
        """Call a cell, and have its result handed to the server, which fails where it cannot leave."""
        result = (await self.keep(code, **inputs))["result"]
        return await result.holder.decoded(result)

    async def fail(self, code: str, **inputs: Any) -> NodeError:
        with pytest.raises(NodeError) as caught:
            await self.run(code, **inputs)
        return caught.value


@pytest.fixture(scope="module")
async def cells() -> AsyncIterator[Cells]:
    async with WorkerPool(memory_mb=512) as pool:
        yield Cells(pool)


RUNS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "an expression": ("x * 21", {"x": 2}, {"result": 42}),
    "an object": ("({ a, b: [a, 1.5, null, true] })", {"a": "ü💡"}, {"result": {"a": "ü💡", "b": ["ü💡", 1.5, None, True]}}),
    "declarations": ("const a: number = x + 1; let b = a * 2\nb + 1", {"x": 1}, {"a": 2, "b": 4, "result": 5}),
    "what is left undefined is no output": ("let a: number | undefined\nif (x) a = 1\nconst b = 2", {"x": 0}, {"a": SKIP, "b": 2}),
    "a result is null rather": ("undefined", {}, {"result": None}),
    "in place": ("rows = rows.filter((r) => r > 1)\nrows.length", {"rows": [1, 2, 3]}, {"rows": [2, 3], "result": 2}),
    "declared nowhere": ("y = x + 1", {"x": 1}, {"y": 2, "result": 2}),
    "an enum": ("enum E { A, B = 'b' }\n[E.A, E.B, E[0]]", {}, {"E": {"0": "A", "A": 0, "B": "b"}, "result": [0, "b", "A"]}),
    "parameter properties": ("class _P { constructor(readonly a: number) {} }\nnew _P(x).a", {"x": 1}, {"result": 1}),
    "a function": ("function f(a: number, b = 2): number { return a * b }", {"a": 3}, {"result": 6}),
    "its default": ("(a = 1, b = a + 1) => [a, b]", {}, {"result": [1, 2]}),
    "named fields": (
        "export default ({ a, b = 2, ...more }: { a: string; b?: number }, ...rest: number[]) => [a, b, more, rest]",
        {"a": "x", "z": 1, "rest": [3, 4]},
        {"result": ["x", 2, {"z": 1}, [3, 4]]},
    ),
    "an async function": ("async function f(x) { return await Promise.resolve(x) }", {"x": 1}, {"result": 1}),
    "free names of a function": ("const _g = () => k\nfunction f(a) { return a + _g() }", {"a": 1, "k": 2}, {"result": 3}),
    "await at the top": ("const a = await Promise.resolve(x)\na", {"x": 1}, {"a": 1, "result": 1}),
    "a promise is awaited": ("const a = Promise.resolve(1)\nPromise.resolve(x)", {"x": 2}, {"a": 1, "result": 2}),
    "imports": (
        ("import { createHash as _hash } from 'node:crypto'\nimport * as _p from 'path'\n"
        "[_hash('sha256').update(x).digest('hex').slice(0, 8), _p.basename('/a/b')]"),
        {"x": "a"},
        {"result": ["ca978112", "b"]},
    ),
    "an import of data": ("import _j from 'data:application/json,[1,2]' with { type: 'json' }\n_j[1] + x", {"x": 1}, {"result": 3}),
    "types vanish": ("interface A { b: C }\ntype C = number\ndeclare const x: A;\n(x satisfies A).b!", {"x": {"b": 1}}, {"result": 1}),
    "a date": ("(at: Date) => [at.getTime(), new Date(0)]", {"at": "1970-01-01T00:00:01Z"}, {"result": [1000, "1970-01-01T00:00:00.000Z"]}),
    "dates within": ("({ rows }: { rows: { at: Date }[] }) => rows[0].at.getTime()", {"rows": [{"at": "1970-01-01T00:00:01Z"}]}, {"result": 1000}),
    "bytes": ("(b: Uint8Array) => [b.length, new Uint8Array([1, 2])]", {"b": "data:;base64,AAEC"}, {"result": [3, "data:application/octet-stream;base64,AQI="]}),
    "maps and sets": (
        "(m: Map<string, number>, s: Set<number>) => [m.get('a'), s.size, new Map([[1, 'x']]), new Set([1])]",
        {"m": {"a": 1}, "s": [1, 1]},
        {"result": [1, 1, {"1": "x"}, [1]]},
    ),
    "numbers that JSON lacks": ("[NaN, -Infinity, 10n, 2n ** 70n, -0, 2 ** 53]", {}, {"result": [None, None, 10, 2.0**70, 0, 2**53]}),
    "a bigint": ("(n: bigint) => n + 1n", {"n": 41}, {"result": 42}),
    "undefined within": ("({ a: undefined, b: [undefined, , 1] })", {}, {"result": {"b": [None, None, 1]}}),
    "what knows its JSON": ("[new URL('http://a/b'), { toJSON() { return 1 } }, /a/g]", {}, {"result": ["http://a/b", 1, "/a/g"]}),
    "an error as a value": ("new TypeError('bad')", {}, {"result": {"name": "TypeError", "message": "bad"}}),
    "typed arrays": ("new Float64Array([1, 2.5])", {}, {"result": [1, 2.5]}),
    "keys of every prototype": (
        "Object.keys(x).length",
        {"x": {"__proto__": 1, "constructor": 2, "toString": 3}},
        {"result": 3},
    ),
}  # fmt: skip


@pytest.mark.rule("17.44")
@pytest.mark.parametrize(("code", "inputs", "outputs"), RUNS.values(), ids=RUNS)
async def test_a_cell_runs(
    cells: Cells, code: str, inputs: dict[str, Any], outputs: dict[str, Any]
) -> None:
    assert await cells.run(code, **inputs) == outputs


ERRORS = {
    "in the middle": ("const a = 1\n\nconst b = x.y.z", "Cannot read properties of undefined", 3, 15),
    "in the last expression": ("const a = 1;\nx.map((r) => r.a.b)", "Cannot read properties of null", 2, 18),
    "behind an enum": ("enum E { A }\ninterface I {\n  a: string }\nx.f()", "not a function", 4, 3),
    "in a function": ("function f(x: number): string {\n  throw new RangeError('no')\n}", "RangeError: no", 2, 9),
    "not there yet": ("const a = b\nconst b = 1", "before initialization", 1, 11),
    "a constant": ("const a = 1\na = 2", "Assignment to constant variable", 2, 3),
    "await in no async function": ("let a = 1\nfunction f() { await a }\nf()", "SyntaxError: Unexpected reserved word", 2, 16),
    "a break": ("const a = 1\nbreak", "SyntaxError: Illegal break", 2, 1),
    "what swallows the stack": ("Error.stackTraceLimit = 0\nthrow new Error('x')", "Error: x", None, None),
    "what is no error": ("throw 'x'", "the code threw x", None, None),
    "what cannot be shown": ("throw { toString() { throw 1 } }", "cannot be shown", None, None),
    "the stack": ("const f = (n) => f(n) + 1\nf(1) + [].length", "Maximum call stack size", None, None),
}  # fmt: skip


@pytest.mark.rule("17.46")
@pytest.mark.parametrize(("code", "words", "line", "column"), ERRORS.values(), ids=ERRORS)
async def test_errors_say_where_in_the_cell(
    cells: Cells, code: str, words: str, line: int | None, column: int | None
) -> None:
    error = await cells.fail(code, x=[{"a": None}] if "map" in code else {})
    assert isinstance(error, CallFailed)
    assert words in error.message
    if line is not None:
        assert (error.details["line"], error.details["column"]) == (line, column)
        assert f"(cell line {line}, column {column})" in error.message


@pytest.mark.rule("17.46")
async def test_a_traceback_shows_the_cells_own_lines_and_what_led_to_the_error(
    cells: Cells,
) -> None:
    code = (
        "function _load() { throw new Error('no file') }\n"
        "function _safe() {\n  try { _load() } catch (cause) { throw new TypeError('bad', { cause }) }\n}\n"
        "_safe()"
    )
    error = await cells.fail(code)
    assert isinstance(error, CallFailed)
    assert error.traceback == (
        "cell line 5, column 1\n    _safe()\n"
        "cell line 3, column 9, in _safe\n    try { _load() } catch (cause) { throw new TypeError('bad', { cause }) }\n"
        "cell line 1, column 26, in _load\n    function _load() { throw new Error('no file') }\n"
        "Error: no file\n\nwhich led to\n\n"
        "cell line 5, column 1\n    _safe()\n"
        "cell line 3, column 41, in _safe\n    try { _load() } catch (cause) { throw new TypeError('bad', { cause }) }\n"
        "TypeError: bad"
    )


@pytest.mark.rule("17.44")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("new WeakMap()", "a WeakMap"),
        ("[1, { a: () => 1 }]", '[1]["a"] is a function'),
        ("const o: any = {}; o.o = o\no", "nested more than 100 deep"),
        ("new (class Mine {})()", "a Mine"),
        ("Symbol('a')", "a symbol"),
        ("(function* () {})()", "cannot leave the worker"),
    ],
)
async def test_what_has_no_plain_form_says_so(cells: Cells, code: str, words: str) -> None:
    with pytest.raises(NodeError) as caught:
        await cells.moved(code)
    assert caught.value.code == "not_transferable"
    assert words in caught.value.message


@pytest.mark.rule("17.47")
async def test_what_is_said_is_told(cells: Cells) -> None:
    code = (
        "console.log('a', { b: 1 }); console.info('c')\nconsole.warn('d'); console.error('e'); console.debug('f')\n"
        "Deno.stdout.writeSync(new TextEncoder().encode('g\\n')); process.stdout.write('h')\n"
        "spellwork.log('i', 'warn'); spellwork.progress(0.5, 'half')"
    )
    await cells.run(code)
    logs = [(each.level, each.message) for each in cells.events if each.kind == "node.log"]
    assert logs == [
        ("info", "a { b: 1 }\nc"),
        ("warning", "d"),
        ("error", "e"),
        ("debug", "f"),
        ("info", "g\nh"),
        ("warning", "i"),
    ]
    assert [(e.value, e.message) for e in cells.events if e.kind == "node.progress"] == [
        (0.5, "half")
    ]


@pytest.mark.rule("17.47")
async def test_who_prints_without_end_is_cut_short(cells: Cells) -> None:
    await cells.run("for (let i = 0; i < 3e5; i++) console.log('some words')\n1")
    logs = cells.of("node.log")
    assert "further output was dropped" in logs[-1]
    assert 1_000_000 <= sum(map(len, logs)) < 1_200_000


@pytest.mark.rule("17.47")
async def test_what_nobody_awaited_is_told_and_ends_nothing(cells: Cells) -> None:
    code = "Promise.reject(new Error('lost')); setTimeout(() => { throw new Error('late') }, 1)\n"
    await cells.run(code + "await new Promise((done) => setTimeout(done, 20))")
    assert any("lost" in message for message in cells.of("node.log"))
    assert any("late" in message for message in cells.of("node.log"))
    assert await cells.run("1") == {"result": 1}


@pytest.mark.rule("17.48")
async def test_values_without_plain_form_pass_between_typescript_cells(cells: Cells) -> None:
    made = await cells.keep(
        "class _Counter { n = 0; up() { return ++this.n } }\n"
        "const counter = new _Counter(), twice = (x: number) => x * 2, when = new Map([['a', new Date(5)]])"
    )
    code = "[counter.up(), twice(4), when.get('a').getTime()]"
    assert await cells.run(code, **made) == {"result": [1, 8, 5]}
    assert (await cells.run(code, **made))["result"][0] == 2
    assert await decoded(made["when"]) == {"a": "1970-01-01T00:00:00.005Z"}
    with pytest.raises(NodeError) as caught:
        await made["counter"].holder.decoded(made["counter"])
    assert caught.value.code == "not_transferable"


@pytest.mark.rule("17.48")
async def test_large_values_stay_and_are_shown_by_the_page(cells: Cells) -> None:
    made = await cells.keep(
        "const rows = Array.from({ length: 50_000 }, (_, i) => ({ i, name: `n${i}` }))"
    )
    assert await cells.run("rows.length + rows[49_999].i", **made) == {"result": 99_999}
    assert len(await decoded(made["rows"])) == 50_000


@pytest.mark.rule("17.49")
async def test_python_and_typescript_pass_values_to_each_other(cells: Cells) -> None:
    made = await cells.keep(
        "from datetime import date\nday = date(2026, 1, 2)\nrows = [{'a': n} for n in range(20_000)]\nb = b'ab'",
        type="code.python",
    )
    code = "(day: Date, rows: { a: number }[], b: Uint8Array) => ({ y: day.getUTCFullYear(), n: rows.length, b })"
    seen = await cells.keep(code, **made)
    got = await cells.run("(result['y'], result['n'], result['b'])", type="code.python", **seen)
    assert list(got["result"]) == [2026, 20_000, "data:application/octet-stream;base64,YWI="]


@pytest.mark.rule("17.45")
async def test_a_spell_streams_through_both_languages(cells: Cells) -> None:
    spell = Spell(
        nodes={
            "make": Node(
                type="code.typescript",
                code="async function* f() { for (const w of ['a', 'b', 'c']) yield w }",
            ),
            "shout": Node(
                type="code.typescript",
                code="async function* f(words: AsyncIterable<string>): AsyncGenerator<string> {\n"
                "  for await (const word of words) yield word.toUpperCase() }",
            ),
            "end": Node(
                type="code.python",
                code="from collections.abc import Iterator\ndef f(words: Iterator[str]):\n    return [w + '!' for w in words]",
            ),
        },
        edges={
            "1": spellwork.Edge(source="make", output="result", target="shout", input="words"),
            "2": spellwork.Edge(source="shout", output="result", target="end", input="words"),
        },
    )
    plan = spellwork.compile(spell, Library([pack]))
    outcome = await Execution(plan, executors={"worker": cells.pool}).run()
    assert outcome.outputs["end"]["result"] == ["A!", "B!", "C!"]


@pytest.mark.rule("17.45")
@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("function* f() { yield 1; yield 2 }", [1, 2]),
        ("async function* f() { yield 'a'; yield 'b' }", "ab"),
        ("function* f() { for (let i = 0; i < 500; i++) yield i }", list(range(500))),
        (
            "(): ReadableStream<string> => new ReadableStream({ start(c) { c.enqueue('x'); c.close() } })",
            "x",
        ),
    ],
)
async def test_generators_stream(cells: Cells, code: str, result: Any) -> None:
    assert (await cells.run(code))["result"] == result


@pytest.mark.rule("17.45")
async def test_an_error_in_a_stream_says_where(cells: Cells) -> None:
    error = await cells.fail("function* f() {\n  yield 1\n  throw new Error('dry')\n}")
    assert error.details["line"] == 3


@pytest.mark.rule("17.50")
async def test_a_loop_without_end_is_ended_with_its_worker(cells: Cells) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await cells.run("for (;;) {}")
    assert await cells.run("1") == {"result": 1}
