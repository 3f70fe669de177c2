"""Cells by the row: what each takes in and what each gives out, with the hard cases of the language."""

from __future__ import annotations

import sys

import pytest

from spellwork_worker.cells import BOM, CellError, CellInput, CellOutput, read_cell

ROWS = [
    # expressions
    ("x", "x", "result"),
    ("1", "", "result"),
    ("x.y.z", "x", "result"),
    ("x[i]", "x i", "result"),
    ("x[a:b:c]", "x a b c", "result"),
    ("f(a, *b, k=c, **d)", "f a b c d", "result"),
    ("a if c else b", "c a b", "result"),
    ("a and b or not c", "a b c", "result"),
    ("a < b < c", "a b c", "result"),
    ("{**a, 'k': b}", "a b", "result"),
    ("[*a, *b]", "a b", "result"),
    ("{a, b}", "a b", "result"),
    ("print(x)", "x", "result"),
    ("len", "", "result"),
    ("...", "", "result"),
    ("'x'", "", "result"),
    ("(x)", "x", "result"),
    ("(\n    x\n    + y\n)", "x y", "result"),
    ("# comment\nx", "x", "result"),
    ("__name__", "", "result"),
    ("_x", "_x", "result"),
    # f-strings
    ("f'{x}'", "x", "result"),
    ("f'{x!r:>{w}}'", "x w", "result"),
    ("f'{x=}'", "x", "result"),
    ("f'{a}{b}' 'c' f'{d}'", "a b d", "result"),
    ("f'''\n{a}\n{b:{c}}'''", "a b c", "result"),
    ("f'{[v for v in xs]}'", "xs", "result"),
    ("f'{(lambda v: v + k)(1)}'", "k", "result"),
    ("f'{{x}}'", "", "result"),
    # comprehensions
    ("[v for v in xs]", "xs", "result"),
    ("[v for v in xs if v > low]", "xs low", "result"),
    ("[(a, b) for a in xs for b in a]", "xs", "result"),
    ("[b for a in xs for b in ys]", "xs ys", "result"),
    ("{k: v for k, v in d.items()}", "d", "result"),
    ("{v for v in xs}", "xs", "result"),
    ("sum(v for v in xs)", "xs", "result"),
    ("[[v for v in row] for row in rows]", "rows", "result"),
    ("[v async for v in xs]", "xs", "result"),
    ("[await f(v) for v in xs]", "xs f", "result"),
    ("[x for x in x]", "x", "result"),
    ("[v for v, *rest in xs]", "xs", "result"),
    ("[o.a for o.a in xs]", "xs o", "result"),
    # walrus
    ("(n := f(x)) and n", "f x", "result"),
    ("y = (n := x) + n", "x", "n y"),
    ("ys = [last := v for v in xs]\nz = last", "xs", "last ys z"),
    ("while (chunk := read()):\n    pass", "read", "chunk"),
    ("if (m := match(s)):\n    t = m", "match s", "m t"),
    ("any((hit := v) for v in xs)\nhit", "xs", "hit result"),
    # lambdas
    ("lambda: x", "x", "result"),
    ("lambda x: x", "", "result"),
    ("lambda x=d: x", "d", "result"),
    ("lambda *a, k=d, **w: (a, k, w)", "d", "result"),
    ("f = lambda v: v + k", "k", "f"),
    ("f = lambda: later\nlater = 1", "", "f later"),
    # assignments
    ("a = b = x", "x", "a b"),
    ("a, (b, *c) = x", "x", "a b c"),
    ("[a, b] = x", "x", "a b"),
    ("*a, b = x", "x", "a b"),
    ("a: int = x", "x", "a"),
    ("a: int", "", ""),
    ("a: int\nb = a", "a", "b"),
    ("a: Missing = 1", "", "a"),
    ("o.a: int = 1", "o", ""),
    ("o.a: int", "o", ""),
    ("d[k] = v", "v d k", ""),
    ("n += x", "n x", "n"),
    ("n = 0\nn += x", "x", "n"),
    ("d[k] += 1", "d k", ""),
    ("o.n += 1", "o", ""),
    ("x = x", "x", "x"),
    ("x = 1\nx = x + 1", "", "x"),
    ("_a = x", "x", ""),
    ("__a = x", "x", ""),
    ("a = x; b = a", "x", "a b"),
    ("result = x", "x", "result"),
    ("result = x\nresult + 1", "x", "result"),
    ("list = [1]\nlist", "", "list result"),
    # deletion
    ("del x", "x", ""),
    ("a = x\ndel a", "x", ""),
    ("a = x\ndel a\nb = a", "x a", "b"),
    ("a = x\nif a:\n    del a\nb = 1", "x", "a b"),
    ("for v in xs:\n    t = v\n    del t", "xs", ""),
    ("del d[k]", "d k", ""),
    ("def f():\n    del x\nf", "", "f result"),
    # control flow
    ("if c:\n    a = 1\nelse:\n    a = 2", "c", "a"),
    ("if c:\n    a = 1\nb = a", "c", "a b"),
    ("for i in xs:\n    t = i\nelse:\n    u = 1", "xs", "t u"),
    ("for i, (a, b) in xs:\n    pass", "xs", ""),
    ("for o.a in xs:\n    pass", "xs o", ""),
    ("while c:\n    c = f(c)", "c f", "c"),
    ("async for v in xs:\n    t = v", "xs", "t"),
    ("with f(x) as g:\n    a = g", "f x", "a"),
    ("with f() as (a, b), g(a):\n    pass", "f g", ""),
    ("async with f() as s:\n    t = s", "f", "t"),
    ("try:\n    a = f()\nexcept E as e:\n    a = e\nelse:\n    b = 1\nfinally:\n    c = 2", "f E", "a b c"),
    ("try:\n    f()\nexcept E as e:\n    pass\nx = e", "f E e", "x"),
    ("e = 1\ntry:\n    f()\nexcept E as e:\n    pass\nx = e", "f E", "e x"),
    ("try:\n    f()\nexcept* E as e:\n    t = e", "f E", "t"),
    ("try:\n    import fast\nexcept ImportError:\n    fast = None\nx = fast", "", "x"),
    ("assert x, message", "x message", ""),
    ("raise E(x)", "E x", ""),
    ("pass", "", ""),
    # match
    ("match s:\n    case 1 | 2:\n        a = 1", "s", "a"),
    ("match s:\n    case P(x=v, y=0) if v > low:\n        a = v", "s P low", "a"),
    ("match s:\n    case K.a:\n        t = 1\n    case other:\n        t = other", "s K", "t"),
    ("match s:\n    case [a, *rest]:\n        t = rest", "s", "t"),
    ("match s:\n    case {'k': v, **rest}:\n        t = rest, v", "s", "t"),
    ("match s:\n    case (1 as one) | (2 as one):\n        t = one", "s", "t"),
    ("match s:\n    case _:\n        t = 1", "s", "t"),
    # modules and what is in them
    ("import a\nb = a", "", "b"),
    ("import a.b\nc = a.b", "", "c"),
    ("import a.b as c\nd = c, a", "a", "d"),
    ("from m import a, b as c\nd = a, b, c", "b", "d"),
    ("from . import a\nb = a", "", "b"),
    ("from __future__ import annotations\na = x", "x", "a"),
    ("if c:\n    import a\nb = a", "c", "b"),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from m import T\na = x", "x", "a"),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    rows: list[int]\na = rows", "rows", "a"),
    ("import typing\nif typing.TYPE_CHECKING:\n    k = 1\na = k", "k", "a"),
    # functions
    ("def f(): return x\na = f()", "x", "f a"),
    ("def f(a, b=d): return a\nf(1)", "d", "f result"),
    ("def f(): return later()\ndef later(): return 1", "", "f later"),
    ("def f():\n    x = 1\n    return x\ny = f()", "", "f y"),
    ("def f():\n    y = x\n    x = 1\nz = f", "", "f z"),
    ("def f():\n    for i in range(3):\n        pass\n    return i\nz = f()", "", "f z"),
    ("def f():\n    return [k * v for v in range(3)]\nz = f()", "k", "f z"),
    ("def f():\n    k = 1\n    def g():\n        return k\n    return g\nz = f()", "", "f z"),
    ("def f():\n    k = 1\n    def g():\n        nonlocal k\n        k += 1\n    return g\nz = f()", "", "f z"),
    ("def f():\n    global k\n    k += 1\nz = f", "k", "f k z"),
    ("def f():\n    k = 1\n    def g():\n        global k\n        return k\n    return g\nz = f", "k", "f z"),
    ("def f():\n    def g():\n        return k\n    return g\nz = f", "k", "f z"),
    ("def f(x: Missing) -> Missing: ...\nz = f", "", "f z"),
    ("def f():\n    x: int\n    return x\nz = f", "", "f z"),
    ("def f(n):\n    return f(n - 1)\nz = f", "", "f z"),
    ("@deco(k)\ndef f(): pass\nz = f", "deco k", "f z"),
    ("def f():\n    import m\n    return m\nz = f", "", "f z"),
    ("def f():\n    with g() as h:\n        return h\nz = f", "g", "f z"),
    ("def f():\n    try: pass\n    except E as e:\n        return e\nz = f", "E", "f z"),
    ("def f():\n    return (n := 1), n\nz = f", "", "f z"),
    ("def f():\n    return [n := v for v in xs], n\nz = f", "xs", "f z"),
    ("async def f():\n    async with s() as t:\n        return t\nz = await f()", "s", "f z"),
    # classes
    ("class C: pass", "", "C"),
    ("class C(B, metaclass=M): pass", "B M", "C"),
    ("class C:\n    a = x\n    b = a", "x", "C"),
    ("class C:\n    x = x", "x", "C"),
    ("class C:\n    k = 1\n    def m(self): return k", "k", "C"),
    ("class C:\n    k = 1\n    xs = [k for _ in range(3)]", "k", "C"),
    ("class C:\n    k = [1]\n    xs = [v for v in k]", "", "C"),
    ("class C:\n    f = lambda self: k\n    k = 1", "k", "C"),
    ("class C:\n    def m(self): return C", "", "C"),
    ("class C:\n    def m(self): return __class__", "", "C"),
    ("class C:\n    n = __qualname__", "", "C"),
    ("class C:\n    a: Missing\n    b: Missing = 1", "", "C"),
    ("class C:\n    @deco\n    def m(self): pass", "deco", "C"),
    ("class C:\n    class D:\n        e = k", "k", "C"),
    ("def f():\n    k = 1\n    class C:\n        a = k\n    return C\nz = f()", "", "f z"),
    ("@deco\nclass _C: pass", "deco", ""),
    ("class C:\n    global k\n    k = 1\na = k", "", "k C a"),
    # function cells
    ("def f(a): return a", "a", "result"),
    ("'''Say hello.'''\ndef f(a): return a", "a", "result"),
    ("import m\n_K = k\ndef f(a): return m, _K", "a k", "result"),
    ("class Row: pass\ndef f(a: Row): return a", "a", "result"),
    ("from typing import TypeVar\nT = TypeVar('T')\ndef f(a: T) -> T: return a", "a", "result"),
    ("Rows: TypeAlias = list[int]\ndef f(a: Rows): return a", "a", "result"),
    ("K = 2\ndef f(a): return a * K", "", "K f"),
    ("def f(a, /, b, *, c): return a", "a b c", "result"),
    ("def f(*rows, **more): return rows", "", "result"),
    ("def f(a, b=k): return a", "a b k", "result"),
    ("@cached\ndef f(a): return a", "a cached", "result"),
    ("def _f(a): return a", "", ""),
    ("async def f(a): return a", "a", "result"),
    ("def f(a): yield a", "a", "result"),
    ("def f(a): yield from a", "a", "result"),
    ("async def f(a): yield a", "a", "result"),
    ("def f(a): return lambda: (yield)", "a", "result"),
    ("def f(a): return a\nf(1)", "", "f result"),
    # files as people paste them
    ("a = x\r\nb = a\r\n", "x", "a b"),
    ("a = x\rb = a\r", "x", "a b"),
    (BOM + "a = x", "x", "a"),
    ("if x:\n\ta = 1\n\tb = 2", "x", "a b"),
    ("# %%\na = x\n# %%\nb = a", "x", "a b"),
    ("größe = länge * 2", "länge", "größe"),
    ("ﬁ = µ", "μ", "fi"),
    ("數 = x", "x", "數"),
    ("a = x \\\n    + y", "x y", "a"),
    ("", "", ""),
    ("\n\n# nothing\n", "", ""),
]  # fmt: skip

