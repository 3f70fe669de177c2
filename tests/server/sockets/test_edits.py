"""Edits of a socket are taken at once, in order and in bounds, and each is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.sockets import session as session_module
from tests.server.rooms.held import held
from tests.server.rooms.tab import Tab
from tests.server.sockets.canvas_world import CanvasWorld, serve_canvases

pytestmark = pytest.mark.anyio

PLAIN = Tab().add("a")
LONG = Tab().add("a", name="x" * 70_000)
ANSWERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "plain": ({}, None),
    "a text for its name": ({"msg_id": "m" * 64}, None),
    "a longer text for its name": ({"msg_id": "m" * 65}, "bad_request"),
    "no name": ({"msg_id": None}, "bad_request"),
    "an unknown field": ({"colour": "red"}, "bad_request"),
    "no bytes": ({"update": "AAA="}, "bad_request"),
    "rubbish": ({"update": b"\x01\x02\x03"}, "update_invalid"),
    "long rubbish": ({"update": b"\x01\x02\x03" + bytes(70_000)}, "update_invalid"),
    "long": ({"update": LONG}, "schema_violation"),
    "too long": ({"update": bytes(300_000)}, "update_too_large"),
    "another canvas": ({"canvas": "elsewhere"}, "canvas_not_open"),
}


@pytest.mark.rule("S10", "S13", "C6")
@pytest.mark.parametrize("name", ANSWERS)
async def test_every_edit_is_answered_once_whichever_way_it_is_taken(
    tmp_path: Path, name: str
) -> None:
    change, code = ANSWERS[name]
    async with (
        serve_canvases(tmp_path, max_update_bytes=200_000) as world,
        world.client() as ada,
    ):
        await world.open(ada, Tab())
        request = {"canvas": world.canvas, "msg_id": 7, "update": PLAIN} | change
        answer = await ada.call("canvas.update", request)
        if code is None:
            assert answer == {"ok": True, "msg_id": request["msg_id"], "seq": 1}
        else:
            assert answer["error"]["code"] == code
            assert set(answer) == {"ok", "error"}


@pytest.mark.rule("S11")
async def test_edits_sent_behind_an_open_that_is_under_way_wait_for_it(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        async with asyncio.TaskGroup() as tasks:
            opened = tasks.create_task(world.open(ada, tab))
            edits = [
                tasks.create_task(world.update(ada, update, n))
                for n, update in enumerate([tab.add("a"), tab.put("a", "x", 1)])
            ]
        assert opened.result()["ok"]
        assert [each.result()["ok"] for each in edits] == [True, True]
        assert drawn(world).nodes["a"].inputs == {"x": 1}


@pytest.mark.rule("S11")
async def test_edits_that_wait_for_their_commit_stop_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MAX_QUEUED", 10)
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        updates = [tab.add("a"), *(tab.put("a", "x", n) for n in range(40))]
        (session,) = world.server.sessions
        async with asyncio.TaskGroup() as tasks, held(monkeypatch) as waiting:
            edits = [tasks.create_task(world.update(ada, each)) for each in updates]
            await waiting.wait()
            async with asyncio.timeout(60):
                while not session._is_full(0):
                    await asyncio.sleep(0.005)
            assert session._held + session.queued == 10
        assert all(each.result()["ok"] for each in edits)
        assert session._held == session._queued_bytes == 0


@pytest.mark.rule("S9", "R6")
async def test_a_stop_answers_edits_that_wait_for_their_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        told = asyncio.Event()
        ada.on("server.stopping", lambda _: told.set())
        async with asyncio.TaskGroup() as tasks, held(monkeypatch) as waiting:
            edit = tasks.create_task(world.update(ada, tab.add("a")))
            await waiting.wait()
            tasks.create_task(world.server.stop())
            await told.wait()
            late = await world.update(ada, tab.add("b"))
            assert late["error"]["code"] == "unavailable"
        assert edit.result() == {"ok": True, "msg_id": "m", "seq": 1}


@pytest.mark.rule("S10")
async def test_an_edit_that_asks_for_no_answer_is_made_all_the_same(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        request = {"canvas": world.canvas, "msg_id": 1, "update": tab.add("a")}
        await ada.emit("canvas.update", request)
        answer = await world.update(ada, tab.add("b"))
        assert answer["ok"]
        assert sorted(drawn(world).nodes) == ["a", "b"]


@pytest.mark.rule("C6")
async def test_a_deleted_canvas_takes_no_edits_of_an_administrator_either(tmp_path: Path) -> None:
    async with serve_canvases(tmp_path) as world, world.client() as ada:
        tab = Tab()
        await world.open(ada, tab)
        (session,) = world.server.sessions
        session.actor = administrator(world)
        await world.update(ada, tab.add("a"))
        await world.records.delete(world.canvas)
        refused = await world.update(ada, tab.add("b"))
        assert refused["error"]["code"] in ("not_found", "canvas_not_open")


def administrator(world: CanvasWorld) -> Any:
    ada = world.people["ada"]
    return type(ada)(ada.user_id, ada.email, ada.name, "admin")


def drawn(world: CanvasWorld) -> Any:
    room = world.rooms.find(world.canvas)
    assert room is not None
    return room.spell()
