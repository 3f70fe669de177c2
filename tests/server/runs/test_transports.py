"""The whole server: the same run over REST, sockets and server-sent events."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.seeds import seeds
from tests.server.services.house import Caller, House, house

from .house import until

pytestmark = pytest.mark.anyio

HELLO: dict[str, Any] = {
    "schema": 1,
    "name": "Hello",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2}},
        "b": {"type": "code.python", "code": "x * 21"},
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
}


CLIENT_IDS = itertools.count(1)
"""Yjs client ids: no two tabs may have the same."""


class Tab:
    """A connected socket with one canvas open, and the run events it got."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.events: list[dict[str, Any]] = []
        self.opened: dict[str, Any] = {}
        self.socket.on("run.events", lambda data: self.events.extend(data["events"]))

    async def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        answer = await self.socket.call(event, payload)
        assert isinstance(answer, dict)
        return answer

    def last(self, run: str) -> dict[str, Any] | None:
        ends = [
            e
            for e in self.events
            if e["run"] == run and e["kind"] in ("run.completed", "run.cancelled")
        ]
        return ends[0] if ends else None


@asynccontextmanager
async def tab(h: House, who: Caller, canvas: str) -> AsyncIterator[Tab]:
    made = Tab()
    await made.socket.connect(
        h.origin, auth={"token": who.token}, transports=["websocket"], wait_timeout=30
    )
    made.opened = await made.ask("canvas.open", canvas=canvas, client_id=next(CLIENT_IDS))
    assert made.opened["ok"], made.opened
    try:
        yield made
    finally:
        await made.socket.disconnect()


async def make_canvas(who: Caller, spell: dict[str, Any]) -> str:
    answer = await who.post("/v1/canvases", {"name": "Test", "spell": spell})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


SAME = ("status", "outputs", "errors", "skipped", "order", "hashes")


@pytest.mark.rule("G3")
async def test_a_run_over_rest_gives_what_a_run_over_a_socket_gives(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, HELLO)
        async with tab(h, ada, canvas) as t:
            over_socket = await t.ask("runs.create", canvas=canvas, wait=60)
            answer = await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})
            inline = await ada.post("/v1/runs", {"spell": HELLO, "wait": 60})
        assert answer.status == inline.status == 201
        assert over_socket["outputs"] == {"a": {"value": 2}, "b": {"result": 42}}
        for key in SAME:
            assert over_socket[key] == answer.body[key] == inline.body[key]