NEWER = [
    ("type A = Missing\nb = x", "x", "b"),
    ("type A[T] = dict[T, Missing]\nb = A", "", "b"),
    ("def f[T](a: T) -> T: return a", "a", "result"),
    ("class C[T](Base[T]):\n    a: T", "Base", "C"),
    ("class C[T: Missing]:\n    def m(self) -> T: return k", "k", "C"),
    ("f'{x['k']}'", "x", "result"),
    ("type Rows = list[int]\ndef f(a: Rows): return a", "a", "result"),
]


@pytest.mark.rule("17.1")
@pytest.mark.rule("17.2")
@pytest.mark.parametrize(("code", "inputs", "outputs"), ROWS)
def test_a_cell_takes_and_gives_these_names(code: str, inputs: str, outputs: str) -> None:
    cell = read_cell(code)
    assert [port.name for port in cell.inputs] == inputs.split()
    assert [port.name for port in cell.outputs] == outputs.split()


@pytest.mark.rule("17.2")
@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came with Python 3.12")
@pytest.mark.parametrize(("code", "inputs", "outputs"), NEWER)
def test_a_cell_of_newer_python_takes_and_gives_these_names(
    code: str, inputs: str, outputs: str
) -> None:
    cell = read_cell(code)
    assert [port.name for port in cell.inputs] == inputs.split()
    assert [port.name for port in cell.outputs] == outputs.split()


