"""What becomes of a socket that lags: presence first, then one difference, then the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import socketio
from pycrdt import Text

from spellwork_server.sockets import Session
from spellwork_server.sockets.catch_up import Skippable
from tests.server.rooms.tab import Tab
from tests.server.sockets.canvas_world import CanvasWorld, serve_canvases
from tests.server.sockets.raw_socket import RawSocket, raw_socket

pytestmark = pytest.mark.anyio

LIMIT = 256 * 1024
PAGE = 100_000
"""Characters of one large edit."""


async def open_raw(world: CanvasWorld, ws: RawSocket, tab: Tab) -> int:
    """Open the canvas in a raw socket; return the number it stands at."""
    request = {"canvas": world.canvas, "client_id": tab.doc.client_id}
    await ws.send("420" + json.dumps(["canvas.open", request]))
    while True:
        head, body, parts = await ws.event()
        if head.endswith("-0"):
            tab.apply(parts[body[0]["diff"]["num"]])
            return int(body[0]["seq"])


async def rewrite(
    world: CanvasWorld, client: socketio.AsyncClient, tab: Tab, times: int, mark: str
) -> None:
    """Write a large text into one node again and again, each time in place of the last."""
    for number in range(times):
        code = Text(f"{mark}{number:06}" + "x" * PAGE)
        update = tab.edit(lambda code=code: tab["nodes"]["a"].update({"code": code}))  # type: ignore[misc]
        assert (await world.update(client, update))["ok"]


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds, which some event is about to bring."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def session_of(world: CanvasWorld, name: str) -> Session:
    (session,) = [each for each in world.server.sessions if each.actor.name == name]
    return session


async def read_until(ws: RawSocket, tab: Tab, seq: int) -> list[tuple[int, int]]:
    """Take edits until number ``seq``; return (number, bytes) of each ``canvas.updates``."""
    taken: list[tuple[int, int]] = []
    while not taken or taken[-1][0] < seq:
        _, body, parts = await ws.event()
        if body[0] == "canvas.updates":
            tab.apply(*parts)
            taken.append((body[1]["seq"], sum(map(len, parts))))
    return taken


@pytest.fixture
def people() -> tuple[Tab, Tab]:
    return Tab(), Tab()


@pytest.mark.rule("S17", "S18", "S19")
async def test_a_socket_that_fell_behind_gets_one_difference_and_its_document_is_whole(
    tmp_path: Path, people: tuple[Tab, Tab]
) -> None:
    mine, slow = people
    async with (
        serve_canvases(tmp_path, max_pending_bytes=LIMIT) as world,
        world.client() as ada,
        raw_socket(world.url, token="bob") as ws,
    ):
        await world.open(ada, mine)
        assert (await world.update(ada, mine.code("a", "")))["ok"]
        await open_raw(world, ws, slow)
        session = session_of(world, "Bob")
        while not session.behind:
            await rewrite(world, ada, mine, 4, "before")
        held = session.outbox.pending_bytes
        await rewrite(world, ada, mine, 20, "after")
        assert (await world.update(ada, mine.add("b")))["ok"]
        assert session.outbox.pending_bytes <= held, "more was put on the pile"
        room = world.rooms.find(world.canvas)
        assert room is not None
        taken = await read_until(ws, slow, room.seq)
        assert slow.state() == mine.state()
        assert (session.behind, session.closed) == (False, False)
        numbers = [seq for seq, _ in taken]
        assert numbers == sorted(numbers)
        assert taken[-1][1] < 3 * PAGE, "what was overwritten is not sent"

        assert (await world.update(ada, mine.add("c")))["ok"]
        await read_until(ws, slow, room.seq)
        assert slow.state() == mine.state()


@pytest.mark.rule("S18")
async def test_edits_that_come_while_a_socket_drains_are_in_its_difference(
    tmp_path: Path, people: tuple[Tab, Tab]
) -> None:
    """No number is told before what it stands for."""
    mine, slow = people
    async with (
        serve_canvases(tmp_path, max_pending_bytes=LIMIT) as world,
        world.client() as ada,
        raw_socket(world.url, token="bob") as ws,
    ):
        await world.open(ada, mine)
        assert (await world.update(ada, mine.code("a", "")))["ok"]
        await open_raw(world, ws, slow)
        session = session_of(world, "Bob")
        room = world.rooms.find(world.canvas)
        assert room is not None
        for turn in range(3):
            while not session.behind:
                await rewrite(world, ada, mine, 4, f"turn{turn}")
            for number in range(30):  # small ones, while it reads again
                assert (await world.update(ada, mine.add(f"n{turn}_{number}")))["ok"]
                if session.behind:
                    _, body, parts = await ws.event()
                    slow.apply(*(parts if body[0] == "canvas.updates" else ()))
            await read_until(ws, slow, room.seq)
            assert slow.state() == mine.state()


@pytest.mark.rule("S18")
async def test_what_is_wrong_with_the_spell_is_told_anew_after_a_socket_fell_behind(
    tmp_path: Path, people: tuple[Tab, Tab]
) -> None:
    """Of ``canvas.problems`` the latest."""
    mine, slow = people
    async with (
        serve_canvases(tmp_path, max_pending_bytes=LIMIT) as world,
        world.client() as ada,
        raw_socket(world.url, token="bob") as ws,
    ):
        problems: list[Any] = []
        ada.on("canvas.problems", lambda event: problems.append(event["problems"]))
        await world.open(ada, mine)
        assert (await world.update(ada, mine.code("a", "")))["ok"]
        await open_raw(world, ws, slow)
        session = session_of(world, "Bob")
        while not session.behind:
            await rewrite(world, ada, mine, 4, "before")
        told = len(problems)
        assert (await world.update(ada, mine.add("b", "no.such.type")))["ok"]
        await until(lambda: len(problems) > told)
        latest: Any = None
        while latest != problems[-1]:
            _, body, _ = await ws.event()
            if body[0] == "canvas.problems":
                latest = body[1]["problems"]


@pytest.mark.rule("S19")
async def test_a_socket_that_takes_nothing_is_cut_although_it_is_sent_no_more(
    tmp_path: Path, people: tuple[Tab, Tab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spellwork_server.sockets.catch_up.STALLED", 0.3)
    mine, slow = people
    async with (
        serve_canvases(tmp_path, max_pending_bytes=LIMIT) as world,
        world.client() as ada,
        raw_socket(world.url, token="bob") as ws,
    ):
        await world.open(ada, mine)
        assert (await world.update(ada, mine.code("a", "")))["ok"]
        await open_raw(world, ws, slow)
        while not session_of(world, "Bob").behind:
            await rewrite(world, ada, mine, 4, "before")
        await until(lambda: len(world.server.sessions) == 1)
        await ws.gone()
        async with raw_socket(world.url, token="bob") as again:
            await open_raw(world, again, slow)
            assert slow.state() == mine.state()


@pytest.mark.rule("S17")
async def test_what_goes_wrong_for_a_socket_that_lags_ends_that_socket_alone(
    tmp_path: Path, people: tuple[Tab, Tab], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_event: Skippable) -> dict[int, int]:
        raise RuntimeError("a bug")

    mine, slow = people
    async with (
        serve_canvases(tmp_path, max_pending_bytes=LIMIT) as world,
        world.client() as ada,
        raw_socket(world.url, token="bob") as ws,
    ):
        await world.open(ada, mine)
        assert (await world.update(ada, mine.code("a", "")))["ok"]
        await open_raw(world, ws, slow)
        session = session_of(world, "Bob")
        monkeypatch.setattr(Skippable, "starts", broken)
        while not session.closed:
            await rewrite(world, ada, mine, 4, "before")
        assert (await world.update(ada, mine.add("b")))["ok"]
        assert world.rooms.faults == {}