@pytest.mark.rule("G3")
async def test_a_run_started_over_rest_reaches_open_tabs_live(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, bob = await h.person("ada"), await h.person("bob")
        canvas = await make_canvas(ada, HELLO)
        await ada.put(
            f"/v1/canvases/{canvas}/members", {"email": "bob@example.org", "role": "viewer"}
        )
        async with tab(h, ada, canvas) as first, tab(h, bob, canvas) as second:
            shared = (await ada.post("/v1/runs", {"canvas": canvas, "wait": 60})).body["id"]
            private = await ada.post(
                "/v1/runs", {"canvas": canvas, "audience": "private", "wait": 60}
            )
            await until(lambda: first.last(private.body["id"]) and second.last(shared))
            assert {event["run"] for event in second.events} == {shared}
            assert {event["run"] for event in first.events} == {shared, private.body["id"]}
            refused = await second.ask("runs.create", canvas=canvas)
            assert (refused["ok"], refused["error"]["code"]) == (False, "forbidden")
            assert (await bob.get(f"/v1/runs/{private.body['id']}")).status == 404


@pytest.mark.rule("E11")
async def test_server_sent_events_follow_a_run_to_its_end_and_resume_after_an_id(
    tmp_path: Path,
) -> None:
    spell = {"nodes": {"d": {"type": "core.delay", "inputs": {"value": 1, "seconds": 0.2}}}}
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (await ada.post("/v1/runs", {"spell": spell})).body
        path = f"/v1/runs/{run['id']}/events"
        stream = await ada.get(path, headers={"Accept": "text/event-stream"})
        assert stream.headers["Content-Type"] == "text/event-stream"
        sent = [parse(block) for block in stream.body.split("\n\n") if "data:" in block]
        assert sent[0]["event"] == "run.started"
        assert sent[-1]["event"] == "run.completed"
        listed = (await ada.get(path)).body["events"]
        assert [json.loads(each["data"]) for each in sent] == listed
        assert [int(each["id"]) for each in sent] == [event["seq"] for event in listed]
        again = await ada.get(
            path, headers={"Accept": "text/event-stream", "Last-Event-ID": sent[1]["id"]}
        )
        rest = [parse(block) for block in again.body.split("\n\n") if "data:" in block]
        assert rest == sent[2:]
        ended = await ada.get(
            path, headers={"Accept": "text/event-stream", "Last-Event-ID": sent[-1]["id"]}
        )
        assert "data:" not in ended.body
        bad = await ada.get(path, headers={"Accept": "text/event-stream", "Last-Event-ID": "x"})
        assert (bad.status, bad.code) == (400, "bad_request")


@pytest.mark.rule("E11")
async def test_server_sent_events_end_when_the_canvas_is_deleted(tmp_path: Path) -> None:
    spell = {"nodes": {"d": {"type": "core.delay", "inputs": {"value": 1, "seconds": 60}}}}
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = (await ada.post("/v1/canvases", {"name": "Gone", "spell": spell})).body["id"]
        run = (await ada.post("/v1/runs", {"canvas": canvas})).body
        path = f"/v1/runs/{run['id']}/events"
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            follower = tasks.create_task(ada.get(path, headers={"Accept": "text/event-stream"}))
            await until(lambda: h.parts.running.runners.find(run["id"]) is not None)
            while not (await ada.get(path)).body["events"]:
                await asyncio.sleep(0.01)
            assert (await ada.delete(f"/v1/canvases/{canvas}")).status == 200
        assert "run.completed" not in follower.result().body
        assert (await ada.get(path)).status == 404


async def test_deleting_a_canvas_tells_its_tabs_ends_its_runs_and_leaves_no_row(
    tmp_path: Path,
) -> None:
    spell = {"nodes": {"d": {"type": "core.delay", "inputs": {"value": 1, "seconds": 60}}}}
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, spell)
        async with tab(h, ada, canvas) as open_tab:
            roles: list[Any] = []
            open_tab.socket.on("canvas.role", roles.append)
            run = (await open_tab.ask("runs.create", canvas=canvas))["id"]
            await until(lambda: open_tab.events)
            assert (await ada.delete(f"/v1/canvases/{canvas}")).status == 200
            await until(lambda: roles == [{"canvas": canvas, "role": None}])
            await until(lambda: h.parts.running.runners.find(run) is None)
            refused = await open_tab.ask("canvas.open", canvas=canvas, client_id=next(CLIENT_IDS))
            assert refused["error"]["code"] == "not_found"
            assert (await ada.get(f"/v1/runs/{run}")).status == 404
        async with h.parts.stores.database.read() as conn:
            for column in (
                "canvases.id", "members.canvas_id", "updates.canvas_id", "snapshots.canvas_id",
                "runs.canvas_id", "events.stream", "streams.id",
            ):  # fmt: skip
                query = f"SELECT count(*) FROM {column.split('.')[0]} WHERE {column} LIKE ?"
                rows = (await conn.exec_driver_sql(query, (f"%{canvas}%",))).scalar()
                assert rows == 0, column
        assert (await ada.post("/v1/runs", {"spell": HELLO, "wait": 60})).body["errors"] == {}


def parse(block: str) -> dict[str, str]:
    lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
    return {name: value for name, _, value in lines}