PLACES = [
    ("y = x", "x", (1, 5, 6)),
    ("y = x", "y", (1, 1, 2)),
    ("a = 'ä' + größe", "größe", (1, 11, 16)),
    ("a = '😀' + x", "x", (1, 11, 12)),
    (BOM + "a = x", "x", (1, 6, 7)),
    (BOM + "\na = x", "x", (2, 5, 6)),
    ("\r\na = x", "x", (2, 5, 6)),
    ("ﬁ = 1", "fi", (1, 1, 2)),
    ("def f(a, b: int = 2): return a", "b", (1, 10, 11)),
    ("class C: pass\nx = 1", "C", (1, 7, 8)),
    ("@d\nasync   def  f(): pass\nx = 1", "f", (2, 14, 15)),
    ("a, b = c", "b", (1, 4, 5)),
    ("z = f'{x}'", "x", (1, 8, 9)),
    ("z = f'''\n\n {x}'''", "x", (3, 3, 4)),
]


@pytest.mark.rule("17.7")
@pytest.mark.parametrize(("code", "name", "place"), PLACES)
def test_a_port_knows_where_its_name_stands(
    code: str, name: str, place: tuple[int, int, int]
) -> None:
    cell = read_cell(code)
    ports: list[CellInput | CellOutput] = [*cell.inputs, *cell.outputs]
    (found,) = [port.place for port in ports if port.name == name]
    assert found == place


