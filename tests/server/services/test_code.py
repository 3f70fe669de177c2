"""Help for whoever writes code on a canvas: formatted, completed and renamed, and never run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

PYTHON, TYPESCRIPT = "code.python", "code.typescript"
ROWS = [{"city": "Graz", "people": 1}, {"city": "Wien", "people": 2}]


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def canvas_of(owner: Caller, spell: dict[str, Any]) -> str:
    made = await owner.post("/v1/canvases", {"spell": spell})
    assert made.status == 201, made.body
    return str(made.body["id"])


def cells(*codes: tuple[str, str], kind: str = PYTHON) -> dict[str, Any]:
    return {"nodes": {id: {"type": kind, "code": code} for id, code in codes}}


@pytest.mark.rule("17.12")
async def test_code_is_formatted(h: House) -> None:
    owner = await h.person("owner@example.org")
    for language, code, formatted in (
        ("python", "x=1\r\ny = [ 1,2 ]", "x = 1\ny = [1, 2]\n"),
        ("python", "await f( 'a' )", 'await f("a")\n'),
        ("python", "  \n", ""),
        ("typescript", "const x=1;let y = 'a'", 'const x = 1;\nlet y = "a";\n'),
    ):
        answer = await owner.post("/v1/code/format", {"language": language, "code": code})
        assert answer.body == {"code": formatted, "changed": True}
        again = await owner.post("/v1/code/format", {"language": language, "code": formatted})
        assert again.body["changed"] is False
    for language in ("python", "typescript"):
        answer = await owner.post("/v1/code/format", {"language": language, "code": "x = ("})
        assert (answer.status, answer.code) == (422, "code_error")
    unknown = {"language": "python", "code": "x"}
    assert (await h.stranger().post("/v1/code/format", unknown)).status == 401


async def completed(who: Caller, canvas: str, node: str, code: str) -> list[str]:
    """Return what may be written where ``|`` stands in the code."""
    before, _, after = code.partition("|")
    line = before.count("\n") + 1
    column = len(before.rpartition("\n")[2]) + 1
    place = {"canvas": canvas, "node": node, "line": line, "column": column}
    answer = await who.post("/v1/code/complete", {**place, "code": before + after})
    assert answer.status == 200, answer.body
    return [each["label"] for each in answer.body["items"]]


@pytest.mark.rule("17.13")
async def test_python_is_completed_by_what_it_means_and_by_what_comes_in(h: House) -> None:
    owner = await h.person("owner@example.org")
    spell = {
        "nodes": {
            "a": {"type": "core.value", "name": "rows", "inputs": {"value": ROWS}},
            "p": {"type": PYTHON, "code": "class Town(TypedDict):\n    name: str\ntowns: list[Town] = []\nn: str = 'a'"},
            "q": {"type": PYTHON, "code": "rows"},
        }
    }  # fmt: skip
    canvas = await canvas_of(owner, spell)
    assert "rows" in await completed(owner, canvas, "q", "rows\nx = ro|")
    assert "upper" in await completed(owner, canvas, "q", "n.up|")
    assert await completed(owner, canvas, "q", 'towns[0]["|') == ["name"]
    assert await completed(owner, canvas, "q", 'len(towns[0]["na|') == ["name"]
    assert await completed(owner, canvas, "q", 'rows[0]["|') == []
    run = await owner.post("/v1/runs", {"canvas": canvas, "scope": ["a"], "wait": 60})
    assert run.body["status"] == "completed", run.body
    assert await completed(owner, canvas, "q", 'rows[0]["|') == ["city", "people"]
    assert await completed(owner, canvas, "q", "x = [r for r in rows if r['pe|") == []


@pytest.mark.rule("17.13")
async def test_typescript_is_completed_by_words_and_by_what_comes_in(h: House) -> None:
    owner = await h.person("owner@example.org")
    spell = {
        "nodes": {
            "p": {"type": PYTHON, "code": "class Town(TypedDict):\n    name: str\n    size: int\ntowns: list[Town] = []"},
            "q": {"type": TYPESCRIPT, "code": "towns"},
        }
    }  # fmt: skip
    canvas = await canvas_of(owner, spell)
    assert await completed(owner, canvas, "q", "towns[0].|") == ["name", "size"]
    assert await completed(owner, canvas, "q", 'towns[0]["na|') == ["name"]
    assert "map" in await completed(owner, canvas, "q", "towns.ma|")
    assert "parse" in await completed(owner, canvas, "q", "JSON.|")
    assert "towns" in await completed(owner, canvas, "q", "const x = to|; towns")
    assert "longName" in await completed(owner, canvas, "q", "const longName = 1; lon|")


@pytest.mark.rule("17.13")
async def test_who_may_not_read_a_canvas_gets_nothing_of_it_completed(h: House) -> None:
    owner, other = await h.person("owner@example.org"), await h.person("other@example.org")
    canvas = await canvas_of(owner, cells(("q", "x")))
    place = {"canvas": canvas, "node": "q", "code": "x", "line": 1, "column": 1}
    assert (await other.post("/v1/code/complete", place)).status in (403, 404)
    renaming = {"canvas": canvas, "node": "q", "name": "x", "to": "y"}
    assert (await other.post("/v1/code/rename", renaming)).status in (403, 404)
    missing = await owner.post("/v1/code/complete", place | {"node": "zz"})
    assert (missing.status, missing.code) == (400, "bad_request")


@pytest.mark.rule("17.14")
async def test_a_name_is_renamed_in_all_cells_that_read_it(h: House) -> None:
    owner = await h.person("owner@example.org")
    spell = cells(
        ("a", "rows = [1]\nprint(f'{rows} {rows!r}')"),
        ("b", "def f(k):\n    rows = 2\n    return rows\ny = len(rows) + f(1)"),
        ("c", "rows"),
    )
    spell["edges"] = {"e": {"source": "a", "output": "rows", "target": "c", "input": "rows"}}
    canvas = await canvas_of(owner, spell)
    request = {"canvas": canvas, "node": "b", "name": "rows", "to": "bestellungen"}
    preview = await owner.post("/v1/code/rename", request | {"preview": True})
    untouched = (await owner.get(f"/v1/canvases/{canvas}/spell")).body
    assert untouched["nodes"]["a"]["code"] == spell["nodes"]["a"]["code"]
    answer = await owner.post("/v1/code/rename", request)
    assert answer.body == preview.body
    assert answer.body["nodes"] == ["a", "b"]
    assert answer.body["edges"] == {"e": {"output": "bestellungen", "input": "rows"}}
    left = (await owner.get(f"/v1/canvases/{canvas}/spell")).body
    assert left["nodes"]["a"]["code"] == (
        "bestellungen = [1]\nprint(f'{bestellungen} {bestellungen!r}')"
    )
    assert left["nodes"]["b"]["code"] == (
        "def f(k):\n    rows = 2\n    return rows\ny = len(bestellungen) + f(1)"
    )
    assert left["nodes"]["c"]["code"] == "rows"
    assert answer.body["code"] == {id: left["nodes"][id]["code"] for id in ("a", "b")}
    assert left["edges"]["e"]["output"] == "bestellungen"
    assert left["edges"]["e"]["input"] == "rows"


@pytest.mark.rule("17.14")
async def test_a_name_that_would_mean_something_else_is_refused(h: House) -> None:
    owner = await h.person("owner@example.org")
    for code, to, status, told in (
        ("rows = 1\ntotal = rows", "total", 409, "name_in_use"),
        ("rows = len('a')", "len", 409, "name_in_use"),
        ("rows = [v for v in x]\nprint(rows, [rows for v in x])", "v", 409, "name_in_use"),
        ("rows = 1", "class", 400, "bad_request"),
        ("rows = 1", "a b", 400, "bad_request"),
        ("rows = 1", "_rows", 409, "name_in_use"),
        ("other = 1", "x", 400, "bad_request"),
    ):
        canvas = await canvas_of(owner, cells(("a", code)))
        request = {"canvas": canvas, "node": "a", "name": "rows", "to": to}
        answer = await owner.post("/v1/code/rename", request)
        assert (answer.status, answer.code) == (status, told), answer.body
        left = (await owner.get(f"/v1/canvases/{canvas}/spell")).body
        assert left["nodes"]["a"]["code"] == code


@pytest.mark.rule("17.15")
async def test_ports_and_problems_follow_code_as_it_is_typed(h: House) -> None:
    owner = await h.person("owner@example.org")
    canvas = await canvas_of(owner, cells(("a", "rows = [1]"), ("b", "len(rows)")))

    async def told(wanted: tuple[Any, Any]) -> None:
        async with asyncio.timeout(30), h.parts.rooms.visit(canvas) as room:
            found = None
            while found != wanted:
                await asyncio.sleep(0.01)
                inputs = room.ports.get("b", {"inputs": []})["inputs"]
                at = [(p["code"], p["node"], p["details"].get("column")) for p in room.problems]
                found = {port["name"]: port.get("named") for port in inputs}, at

    path = f"/v1/canvases/{canvas}/spell"
    await told(({"rows": {"node": "a", "output": "rows"}}, []))
    await owner.put(path, cells(("a", "lines = [1]"), ("b", "len(rows)")))
    await told(({"rows": None}, [("missing_input", "b", 5)]))
    wire = {"source": "a", "output": "rows", "target": "b", "input": "rows"}
    broken = cells(("a", "lines = [1]"), ("b", "len(rows)")) | {"edges": {"e": wire}}
    await owner.put(path, broken)
    await told(({"rows": None}, [("unknown_port", "a", None), ("missing_input", "b", 5)]))
    assert "e" in (await owner.get(path)).body["edges"]
