"""Versions over sockets: a restore is an edit that open tabs see, and merge with theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork_server.rooms.update_parser import parse_update
from tests.server.rooms.tab import Tab
from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

SPELL: dict[str, Any] = {
    "name": "Test",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 1}, "position": [0, 0]},
        "b": {"type": "code.python", "code": "one\ntwo\nthree\n", "position": [300, 0]},
    },
}


class Person:
    """Somebody with the canvas open in one tab."""

    def __init__(self, client: socketio.AsyncClient, canvas: str) -> None:
        self.client, self.canvas, self.tab = client, canvas, Tab()
        self.updates: list[bytes] = []
        self.versions: list[dict[str, Any]] = []

    async def call(self, event: str, **fields: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, {"canvas": self.canvas} | fields)
        return answer

    async def edit(self, update: bytes) -> None:
        assert (await self.call("canvas.update", msg_id="m", update=update))["ok"]

    def heard(self, event: dict[str, Any]) -> None:
        self.updates += event["updates"]

    def value(self) -> Any:
        return self.tab["nodes"]["a"].to_py()["inputs"]["value"]

    def code(self) -> str:
        return str(self.tab["nodes"]["b"]["code"])


@asynccontextmanager
async def enter(world: House, caller: Caller, canvas: str) -> AsyncIterator[Person]:
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        world.origin, auth={"token": caller.token}, transports=["websocket"], wait_timeout=30
    )
    person = Person(client, canvas)
    client.on("canvas.updates", person.heard)
    client.on("canvas.versions", person.versions.append)
    try:
        opened = await person.call("canvas.open", client_id=person.tab.doc.client_id)
        assert opened["ok"], opened
        person.tab.apply(opened["diff"])
        yield person
    finally:
        await client.disconnect()


async def until(true: Any) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def shared(world: House) -> tuple[Caller, Caller, str]:
    """Make a canvas of Ada's that Bob may edit."""
    ada, bob = await world.person("ada"), await world.person("bob")
    canvas = (await ada.post("/v1/canvases", {"spell": SPELL})).body["id"]
    await ada.put(f"/v1/canvases/{canvas}/members", {"email": "bob@example.org", "role": "editor"})
    return ada, bob, canvas


@pytest.mark.rule("H8")
async def test_a_restore_reaches_an_open_tab_as_the_least_edits(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada, bob, canvas = await shared(world)
        async with enter(world, ada, canvas) as one, enter(world, bob, canvas) as other:
            saved = await one.call("versions.create", name="Good")
            await one.edit(one.tab.put("a", "value", 2))
            await until(lambda: other.updates)
            other.updates.clear()
            restored = await one.call("versions.restore", id=saved["id"])
            assert restored["ok"], restored
            await until(lambda: other.updates)
            (update,) = other.updates
            other.tab.apply(update)
            assert other.value() == 1
            written = sum(end - start for start, end in parse_update(update).spans.values())
            assert written == 1  # the one value, and nothing that is as it was
            assert len(update) < 60


@pytest.mark.rule("H8")
async def test_an_edit_made_at_the_same_time_survives_a_restore(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada, bob, canvas = await shared(world)
        async with enter(world, ada, canvas) as one, enter(world, bob, canvas) as other:
            saved = await one.call("versions.create", name="Good")
            await one.edit(one.tab.put("a", "value", 2))
            one_code = one.tab["nodes"]["b"]["code"]
            await one.edit(one.tab.edit(lambda: one_code.insert(0, "zero\n")))
            await until(lambda: len(other.updates) == 2)
            other.tab.apply(*other.updates)
            other.updates.clear()
            # Bob types below while Ada restores what was above.
            code = other.tab["nodes"]["b"]["code"]
            typed = other.tab.edit(lambda: code.insert(len("zero\none\ntwo\nthree\n"), "four\n"))
            assert (await one.call("versions.restore", id=saved["id"]))["ok"]
            await other.edit(typed)
            await until(lambda: other.updates)
            other.tab.apply(*other.updates)
            assert (other.value(), other.code()) == (1, "one\ntwo\nthree\nfour\n")
            server = (await ada.get(f"/v1/canvases/{canvas}/spell")).body["nodes"]
            assert server["b"]["code"] == other.code()


@pytest.mark.rule("H9")
async def test_those_who_have_the_canvas_open_are_told_of_versions(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada, bob, canvas = await shared(world)
        async with enter(world, ada, canvas) as one, enter(world, bob, canvas) as other:
            saved = await one.call("versions.create", name="Good")
            await one.call("versions.patch", id=saved["id"], name="Better")
            await one.edit(one.tab.put("a", "value", 2))
            restored = await one.call("versions.restore", id=saved["id"])
            await until(lambda: len(other.versions) == 4)
            told = [each["version"] for each in other.versions]
            assert {each["canvas"] for each in other.versions} == {canvas}
            assert [each["name"] for each in told] == ["Good", "Better", None, None]
            assert told[1] == {key: told[1][key] for key in saved if key != "ok"}
            assert told[2:] == [restored["before"], restored["after"]]
            assert told[3]["by"]["id"] == ada.user.id  # type: ignore[union-attr]


@pytest.mark.rule("H9")
async def test_roles_hold_over_sockets_as_over_rest(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada, _, canvas = await shared(world)
        eve = await world.person("eve")
        mallory = await world.person("mallory")
        await ada.put(
            f"/v1/canvases/{canvas}/members", {"email": "eve@example.org", "role": "viewer"}
        )
        async with enter(world, ada, canvas) as one, enter(world, eve, canvas) as viewer:
            saved = await one.call("versions.create", name="Good")
            assert (await viewer.call("versions.find"))["items"]
            assert (await viewer.call("versions.get", id=saved["id"]))["spell"]["nodes"]
            assert (await viewer.call("versions.compare", id=saved["id"]))["changes"] == []
            for event, fields in (
                ("versions.create", {"name": "Mine"}),
                ("versions.patch", {"id": saved["id"], "name": "Mine"}),
                ("versions.restore", {"id": saved["id"]}),
            ):
                assert (await viewer.call(event, **fields))["error"]["code"] == "forbidden"
            client = socketio.AsyncClient(reconnection=False)
            await client.connect(world.origin, auth={"token": mallory.token})
            stranger = Person(client, canvas)
            for event in ("versions.find", "versions.get", "versions.compare", "versions.restore"):
                fields = {} if event == "versions.find" else {"id": saved["id"]}
                assert (await stranger.call(event, **fields))["error"]["code"] == "forbidden"
            await client.disconnect()


@pytest.mark.rule("H8")
async def test_a_tab_that_was_away_during_a_restore_merges_into_what_came_of_it(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, grace=60) as world:
        ada, bob, canvas = await shared(world)
        async with enter(world, bob, canvas) as away:
            epoch = (await ada.get(f"/v1/canvases/{canvas}")).body["epoch"]
        async with enter(world, ada, canvas) as one:
            saved = await one.call("versions.create", name="Good")
            await one.edit(one.tab.put("a", "value", 2))
            assert (await one.call("versions.restore", id=saved["id"]))["ok"]
        offline = away.tab.add("c")
        async with enter(world, bob, canvas) as back:
            reopened = await back.call(
                "canvas.open",
                client_id=away.tab.doc.client_id,
                epoch=epoch,
                state_vector=away.tab.doc.get_state(),
            )
            assert reopened["ok"], reopened
            away.tab.apply(reopened["diff"])
            await back.edit(offline)
            assert away.value() == 1
            spell = (await ada.get(f"/v1/canvases/{canvas}/spell")).body["nodes"]
            assert set(spell) == {"a", "b", "c"}
