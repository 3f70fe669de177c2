"""A canvas over sockets: opened, edited together, seen, closed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from spellwork_server.rooms.presence import encode_states, parse_states
from tests.server.rooms.tab import Tab
from tests.server.sockets.canvas_world import serve_canvases
from tests.server.sockets.js_client import drive

pytestmark = pytest.mark.anyio


async def until(true: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


@pytest.mark.rule("C1")
async def test_opening_answers_all_that_a_tab_needs(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        opened = await world.open(ada, tab)
        assert opened | {"diff": b"", "state_vector": b""} == {
            "ok": True,
            "canvas": world.canvas,
            "epoch": (await world.records.get(world.canvas)).epoch,
            "role": "owner",
            "diff": b"",
            "state_vector": b"",
            "seq": 0,
            "presence": None,
            "problems": [],
            "ports": {},
            "runs": [],
            "streams": {f"canvas:{world.canvas}": 7},
            "live": False,
            "live_users": [],
            "live_notice": None,
        }


@pytest.mark.rule("C2", "C6", "C7")
async def test_an_edit_reaches_the_others_and_is_answered_with_its_number(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada, world.client("bob") as bob:
        one, other = Tab(), Tab()
        heard: list[dict] = []
        own: list[dict] = []
        bob.on("canvas.updates", heard.append)
        ada.on("canvas.updates", own.append)
        await world.open(ada, one)
        await world.open(bob, other)
        answer = await world.update(ada, one.code("b", "x * 21é😀"), "m-1")
        assert answer == {"ok": True, "msg_id": "m-1", "seq": 1}
        await until(lambda: heard)
        other.apply(*heard[0]["updates"])
        assert other.state() == one.state()
        assert (heard[0]["canvas"], heard[0]["seq"]) == (world.canvas, 1)
        assert own == []


@pytest.mark.rule("C6", "S11")
async def test_edits_sent_without_waiting_are_taken_in_order(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        updates = [tab.add("a"), *(tab.put("a", "value", n) for n in range(200))]
        async with asyncio.TaskGroup() as tasks:
            sent = [
                tasks.create_task(world.update(ada, update, n)) for n, update in enumerate(updates)
            ]
        answers = [each.result() for each in sent]
        assert [each.get("msg_id") for each in answers] == list(range(201))
        numbers = [each["seq"] for each in answers]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(1, numbers[-1] + 1))


@pytest.mark.rule("C1", "C3")
async def test_a_tab_that_comes_back_gets_only_what_it_lacks(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada, world.client("bob") as bob:
        one, other = Tab(), Tab()
        await world.open(ada, one)
        await world.open(bob, other)
        await world.update(ada, one.add("a", name="x" * 100))
        first = await world.open(bob, other)
        assert len(first["diff"]) > 100
        again = await world.open(bob, other)
        assert len(again["diff"]) < 10
        assert other.state() == one.state()


REFUSALS: list[tuple[str, str, dict, str]] = [
    ("ada", "canvas.open", {"client_id": 1, "epoch": "of another life"}, "epoch_mismatch"),
    ("ada", "canvas.open", {"client_id": 1, "state_vector": b"\x09"}, "update_invalid"),
    ("ada", "canvas.open", {"client_id": 1, "state_vector": "text"}, "bad_request"),
    ("ada", "canvas.open", {"client_id": -1}, "bad_request"),
    ("ada", "canvas.open", {}, "bad_request"),
    ("ada", "canvas.open", {"client_id": 1, "canvas": "nowhere"}, "not_found"),
    ("mallory", "canvas.open", {"client_id": 1}, "forbidden"),
    ("ada", "canvas.update", {"msg_id": 1, "update": b"\x00\x00"}, "canvas_not_open"),
    ("mallory", "canvas.update", {"msg_id": 1, "update": b"\x00\x00"}, "canvas_not_open"),
    ("ada", "canvas.update", {"msg_id": 1, "update": "text"}, "bad_request"),
    ("ada", "canvas.awareness", {"update": b"\x00"}, "canvas_not_open"),
]


@pytest.mark.rule("C1", "C4", "C6", "F5")
@pytest.mark.parametrize(("who", "event", "payload", "code"), REFUSALS)
async def test_what_is_not_allowed_is_refused_with_a_code(
    tmp_path: Path, who: str, event: str, payload: dict, code: str
) -> None:
    async with serve_canvases(tmp_path) as world, world.client(who) as client:
        answer = await client.call(event, {"canvas": world.canvas} | payload)
        assert answer["error"]["code"] == code
        assert world.server.sessions[0].channels == {f"user:{world.people[who].user_id}"}


@pytest.mark.rule("C6")
async def test_a_viewer_may_look_and_point_but_not_edit(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client("eve") as eve:
        tab = Tab()
        assert (await world.open(eve, tab))["role"] == "viewer"
        refused = await world.update(eve, tab.add("a"))
        assert refused["error"]["code"] == "forbidden"
        assert world.rooms.find(world.canvas).spell().nodes == {}  # type: ignore[union-attr]
        pointed = await eve.call(
            "canvas.awareness",
            {"canvas": world.canvas, "update": encode_states({tab.doc.client_id: (1, {})})},
        )
        assert pointed["ok"]


@pytest.mark.rule("C12")
async def test_a_role_that_is_taken_away_counts_at_once_and_is_told(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client("bob") as bob:
        tab = Tab()
        told: list[dict] = []
        bob.on("canvas.role", told.append)
        await world.open(bob, tab)
        await world.records.set_member(world.canvas, world.people["bob"].user_id, "viewer")
        refused = await world.update(bob, tab.add("a"))
        assert refused["error"]["code"] == "forbidden"
        await until(lambda: told)
        assert told == [{"canvas": world.canvas, "role": "viewer"}]
        await world.records.remove_member(world.canvas, world.people["bob"].user_id)
        await until(lambda: len(told) == 2)
        assert told[1]["role"] is None
        assert world.server.sessions[0].channels == {f"user:{world.people['bob'].user_id}"}


@pytest.mark.rule("C9", "C10")
async def test_presence_reaches_the_others_and_goes_with_its_tab(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client("bob") as bob:
        mine = Tab(client_id=5)
        heard: list[dict] = []
        bob.on("canvas.awareness", lambda data: heard.append(parse_states(data["update"])))
        await world.open(bob, Tab())
        async with world.client() as ada:
            await world.open(ada, mine)
            state = {"cursor": [1, 2], "user": {"name": "Not me"}}
            update = encode_states({5: (1, state), 6: (1, {"of": "somebody else"})})
            await ada.call("canvas.awareness", {"canvas": world.canvas, "update": update})
            await until(lambda: heard)
            clock, seen = heard[0][5]
            assert (clock, seen["cursor"], seen["user"]["name"]) == (1, [1, 2], "Ada")
            assert 6 not in heard[0]
            late = await world.open(bob, Tab())
            assert parse_states(late["presence"]) == heard[0]
        await until(lambda: heard[-1] == {5: (1, None)})


@pytest.mark.rule("C10")
async def test_presence_is_sent_at_most_twenty_times_a_second(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada, world.client("bob") as bob:
        heard: list[dict] = []
        bob.on("canvas.awareness", lambda data: heard.append(parse_states(data["update"])))
        await world.open(ada, Tab(client_id=5))
        await world.open(bob, Tab())
        for n in range(1, 101):
            update = encode_states({5: (n, {"n": n})})
            await ada.emit("canvas.awareness", {"canvas": world.canvas, "update": update})
            await asyncio.sleep(0.003)
        await until(lambda: heard and heard[-1][5][0] == 100)
        assert 2 < len(heard) < 30


@pytest.mark.rule("C13")
async def test_closing_leaves_and_frees_the_room(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path, grace=0) as world, world.client() as ada:
        await world.open(ada, Tab())
        assert (await ada.call("canvas.close", {"canvas": world.canvas}))["ok"]
        await until(lambda: world.rooms.find(world.canvas) is None)
        assert world.runs.closed == [world.canvas]
        assert (await ada.call("canvas.close", {"canvas": world.canvas}))["ok"]


@pytest.mark.rule("C13")
async def test_a_tab_that_vanishes_frees_the_room(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path, grace=0) as world:
        async with world.client() as ada:
            await world.open(ada, Tab())
        await until(lambda: world.rooms.find(world.canvas) is None)
        assert world.runs.opened == world.runs.closed == [world.canvas]


@pytest.mark.rule("C7", "D1")
@pytest.mark.requires("node")
async def test_what_was_drawn_offline_is_sent_on_return(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world:
        result = await drive("reconnect", world.url, canvas=world.canvas)
        assert result["answer"]["seq"] == 2
        async with world.rooms.visit(world.canvas) as room:
            assert sorted(room.spell().nodes) == ["offline", "online"]


@asynccontextmanager
async def process(folder: Path, canvas: str = "") -> AsyncIterator[tuple[Any, str, str]]:
    """Run a server that can be killed; give its process, address and canvas."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.server.sockets.canvas_process",
        str(folder),
        canvas,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert running.stdout is not None
    try:
        url, made = (await running.stdout.readline()).decode().split()
        yield running, url, made
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def edit_until_killed(
    http: aiohttp.ClientSession, url: str, canvas: str, tab: Tab, kill: Any, after: int
) -> tuple[set[int], int]:
    """Send edits without waiting, kill the server in the middle; return those acknowledged."""
    client = socketio.AsyncClient(reconnection=False, http_session=http)
    await client.connect(url, auth={"token": "ada"}, transports=["websocket"], wait_timeout=30)
    request = {"canvas": canvas, "client_id": tab.doc.client_id}
    assert (await client.call("canvas.open", request))["ok"]
    acknowledged: set[int] = set()
    gone = asyncio.Event()
    client.on("disconnect", lambda *_: gone.set())

    def answered(answer: dict) -> None:
        assert answer["ok"], answer
        acknowledged.add(answer["msg_id"])
        if len(acknowledged) == after:
            kill()

    sent = 0
    while not gone.is_set() and sent < 5_000:
        message = {"canvas": canvas, "msg_id": sent, "update": tab.add(f"n{sent}")}
        await client.emit("canvas.update", message, callback=answered)
        sent += 1
        await asyncio.sleep(0)
    await client.disconnect()
    return acknowledged, sent


@pytest.mark.rule("R1")
@pytest.mark.parametrize("after", [1, 20, 60])
async def test_an_acknowledged_edit_survives_kill_9(tmp_path: Path, after: int) -> None:
    tab = Tab()
    async with process(tmp_path) as (server, url, canvas), aiohttp.ClientSession() as http:
        acknowledged, sent = await edit_until_killed(http, url, canvas, tab, server.kill, after)
    assert after <= len(acknowledged) < sent
    async with process(tmp_path, canvas) as (_, url, _):
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(url, auth={"token": "ada"}, transports=["websocket"], wait_timeout=30)
        back = Tab()
        opened = await client.call("canvas.open", {"canvas": canvas, "client_id": 1})
        back.apply(opened["diff"])
        await client.disconnect()
    kept = back.state()["nodes"]
    assert {f"n{each}" for each in acknowledged} <= kept.keys()
