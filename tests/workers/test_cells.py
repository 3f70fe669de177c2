"""What reading a cell finds: its form, its inputs, its outputs. Nothing is executed."""

from __future__ import annotations

import textwrap

import pytest

from spellwork_worker.cells import MAX_CODE, CellError, read_cell

CASES = {
    "a bare expression": ("x * 21", "expression", ["x"], ["result"]),
    "an expression with builtins only": ("sum(range(10))", "expression", [], ["result"]),
    "a comprehension keeps its names": (
        "[n * k for n in rows if n > 1]",
        "expression",
        ["rows", "k"],
        ["result"],
    ),
    "nested comprehensions": (
        "[a for row in rows for a in row]",
        "expression",
        ["rows"],
        ["result"],
    ),
    "a lambda keeps its parameters": (
        "sorted(rows, key=lambda r: r[field])",
        "expression",
        ["rows", "field"],
        ["result"],
    ),
    "an f-string": (
        "f'{name}: {value:>{width}}'",
        "expression",
        ["name", "value", "width"],
        ["result"],
    ),
    "await at the top": ("await fetch(url)", "expression", ["fetch", "url"], ["result"]),
    "a walrus": ("(n := len(rows)) + n", "expression", ["rows"], ["result"]),
    "assignments": ("a = x + 1\nb = a * 2", "statements", ["x"], ["a", "b"]),
    "assignments and a last expression": ("a = x + 1\na * 2", "statements", ["x"], ["a", "result"]),
    "private names stay inside": ("_a = x\nb = _a", "statements", ["x"], ["b"]),
    "a name cleaned in place": ("rows = [r for r in rows if r]", "statements", ["rows"], ["rows"]),
    "counting up needs a start": ("n += 1", "statements", ["n"], ["n"]),
    "imports are no inputs": ("import math\ny = math.sqrt(x)", "statements", ["x"], ["y"]),
    "imports under another name": (
        "from math import sqrt as root\nroot(x)",
        "statements",
        ["x"],
        ["result"],
    ),
    "dotted imports": ("import os.path\nos.path.join(a, b)", "statements", ["a", "b"], ["result"]),
    "loop variables stay inside": (
        "total = 0\nfor v in values:\n    total += v",
        "statements",
        ["values"],
        ["total"],
    ),
    "with and except names stay inside": (
        "try:\n    with opened(p) as f:\n        t = f.read()\nexcept OSError as e:\n    t = str(e)",
        "statements",
        ["opened", "p"],
        ["t"],
    ),
    "unpacking": ("(a, *b), c = pair", "statements", ["pair"], ["a", "b", "c"]),
    "items and attributes are read": (
        "d['k'] = v\no.a = w",
        "statements",
        ["v", "d", "w", "o"],
        [],
    ),
    "a bare annotation types an input": ("n: int\nm = n + 1", "statements", ["n"], ["m"]),
    "match": (
        "match shape:\n    case {'r': r, **rest}:\n        area = r\n    case [first, *more]:\n        area = 0",
        "statements",
        ["shape"],
        ["area"],
    ),
    "a deleted name is no output": ("a = x\nb = a\ndel a", "statements", ["x"], ["b"]),
    "functions and classes are outputs": (
        "def f(v):\n    return v + offset\nclass C:\n    size = 3\ny = f(C.size)",
        "statements",
        ["offset"],
        ["f", "C", "y"],
    ),
    "a function's free name bound later": (
        "def _f():\n    return k\nk = 2\ny = _f()",
        "statements",
        [],
        ["k", "y"],
    ),
    "a method does not see its class": (
        "class C:\n    a = 1\n    def m(self):\n        return a\nx = C",
        "statements",
        ["a"],
        ["C", "x"],
    ),
    "global binds at the top": (
        "def f():\n    global n\n    n = 1\nf()",
        "statements",
        [],
        ["f", "n", "result"],
    ),
    "an empty cell": ("", "statements", [], []),
    "only a comment": ("# nothing", "statements", [], []),
    "a function": ("def f(a, b=2):\n    return a + b", "function", ["a", "b"], ["result"]),
    "a function with an import and a private part": (
        "import math\n_K = 2\ndef _g(x):\n    return x\ndef f(r):\n    return _g(math.pi) * r * _K",
        "function",
        ["r"],
        ["result"],
    ),
    "a function and names from outside": (
        "def f(a):\n    return a * factor",
        "function",
        ["a", "factor"],
        ["result"],
    ),
    "two functions are statements": ("def f(): pass\ndef g(): pass", "statements", [], ["f", "g"]),
    "an async function": (
        "async def f(url):\n    return url",
        "async function",
        ["url"],
        ["result"],
    ),
    "a generator": (
        "def f(n):\n    for i in range(n):\n        yield i",
        "generator",
        ["n"],
        ["result"],
    ),
    "yield in an inner function is not its own": (
        "def f(n):\n    def g():\n        yield n\n    return list(g())",
        "function",
        ["n"],
        ["result"],
    ),
    "an async generator": ("async def f(n):\n    yield n", "async generator", ["n"], ["result"]),
    "keyword-only and positional-only": (
        "def f(a, /, b, *, c=1, **more):\n    return a",
        "function",
        ["a", "b", "c"],
        ["result"],
    ),
}


