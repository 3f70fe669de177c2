"""What a TypeScript cell is said to lack is what Deno looks for outside of it when it runs, and nothing else."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork.workers import WorkerPool
from spellwork_code.ts.cells import parse_cell
from spellwork_code.ts.reading import read_cell
from spellwork_worker.cells import CellError
from tests.seeds import examples, seeds

from .test_typescript_running import Cells

pytestmark = pytest.mark.anyio

TOP = 2
NAMES = ("a", "b", "c", "d", "größe")

LOOK = """
(sources: string[]) => sources.map((source) => {
  const seen = new Set<string>()
  const any: any = new Proxy(function () {}, {
    get: (_, name) => name === Symbol.toPrimitive ? () => 1 : name === Symbol.iterator ? function* () { yield any } : any,
    set: () => true, apply: (_, __, given) => { for (const f of given) if (typeof f === 'function' && f !== any) f(any); return any },
    construct: () => any, has: () => true,
  })
  const outside = new Proxy({}, {
    has: (_, name) => typeof name === 'string' && !(name in globalThis) && !!seen.add(name),
    get: (_, name) => name === Symbol.unscopables ? undefined : any,
    set: () => true,
  })
  new Function('outside', `with (outside) { (function () { "use strict";\n${source}\n})() }`)(outside)
  return [...seen]
})
"""
"""Runs plain scripts in a scope that notes each name that is looked for in it."""


class Writer:
    """Writes cells that run all they hold, with types here and there: each function is called, each way gone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def cell(self) -> str:
        return "\n".join(self.block(TOP))

    def block(self, depth: int, taken: tuple[str, ...] = ()) -> list[str]:
        """Return the statements of a scope; what it declares comes first, so that nothing is read too early."""
        free = [name for name in NAMES if name not in taken]
        own = self.random.sample(free, min(len(free), self.random.randrange(3)))
        safe = [name for name in NAMES if name not in own]
        lines = [self.declaration(name, safe, top=not taken and depth == TOP) for name in own]
        return lines + [self.statement(depth, own) for _ in range(self.random.randrange(1, 4))]

    def declaration(self, name: str, safe: list[str], *, top: bool) -> str:
        value = self.random.choice(safe)
        forms = (
            f"let {name} = {value}",
            f"let [{name}] = [{value}]",
            f"let {{ x: {name} = {value} }} = {{}}",
            f"{'var' if top else 'let'} {name} = `${{{value}}}`",
            f"let {name} = class {{ static m = {value} }}",
            f"let {name} = (x) => x",
        )
        return self.random.choice(forms) + ";"

    def name(self) -> str:
        return self.random.choice(NAMES)

    def expression(self, depth: int) -> str:
        if depth <= 0:
            return self.name()
        inner = self.expression(depth - 1)
        other = self.name()
        third = self.random.choice([each for each in NAMES if each != other])
        forms = (
            f"{inner} + {other}",
            f"[{inner}, ...[{other}]]",
            f"({{ {other}, y: {inner}, [{other}]: 1 }})",
            f"`${{{inner}}}`",
            f"(({other}) => {inner})({self.name()})",
            f"(function {other}() {{ return {inner} }})()",
            f"new (class {{ #p = {inner}; m() {{ return {other} }} }})().m()",
            f"(({{ {other} = {third} }}) => {inner})({{}})",
            f"({inner}, typeof {other})",
        )
        return self.random.choice(forms)

    def statement(self, depth: int, own: list[str]) -> str:
        simple = (f"({self.expression(2)});", self.assignment(own))
        if depth <= 0:
            return self.random.choice(simple)
        body = "\n".join(self.block(depth - 1))
        name = self.name()
        other = self.random.choice([each for each in NAMES if each != name])
        inside = "\n".join(self.block(depth - 1, (name,)))
        forms = (
            *simple,
            f"{{ {body} }}",
            f"if (1) {{ {body} }}",
            f"for (let {name} of [{other}]) {{ {inside} }}",
            f"for (let {name} = 0; {name} < 1; {name}++) {{ {body} }}",
            f"try {{ throw {self.expression(1)} }} catch ({name}) {{ {inside} }}",
            f"switch (1) {{ case 1: {{ {body} }} }}",
            f"(function ({name}) {{ {inside} }})({self.expression(1)});",
            f"(({name}) => {{ {inside} }})(1);",
            f"out{depth}: do {{ {body} break out{depth} }} while (0)",
        )
        return self.random.choice(forms)

    def assignment(self, own: list[str]) -> str:
        name, value = self.name(), self.expression(1)
        forms = (
            f"{name} = {value};",
            f"[{name}] = [{value}];",
            f"({{ x: {name} }} = {{ x: {value} }});",
            f"{name} += {value};",
            f"{name}++;",
        )
        return self.random.choice(forms)


@pytest.fixture(scope="module")
async def cells() -> AsyncIterator[Cells]:
    async with WorkerPool(memory_mb=512) as pool:
        yield Cells(pool)


@pytest.mark.rule("17.40")
async def test_what_a_cell_lacks_is_what_deno_looks_for_outside(cells: Cells) -> None:
    sources: list[str] = []
    expected: list[set[str]] = []
    for seed in seeds(100):
        source = Writer(seed).cell()
        try:
            parsed = parse_cell(source)
        except CellError:
            continue  # a name that is declared twice, which Deno refuses as well
        sources.append(source)
        expected.append({*parsed.free, *parsed.implied})
    assert len(sources) > 50
    found = (await cells.run(LOOK, sources=sources))["result"]
    for source, wanted, seen in zip(sources, expected, found, strict=True):
        assert set(seen) == wanted, source


@given(st.text(alphabet="abx01 \n;(){}[]<>=+-*/.,:?!'`\"$@#%&|^~\\ü💡", max_size=60))
@settings(max_examples=examples(150), deadline=None)
@pytest.mark.rule("17.41")
def test_any_text_is_read_or_refused_in_words(code: str) -> None:
    try:
        cell = read_cell(code)
    except CellError as refused:
        error: CellError | None = refused
    else:
        error = None
    lines = code.split("\n")
    if error is not None:
        assert error.message
        assert error.line is None or 1 <= error.line <= len(lines)
        return
    for port in cell.ports.inputs:
        assert port.place is not None
        text = lines[port.place.line - 1][port.place.column - 1 : port.place.end_column - 1]
        assert port.name in text or port.name.startswith("argument")
