"""Measure a 200-node spell (20 layers of 10) from `runs.create` to `run.completed` in the client.

    python -m benchmarks.run

The server is a real one in its own process, with its durable journal; the client is Socket.IO over
a WebSocket. Every round gives another input, so that all 200 nodes run and none comes from the
cache; the outputs of every round are checked. Beside it: the same spell with everything cached, and
the same run over REST with `wait`; and what of it is the server's own, without sockets and REST
(`carried.py`).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import socketio
import uvloop

from benchmarks.report import Figure, print_figures
from benchmarks.run.carried import measure
from tests.server_process import ServerProcess

LAYERS, WIDTH = 20, 10
ROUNDS = 60
WARM_UP = 5
TARGET_MS = 60
"""The median from `runs.create` to `run.completed`, at most."""


def spell() -> dict[str, Any]:
    """Return the spell: each node joins two of the layer before to a short text."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for layer in range(LAYERS):
        for place in range(WIDTH):
            name = f"n{layer}_{place}"
            if layer == 0:
                nodes[name] = {"type": "core.value", "inputs": {"value": place}}
                continue
            nodes[name] = {
                "type": "core.template",
                "inputs": {"template": f"{layer}.{place}:{{x}}{'{y}' if layer == 1 else ''}"},
            }
            for port, source in (("x", place), ("y", (place + 1) % WIDTH)):
                output = "value" if layer == 1 else "text"
                edges[f"{name}{port}"] = {
                    "source": f"n{layer - 1}_{source}",
                    "output": output,
                    "target": name,
                    "input": port,
                }
    return {"schema": 1, "name": "200 nodes", "nodes": nodes, "edges": edges}


def expected(inputs: dict[str, Any]) -> str:
    """Return what the last layer's first node must leave."""
    text = f"1.0:{inputs['n0_0']}{inputs['n0_1']}"
    for layer in range(2, LAYERS):
        text = f"{layer}.0:{text}"
    return text


class Follower:
    """A tab: knows when a run's last event came, and how many came before it."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        self._client = client
        self._ends: dict[str, tuple[float, dict[str, Any]]] = {}
        self._arrived = asyncio.Event()
        self.done: dict[str, dict[str, Any]] = {}
        self.seqs: list[int] = []
        client.on("run.events", self._take)

    def _take(self, data: dict[str, Any]) -> None:
        now = time.perf_counter()
        for event in data["events"]:
            self.seqs.append(event["seq"])
            if event["kind"] == "node.done":
                self.done[event["node"]] = event["outputs"]
            elif event["kind"] == "run.completed":
                self._ends[event["run"]] = (now, event)
                self._arrived.set()

    async def run(self, canvas: str, inputs: dict[str, Any]) -> tuple[float, float]:
        """Run once; return the seconds to the acknowledgement and to the run's last event."""
        self.done.clear()
        began = time.perf_counter()
        answer = await self._client.call("runs.create", {"canvas": canvas, "inputs": inputs})
        acknowledged = time.perf_counter() - began
        assert answer["ok"], answer
        async with asyncio.timeout(30):
            while answer["id"] not in self._ends:
                self._arrived.clear()
                await self._arrived.wait()
        ended, event = self._ends.pop(answer["id"])
        assert event["data"]["failed"] == [], event
        assert len(self.done) == LAYERS * WIDTH, len(self.done)
        assert self.done[f"n{LAYERS - 1}_0"] == {"text": expected(inputs)}
        return acknowledged, ended - began


async def over_socket(
    url: str, token: str, canvas: str
) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of each round: to the acknowledgement, to the end, and to the end when cached."""
    client = socketio.AsyncClient(reconnection=False)
    follower = Follower(client)
    await client.connect(url, auth={"token": token}, transports=["websocket"])
    try:
        opened = await client.call("canvas.open", {"canvas": canvas, "client_id": 1})
        assert opened["ok"], opened
        for round_ in range(WARM_UP):
            await follower.run(canvas, inputs_of(-1 - round_))
        rounds = [await follower.run(canvas, inputs_of(round_)) for round_ in range(ROUNDS)]
        cached = [(await follower.run(canvas, inputs_of(0)))[1] for _ in range(ROUNDS // 3)]
        assert follower.seqs == list(range(1, len(follower.seqs) + 1)), (
            "events lost or out of order"
        )
    finally:
        await client.disconnect()
    return [each[0] for each in rounds], [each[1] for each in rounds], cached[1:]


def inputs_of(round_: int) -> dict[str, Any]:
    """Return inputs that no other round has."""
    return {f"n0_{place}": round_ * 1_000 + place for place in range(WIDTH)}


def over_rest(http: httpx.Client, canvas: str) -> list[float]:
    """Return the seconds of each POST that waits for the run's end."""
    taken = []
    for round_ in range(ROUNDS // 3):
        inputs = inputs_of(ROUNDS + round_)
        began = time.perf_counter()
        answer = http.post("/v1/runs", json={"canvas": canvas, "inputs": inputs, "wait": 30})
        taken.append(time.perf_counter() - began)
        run = answer.raise_for_status().json()
        assert run["outputs"][f"n{LAYERS - 1}_0"] == {"text": expected(inputs)}
    return taken


def milliseconds(seconds: list[float], share: float = 0.5) -> float:
    """Return the value below which ``share`` of the rounds lie, in ms."""
    ordered = sorted(seconds)
    return (
        statistics.median(ordered) * 1e3
        if share == 0.5
        else ordered[int(len(ordered) * share)] * 1e3
    )


def main() -> int:
    """Measure and print; return 1 when the target is missed."""
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as server:
        server.add_user("bench@example.org", "correct horse battery")
        token = server.api_key("bench@example.org")
        with server.http(token) as http:
            answer = http.post("/v1/canvases", json={"name": "Bench", "spell": spell()})
            canvas = answer.raise_for_status().json()["id"]
            acknowledged, ended, cached = asyncio.run(over_socket(server.url, token, canvas))
            rest = over_rest(http, canvas)
    nodes = LAYERS * WIDTH
    met = print_figures(
        f"A run of {nodes} nodes, all of them run, {ROUNDS} rounds",
        [
            Figure("runs.create to its acknowledgement, median", milliseconds(acknowledged), "ms"),
            Figure(
                "runs.create to run.completed, median", milliseconds(ended), "ms", most=TARGET_MS
            ),
            Figure("runs.create to run.completed, p95", milliseconds(ended, 0.95), "ms"),
            Figure("the same with every node cached, median", milliseconds(cached), "ms"),
            Figure("POST /v1/runs with wait, median", milliseconds(rest), "ms"),
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        interactive, bare, durable, at_once = uvloop.run(measure(Path(folder)))
    met &= print_figures(
        f"{nodes} nodes in {LAYERS} layers that do nothing, from the order to the committed end, in the server's process",
        [
            Figure("interactive: 200 nodes in 20 layers", interactive, "ms", most=8),
            Figure("beside it, the engine alone and a bare SQLite commit", bare, "ms"),
            Figure("interactive, over that", interactive / bare, "times"),
            Figure("durable", durable, "ms", most=20),
            Figure("20 such at once", at_once, "ms", most=150),
        ],
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
