"""External workers: objects in other programs, whose methods are nodes on the canvases they were given to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from click.testing import CliRunner

from spellwork.external.connection import PATH, Refused, serve
from spellwork.external.frames import Hello, Log, Returned, encode
from spellwork.external.hosted import Hosted
from spellwork.external.line import BrokenRules, Line, WorkerLost
from spellwork_server.cli import main
from tests.server.external.cameras import Camera
from tests.server.runs.house import until
from tests.server.services.house import Answer, Caller, House, house

pytestmark = pytest.mark.anyio

SECONDS = 30.0


@dataclass
class Studio:
    """A server, Ada with a canvas, and a camera that is hers."""

    house: House
    ada: Caller
    canvas: str
    worker: str
    token: str

    @property
    def state(self) -> str:
        return self.house.parts.running.external.get(self.worker).state

    @asynccontextmanager
    async def connected(
        self, config: Any = None, file: Path | None = None
    ) -> AsyncIterator[Camera]:
        """The camera's program, connected to the server."""
        hosted = Hosted.of(Camera, config or {}, file)
        task = asyncio.get_running_loop().create_task(
            serve(hosted, self.house.origin, self.token, heartbeat=5, said=lambda _line: None)
        )
        try:
            await until(lambda: self.state == "ready" or task.done(), SECONDS)
            if task.done():
                task.result()
            camera = hosted.worker
            assert isinstance(camera, Camera)
            yield camera
        finally:
            task.cancel()
            await asyncio.wait([task])
            await hosted.close()

    async def run(self, method: str, **inputs: Any) -> dict[str, Any]:
        """Run one node on the canvas, and return what its run left."""
        body: dict[str, Any] = (await self.asked(method, **inputs)).body
        return body

    async def draw(self, method: str, code: str, port: str) -> None:
        """Draw a cell, and a method that reads what it gives."""
        nodes = {
            "c": {"type": "code.python", "code": code},
            "n": {"type": f"camera.{method}"},
        }
        edges = {"e": {"source": "c", "output": "result", "target": "n", "input": port}}
        spell = {"nodes": nodes, "edges": edges}
        done = await self.ada.put(f"/v1/canvases/{self.canvas}/spell", {"spell": spell})
        assert done.status == 200, done.body

    async def asked(self, method: str, wait: float = 20, **inputs: Any) -> Answer:
        node = {"type": f"camera.{method}", "inputs": inputs, "position": [0, 0]}
        await self.ada.put(f"/v1/canvases/{self.canvas}/spell", {"spell": {"nodes": {"n": node}}})
        return await self.ada.post("/v1/runs", {"canvas": self.canvas, "wait": wait})


@asynccontextmanager
async def studio(folder: Path, *, given: bool = True) -> AsyncIterator[Studio]:
    async with house(folder) as h:
        ada = await h.person("ada")
        canvas = (await ada.post("/v1/canvases", {"name": "Studio"})).body["id"]
        made = (await ada.post("/v1/external-workers", {"name": "Front door"})).body
        if given:
            change = {"canvases": [canvas]}
            assert (await ada.patch(f"/v1/external-workers/{made['id']}", change)).status == 200
        yield Studio(h, ada, canvas, made["id"], made["token"])


@pytest.mark.rule("20.10", "W50")
async def test_methods_of_an_object_elsewhere_are_nodes_that_share_it(tmp_path: Path) -> None:
    async with studio(tmp_path) as s, s.connected() as camera:
        library = (await s.ada.get(f"/v1/nodes?canvas={s.canvas}")).body
        snap = next(each for each in library["items"] if each["type"] == "camera.snap")
        assert (snap["title"], snap["category"], snap["isolation"]) == (
            "Snap",
            "Cameras",
            "external",
        )
        for number in (1, 2):
            left = await s.run("snap", exposure=0.5)
            picture = left["outputs"]["n"]["result"]
            assert picture == {"number": number, "exposure": 0.5, "zoom": 1}
        assert camera.taken == 2
        listed = (await s.ada.get(f"/v1/external-workers?canvas={s.canvas}")).body["items"]
        assert [each["state"] for each in listed] == ["ready"]
        workers = (await s.ada.get(f"/v1/workers?canvas={s.canvas}")).body["items"]
        assert [(each["kind"], each["name"]) for each in workers if each["id"] == s.worker] == [
            ("external", "Front door")
        ]


