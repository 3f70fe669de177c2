"""Names that cells read of each other without a wire: found and ordered, or told where they stand."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import Library, Pack, Spell, compile, validate
from spellwork.analysis import Analysis
from spellwork_code.python import python
from spellwork_code.typescript import typescript
from spellwork_core import pack as core_pack

LIBRARY = Library(
    [Pack(name="code", version="1", title="Code", nodes=(python, typescript)), core_pack]
)


def spell_of(cells: dict[str, str | dict[str, Any]], *wires: str) -> Spell:
    """Return a spell of Python cells, by id; a wire is ``"a.out -> b.in"``."""
    nodes = {
        id: {"type": "code.python", "code": cell} if isinstance(cell, str) else cell
        for id, cell in cells.items()
    }
    edges = {}
    for number, wire in enumerate(wires):
        source, target = (end.split(".") for end in wire.split(" -> "))
        edges[f"e{number}"] = {
            "source": source[0],
            "output": source[1],
            "target": target[0],
            "input": target[1],
        }
    return Spell.model_validate({"nodes": nodes, "edges": edges})


def bound(spell: Spell) -> dict[str, str]:
    """Return what is read by name: ``{"reader.input": "source.output"}``."""
    parts = Analysis(spell, LIBRARY).parts
    return {
        f"{part.id}.{name}": f"{link.source}.{link.output}"
        for part in parts.values()
        for name, links in part.links.items()
        for link in links
        if link.edge is None
    }


TS = "code.typescript"
FOUND: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "what a cell declares": ({"p": "rows = [1]", "q": "len(rows)"}, {"q.rows": "p.rows"}),
    "one of several": ({"p": "a = 1\nb = 2", "q": "b"}, {"q.b": "p.b"}),
    "a function": ({"p": "def f(v): return v\nk = 1", "q": "f(2)"}, {"q.f": "p.f"}),
    "in a function's body": (
        {"p": "k = 1", "q": "def f(v):\n    return v * k"},
        {"q.k": "p.k"},
    ),
    "a parameter": ({"p": "k = 1", "q": "def f(k):\n    return k"}, {"q.k": "p.k"}),
    "what the node is called": (
        {"p": {"type": "code.python", "code": "1 + 1", "name": "two"}, "q": "two"},
        {"q.two": "p.result"},
    ),
    "the node's id": ({"p": "1 + 1", "q": "p"}, {"q.p": "p.result"}),
    "another type's name": (
        {"p": {"type": "core.value", "name": "rate", "inputs": {"value": 1}}, "q": "rate"},
        {"q.rate": "p.value"},
    ),
    "in and out again": ({"p": "n = 1", "q": "n = n + 1"}, {"q.n": "p.n"}),
    "a chain": ({"c": "a + b", "b": "b = a", "a": "a = 1"}, {"b.a": "a.a", "c.a": "a.a", "c.b": "b.b"}),
    "not what is private": ({"p": "_a = 1", "q": "_a"}, {}),
    "not an import": ({"p": "import math\nb = 1", "q": "math"}, {}),
    "not result": ({"p": "1", "q": "result"}, {}),
    "not what two declare": ({"p": "a = 1", "q": "a = 2", "r": "a"}, {}),
    "what a muted one declares, too": (
        {"p": "a = 1", "q": {"type": "code.python", "code": "a = 2", "settings": {"mode": "mute"}}, "r": "a"},
        {"r.a": "p.a"},
    ),
    "over languages": (
        {"p": "rows = [1]", "q": {"type": TS, "code": "rows.length"}},
        {"q.rows": "p.rows"},
    ),
    "over languages, back": (
        {"p": {"type": TS, "code": "const rows = [1]"}, "q": "len(rows)"},
        {"q.rows": "p.rows"},
    ),
    "a name normalized": ({"p": "ﬁ = 1", "q": "fi"}, {"q.fi": "p.fi"}),
}  # fmt: skip


@pytest.mark.rule("17.8")
@pytest.mark.parametrize("name", FOUND)
def test_a_name_is_linked_to_what_declares_it(name: str) -> None:
    cells, links = FOUND[name]
    assert bound(spell_of(cells)) == links


@pytest.mark.rule("17.8")
def test_cells_are_in_the_order_of_their_names_and_a_wire_comes_before_a_name() -> None:
    spell = spell_of({"c": "b", "b": "b = a", "a": "a = 1"})
    assert [step.id for step in compile(spell, LIBRARY).steps] == ["a", "b", "c"]
    wired = spell_of({"p": "a = 1", "q": "a = 2", "r": "a"}, "q.a -> r.a")
    assert bound(wired) == {}
    assert validate(wired, LIBRARY) == []


TOLD: dict[str, tuple[dict[str, Any], list[tuple[str, str, str | None, tuple[int, int, int]]]]] = {
    "two declare it": (
        {"p": "a = 1", "q": "b = 1\na = 2", "r": "\nx = a"},
        [
            ("ambiguous_name", "r", "a", (2, 5, 6)),
            ("redefined_name", "p", "a", (1, 1, 2)),
            ("redefined_name", "q", "a", (2, 1, 2)),
        ],
    ),
    "it is taken in and given anew": (
        {"p": "rows = 1", "q": "rows = rows + 1"},
        [
            ("redefined_name", "p", "rows", (1, 1, 5)),
            ("redefined_name", "q", "rows", (1, 1, 5)),
        ],
    ),
    "its own output": ({"p": "n = 0 if n else 1"}, [("reads_itself", "p", "n", (1, 10, 11))]),
    "its own name": (
        {"p": {"type": "code.python", "code": "two * 2", "name": "two"}},
        [("reads_itself", "p", "two", (1, 1, 4))],
    ),
    "nothing of that name": ({"p": "x = größe"}, [("missing_input", "p", "größe", (1, 5, 10))]),
    "a builtin's name": ({"p": "list = [1]"}, [("shadows_builtin", "p", None, (1, 1, 5))]),
    "a circle": (
        {"p": "a = b", "q": "x = 1\nb = a"},
        [("cycle", "p", None, (1, 5, 6))],
    ),
    "no Python": ({"p": "x = (1"}, [("code_error", "p", None, (1, 5, 6))]),
}  # fmt: skip


@pytest.mark.rule("17.9", "17.10")
@pytest.mark.parametrize("name", TOLD)
def test_what_is_wrong_with_a_name_is_told_at_the_name(name: str) -> None:
    cells, expected = TOLD[name]
    told = [
        (
            problem.code,
            problem.node,
            problem.port,
            tuple(problem.details.get(key) for key in ("line", "column", "end_column")),
        )
        for problem in validate(spell_of(cells), LIBRARY)
    ]
    assert [each for each in told if each[0] != "code_error"] == [
        each for each in expected if each[0] != "code_error"
    ]
    assert [each[:1] for each in told] == [each[:1] for each in expected]


@pytest.mark.rule("17.9")
def test_a_circle_tells_every_name_that_closes_it() -> None:
    (problem,) = validate(spell_of({"p": "a = b", "q": "b = a"}), LIBRARY)
    assert problem.details["names"] == [
        {"node": "p", "name": "b", "source": "q", "line": 1, "column": 5, "end_column": 6},
        {"node": "q", "name": "a", "source": "p", "line": 1, "column": 5, "end_column": 6},
    ]


@pytest.mark.rule("17.11")
@pytest.mark.parametrize(
    ("cells", "known", "said"),
    [
        ({"p": "orders = 1", "q": "order"}, ["orders"], "did you mean 'orders'?"),
        ({"p": {"type": "code.python", "code": "1", "name": "rates"}, "q": "rate"}, ["rates"], "'rates'"),
        ({"q": "math.pi"}, None, "write 'import math' first"),
        ({"q": "pd.DataFrame()"}, None, "import pandas as pd"),
        ({"q": "nothing_like_it"}, None, "no value"),
        ({"p": "rows: str = 'a'", "q": "def f(rows: int): ..."}, None, "does not fit"),
    ],
)  # fmt: skip
def test_a_name_that_nothing_gives_says_what_is_near(
    cells: dict[str, Any], known: list[str] | None, said: str
) -> None:
    (problem,) = validate(spell_of(cells), LIBRARY)
    assert problem.code == "missing_input"
    assert problem.details.get("known") == known
    assert said in problem.message


@pytest.mark.rule("17.9")
def test_an_input_with_a_default_takes_that_where_a_name_is_ambiguous() -> None:
    problems = validate(
        spell_of({"p": "k = 1", "q": "k = 2", "r": "def f(k=3): return k"}), LIBRARY
    )
    assert [(each.code, each.severity) for each in problems] == [
        ("ambiguous_name", "warning"),
        ("redefined_name", "warning"),
        ("redefined_name", "warning"),
    ]


@pytest.mark.rule("17.8")
def test_what_a_body_declares_is_seen_within_it_alone() -> None:
    body = {"type": "code.python", "group": "g"}
    spell = Spell.model_validate(
        {
            "nodes": {
                "m": {"type": "core.map", "inputs": {"items": [1]}, "settings": {"body": {"group": "g"}}},
                "p": {**body, "code": "inner = outer"},
                "q": {**body, "code": "inner + 1"},
                "out": {"type": "code.python", "code": "outer = 1"},
                "r": {"type": "code.python", "code": "inner"},
            },
            "groups": {"g": {}},
        }
    )  # fmt: skip
    links = bound(spell)
    assert links["q.inner"] == "p.inner"
    assert links["p.outer"] == "out.outer"
    assert "r.inner" not in links
