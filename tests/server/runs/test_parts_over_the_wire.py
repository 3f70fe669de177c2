"""Parts of runs and parts of values, over REST and over a socket alike."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.server.services.house import house

from .test_transports import make_canvas, tab

pytestmark = pytest.mark.anyio

ROWS = [{"id": i, "name": f"name {i % 7}", "text": "x" * 40} for i in range(3_000)]

SPELL: dict[str, Any] = {
    "schema": 1,
    "name": "Parts",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": {"rows": ROWS}}},
        "b": {"type": "core.value"},
        "m": {"type": "core.value", "inputs": {"value": 1}, "settings": {"mode": "mute"}},
        "w": {
            "type": "core.value",
            "inputs": {"value": 1},
            "settings": {"limits": {"delay": 0.1}, "cache": "none"},
        },
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "value"}},
}


@pytest.mark.rule("G13", "G14", "G15", "G16", "E8")
async def test_both_ways_take_the_same_and_answer_the_same(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        h = await stack.enter_async_context(house(tmp_path))
        ada = await h.person("ada")
        canvas = await make_canvas(ada, SPELL)
        t = await stack.enter_async_context(tab(h, ada, canvas))
        only = {"canvas": canvas, "scope": ["b"], "reach": "only", "wait": 60}
        refused = await ada.post("/v1/runs", only)
        assert (refused.status, refused.body["error"]["code"]) == (400, "no_value")
        answer = await t.ask("runs.create", **only)
        assert answer["error"]["code"] == "no_value"
        assert answer["error"]["details"] == refused.body["error"]["details"] == {"nodes": ["a"]}
        whole = (await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})).body
        assert whole["status"] == "completed"
        assert (whole["skipped"], whole["why"]["m"]) == ({"m": "muted"}, "muted")
        waited = [event for event in t.events if event["kind"] == "node.waiting"]
        assert {event["node"] for event in waited} == {"w"}
        part = (await ada.post("/v1/runs", only)).body
        assert (part["order"], part["status"]) == (["b"], "completed")
        assert (await t.ask("runs.create", **only))["outputs"] == part["outputs"]
        key = whole["hashes"]["a"]["value"]
        query = {
            "path": "/rows",
            "sort": "name",
            "filter": "name 3",
            "limit": 3,
            "parts": "reference",
        }
        over_rest = await ada.get(
            f"/v1/cache/values/{key}?path=/rows&sort=name&filter=name+3&limit=3&parts=reference"
        )
        over_socket = await t.ask("cache.value", hash=key, **query)
        assert over_rest.body == {k: v for k, v in over_socket.items() if k != "ok"}
        assert over_rest.body["rows"] == [3, 10, 17]
        one = await ada.get(f"/v1/runs/{whole['id']}/outputs/a/value?path=/rows/5/id")
        assert (one.body["value"], one.body["kind"]) == (5, "value")
        missing = await ada.get(f"/v1/cache/values/{key}?path=/nothing")
        assert (missing.status, missing.body["error"]["code"]) == (404, "value_not_found")
        late = {"canvas": canvas, "timeout": 0.001, "scope": ["w"], "wait": 60}
        for ended in (
            (await ada.post("/v1/runs", late)).body,
            await t.ask("runs.create", **late),
        ):
            assert (ended["status"], ended["error"]["code"]) == ("failed", "run_timeout")
