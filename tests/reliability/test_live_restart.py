"""Live mode and a server that ends: what tabs find when they come back, and that edits run nothing on the sly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .served import People, Served, served
from .sockets import Socket

pytestmark = pytest.mark.anyio

PATIENCE = 60

SPELL: dict[str, Any] = {
    "name": "Live",
    "nodes": {
        "n": {"type": "core.number", "inputs": {"value": 1}},
        "w": {"type": "core.wait", "inputs": {"seconds": 3_600}},
    },
    "edges": {"a": {"source": "n", "output": "value", "target": "w", "input": "value"}},
}


class Tab:
    """A socket that has the canvas open."""

    def __init__(self, socket: Socket, opened: dict[str, Any]) -> None:
        self.socket = socket
        self.opened = opened
        self.events: list[dict[str, Any]] = []
        self.live: list[bool] = []
        socket.on("run.events", lambda said: self.events.extend(said["events"]))
        socket.on("canvas.live", lambda said: self.live.append(said["live"]))

    def kinds(self, node: str) -> list[str]:
        return [each["kind"] for each in self.events if each.get("node") == node]


@asynccontextmanager
async def tab(world: Served) -> AsyncIterator[Tab]:
    socket = Socket(reconnection=False)
    await socket.connect(
        world.url, auth={"token": world.key}, transports=["websocket"], wait_timeout=30
    )
    try:
        opened = await socket.call("canvas.open", {"canvas": world.canvas, "client_id": 7})
        assert opened["ok"], opened
        yield Tab(socket, opened)
    finally:
        await socket.disconnect()


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


async def draw(world: Served, value: int) -> None:
    nodes = SPELL["nodes"] | {"n": {"type": "core.number", "inputs": {"value": value}}}
    headers = {"Authorization": f"Bearer {world.key}"}
    async with httpx.AsyncClient(base_url=world.url, headers=headers) as client:
        put = await client.put(f"/v1/canvases/{world.canvas}/spell", json=SPELL | {"nodes": nodes})
        assert put.status_code == 200, put.text


@pytest.mark.rule("G21", "G9")
@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_live_mode_ends_with_the_server_and_goes_on_when_it_is_asked_for(
    people: People, tmp_path: Path, end: str
) -> None:
    with served(people, tmp_path) as world:
        await draw(world, 1)
        async with tab(world) as before:
            played = await before.socket.call("runs.play", {"canvas": world.canvas})
            assert played["ok"], played
            await until(lambda: "node.waiting" in before.kinds("w"))
            await asyncio.to_thread(getattr(world.process, end))
        assert False not in before.live, "the server tells nobody that they left live mode"
        await asyncio.to_thread(world.process.start)
        async with tab(world) as after:
            assert (after.opened["live"], after.opened["live_users"]) == (False, [])
            runs = {each["id"]: each["status"] for each in after.opened["runs"]}
            found = await after.socket.call("runs.get", {"id": played["run"]["id"]})
            assert found["status"] == "interrupted"
            assert runs.get(found["id"], "interrupted") == "interrupted"
            missed = await after.socket.call(
                "events.resume", {"stream": f"canvas:{world.canvas}", "after_seq": 0}
            )
            last = missed["events"][-1]
            assert (last["kind"], last["run"]) == ("run.cancelled", found["id"])
            assert last["message"]
            await draw(world, 2)
            listed = await after.socket.call("runs.find", {"canvas": world.canvas})
            assert [each["id"] for each in listed["items"]] == [found["id"]], "an edit ran nothing"
            again = await after.socket.call("runs.play", {"canvas": world.canvas})
            assert (again["ok"], again["live"]) == (True, True)
            await until(lambda: "node.waiting" in after.kinds("w"))
            await draw(world, 3)
            await until(lambda: after.kinds("w").count("node.waiting") == 2)
