"""Whoever is taken off a canvas loses every way in within 5 s."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.runs.house import until
from tests.server.runs.test_transports import tab
from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

COUNT = 400
TICKS: dict[str, Any] = {
    "nodes": {
        f"t{each:03}": {
            "type": "core.delay",
            "inputs": {"value": each, "seconds": 0.05} if each == 0 else {"seconds": 0.05},
        }
        for each in range(COUNT)
    },
    "edges": {
        f"e{each:03}": {
            "source": f"t{each - 1:03}",
            "output": "value",
            "target": f"t{each:03}",
            "input": "value",
        }
        for each in range(1, COUNT)
    },
}
"""A run that says something every 50 ms for 20 s."""


async def shared_canvas(ada: Caller, role: str) -> str:
    canvas = str((await ada.post("/v1/canvases", {"name": "Ours", "spell": TICKS})).body["id"])
    member = {"email": "grace@example.org", "role": role}
    assert (await ada.put(f"/v1/canvases/{canvas}/members", member)).status == 200
    return canvas


async def lose(h: House, how: str, ada: Caller, grace: Caller, canvas: str) -> None:
    assert grace.user is not None
    match how:
        case "removed":
            gone = await ada.delete(f"/v1/canvases/{canvas}/members?email={grace.user.email}")
        case "disabled":
            root = await h.person("root", role="admin")
            gone = await root.delete(f"/v1/users/{grace.user.id}")
        case _:
            raise AssertionError(how)
    assert gone.status == 200


@pytest.mark.rule("C12", "E6", "E11")
@pytest.mark.rule("E6", "E11")
@pytest.mark.parametrize("how", ["removed", "disabled"])
async def test_private_and_shared_streams_end_for_whoever_is_taken_off(
    tmp_path: Path, how: str
) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await shared_canvas(ada, "runner")
        async with tab(h, grace, canvas) as hers, tab(h, grace, canvas) as resumed:
            run = await hers.ask("runs.create", canvas=canvas, audience="private")
            stream = f"canvas:{canvas}:user:{grace.user.id}"  # type: ignore[union-attr]
            await resumed.ask("canvas.close", canvas=canvas)
            await resumed.ask("events.resume", stream=stream, after_seq=0)
            await until(lambda: hers.events and resumed.events)
            path = f"/v1/runs/{run['id']}/events"
            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                follower = tasks.create_task(
                    grace.get(path, headers={"Accept": "text/event-stream"})
                )
                await until(lambda: len(hers.events) > 5)
                began = time.monotonic()
                await lose(h, how, ada, grace, canvas)
            assert time.monotonic() - began < 20, "the followed events ended"
            assert "run.completed" not in follower.result().body
            counts = len(hers.events), len(resumed.events)
            assert run["id"] in {each["run"] for each in hers.events}
            log = await h.parts.running.journal.log(stream)
            upto = log.published
            await until(lambda: log.published > upto + 5)  # the run goes on, and says so
            assert (len(hers.events), len(resumed.events)) == counts
            if how == "removed":
                refused = await hers.ask("events.resume", stream=stream, after_seq=0)
                assert refused["error"]["code"] in ("forbidden", "not_found")


@pytest.mark.rule("C12", "I5")
@pytest.mark.rule("E6")
async def test_a_stream_followed_by_name_ends_for_an_administrator_who_is_one_no_more(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", role="admin")
        other = await h.person("other", role="admin")
        canvas = (await ada.post("/v1/canvases", {"name": "Ours", "spell": TICKS})).body["id"]
        async with tab(h, root, canvas) as theirs, tab(h, ada, canvas) as hers:
            await theirs.ask("canvas.close", canvas=canvas)
            await theirs.ask("events.resume", stream=f"canvas:{canvas}", after_seq=0)
            await hers.ask("runs.create", canvas=canvas)
            await until(lambda: theirs.events)
            demoted = await other.patch(f"/v1/users/{root.user.id}", {"role": "member"})  # type: ignore[union-attr]
            assert demoted.status == 200
            stream = f"stream:canvas:{canvas}"
            await until(
                lambda: (
                    [
                        each.actor.email
                        for each in h.parts.sockets.sessions
                        if stream in each.channels
                    ]
                    == ["ada@example.org"]
                )
            )


@pytest.mark.rule("G7")
async def test_the_live_mode_of_an_administrator_ends_where_one_no_more_may_run(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", role="admin")
        other = await h.person("other", role="admin")
        spell = {"name": "Ours", "nodes": {"v": {"type": "core.value", "inputs": {"value": 1}}}}
        canvas = (await ada.post("/v1/canvases", {"name": "Ours", "spell": spell})).body["id"]
        async with tab(h, root, canvas) as theirs:
            played = await theirs.ask("runs.play", canvas=canvas)
            assert played["live"], played
            demoted = await other.patch(f"/v1/users/{root.user.id}", {"role": "member"})  # type: ignore[union-attr]
            assert demoted.status == 200
            spell["nodes"]["v"]["inputs"] = {"value": "not for root"}  # type: ignore[index]
            assert (await ada.put(f"/v1/canvases/{canvas}/spell", spell)).status == 200
            runners = h.parts.running.runners
            await until(lambda: not runners.is_live(root.user.id, canvas))  # type: ignore[union-attr]
            runs = (await ada.get("/v1/runs", params={"canvas": canvas})).body["items"]
            assert len(runs) == 1


@pytest.mark.rule("C12", "I2")
async def test_who_came_by_a_link_gets_the_canvas_and_loses_it_like_anybody(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = (await ada.post("/v1/canvases", {"name": "Ours"})).body["id"]
        made = await ada.post(f"/v1/canvases/{canvas}/invitations", {"role": "viewer"})
        token = made.body["link"].rpartition("/")[2]
        assert (await grace.post("/v1/invitations/accept", {"token": token})).status == 200
        told: list[dict[str, Any]] = []
        async with tab(h, grace, canvas) as hers:
            hers.socket.on("canvas.role", told.append)
            more = await ada.post(f"/v1/canvases/{canvas}/invitations", {"role": "editor"})
            link = more.body["link"].rpartition("/")[2]
            accepted = await hers.ask("invitations.accept", token=link)
            assert (accepted["ok"], accepted["role"]) == (True, "editor")
            await until(lambda: told)
            await ada.delete(f"/v1/canvases/{canvas}/members?email=grace@example.org")
            await until(lambda: len(told) == 2)
        assert [each["role"] for each in told] == ["editor", None]
