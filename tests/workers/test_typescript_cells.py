"""What reading a TypeScript cell finds: its form, its inputs, its outputs. Nothing is executed."""

from __future__ import annotations

import contextlib

import pytest

from spellwork_code.ts.reading import mentions, read_cell
from spellwork_worker.cells import MAX_CODE, CellError

CASES = {
    # expressions
    "a bare expression": ("x * 21", "expression", ["x"], ["result"]),
    "a semicolon and a comment": ("// twice\nx * 2; // so", "expression", ["x"], ["result"]),
    "globals of the language": ("Math.max(...rows)", "expression", ["rows"], ["result"]),
    "members are no names": ("a.b?.c[d].e", "expression", ["a", "d"], ["result"]),
    "an object": (
        "({ a, b: c, [d]: e, ...f })",
        "expression",
        ["a", "c", "d", "e", "f"],
        ["result"],
    ),
    "an object without brackets": ("{ a: 1, b }", "expression", ["b"], ["result"]),
    "an arrow keeps its parameters": (
        "rows.map((r, i) => r[field] + i)",
        "expression",
        ["rows", "field"],
        ["result"],
    ),
    "a destructured parameter": (
        "rows.map(({ a, b: [c = d], ...e }) => a + c + e + b)",
        "expression",
        ["rows", "d", "b"],
        ["result"],
    ),
    "a template": (
        "`${name}: ${value.toFixed(digits)}`",
        "expression",
        ["name", "value", "digits"],
        ["result"],
    ),
    "a tagged template": ("tag`x ${y}`", "expression", ["tag", "y"], ["result"]),
    "await at the top": ("await load(url)", "expression", ["load", "url"], ["result"]),
    "types of an expression": (
        "(x as Foo<typeof y>).a! satisfies Bar",
        "expression",
        ["x"],
        ["result"],
    ),
    "an assertion": ("<Foo>x", "expression", ["x"], ["result"]),
    "new and typeof": ("new Foo(typeof x)", "expression", ["Foo", "x"], ["result"]),
    "a regular expression": ("/a(b)/.test(text)", "expression", ["text"], ["result"]),
    "a class as a value": (
        "new (class { m() { return k } })().m()",
        "expression",
        ["k"],
        ["result"],
    ),
    "names that browsers have": (
        "prompt + name + location",
        "expression",
        ["prompt", "name", "location"],
        ["result"],
    ),
    "what a cell is offered": ("spellwork.progress(p)", "expression", ["p"], ["result"]),
    "letters of any language": ("größe + 変数", "expression", ["größe", "変数"], ["result"]),
    # declarations
    "const and let": ("const a = x + 1; let b = a", "declarations", ["x"], ["a", "b"]),
    "a last expression": ("const a = x\na * 2", "declarations", ["x"], ["a", "result"]),
    "an expression before the last": ("log(a)\nconst b = 1", "declarations", ["log", "a"], ["b"]),
    "private names": ("const _a = x, b = _a", "declarations", ["x"], ["b"]),
    "destructuring": (
        "const { a, b: c = d, ...e } = x, [f, , [g]] = y",
        "declarations",
        ["d", "x", "y"],
        ["a", "c", "e", "f", "g"],
    ),
    "a computed key": ("const { [k]: v } = x", "declarations", ["k", "x"], ["v"]),
    "functions and classes": (
        "function f(v: number) { return v + o }\nclass C extends B { s = t; m() { return u } }",
        "declarations",
        ["o", "B", "t", "u"],
        ["f", "C"],
    ),
    "an enum": ("enum E { A, B = A << n }\nE.B", "declarations", ["n"], ["E", "result"]),
    "a const enum": ("const enum E { A = 'a' }\nlet e = E.A", "declarations", [], ["E", "e"]),
    "types are no outputs": (
        "interface A { x: B }\ntype C = A | typeof d\nlet y: C = z",
        "declarations",
        ["z"],
        ["y"],
    ),
    "exports mean nothing": (
        "export const a = x; export function f() {}\nexport class C {}",
        "declarations",
        ["x"],
        ["a", "f", "C"],
    ),
    "a default export": (
        "const a = x\nexport default a + 1",
        "declarations",
        ["x"],
        ["a", "result"],
    ),
    "imports": (
        "import d, { a as b, type T } from 'node:util'\nimport * as p from 'path'\np.join(b, x, d)",
        "declarations",
        ["x"],
        ["result"],
    ),
    "an import of types": (
        "import type { A } from './a'\nlet x: A = y",
        "declarations",
        ["y"],
        ["x"],
    ),
    "an import of data": (
        "import j from 'data:application/json,1' with { type: 'json' }\nj + x",
        "declarations",
        ["x"],
        ["result"],
    ),
    "assigned in place": (
        "rows = rows.filter((r) => r)",
        "declarations",
        ["rows"],
        ["rows", "result"],
    ),
    "counting up": ("n += 1", "declarations", ["n"], ["n", "result"]),
    "counting one": ("n++; const b = n", "declarations", ["n"], ["n", "b"]),
    "assigned and declared nowhere": ("y = x; y * 2", "declarations", ["x"], ["y", "result"]),
    "assigned by a pattern": ("[a, o.b] = x", "declarations", ["o", "x"], ["a", "result"]),
    "an object's pattern": (
        "({ a, b: c = d } = x)",
        "declarations",
        ["d", "x"],
        ["a", "c", "result"],
    ),
    "declared later": (
        "function f() { return k }\nconst k = 2, y = f()",
        "declarations",
        [],
        ["f", "k", "y"],
    ),
    "its own name is not there yet": (
        "const rows = rows.filter(f)",
        "declarations",
        ["f"],
        ["rows"],
    ),
    "read before it is assigned": (
        "const a = n; n = 2",
        "declarations",
        ["n"],
        ["a", "n", "result"],
    ),
    "assigned in a function": (
        "function f() { n = 1 }\nf()",
        "declarations",
        ["n"],
        ["f", "result"],
    ),
    "a typed input": ("declare const n: number\nconst m = n + 1", "declarations", ["n"], ["m"]),
    "a declared input that nobody reads": (
        "declare let n: number\nconst m = 1",
        "declarations",
        [],
        ["m"],
    ),
    "overloads": (
        "function f(a: string): void\nfunction f(a: any) { return k }\nconst y = 1",
        "declarations",
        ["k"],
        ["f", "y"],
    ),
    "nothing": ("", "declarations", [], []),
    "only a comment": ("// nothing\n/* at all */", "declarations", [], []),
    "only a type": ("type A = string", "declarations", [], []),
    # scopes
    "a loop keeps its variables": (
        "let total = 0\nfor (const v of values) { total += v }",
        "declarations",
        ["values"],
        ["total"],
    ),
    "a loop of var": ("for (var i = 0; i < n; i++) f(i)", "declarations", ["n", "f"], []),
    "a loop with names": (
        "for (const [k, { v }] of Object.entries(o)) f(k, v)",
        "declarations",
        ["o", "f"],
        [],
    ),
    "a loop that assigns": ("for (k in o) {}", "declarations", ["o"], ["k"]),
    "for await": ("for await (const c of s) f(c)", "declarations", ["s", "f"], []),
    "a block keeps its names": (
        "{ let a = x; f(a) }\na",
        "declarations",
        ["x", "f", "a"],
        ["result"],
    ),
    "var leaves its block": ("if (x) { var a = 1 }", "declarations", ["x"], ["a"]),
    "var stays in its function": (
        "function f() { var a = 1 }\nconst b = a",
        "declarations",
        ["a"],
        ["f", "b"],
    ),
    "catch": (
        "try { f() } catch ({ message }) { g(message) } finally { h }",
        "declarations",
        ["f", "g", "h"],
        [],
    ),
    "catch without a name": (
        "let a = 1\ntry { f() } catch { a = 2 }",
        "declarations",
        ["f"],
        ["a"],
    ),
    "switch": (
        "switch (v) { case w: { let a = 1 } case 2: const b = x; default: f(b) }",
        "declarations",
        ["v", "w", "x", "f"],
        [],
    ),
    "labels": ("out: for (;;) { break out }", "declarations", [], []),
    "a function that knows itself": (
        "const f = [function g(n) { return n ? g(n - 1) : z }]",
        "declarations",
        ["z"],
        ["f"],
    ),
    "defaults see parameters before": (
        "const f = [(a, b = a + c) => a + b]",
        "declarations",
        ["c"],
        ["f"],
    ),
    "a class's members": (
        "class C { #a = x; static s = y; [k]() { return this.#a } get g() { return z } static { w } }",
        "declarations",
        ["x", "y", "k", "z", "w"],
        ["C"],
    ),
    "shadowing": ("const f = [(x) => { const y = x; return y }, y]", "declarations", ["y"], ["f"]),
    # functions
    "a function": (
        "function f(a: number, b = 2) { return a + b }",
        "function",
        ["a", "b"],
        ["result"],
    ),
    "its free names": ("function f(a) { return a * k }", "function", ["a", "k"], ["result"]),
    "with what it needs": (
        (
            "import { inspect } from 'node:util'\ntype T = string\nconst _k = z\nfunction _g() {}\n"
            "function f(a: T) { return inspect(_k + a) }"
        ),
        "function",
        ["a", "z"],
        ["result"],
    ),
    "an async function": ("async function f(a) { await a }", "async function", ["a"], ["result"]),
    "a default function": (
        "export default function (a) { return a }",
        "function",
        ["a"],
        ["result"],
    ),
    "an exported function": (
        "export async function main(a) {}",
        "async function",
        ["a"],
        ["result"],
    ),
    "an arrow": ("(a: number, b = 2) => a + b", "function", ["a", "b"], ["result"]),
    "an arrow of one name": ("a => a + k", "function", ["a", "k"], ["result"]),
    "an async arrow": ("async (a) => await a", "async function", ["a"], ["result"]),
    "a named arrow": ("const f = (a) => a", "function", ["a"], ["result"]),
    "named fields": (
        "function f({ a, b = 2, c: d, ...e }: P) { return e }",
        "function",
        ["a", "b", "c"],
        ["result"],
    ),
    "a list of fields": (
        "function f([a, b], { c }) {}",
        "function",
        ["argument1", "c"],
        ["result"],
    ),
    "a rest": ("function f(a, ...more: string[]) {}", "function", ["a", "more"], ["result"]),
    "no parameters": ("function f() { return k }", "function", ["k"], ["result"]),
    "this is no parameter": ("function f(this: void, a) {}", "function", ["a"], ["result"]),
    "a generator": ("function* f(a) { yield* a }", "generator", ["a"], ["result"]),
    "an async generator": (
        "async function* f(a) { for await (const c of a) yield c }",
        "async generator",
        ["a"],
        ["result"],
    ),
    "what returns a stream": (
        "const f = (a): AsyncIterable<string> => g(a)",
        "async generator",
        ["a", "g"],
        ["result"],
    ),
    "two functions": ("function f(a) {}\nfunction g(b) {}", "declarations", [], ["f", "g"]),
    "a function and a value": ("function f(a) {}\nconst x = f(1)", "declarations", [], ["f", "x"]),
}


