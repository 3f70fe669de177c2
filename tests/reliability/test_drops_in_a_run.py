"""RELIABILITY R11: a tab that drops all the time while a run goes on gets every event once, in order.

The Python client follows a run through a wire that is cut again and again. The tests of the
TypeScript client have the same for the browser's side (client/tests/reliability).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from spellwork_client import Client, Event
from tests.seeds import FACTOR
from tests.wire_cutter import WireCutter

from .served import People, served
from .sockets import Socket

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

LANES, LENGTH, SECONDS, DROPS = (20, 50, 0.1, 12) if FACTOR == 1 else (50, 100, 0.5, 100)
"""Delays beside each other, behind each other, how long each takes; and how often the wire is cut."""


def lanes() -> dict[str, Any]:
    """Return a spell of delays whose nodes tell two events each."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for lane in range(LANES):
        for step in range(LENGTH):
            name = f"d{lane}-{step}"
            nodes[name] = {"type": "core.delay", "inputs": {"value": step, "seconds": SECONDS}}
            if step:
                edges[name] = {
                    "source": f"d{lane}-{step - 1}",
                    "output": "value",
                    "target": name,
                    "input": "value",
                }
    return {"nodes": nodes, "edges": edges}


@pytest.mark.rule("E1", "E3", "E4")
async def test_a_client_that_drops_again_and_again_gets_every_event_once(
    people: People, tmp_path: Path
) -> None:
    events: list[Event] = []
    every = LANES * LENGTH * 2 // (DROPS + 1)
    with served(people, tmp_path) as world, WireCutter(world.process.port) as wire:
        async with Client(wire.url, token=world.key) as client:
            canvas = await client.canvases.create("Drops", lanes())
            run = await client.runs.create(canvas=canvas.id)
            async for event in run.events():
                events.append(event)
                if len(events) % every == 0:
                    wire.cut()
                    wire.mend()
        async with Client(world.url, token=world.key) as client:
            told = [event async for event in (await client.runs.get(run.id)).events()]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events == told
    assert len(events) // every >= DROPS
    for kind in ("node.started", "node.done"):
        assert sum(event.kind == kind for event in events) == LANES * LENGTH


@pytest.mark.rule("B2", "E1", "E3")
async def test_a_client_follows_a_run_through_the_death_of_its_server(
    people: People, tmp_path: Path
) -> None:
    """The same, where the run is durable and its server is killed and started again in between."""
    lanes_, length = 5, 20
    spell = lanes()
    keep = {f"d{lane}-{step}" for lane in range(lanes_) for step in range(length)}
    spell["nodes"] = {name: node for name, node in spell["nodes"].items() if name in keep}
    spell["edges"] = {name: edge for name, edge in spell["edges"].items() if name in keep}
    events: list[dict[str, Any]] = []
    with served(people, tmp_path) as world, world.process.http(world.key) as http:
        made = http.post("/v1/runs", json={"spell": spell, "durable": True}).json()
        socket = Socket(reconnection=False)
        deaths = 0
        while not events or events[-1]["kind"] != "run.completed":
            after = events[-1]["seq"] if events else 0
            page = http.get(f"/v1/runs/{made['id']}/events?after_seq={after}").json()["events"]
            events += page
            if deaths < 2 and len(events) > (deaths + 1) * len(keep) // 2:
                deaths += 1
                await asyncio.to_thread(world.process.kill)
                await asyncio.to_thread(world.process.start)
            await asyncio.sleep(0.02)
        told = http.get(f"/v1/runs/{made['id']}/events?limit=2000").json()["events"]
        await socket.connect(
            world.url, auth={"token": world.key}, transports=["websocket"], wait_timeout=30
        )
        missed = await socket.call(
            "events.resume", {"stream": f"user:{made['user']}", "after_seq": 0}
        )
        await socket.disconnect()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events == told == missed["events"]
    done = [event["node"] for event in events if event["kind"] == "node.done"]
    assert sorted(done) == sorted(keep), "each node ended once"
    assert deaths == 2
