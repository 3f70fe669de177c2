"""Packs that are installed into a canvas's worker while the server runs."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.server.packs.wheels import PACK, sha256, wheel
from tests.server.runs.house import until
from tests.server.services.house import Answer, Caller, House, house

pytestmark = pytest.mark.anyio

SECONDS = 30.0


@dataclass
class Shop:
    """A server whose index is a folder, Ada who administers it, and Bob who edits a canvas of hers."""

    house: House
    ada: Caller
    bob: Caller
    canvas: str
    index: Path

    async def install(self, who: Caller, **body: Any) -> Answer:
        return await who.post("/v1/packs", {"canvas": self.canvas, **body})

    async def upload(self, who: Caller, path: Path) -> Answer:
        data = base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()
        body = {"canvas": self.canvas, "name": path.name, "data": data}
        return await who.post("/v1/packs/files", body)

    async def library(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.bob.get(f"/v1/nodes?canvas={self.canvas}")).body
        return body

    async def types(self) -> set[str]:
        return {each["type"] for each in (await self.library())["items"]}

    async def draw(self, **nodes: Any) -> None:
        spell = {"nodes": {id: {"position": [0, 0], **node} for id, node in nodes.items()}}
        done = await self.bob.put(f"/v1/canvases/{self.canvas}/spell", {"spell": spell})
        assert done.status == 200, done.body

    async def run(self) -> dict[str, Any]:
        body: dict[str, Any] = (
            await self.bob.post("/v1/runs", {"canvas": self.canvas, "wait": 60})
        ).body
        return body


@asynccontextmanager
async def shop(folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    index = folder / "index"
    index.mkdir(exist_ok=True)
    chosen = {"no_index": True, "find_links": (str(index),), "packs_allowed": ("acme-*",)}
    async with house(folder, **chosen | settings) as h:
        ada = await h.person("ada", role="admin")
        bob = await h.person("bob")
        canvas = (await ada.post("/v1/canvases", {"name": "Shop"})).body["id"]
        member = {"email": "bob@example.org", "role": "editor"}
        await ada.put(f"/v1/canvases/{canvas}/members", member)
        yield Shop(h, ada, bob, canvas, index)


@pytest.mark.rule("W30", "W31", "W34", "W35")
async def test_a_pack_is_installed_used_and_removed_while_the_canvas_is_open(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as s:
        told: list[Any] = []
        problems: list[Any] = []
        tab = socketio.AsyncClient(reconnection=False)
        tab.on("library.changed", told.append)
        tab.on("canvas.problems", problems.append)
        await tab.connect(
            s.house.origin, auth={"token": s.bob.token}, transports=["websocket"], wait_timeout=30
        )
        await tab.call("canvas.open", {"canvas": s.canvas, "client_id": 7})
        await s.draw(
            n={"type": "far.double", "inputs": {"number": 21}},
            c={"type": "far.count", "inputs": {"to": 300}},
        )
        assert (await s.run())["error"]["code"] == "unknown_node_type"

        path = wheel(s.index)
        done = await s.install(s.bob, distribution="Acme.Far", specifier="==1.0")
        assert done.status == 201, done.body
        pack = done.body
        assert (pack["state"], pack["version"]) == ("ready", "1.0"), pack
        assert pack["sha256"] == [sha256(path)]
        assert pack["packs"] == [
            {"name": "far", "title": "Far things", "version": "1.0", "nodes": 3}
        ]
        assert "resolve" in pack["left_out"]["far.shaped"]
        await until(lambda: {"canvas": s.canvas} in told, SECONDS)
        await until(lambda: problems and not problems[-1]["problems"], SECONDS)

        double = next(e for e in (await s.library())["items"] if e["type"] == "far.double")
        assert (double["title"], double["category"]) == ("Double", "Numbers")
        assert double["isolation"] == "worker"
        assert "far.double" not in {e["type"] for e in (await s.bob.get("/v1/nodes")).body["items"]}
        left = await s.run()
        assert left["outputs"]["n"]["result"] == 42, left
        assert left["outputs"]["c"]["result"] == list(range(300))
        node = {"type": "far.pick"}
        asked = {"node": node, "port": "word", "canvas": s.canvas}
        assert (await s.bob.post("/v1/nodes/choices", asked)).body == {"choices": ["a", "b"]}
        ports = await s.bob.post("/v1/nodes/ports", {"node": node, "canvas": s.canvas})
        assert [each["name"] for each in ports.body["inputs"]] == ["word"]
        wrong = {"nodes": {"n": {"type": "far.double", "inputs": {"number": "x"}}}}
        found = await s.bob.post("/v1/nodes/validate", {"spell": wrong, "canvas": s.canvas})
        codes = [each["code"] for each in found.body["problems"]]
        assert "unknown_node_type" not in codes
        await s.draw(n={"type": "far.double", "inputs": {"number": "x"}})
        assert (await s.run())["errors"]["n"]["port"] == "number"
        assert not [name for name in sys.modules if name.startswith("acme_")]

        told.clear()
        assert (await s.bob.delete(f"/v1/packs/{pack['id']}")).status == 200
        await until(lambda: {"canvas": s.canvas} in told, SECONDS)
        assert "far.double" not in await s.types()
        spell = (await s.bob.get(f"/v1/canvases/{s.canvas}/spell")).body
        assert spell["nodes"]["n"]["type"] == "far.double"
        assert (await s.run())["error"]["code"] == "unknown_node_type"
        await tab.disconnect()


@pytest.mark.rule("W32", "W33")
async def test_a_wheel_is_uploaded_and_installed_by_its_hash(tmp_path: Path) -> None:
    async with shop(tmp_path) as s:
        path = wheel(tmp_path / "built", requires=("spellwork>=0.1",))  # every worker has it
        kept = await s.upload(s.bob, path)
        assert (kept.status, kept.body["distribution"]) == (201, "acme-far"), kept.body
        assert kept.body["file"] == sha256(path)
        wrong = await s.install(s.bob, file=kept.body["file"], sha256="0" * 64)
        assert wrong.code == "bad_request"
        done = await s.install(s.bob, file=kept.body["file"])
        assert done.body["state"] == "ready", done.body
        await s.draw(n={"type": "far.double", "inputs": {"number": 2}})
        assert (await s.run())["outputs"]["n"]["result"] == 4
        for told in ("lock", "logs"):  # which name the wheel, and no folder of the server
            words = str((await s.bob.get(f"/v1/workers/{s.canvas}/{told}")).body)
            assert path.name in words
            assert str(tmp_path) not in words
        newer = wheel(tmp_path / "built", version="2.0", code=PACK.replace("* 2", "* 3"))
        await s.upload(s.bob, newer)
        assert (await s.install(s.bob, file=sha256(newer))).body["version"] == "2.0"
        assert (await s.run())["outputs"]["n"]["result"] == 6  # what was kept of 1.0 does not serve
        listed = (await s.bob.get(f"/v1/packs?canvas={s.canvas}")).body["items"]
        assert [each["version"] for each in listed] == ["2.0"]


CLASH = "from spellwork import Pack\npack = Pack('{name}', '1', 'Clash', ())\n"

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "raises": ({"code": "raise RuntimeError('no such luck')"}, "no such luck"),
    "no pack": ({"code": "pack = 7"}, "not a spellwork.Pack"),
    "a pack of the server": (
        {
            "code": CLASH.replace("{name}", "core"),
            "points": "[spellwork.packs]\ncore = acme_far:pack\n",
        },
        "a pack 'core' already",
    ),
    "a wrong declaration": ({"code": PACK.replace('"{name}.pick"', '"away.pick"')}, "away.pick"),
}


@pytest.mark.rule("W36")
async def test_a_broken_pack_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with shop(tmp_path) as s:
        before = await s.types()
        for case, (made, said) in BROKEN.items():
            path = wheel(tmp_path / case, **made)
            kept = await s.upload(s.bob, path)
            done = await s.install(s.bob, file=kept.body["file"])
            assert done.body["state"] == "failed", case
            assert said in done.body["reason"], (case, done.body["reason"])
            if case == "raises":
                assert "acme_far/__init__.py, line 1" in done.body["traceback"]
            library = await s.library()
            assert {each["type"] for each in library["items"]} == before
            assert said in library["problems"]["acme-far"]
        missing = await s.install(s.bob, distribution="acme-nowhere")
        assert missing.body["state"] == "failed"
        assert "acme-nowhere" in missing.body["reason"]


@pytest.mark.rule("W32", "W37")
async def test_packs_are_for_those_who_may_and_from_the_operators_list(tmp_path: Path) -> None:
    async with shop(tmp_path, packs_allowed=()) as s:
        path = wheel(s.index)
        for refused in (
            await s.install(s.bob, distribution="acme-far"),
            await s.upload(s.bob, path),
        ):
            assert (refused.status, refused.code) == (403, "pack_not_allowed")
        cyd = await s.house.person("cyd")
        assert (await s.install(cyd, distribution="acme-far")).code == "forbidden"
        by_worker = {"worker": s.canvas, "distribution": "acme-far"}
        assert (await s.bob.post("/v1/packs", by_worker)).code == "forbidden"
        assert (await s.bob.get(f"/v1/packs?worker={s.canvas}")).code == "forbidden"
        pinned = await s.install(s.ada, distribution="acme-far", sha256="0" * 64)
        assert pinned.body["state"] == "failed"
        done = await s.ada.post("/v1/packs", by_worker)
        assert done.body["state"] == "ready", done.body
        assert (await cyd.delete(f"/v1/packs/{done.body['id']}")).code == "not_found"
        again = await s.house.person("dee", role="admin")
        assert (await again.get(f"/v1/packs?worker={s.canvas}")).body["items"][0][
            "state"
        ] == "ready"


@pytest.mark.rule("W39")
async def test_the_packs_of_a_shared_worker_are_in_the_library_of_the_canvases_on_it(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as s:
        wheel(s.index)
        shared = (await s.ada.post("/v1/workers", {"name": "Lab", "open": True})).body["id"]
        told: list[Any] = []
        tab = socketio.AsyncClient(reconnection=False)
        tab.on("library.changed", told.append)
        await tab.connect(
            s.house.origin, auth={"token": s.bob.token}, transports=["websocket"], wait_timeout=30
        )
        await tab.call("canvas.open", {"canvas": s.canvas, "client_id": 7})
        moved = await s.bob.patch(f"/v1/canvases/{s.canvas}", {"worker": shared})
        assert moved.status == 200, moved.body
        await until(lambda: len(told) == 1, SECONDS)
        assert (await s.install(s.bob, distribution="acme-far")).code == "forbidden"
        done = await s.ada.post("/v1/packs", {"worker": shared, "distribution": "acme-far"})
        assert done.body["state"] == "ready", done.body
        await until(lambda: len(told) == 2, SECONDS)
        await s.draw(n={"type": "far.double", "inputs": {"number": 5}})
        assert (await s.run())["outputs"]["n"]["result"] == 10
        assert (await s.ada.delete(f"/v1/workers/{shared}")).status == 200
        await until(lambda: len(told) == 3, SECONDS)
        assert "far.double" not in await s.types()
        await tab.disconnect()


@pytest.mark.rule("W38")
async def test_packs_are_there_again_after_a_restart(tmp_path: Path) -> None:
    async with shop(tmp_path) as s:
        wheel(s.index)
        assert (await s.install(s.ada, distribution="acme-far")).body["state"] == "ready"
        await s.draw(n={"type": "far.double", "inputs": {"number": 4}})
        canvas, token = s.canvas, s.bob.token
    async with house(tmp_path, no_index=True, find_links=(str(tmp_path / "index"),)) as h:
        bob = h.stranger()
        bob.token = token
        items = (await bob.get(f"/v1/nodes?canvas={canvas}")).body["items"]
        assert "far.double" in {each["type"] for each in items}
        left = (await bob.post("/v1/runs", {"canvas": canvas, "wait": 60})).body
        assert left["outputs"]["n"]["result"] == 8, left
