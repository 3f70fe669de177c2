"""Tabs are told what happens in another process on the same database: each thing once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork_server.runs import doorbell
from tests.server.runs.house import until
from tests.server.services.house import Caller, House, house
from tests.server.storage.databases import placed
from tests.server.tasks.desk import approval

pytestmark = pytest.mark.anyio


@dataclass
class Tab:
    """A socket with the canvas open, and what it was told."""

    socket: socketio.AsyncClient
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [data for name, data in self.told if name == event]


@dataclass
class Two:
    """Two servers on one database, Ada and her canvas, and a tab of hers at each."""

    one: House
    ada: Caller
    canvas: str
    tabs: tuple[Tab, Tab]

    async def settled(self, event: str, count: int) -> None:
        """Wait until both tabs were told so many."""
        await until(lambda: all(len(each.of(event)) >= count for each in self.tabs))

    def same(self, event: str) -> list[dict[str, Any]]:
        """What both tabs were told alike."""
        here, there = (each.of(event) for each in self.tabs)
        assert here == there
        return here


@asynccontextmanager
async def two(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    monkeypatch.setattr(doorbell, "ALONE_SECONDS", 0.05)
    monkeypatch.setattr(doorbell, "LOOK_SECONDS", 0.05)
    with placed(kind, folder) as url:
        async with AsyncExitStack() as stack:
            made = [await stack.enter_async_context(house(folder, database_url=url)) for _ in "12"]
            ada = await made[0].person("ada")
            created = await ada.post("/v1/canvases", {"name": "It", "spell": approval()})
            canvas = str(created.body["id"])
            tabs = [await tab(stack, each, ada, canvas) for each in made]
            await until(lambda: all(each.parts.relay.others for each in made))
            yield Two(made[0], ada, canvas, (tabs[0], tabs[1]))


async def tab(stack: AsyncExitStack, h: House, who: Caller, canvas: str) -> Tab:
    made = Tab(socketio.AsyncClient(reconnection=False))
    made.socket.on("*", lambda event, data: made.told.append((event, data)))
    await made.socket.connect(
        h.origin, auth={"token": who.token}, transports=["websocket"], wait_timeout=30
    )
    stack.push_async_callback(made.socket.disconnect)
    number = h.server.port or 1
    opened = await made.socket.call("canvas.open", {"canvas": canvas, "client_id": number})
    assert opened["ok"], opened
    return made


@pytest.mark.rule("O8", "X12", "P8")
@pytest.mark.parametrize("kind", ["file", "postgres"])
async def test_what_happens_in_one_process_is_told_to_tabs_at_another(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(kind, tmp_path, monkeypatch) as w:
        fields = {"canvas": w.canvas, "name": "Hook", "settings": {"kind": "webhook"}}
        trigger = (await w.ada.post("/v1/triggers", fields)).body["trigger"]["id"]
        await w.ada.delete(f"/v1/triggers/{trigger}")
        await w.settled("triggers.changed", 2)
        made, removed = w.same("triggers.changed")
        assert (made["trigger"]["id"], removed["id"], removed["trigger"]) == (
            trigger,
            trigger,
            None,
        )

        run = (await w.ada.post("/v1/runs", {"canvas": w.canvas})).body["id"]
        await w.settled("run.status", 1)
        assert w.same("run.status")[-1] | {"stream": ""} == {
            "run": run,
            "status": "waiting",
            "stream": "",
        }
        await w.settled("tasks.changed", 2)  # one for the canvas, and one for her
        told = w.same("tasks.changed")
        assert [each["open"] for each in told] == [None, 1]
        task = told[0]["task"]["id"]
        await w.ada.post(f"/v1/tasks/{task}/answer", {"answer": {"approved": True}})
        await w.settled("tasks.changed", 4)
        assert [each["news"] for each in w.same("tasks.changed")[2:]] == ["answered", "answered"]
        ended = await w.ada.get(f"/v1/runs/{run}?wait=30")
        assert ended.body["status"] == "completed"


@pytest.mark.rule("O8")
async def test_who_is_alone_writes_nothing_for_others(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = (await ada.post("/v1/canvases", {"name": "It"})).body["id"]
        fields = {"canvas": canvas, "name": "Hook", "settings": {"kind": "webhook"}}
        assert (await ada.post("/v1/triggers", fields)).status == 201
        assert await h.parts.relay._store.last() == 0
