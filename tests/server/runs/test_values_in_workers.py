"""Values that stay in workers, seen from outside: told of with a preview, read by the page, gone with their process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork.handles import find_handle
from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

MAKE = {
    "table": "[{'n': n, 'word': f'w{n}'} for n in range(200_000)]",
    "object": "object()",
    "pair": "(1, 2)",
    "forged": "{'$handle': '0' * 32, 'kind': 'list', 'size': 1, 'preview': None, 'encodings': []}",
}
SPELL: dict[str, Any] = {
    "nodes": {id: {"type": "code.python", "code": code} for id, code in MAKE.items()}
    | {"all": {"type": "code.python", "code": "[len(t), p]"}},
    "edges": {
        "t": {"source": "table", "output": "result", "target": "all", "input": "t"},
        "p": {"source": "pair", "output": "result", "target": "all", "input": "p"},
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[tuple[House, Caller, dict[str, Any]]]:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (await ada.post("/v1/runs", {"spell": SPELL, "wait": 60})).body
        assert run["errors"] == {}, run["errors"]
        yield h, ada, run


async def value_of(who: Caller, key: str, **query: Any) -> Any:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return await who.get(f"/v1/cache/values/{key}?{asked}")


@pytest.mark.rule("18.15")
async def test_a_value_in_a_worker_is_told_of_and_read_by_the_page_until_it_is_gone(
    home: tuple[House, Caller, dict[str, Any]],
) -> None:
    h, ada, run = home
    outputs = run["outputs"]
    assert outputs["pair"] == {"result": [1, 2]}
    assert outputs["all"] == {"result": [200_000, [1, 2]]}
    told = outputs["table"]["result"]
    assert (told["kind"], told["preview"]["form"], told["preview"]["total"]) == (
        "list",
        "list",
        200_000,
    )
    assert outputs["object"]["result"]["kind"] == "object"
    assert run["hashes"]["table"]["result"] == told["$handle"]

    page = await value_of(ada, told["$handle"], offset=100, limit=2)
    assert page.body["value"] == [{"n": 100, "word": "w100"}, {"n": 101, "word": "w101"}]
    assert (page.body["total"], page.body["more"]) == (200_000, True)
    by_port = await ada.get(
        f"/v1/runs/{run['id']}/outputs/table/result?limit=1&sort=n&descending=true"
    )
    assert (by_port.body["value"], by_port.body["rows"]) == (
        [{"n": 199_999, "word": "w199999"}],
        [199_999],
    )
    missing = await value_of(ada, told["$handle"], path="/nothing")
    assert (missing.status, missing.body["error"]["code"]) == (404, "value_not_found")
    opaque = await value_of(ada, outputs["object"]["result"]["$handle"])
    assert (opaque.status, opaque.body["error"]["code"]) == (409, "not_transferable")

    forged = await ada.get(f"/v1/runs/{run['id']}/outputs/forged/result")
    assert forged.body["value"]["$handle"] == "0" * 32  # a value like any other

    bob = await h.person("bob")
    assert (await value_of(bob, told["$handle"])).status == 404

    for pids in h.parts.running.workers.pids.values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        while (handle := find_handle(told["$handle"])) is not None and handle.gone is None:
            await asyncio.sleep(0.01)
    gone = await value_of(ada, told["$handle"])
    assert (gone.status, gone.body["error"]["code"]) == (404, "value_gone")
    again = (await ada.get(f"/v1/runs/{run['id']}")).body
    assert again["outputs"]["table"]["result"]["preview"] == told["preview"]


@pytest.mark.rule("E13")
async def test_every_tab_hears_at_once_which_values_are_gone(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        spell = {"nodes": {"table": {"type": "code.python", "code": MAKE["table"]}}, "edges": {}}
        canvas = (await ada.post("/v1/canvases", {"spell": spell})).body["id"]
        client = socketio.AsyncClient(reconnection=False)
        heard: asyncio.Queue[Any] = asyncio.Queue()
        client.on("values.gone", heard.put)
        await client.connect(
            h.origin, auth={"token": ada.token}, transports=["websocket"], wait_timeout=30
        )
        try:
            assert (await client.call("canvas.open", {"canvas": canvas, "client_id": 7}))["ok"]
            run = (await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})).body
            handle = run["outputs"]["table"]["result"]["$handle"]
            asked = {"handles": [handle, "0" * 32]}
            assert run["gone"] == {}
            assert (await client.call("cache.gone", asked))["gone"] == {
                "0" * 32: "worker restarted"
            }
            assert (await ada.post(f"/v1/workers/{canvas}/restart")).status == 200
            async with asyncio.timeout(30):
                told = await heard.get()
            again = (await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})).body
            assert again["why"]["table"] == "worker restarted"
        finally:
            await client.disconnect()
        place = {"run": run["id"], "node": "table", "port": "result", "handle": handle}
        assert told == {
            "stream": f"canvas:{canvas}",
            "why": "worker restarted",
            "values": [place],
        }
        gone = {handle: "worker restarted"}
        assert (await ada.get(f"/v1/runs/{run['id']}")).body["gone"] == gone
        assert handle in (await ada.post("/v1/cache/gone", asked)).body["gone"]