@pytest.mark.rule("17.1", "17.3")
@pytest.mark.parametrize("name", CASES)
def test_a_cell_is_read_right(name: str) -> None:
    code, form, inputs, outputs = CASES[name]
    cell = read_cell(code)
    assert cell.form == form
    assert [port.name for port in cell.inputs] == inputs
    assert [port.name for port in cell.outputs] == outputs


@pytest.mark.rule("17.4", "17.5")
def test_a_function_cell_tells_types_and_defaults() -> None:
    cell = read_cell(
        "def f(a: int, b: list[str] | None = None, c: float = 0.5, d=open, e: Literal['x', 'y'] = 'x', **more) -> dict[str, int]:\n    return {}"
    )
    a, b, c, d, e = cell.inputs
    assert (a.schema, a.required) == ({"type": "integer"}, True)
    assert b.schema == {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    assert (c.default, c.has_default, c.required) == (0.5, True, False)
    assert (d.has_default, d.required) == (False, False)
    assert e.schema == {"enum": ["x", "y"]}
    assert cell.extra_inputs
    assert cell.outputs[0].schema == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_a_generator_cell_streams() -> None:
    cell = read_cell("def f() -> Iterator[str]:\n    yield 'a'")
    assert cell.streams
    assert cell.outputs[0].stream
    assert cell.outputs[0].schema == {"type": "string"}


@pytest.mark.parametrize(
    ("code", "line", "column", "said"),
    [
        ("x = = 1", 1, 5, "invalid syntax"),
        ("a = 1\nif a\n    pass", 2, 5, "':'"),
        ("return 5", 1, 1, "outside function"),
        ("from math import *", 1, 1, "name what you import"),
        ("def f(:\n", 1, 7, "syntax"),
        ("break", 1, 1, "outside loop"),
    ],
)
def test_what_is_not_python_is_told_with_its_place(
    code: str, line: int, column: int, said: str
) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(code)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "code", ["x" * (MAX_CODE + 1), "(" * 5_000 + ")" * 5_000, "a\x00b", "-" * 60_000 + "1"]
)
def test_hostile_code_is_refused_without_harm(code: str) -> None:
    with pytest.raises(CellError):
        read_cell(code)


def test_reading_a_cell_executes_nothing(tmp_path: object) -> None:
    read_cell(
        textwrap.dedent("""
        @print
        class C(metaclass=print):
            x: print("executed") = print("executed")
        def f(a=print("executed")): pass
        raise SystemExit
    """)
    )