@pytest.mark.rule("20.11")
async def test_methods_may_be_threads_and_streams_and_say_how_far_they_are(tmp_path: Path) -> None:
    async with studio(tmp_path) as s, s.connected():
        left = await s.run("blocking", steps=2)
        assert left["outputs"]["n"]["result"] == 2
        events = (await s.ada.get(f"/v1/runs/{left['id']}/events")).body["events"]
        said = [each.get("message") for each in events if each["kind"] == "node.log"]
        assert said == ["step 0", "step 1"]
        assert [e["value"] for e in events if e["kind"] == "node.progress"]
        assert (await s.run("film", frames=300))["outputs"]["n"]["result"] == list(range(300))
        texts = (await s.run("film_in_thread", frames=200))["outputs"]["n"]["result"]
        assert texts == "".join(f"{n};" for n in range(200))


@pytest.mark.rule("20.15")
async def test_a_method_reads_a_stream_as_it_comes(tmp_path: Path) -> None:
    async with studio(tmp_path) as s, s.connected() as camera:
        order = {"canvas": s.canvas, "wait": 30}
        await s.draw("total", "def f():\n    yield from range(2_000)\n", "numbers")
        done = (await s.ada.post("/v1/runs", order)).body
        assert done["errors"] == {}
        assert done["outputs"]["n"]["result"] == sum(range(2_000))
        await s.draw("first", "def f():\n    yield from range(7, 3_000)\n", "numbers")
        assert (await s.ada.post("/v1/runs", order)).body["outputs"]["n"]["result"] == 7
        await s.draw("develop", "['a', {'b': 1}]", "pictures")  # a whole comes as its items
        done = (await s.ada.post("/v1/runs", order)).body
        assert done["outputs"]["n"]["result"] == ["a", {"b": 1}]

        broken = "def f():\n    yield 1\n    raise ValueError('no film')\n"
        await s.draw("develop", broken, "pictures")
        done = (await s.ada.post("/v1/runs", order)).body
        assert set(done["errors"]) - {"n"} == {"c"}
        if "n" not in done["skipped"]:  # it had begun to read
            assert done["errors"]["n"]["code"] == "stream_failed"

        waits = "import time\ndef f():\n    yield 'first'\n    time.sleep(3600)\n"
        await s.draw("develop", waits, "pictures")
        ended = camera.ended
        going = (await s.ada.post("/v1/runs", {"canvas": s.canvas})).body

        async def got_it() -> bool:
            events = (await s.ada.get(f"/v1/runs/{going['id']}/events")).body["events"]
            return any(each.get("message") == "got first" for each in events)

        async with asyncio.timeout(SECONDS):
            while not await got_it():
                await asyncio.sleep(0.05)
        await s.ada.post(f"/v1/runs/{going['id']}/cancel")
        await until(partial(camera.has_ended, ended + 1), SECONDS)
        assert (await s.run("snap"))["errors"] == {}  # the object is free again


@pytest.mark.rule("20.11")
async def test_a_method_that_fails_fails_its_node_and_a_cancel_reaches_it(tmp_path: Path) -> None:
    async with studio(tmp_path) as s, s.connected() as camera:
        for method, code, words in (
            ("fail", "exception", "RuntimeError: no light"),
            ("unsendable", "not_transferable", "function"),
        ):
            error = (await s.run(method))["errors"]["n"]
            assert error["code"] == code
            assert words in error["message"]
        for number, method in enumerate(("hang", "spin"), 1):
            run = (await s.asked(method, wait=0)).body["id"]
            await until(lambda: s.state == "busy", SECONDS)
            await s.ada.post(f"/v1/runs/{run}/cancel")
            await until(partial(camera.has_ended, number), SECONDS)
            assert (await s.run("snap"))["outputs"]["n"]["result"]["number"] == number