async def test_a_killed_worker_fails_its_node_with_the_reason_and_the_next_run_works(
    tmp_path: Path,
) -> None:
    slow = {
        "nodes": {"s": {"type": "code.python", "code": "import time\ntime.sleep(30)\nresult = 1"}}
    }
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, slow)
        async with tab(h, ada, canvas) as t:
            run = await t.ask("runs.create", canvas=canvas)
            pool = h.parts.running.workers
            await until(lambda: any(e["kind"] == "node.started" for e in t.events))
            await until(lambda: any(key for key in pool.pids if key))
            for key, pids in pool.pids.items():
                for pid in pids if key else ():
                    os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(20):
                while t.last(run["id"]) is None:
                    await asyncio.sleep(0.02)
            ended = (await ada.get(f"/v1/runs/{run['id']}?wait=60")).body
            assert ended["status"] == "completed"
            assert ended["errors"]["s"]["code"] == "worker_died"
            assert "SIGKILL" in ended["errors"]["s"]["message"]
        after = await ada.post("/v1/runs", {"spell": HELLO, "wait": 60})
        assert after.body["outputs"]["b"] == {"result": 42}


@pytest.mark.rule("G6")
async def test_cancel_ends_a_worker_run_within_a_second(tmp_path: Path) -> None:
    slow = {"nodes": {"s": {"type": "code.python", "code": "while True: pass"}}}
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        run = (await ada.post("/v1/runs", {"spell": slow})).body
        pool = h.parts.running.workers
        await until(lambda: any(key for key in pool.pids if key))
        began = asyncio.get_running_loop().time()
        ended = await ada.post(f"/v1/runs/{run['id']}/cancel")
        assert asyncio.get_running_loop().time() - began < 1.5
        assert ended.body["status"] == "cancelled"


@pytest.mark.rule("G7")
async def test_an_edit_reaches_live_mode_at_once(tmp_path: Path) -> None:
    """FEATURES A10 and D2"""
    spell: dict[str, Any] = {
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": 1}},
            "b": {"type": "core.template", "inputs": {"template": "b{x}"}},
            "c": {"type": "core.value", "inputs": {"value": "apart"}},
        },
        "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
    }
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, spell)
        async with tab(h, ada, canvas) as t:
            first = await t.ask("runs.create", canvas=canvas, mode="live", wait=60)
            assert first["outputs"]["b"] == {"text": "b1"}
            spell["nodes"]["a"]["inputs"]["value"] = 2
            assert (await ada.put(f"/v1/canvases/{canvas}/spell", spell)).status == 200
            await until(
                lambda: len({e["run"] for e in t.events if e["kind"] == "run.completed"}) == 2
            )
            second = t.events[-1]["run"]
            said = [e["node"] for e in t.events if e["run"] == second and e["kind"] == "node.done"]
            assert said == ["a", "b"]
            assert (await ada.get(f"/v1/runs/{second}")).body["outputs"]["b"] == {"text": "b2"}
            async with tab(h, ada, canvas) as other:
                assert other.opened["live"] is True
                assert other.opened["runs"][0]["id"] == second


@pytest.mark.rule("E3")
@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(3))
async def test_a_socket_that_drops_in_mid_run_loses_nothing(tmp_path: Path, seed: int) -> None:
    """RELIABILITY R11, over a real socket: connect, catch up page by page, drop, again."""
    nodes = {
        f"p{i}": {
            "type": "code.python",
            "code": "for i in range(150):\n    print(i, flush=True)\nresult = 1",
        }
        for i in range(6)
    }
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await make_canvas(ada, {"nodes": nodes})
        stream = f"canvas:{canvas}"
        run = (await ada.post("/v1/runs", {"canvas": canvas})).body["id"]
        seen: list[dict[str, Any]] = []
        drops = 0
        while not (seen and seen[-1]["kind"] == "run.completed"):
            made = Tab()
            await made.socket.connect(
                h.origin, auth={"token": ada.token}, transports=["websocket"], wait_timeout=30
            )
            more = True
            while more:
                after = seen[-1]["seq"] if seen else 0
                page = await made.ask(
                    "events.resume", stream=stream, after_seq=after, limit=40 + seed % 8
                )
                assert page["ok"], page
                seen += page["events"]
                more = page["more"]
            await asyncio.sleep(0.01 * (seed % 4))
            await made.socket.disconnect()
            seen += made.events
            drops += 1
        assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
        for node in nodes:
            lines = [
                e["message"] for e in seen if e.get("node") == node and e["kind"] == "node.log"
            ]
            assert "\n".join(lines).split() == [str(i) for i in range(150)]
        assert {event["run"] for event in seen} == {run}