@pytest.mark.rule("17.40")
@pytest.mark.parametrize(("code", "form", "inputs", "outputs"), CASES.values(), ids=CASES)
def test_a_cell_is_read(code: str, form: str, inputs: list[str], outputs: list[str]) -> None:
    cell = read_cell(code)
    assert (
        cell.form,
        [port.name for port in cell.ports.inputs],
        [port.name for port in cell.ports.outputs],
    ) == (form, inputs, outputs)


REFUSED = {
    "a bracket that stays open": ("const a = (1 + 2\nb", 1, 11, "`(` is never closed"),
    "a bracket too many": ("a)\nb", 1, 2, "`)` closes nothing"),
    "brackets that cross": ("f([1)]", 1, 5, "`)` closes nothing"),
    "a type that is none": ("const x: = 3", 1, 10, "cannot be read"),
    "two values": ("let a = 1\nlet x = 5 5", 2, 9, "cannot be read"),
    "a dot before a declaration": ("a = 1\nlabel.\nconst b = 2", 2, 6, "missing behind `.`"),
    "a dot before a return": ("function f() {\n  a?.\n  return 1\n}", 2, 4, "missing behind `?.`"),
    "a dot at the end": ("let a = 1\nlet x = a.b.\n\n", 2, 12, "missing behind `.`"),
    "a name twice": ("let a = 1\nconst a = 2", 2, 7, "`a` is declared twice"),
    "an import's name twice": (
        "import { a } from 'node:util'\nlet a = 1",
        2,
        5,
        "`a` is declared twice",
    ),
    "a return": ("const a = 1\n  return a", 2, 3, "in no function"),
    "a list of exports": ("const a = 1\nexport { a }", 2, 1, "exports no list"),
    "a namespace": ("namespace N { export const a = 1 }", 1, 1, "namespaces"),
    "two inputs of a name": ("function f({ a }, a) {}", 1, 19, "two inputs are named 'a'"),
    "a package": ("import x from 'npm:lodash'", 1, 15, "cannot import 'npm:lodash'"),
    "a registry's package": ("import x from 'jsr:@std/path'", 1, 15, "cannot import"),
    "the network": ("\nimport 'https://deno.land/x.ts'", 2, 8, "cannot import"),
    "a file": ("import x from './a.ts'", 1, 15, "cannot import './a.ts'"),
    "a file's address": ("import x from 'file:///etc/passwd'", 1, 15, "cannot import"),
    "a module that reaches out": ("import fs from 'node:fs'", 1, 16, "cannot import 'node:fs'"),
    "behind wide letters": ("const größe = '💡' + )", 1, 21, "closes nothing"),
    "half a character": ("'\ud800'", None, None, "half a character"),
    "a null byte": ("a\0b", None, None, "null byte"),
    "too much": ("x" * (MAX_CODE + 1), None, None, "100,001 characters"),
}