@pytest.mark.rule("20.12", "W52")
async def test_a_lost_connection_fails_the_call_and_the_next_works_once_it_is_back(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path) as s:
        async with s.connected():
            run = (await s.asked("hang", wait=0)).body["id"]
            await until(lambda: s.state == "busy", SECONDS)
            line = s.house.parts.running.external.get(s.worker).line
            s.house.parts.running.external.get(s.worker).end(1012, "test")
            await until(
                lambda: s.house.parts.running.external.get(s.worker).line not in (None, line),
                SECONDS,
            )
            error = (await s.ada.get(f"/v1/runs/{run}?wait=60")).body["errors"]["n"]
            assert error["code"] == "worker_lost"
            assert "n" in (await s.run("snap"))["outputs"]
        await until(lambda: s.state == "stopped", SECONDS)
        assert (await s.run("snap"))["errors"]["n"]["code"] == "worker_lost"
        kept = (await s.ada.get(f"/v1/nodes?canvas={s.canvas}")).body["items"]
        assert any(each["type"] == "camera.snap" for each in kept)


@pytest.mark.rule("W51")
async def test_a_worker_is_on_no_canvas_that_it_was_not_given_to(tmp_path: Path) -> None:
    async with studio(tmp_path, given=False) as s, s.connected():
        types = {
            each["type"] for each in (await s.ada.get(f"/v1/nodes?canvas={s.canvas}")).body["items"]
        }
        assert "camera.snap" not in types
        assert (await s.asked("snap")).code == "unknown_node_type"
        bob = await s.house.person("bob")
        taken = await bob.patch(f"/v1/external-workers/{s.worker}", {"canvases": []})
        assert taken.code == "not_found"
        others = (await bob.post("/v1/canvases", {"name": "His"})).body["id"]
        into = await s.ada.patch(f"/v1/external-workers/{s.worker}", {"canvases": [others]})
        assert into.code == "forbidden"
        assert (await bob.get("/v1/external-workers")).body["items"] == []


@pytest.mark.rule("W56")
async def test_owners_of_a_canvas_may_take_a_worker_away_and_so_may_who_gave_it(
    tmp_path: Path,
) -> None:
    async with studio(tmp_path, given=False) as s:
        people = {name: await s.house.person(name) for name in ("bob", "eve", "dan")}
        bob = people["bob"]
        canvas = (await bob.post("/v1/canvases", {"name": "Bob's"})).body["id"]
        for person, role in ((s.ada, "editor"), (people["eve"], "editor")):
            assert person.user is not None
            member = {"email": person.user.email, "role": role}
            assert (await bob.put(f"/v1/canvases/{canvas}/members", member)).status == 200

        async def give() -> None:
            change = {"canvases": [s.canvas, canvas]}
            assert (await s.ada.patch(f"/v1/external-workers/{s.worker}", change)).status == 200

        async def given_by() -> list[Any]:
            found = (await bob.get(f"/v1/external-workers?canvas={canvas}")).body["items"]
            return [each["given_by"] for each in found]

        path = f"/v1/canvases/{canvas}/external-workers/{s.worker}"
        await give()
        assert s.ada.user is not None
        assert await given_by() == [s.ada.user.id]
        listed = (await bob.get(f"/v1/workers?canvas={canvas}")).body["items"]
        assert [each["given_by"] for each in listed if each["kind"] == "external"] == [
            s.ada.user.id
        ]
        for name in ("eve", "dan"):
            assert (await people[name].delete(path)).code == "forbidden"
        assert (await bob.delete(path)).status == 200
        assert await given_by() == []
        assert (await bob.delete(path)).code == "not_found"
        mine = (await s.ada.get("/v1/external-workers")).body["items"]
        assert [each["canvases"] for each in mine] == [[s.canvas]]

        await give()
        tab = socketio.AsyncClient(reconnection=False)
        await tab.connect(
            s.house.origin, auth={"token": s.ada.token}, transports=["websocket"], wait_timeout=30
        )
        asked = {"id": s.worker, "canvas": canvas}
        assert (await tab.call("external_workers.withdraw", asked))["ok"]
        await tab.disconnect()
        assert await given_by() == []

        await give()
        told = await asyncio.to_thread(
            CliRunner().invoke,
            main,
            ["worker", "withdraw", s.worker, "--canvas", canvas, "--url", s.house.origin],
            env={"SPELLWORK_TOKEN": bob.token},
        )
        assert told.exit_code == 0, told.output
        assert await given_by() == []


