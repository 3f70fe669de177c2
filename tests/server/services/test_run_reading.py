"""Past runs looked into over REST, with nodes that others run: what went into them, when they ran, and who may know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .house import Caller, House, house
from .test_subspells import CHILD, canvas, draw, parent_of, run

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def inputs(caller: Caller, run_id: str, node: str) -> Any:
    path = node.replace("/", "%2F").replace("[", "%5B").replace("]", "%5D")
    return await caller.get(f"/v1/runs/{run_id}/inputs/{path}")


@pytest.mark.rule("V2")
async def test_inputs_of_nodes_inside_others_are_told_by_their_path(served: House) -> None:
    ada = await served.person("ada")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    left = await run(ada, parent)
    inner = (await inputs(ada, left["id"], "sub/big")).body
    assert inner["inputs"]["left"] == 5, inner
    assert inner["inputs"]["right"] == 2
    assert (await inputs(ada, left["id"], "sub/out")).body["inputs"]["value"] is True
    changed = CHILD | {"nodes": CHILD["nodes"] | {"more": {"type": "core.value"}}}
    await draw(ada, child, changed)
    answer = await inputs(ada, left["id"], "sub/big")
    assert (answer.status, answer.code) == (404, "not_kept")
    assert (await inputs(ada, left["id"], "sub")).body["inputs"]["n"] == 5


@pytest.mark.rule("V2", "V4", "N3")
async def test_what_happened_in_a_canvas_that_one_may_not_read_is_not_told(served: House) -> None:
    ada, bob = await served.person("ada"), await served.person("bob")
    child = await canvas(ada, CHILD)
    parent = await canvas(ada, parent_of(child, n=5))
    left = await run(ada, parent)
    member = {"email": bob.user and bob.user.email, "role": "viewer"}
    assert (await ada.put(f"/v1/canvases/{parent}/members", member)).status == 200
    rows = (await ada.get(f"/v1/runs/{left['id']}/timeline")).body["nodes"]
    assert rows[0]["node"] == "sub"
    assert {row["node"] for row in rows} == {"sub", "sub/n", "sub/big", "sub/out"}
    assert rows[0]["inside"] is True
    rows = (await bob.get(f"/v1/runs/{left['id']}/timeline")).body["nodes"]
    assert [row["node"] for row in rows] == ["sub"]
    assert (await inputs(bob, left["id"], "sub/big")).status == 404
    assert (await inputs(bob, left["id"], "sub")).body["inputs"]["n"] == 5


@pytest.mark.rule("V2")
async def test_inputs_in_a_round_of_a_map_are_those_of_that_round(served: House) -> None:
    ada = await served.person("ada")
    spell = {
        "name": "Mapped",
        "nodes": {
            "list": {"type": "core.value", "inputs": {"value": [3, 8]}},
            "most": {"type": "core.value", "inputs": {"value": 5}},
            "each": {"type": "core.map", "settings": {"body": {"group": "g"}}},
            "item": {"type": "core.input", "inputs": {"name": "item"}, "group": "g"},
            "big": {
                "type": "core.compare",
                "inputs": {"operator": "is greater than"},
                "group": "g",
            },
            "out": {"type": "core.output", "inputs": {"name": "big"}, "group": "g"},
        },
        "edges": {
            "a": {"source": "list", "output": "value", "target": "each", "input": "items"},
            "b": {"source": "item", "output": "value", "target": "big", "input": "left"},
            "c": {"source": "most", "output": "value", "target": "big", "input": "right"},
            "d": {"source": "big", "output": "holds", "target": "out", "input": "value"},
        },
        "groups": {"g": {"name": "Each", "position": [0, 0], "size": [400, 300]}},
    }
    left = await run(ada, await canvas(ada, spell))
    assert left["errors"] == {}, left
    second = (await inputs(ada, left["id"], "each[1]/big")).body
    assert (second["inputs"]["left"], second["inputs"]["right"]) == (8, 5), second
    assert (await inputs(ada, left["id"], "each[7]/big")).body["not_kept"] != {}
    for nowhere in ("each[1]/nobody", "list/x", "each[1]", "each[", "/"):
        assert (await inputs(ada, left["id"], nowhere)).status in (400, 404), nowhere
