"""What the library says of nodes on a canvas: choices, wires they lack, newer versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from spellwork import Library, Migrated, Node, Pack, node
from tests.server.services.house import HELLO, Caller, House, house

pytestmark = pytest.mark.anyio

ROWS = [{"city": "Graz", "people": 1}, {"city": "Wien", "people": 2}]


@node("w.mark", output="text")
async def mark_1(word: str = "") -> str:
    """Mark a word, as version 1."""
    return f"*{word}*"


def renamed(old: Node) -> Migrated:
    return Migrated(old, inputs={"word": "text"})


@node("w.mark", output="text", version=2, migrate={1: renamed})
async def mark_2(text: str = "") -> str:
    """Mark a text."""
    return f"*{text}*"


@node("w.lost", version=2)
async def lost() -> int:
    """Have no migration."""
    return 2


@asynccontextmanager
async def house_with_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    installed = Library.installed()
    pack = Pack(name="w", version="1", title="W", nodes=(mark_1, mark_2, lost))
    monkeypatch.setattr(Library, "installed", lambda: Library([*installed.packs, pack]))
    async with house(tmp_path) as h:
        yield h


async def canvas_of(owner: Caller, spell: dict[str, Any]) -> str:
    made = await owner.post("/v1/canvases", {"spell": spell})
    assert made.status == 201, made.body
    return str(made.body["id"])


@pytest.mark.rule("T1")
async def test_choices_of_an_input_follow_from_the_others(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        node: dict[str, Any] = {"type": "core.select", "inputs": {"table": ROWS}}
        asked = {"node": node, "port": "columns"}
        answer = await ada.post("/v1/nodes/choices", asked)
        assert answer.body == {"choices": ["city", "people"]}
        empty = {"node": {"type": "core.select"}, "port": "columns"}
        assert (await ada.post("/v1/nodes/choices", empty)).body == {"choices": []}
        wrong = await ada.post("/v1/nodes/choices", asked | {"port": "x"})
        assert (wrong.status, wrong.code) == (400, "bad_request")
        unknown = await ada.post("/v1/nodes/choices", {"node": {"type": "x.y"}, "port": "x"})
        assert (unknown.status, unknown.code) == (404, "unknown_node_type")


@pytest.mark.rule("T2")
async def test_wires_are_suggested_between_two_nodes_and_looking_back(tmp_path: Path) -> None:
    spell = HELLO | {
        "nodes": HELLO["nodes"]
        | {"c": {"type": "core.output", "position": [480, 0]}, "d": {"type": "core.text"}},
    }
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada, spell)
        asked = {"canvas": canvas, "node": "c"}
        back = (await ada.post("/v1/nodes/suggest", asked)).body["wires"]
        wire = {"output": "value", "target": "c", "input": "value"}
        assert back == [{"source": "b", **wire}]
        pair = await ada.post("/v1/nodes/suggest", asked | {"source": "a"})
        assert pair.body["wires"] == [{"source": "a", **wire}]
        none = await ada.post("/v1/nodes/suggest", {"canvas": canvas, "node": "zz"})
        assert (none.status, none.code) == (400, "bad_request")
        eve = await h.person("eve")
        assert (await eve.post("/v1/nodes/suggest", asked)).status in (403, 404)


@pytest.mark.rule("T3")
async def test_old_nodes_are_upgraded_as_an_edit_of_the_canvas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spell = {
        "schema": 1,
        "name": "Old",
        "nodes": {
            "t": {"type": "core.text", "inputs": {"text": "x"}},
            "m": {"type": "w.mark", "version": 1, "position": [9, 9]},
            "l": {"type": "w.lost", "version": 1},
        },
        "edges": {"e": {"source": "t", "output": "text", "target": "m", "input": "word"}},
    }
    async with house_with_versions(tmp_path, monkeypatch) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada, spell)
        answer = (await ada.post("/v1/nodes/upgrade", {"canvas": canvas})).body
        old = {"node": "m", "type": "w.mark", "version": 1, "newest": 2}
        assert answer["upgraded"] == [old | {"wires": ["e"]}]
        assert [(each["node"], each["reason"]) for each in answer["failed"]] == [
            ("l", "'w.lost' has no migration from version 1")
        ]
        drawn = (await ada.get(f"/v1/canvases/{canvas}/spell")).body
        assert drawn["nodes"]["m"] == {"type": "w.mark", "version": 2, "position": [9, 9]}
        assert drawn["nodes"]["l"]["version"] == 1
        assert drawn["edges"]["e"]["input"] == "text"
        again = await ada.post("/v1/nodes/upgrade", {"canvas": canvas, "nodes": ["m"]})
        assert again.body == {"upgraded": [], "failed": []}


@pytest.mark.rule("T3")
async def test_only_who_may_edit_upgrades(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, eve = await h.person("ada"), await h.person("eve")
        canvas = await canvas_of(ada, HELLO)
        member = {"email": "eve@example.org", "role": "viewer"}
        assert eve.user is not None
        await ada.put(f"/v1/canvases/{canvas}/members", member | {"email": eve.user.email})
        answer = await eve.post("/v1/nodes/upgrade", {"canvas": canvas})
        assert (answer.status, answer.code) == (403, "forbidden")
        wires = await eve.post("/v1/nodes/suggest", {"canvas": canvas, "node": "b"})
        assert wires.status == 200


@pytest.mark.rule("T4")
async def test_the_library_has_every_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house_with_versions(tmp_path, monkeypatch) as h:
        ada = await h.person("ada")
        body = (await ada.get("/v1/nodes")).body
        newest = {each["type"]: each["version"] for each in body["items"]}
        assert newest["w.mark"] == 2
        old = [(each["type"], each["version"], each["inputs"][0]["name"]) for each in body["older"]]
        assert old == [("w.mark", 1, "word")]