@pytest.mark.rule("W51", "W31")
async def test_tabs_are_told_when_a_canvas_is_given_a_worker(tmp_path: Path) -> None:
    async with studio(tmp_path, given=False) as s, s.connected():
        told: list[Any] = []
        tab = socketio.AsyncClient(reconnection=False)
        tab.on("library.changed", told.append)
        await tab.connect(
            s.house.origin, auth={"token": s.ada.token}, transports=["websocket"], wait_timeout=30
        )
        await tab.call("canvas.open", {"canvas": s.canvas, "client_id": 7})
        await s.ada.patch(f"/v1/external-workers/{s.worker}", {"canvases": [s.canvas]})
        await until(lambda: told == [{"canvas": s.canvas}], SECONDS)
        await s.ada.patch(f"/v1/external-workers/{s.worker}", {"canvases": []})
        await until(lambda: len(told) == 2, SECONDS)
        await tab.disconnect()


@pytest.mark.rule("W53")
async def test_the_configuration_is_edited_as_a_form_and_its_secrets_never_leave(
    tmp_path: Path,
) -> None:
    file = tmp_path / "camera.json"
    async with studio(tmp_path) as s, s.connected({"password": "s3cret-pass"}, file) as camera:
        path = f"/v1/external-workers/{s.worker}"
        shown = (await s.ada.get("/v1/external-workers")).body["items"][0]
        assert shown["config"] == {"address": "10.0.0.7", "zoom": 1}
        assert shown["secrets"] == ["password"]
        assert shown["config_schema"]["properties"]["password"]["writeOnly"] is True
        wrong = await s.ada.put(f"{path}/config", {"config": {"zoom": 99}})
        assert (wrong.status, wrong.code) == (400, "config_invalid")
        assert wrong.body["error"]["details"]["errors"][0]["field"] == "zoom"
        assert (await s.ada.put(f"{path}/config", {"config": {"zoom": 2}})).status == 200
        assert camera.config.zoom == 2
        assert camera.config.password.get_secret_value() == "s3cret-pass"
        assert json.loads(file.read_text())["password"] == "s3cret-pass"
        assert file.stat().st_mode & 0o077 == 0
        assert (await s.run("snap"))["outputs"]["n"]["result"]["zoom"] == 2
        exported = await s.ada.get(f"{path}/export")
        assert exported.body["secrets"] == ["password"]
        assert exported.body["state"] == {"taken": 1}
        everything = json.dumps(
            [(await s.ada.get(p)).body for p in ("/v1/external-workers", path + "/export")]
        )
        assert "s3cret-pass" not in everything
        camera.taken = 0
        back = {key: exported.body[key] for key in ("config", "state")}
        assert (await s.ada.post(f"{path}/import", back)).status == 200
        assert camera.taken == 1
        bob = await s.house.person("bob")
        assert (await bob.get(f"{path}/export")).code == "not_found"


@pytest.mark.rule("W54")
async def test_a_revoked_token_closes_its_worker_and_opens_nothing(tmp_path: Path) -> None:
    async with studio(tmp_path) as s:
        hosted = Hosted.of(Camera, {})
        work = serve(hosted, s.house.origin, s.token, heartbeat=5, said=lambda _line: None)
        task = asyncio.get_running_loop().create_task(work)
        await until(lambda: s.state == "ready", SECONDS)
        await s.ada.post(f"/v1/external-workers/{s.worker}/token")
        with pytest.raises(Refused, match="revoked"):
            await asyncio.wait_for(task, SECONDS)
        with pytest.raises(Refused, match="401"):
            await serve(hosted, s.house.origin, s.token, said=lambda _line: None)
        await hosted.close()


