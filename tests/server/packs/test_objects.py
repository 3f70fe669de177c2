"""Objects of packs: one of a class lives in the worker's process, configured, and its methods are nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.server.packs.test_packs import Shop, shop
from tests.server.packs.wheels import sha256, wheel

pytestmark = pytest.mark.anyio

CAMERA = """
from collections.abc import Iterator
from typing import Any
from pydantic import BaseModel, Field, SecretStr
from spellwork import Context, Pack
from spellwork.external import ExternalWorker, method

class Config(BaseModel):
    zoom: float = Field(default=1, ge=1, le=10)
    password: SecretStr = SecretStr("at-first")

class Camera(ExternalWorker):
    name = "camera"
    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.taken = 0

    @method(title="Snap")
    async def snap(self, exposure: float = 0.1) -> dict[str, Any]:
        '''Take a picture.'''
        self.taken += 1
        known = self.config.password.get_secret_value() == "t0psecret"
        return {{"number": self.taken, "zoom": self.config.zoom, "known": known}}

    @method
    def film(self, ctx: Context, frames: int = 3) -> Iterator[int]:
        '''Take several.'''
        ctx.log("rolling")
        for _ in range(frames):
            self.taken += 1
            yield self.taken

    def export_state(self) -> Any:
        return {{"taken": self.taken}}

    def import_state(self, state: Any) -> None:
        self.taken = state["taken"]

pack = Pack("{name}", "{version}", "Laboratory", (), (Camera,))
"""


async def snap(s: Shop) -> object:
    await s.draw(n={"type": "lab.camera.snap"})
    left = await s.run()
    assert "n" in left["outputs"], left
    picture: object = left["outputs"]["n"]["result"]
    return picture


@pytest.mark.rule("20.14", "W40")
async def test_an_object_of_a_pack_lives_in_the_worker_and_is_configured_from_outside(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path) as s:
        path = wheel(tmp_path / "built", name="lab", code=CAMERA)
        await s.upload(s.bob, path)
        pack = (await s.install(s.bob, file=sha256(path))).body
        assert pack["state"] == "ready", pack
        (camera,) = pack["objects"]
        assert camera["name"] == "lab.camera"
        assert (camera["config"], camera["secrets"]) == ({"zoom": 1}, ["password"])
        assert await snap(s) == {"number": 1, "zoom": 1, "known": False}
        assert await snap(s) == {"number": 2, "zoom": 1, "known": False}  # one object, nothing kept
        await s.draw(n={"type": "lab.camera.film", "inputs": {"frames": 2}})
        assert (await s.run())["outputs"]["n"]["result"] == [3, 4]

        address = f"/v1/packs/{pack['id']}/objects/lab.camera"
        wrong = await s.bob.put(f"{address}/config", {"config": {"zoom": 99}})
        assert wrong.code == "config_invalid"
        assert wrong.body["error"]["details"]["errors"][0]["field"] == "zoom"
        secret = {"config": {"zoom": 2, "password": "t0psecret"}}
        assert (await s.bob.put(f"{address}/config", secret)).status == 200
        assert await snap(s) == {"number": 5, "zoom": 2, "known": True}
        kept = (await s.bob.put(f"{address}/config", {"config": {"zoom": 4}})).body
        assert kept["objects"][0]["config"] == {"zoom": 4}
        assert await snap(s) == {"number": 6, "zoom": 4, "known": True}
        exported = (await s.bob.get(f"{address}/export")).body
        assert exported["state"] == {"taken": 6}
        assert exported["secrets"] == ["password"]
        back = {"config": {"zoom": 1}, "state": {"taken": 40}}
        assert (await s.bob.post(f"{address}/import", back)).status == 200
        assert await snap(s) == {"number": 41, "zoom": 1, "known": True}

        told = json.dumps([exported, kept, (await s.bob.get(f"/v1/packs?canvas={s.canvas}")).body])
        assert "t0psecret" not in told
        for file in (tmp_path / "data").glob("spellwork.db*"):
            assert b"t0psecret" not in file.read_bytes()
        cyd = await s.house.person("cyd")
        member = {"email": "cyd@example.org", "role": "viewer"}
        await s.ada.put(f"/v1/canvases/{s.canvas}/members", member)
        assert (await cyd.get(f"{address}/export")).code == "not_found"
        seen = (await cyd.get(f"/v1/packs?canvas={s.canvas}")).body["items"][0]["objects"][0]
        assert seen["config"] is None
