"""The whole server: a tab that reads slowly slows the run behind it, and loses nothing; one that stops is left behind."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from spellwork import outlet
from spellwork_server.runs import followers
from spellwork_server.sockets import catch_up
from tests.server.services.house import house
from tests.server.sockets.raw_socket import raw_socket

from .test_transports import CLIENT_IDS, make_canvas

pytestmark = pytest.mark.anyio

LIMIT = 2 * 1024 * 1024
"""Room enough for what is on its way already when a tab is found to lag."""
CHUNKS, LENGTH = 1_500, 8_000
CODE = (
    f"def f():\n    for number in range({CHUNKS}):\n        yield chr(97 + number % 26) * {LENGTH}"
)
SPELL = {"nodes": {"s": {"type": "code.python", "code": CODE}}}
TEXT = "".join(chr(97 + number % 26) * LENGTH for number in range(CHUNKS))


async def events_of(who: Any, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = (await who.get(f"/v1/runs/{run}/events?after_seq={after}&limit=1000")).body["events"]
        if not page:
            return found
        found += page


@pytest.mark.rule("E12")
async def test_a_slow_tab_slows_the_run_and_gets_every_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow this machine is just now:
    monkeypatch.setattr(followers, "PATIENCE", 120)
    monkeypatch.setattr(catch_up, "STALLED", 120)
    async with house(tmp_path, max_pending_bytes=LIMIT) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, SPELL)
        async with asyncio.timeout(120), raw_socket(h.origin, token=ada.token) as ws:
            request = {"canvas": canvas, "client_id": next(CLIENT_IDS)}
            await ws.send("420" + json.dumps(["canvas.open", request]))
            await ws.event()
            run = (await ada.post("/v1/runs", {"canvas": canvas})).body["id"]
            while not any(e["kind"] == "node.waiting" for e in await events_of(ada, run)):
                await asyncio.sleep(0.05)
            assert (await ada.get(f"/v1/runs/{run}")).body["status"] == "running"
            text = ""
            ended = False
            while not ended:
                _, body, _ = await ws.event()
                for event in body[1]["events"] if body[0] == "run.events" else ():
                    text += event["value"] if event["kind"] == "node.chunk" else ""
                    ended = ended or event["kind"] == "run.completed"
            assert text == TEXT


@pytest.mark.rule("E12", "S17")
async def test_a_tab_that_takes_nothing_does_not_stop_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "PATIENCE", 0.5)
    monkeypatch.setattr(outlet, "HELD", 0.01)  # however short it is held up
    async with house(tmp_path, max_pending_bytes=LIMIT) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, SPELL)
        async with asyncio.timeout(120), raw_socket(h.origin, token=ada.token) as ws:
            request = {"canvas": canvas, "client_id": next(CLIENT_IDS)}
            await ws.send("420" + json.dumps(["canvas.open", request]))
            await ws.event()
            run = (await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})).body
        assert run["status"] == "completed"
        events = await events_of(ada, run["id"])
        assert any(event["kind"] == "node.waiting" for event in events)
        text = "".join(event["value"] for event in events if event["kind"] == "node.chunk")
        assert text == TEXT