@pytest.mark.rule("W54")
async def test_a_workers_token_is_good_for_nothing_else(tmp_path: Path) -> None:
    async with studio(tmp_path) as s:
        thief = s.house.stranger()
        thief.token = s.token
        for path in ("/v1/auth/me", "/v1/canvases", f"/v1/canvases/{s.canvas}/spell"):
            assert (await thief.get(path)).status == 401
        async with aiohttp.ClientSession() as session:
            for headers in (
                {},
                {"Authorization": f"Bearer {s.ada.token}"},
                {"Authorization": f"Bearer {s.token}", "Origin": s.house.origin},
            ):
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await session.ws_connect(s.house.origin + PATH, headers=headers)


HELLO = {"name": "camera", "version": "1", "title": "Camera", "nodes": [], "left_out": {}}

LIES: dict[str, bytes] = {
    "rubbish": b"\xc1\xff",
    "another record": encode(Returned(1, {})),
    "another protocol": encode(Hello(99, HELLO, {}, {})),
    "a pack of the server's": encode(Hello(1, HELLO | {"name": "core"}, {}, {})),
    "no pack": encode(Hello(1, {"name": "x"}, {}, {})),
    "another pack's types": encode(
        Hello(1, HELLO | {"nodes": [{"id": "core.value", "version": 99}]}, {}, {})
    ),
    "a huge schema": encode(Hello(1, HELLO, {"x": "y" * 100_000}, {})),
}


@pytest.mark.rule("W55")
async def test_a_worker_that_lies_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with studio(tmp_path) as s, aiohttp.ClientSession() as session:
        before = (await s.ada.get(f"/v1/nodes?canvas={s.canvas}")).body
        headers = {"Authorization": f"Bearer {s.token}"}
        for lie, message in LIES.items():
            async with session.ws_connect(s.house.origin + PATH, headers=headers) as socket:
                await socket.send_bytes(message)
                closed = await socket.receive(timeout=SECONDS)
                assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4400), lie
        await until(lambda: s.state == "failed", SECONDS)
        assert (await s.ada.get(f"/v1/nodes?canvas={s.canvas}")).body == before


@pytest.mark.rule("W55")
async def test_a_worker_that_sends_more_than_is_taken_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("spellwork.external.line.MOST_BYTES", 1_000)
    line = Line("camera", lambda _message: None)
    asking = asyncio.get_running_loop().create_task(line.ask("export"))
    await asyncio.sleep(0)
    for _ in range(10):
        line.take(Log(1, "x"), 100)
    with pytest.raises(BrokenRules, match="wait to be taken"):
        line.take(Log(1, "x"), 100)
    await asyncio.sleep(0)  # they are taken
    line.take(Log(1, "x"), 1_000)
    line.take(Log(7, "of a call that nobody made"), 1_000)
    line.end()
    with pytest.raises(WorkerLost):
        await asking


@pytest.mark.rule("W51")
async def test_the_worker_of_somebody_who_may_not_sign_in_is_called_no_more(tmp_path: Path) -> None:
    async with studio(tmp_path) as s:
        root = await s.house.person("root", "admin")
        async with s.connected():
            assert (await s.run("snap"))["status"] == "completed"
            off = await root.patch(f"/v1/users/{s.ada.user.id}", {"disabled": True})  # type: ignore[union-attr]
            assert off.status == 200
            left = await root.post("/v1/runs", {"canvas": s.canvas, "wait": 60})
            assert left.body["errors"]["n"]["code"] == "worker_forbidden"
        with pytest.raises(Refused, match="401"):
            await serve(Hosted.of(Camera, {}), s.house.origin, s.token, said=lambda _line: None)