FAULTS = [
    ("a\0b", 1, 2, "null byte"),
    ("a = 1\n\0", 2, 1, "null byte"),
    ("a = '\ud800'", 1, 6, "lone surrogate"),
    ("%matplotlib inline\na = 1", 1, 1, "notebook"),
    ("!pip install x", 1, 1, "notebook"),
    ("a = 1\n%%time\n", 2, 1, "notebook"),
    (">>> a = 1", 1, 1, "prompt"),
    ("if x:\n\ta = 1\n        b = 2", 3, None, "tab"),
    ("  a = 1\n b = 2", 1, None, "indent"),
    ("x = (1", 1, 5, "never closed"),
    ("x = 'abc", 1, 5, "unterminated"),
    (BOM + "x = = 1", 1, 6, "invalid syntax"),
    ("yield x", 1, 1, "outside function"),
    ("nonlocal x", 1, 1, "module level"),
    ("a = 1\nfrom m import *", 2, 1, "name what you import"),
    ("from __future__ import braces", 1, None, "chance"),
    ("def f(a, a): pass", 1, None, "duplicate"),
    ("x = 1\n" * 20_000, None, None, "at most"),
]


@pytest.mark.rule("17.6")
@pytest.mark.parametrize(("code", "line", "column", "said"), FAULTS, ids=range(len(FAULTS)))
def test_what_cannot_be_read_is_told_at_its_place(
    code: str, line: int | None, column: int | None, said: str
) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(code)
    assert said in caught.value.message
    assert caught.value.line == line
    if column is not None:
        assert caught.value.column == column