@pytest.mark.rule("17.41")
@pytest.mark.parametrize(("code", "line", "column", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_says_where(
    code: str, line: int | None, column: int | None, words: str
) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(code)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.message


@pytest.mark.rule("17.41")
@pytest.mark.parametrize(
    "code",
    [
        "(" * 90_000,
        "[{(" * 9_000,
        "<" * 99_999,
        "a+" * 20_000 + "a",
        "`${" * 30_000,
        "x=>" * 30_000,
    ],
    ids=["brackets", "all brackets", "less than", "sum", "templates", "arrows"],
)
def test_the_worst_texts_are_read_or_refused_soon(code: str) -> None:
    with contextlib.suppress(CellError):
        read_cell(code)


@pytest.mark.rule("17.42")
def test_ports_know_where_their_names_stand() -> None:
    cell = read_cell("/* größe */ const a = größe,\n  b = x.x\nb")
    places = {
        port.name: (port.place.line, port.place.column, port.place.end_column)
        for port in (*cell.ports.inputs, *cell.ports.outputs)
        if port.place is not None
    }
    assert places == {
        "größe": (1, 23, 28),
        "x": (2, 7, 8),
        "a": (1, 19, 20),
        "b": (2, 3, 4),
        "result": (3, 1, 2),
    }


@pytest.mark.rule("17.42")
@pytest.mark.parametrize(
    ("code", "name", "places"),
    [
        ("const a = x\nfunction g(x) { return a + x }\na", "a", [(1, 7), (2, 24), (3, 1)]),
        ("const a = x\nfunction g(x) { return a + x }\na", "x", [(1, 11)]),
        (
            "const f = (rows, k) => {\n  return rows.map((r) => r.rows * k)\n}",
            "rows",
            [(1, 12), (2, 10)],
        ),
        ("n += 1; ({ n }); [n] = y", "n", [(1, 1), (1, 12), (1, 19)]),
        ("let y: x = x", "x", [(1, 12)]),
    ],
)
def test_every_place_of_a_name_is_told(code: str, name: str, places: list[tuple[int, int]]) -> None:
    assert [(place.line, place.column) for place in mentions(code, name)] == places


@pytest.mark.rule("17.42")
def test_an_output_with_a_name_of_the_language_is_remarked() -> None:
    (remark,) = read_cell("const Map = 1, mine = 2").ports.remarks
    assert remark.code == "shadows_builtin"
    assert "Map" in remark.message


@pytest.mark.rule("17.40")
def test_defaults_that_are_plain_are_known() -> None:
    cell = read_cell(
        "function f(a = 1.5, b = 'x', c = -2, d = [1, { k: null }], e = g(), f = undefined, h?: string, i = 0x10) {}"
    )
    found = {port.name: (port.required, port.default) for port in cell.ports.inputs}
    assert found == {
        "a": (False, 1.5),
        "b": (False, "x"),
        "c": (False, -2),
        "d": (False, [1, {"k": None}]),
        "e": (False, None),
        "f": (False, None),
        "h": (False, None),
        "i": (False, 16),
        "g": (True, None),
    }


def test_a_rest_of_fields_takes_any_name() -> None:
    assert read_cell("({ a, ...more }) => more").ports.extra_inputs
    assert not read_cell("({ a }) => a").ports.extra_inputs
