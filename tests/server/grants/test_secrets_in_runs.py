"""Nodes of the server that declare a secret: which one they get, and that nothing tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spellwork import Context, Library, NodeError, Pack, node
from spellwork_code import pack as code_pack
from spellwork_core import pack as core_pack
from tests.server.grants.test_grants import SECRET, place

pytestmark = pytest.mark.anyio


@node("vault.tell", secrets=("example",), cache="none", isolation="inline")
async def tell(ctx: Context, fail: bool = False) -> dict[str, Any]:
    """Tell a secret in every way that a careless node could."""
    value = await ctx.secret("example")
    ctx.log(f"it is {value}")
    ctx.progress(0.5, value)
    if fail:
        raise NodeError(f"the host refused {value}", code="refused")
    return {"length": len(value), "value": value}


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with a pack whose node uses a secret."""
    vault = Pack("vault", "1", "Vault", (tell,))
    found = Library([core_pack, code_pack, vault])
    monkeypatch.setattr(Library, "installed", classmethod(lambda _kind: found))


def spell(**inputs: Any) -> dict[str, Any]:
    nodes = {"tell": {"type": "vault.tell", "inputs": inputs}}
    return {"schema": 1, "name": "Tell", "nodes": nodes}


@pytest.mark.rule("K7")
@pytest.mark.parametrize("fail", [False, True])
async def test_a_node_gets_the_secret_that_its_canvas_was_granted_and_tells_nobody(
    tmp_path: Path, fail: bool
) -> None:
    async with place(tmp_path) as p:
        await p.ada.put(f"/v1/canvases/{p.canvas}/spell", {"spell": spell(fail=fail)})
        of_canvas = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", of_canvas)).body["id"]
        order = {"canvas": p.canvas, "wait": 60}
        before = (await p.ada.post("/v1/runs", order)).body
        assert before["errors"]["tell"]["code"] == "secret_missing"
        await p.grant(hosts=["api.example.org"], secret=secret)
        after = (await p.ada.post("/v1/runs", order)).body
        events = (await p.ada.get(f"/v1/runs/{after['id']}/events")).body
        if fail:
            assert after["errors"]["tell"]["message"] == "the host refused ***"
        else:
            assert after["outputs"]["tell"]["result"]["length"] == len(SECRET)
        assert "it is ***" in str(events)
        assert "hunter2" not in f"{after}{events}"


@pytest.mark.rule("K7")
async def test_a_run_without_a_canvas_gets_ones_own_secret_and_nobody_elses(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        await p.ada.post("/v1/secrets", {"name": "example", "value": SECRET})
        order = {"spell": spell(), "wait": 60}
        mine = (await p.ada.post("/v1/runs", order)).body
        theirs = (await p.admin.post("/v1/runs", order)).body
        assert mine["outputs"]["tell"]["result"]["length"] == len(SECRET)
        assert theirs["errors"]["tell"]["code"] == "secret_missing"
        assert "hunter2" not in str(mine)


@pytest.mark.rule("K8")
async def test_health_tells_which_layers_are_in_force(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        await p.run("1")
        found = (await p.ada.get("/healthz")).body["parts"]["workers"]
        layers = {"bubblewrap", "cgroup", "rlimits", "seccomp", "landlock"}
        assert set(found["layers"]) | set(found["absent"]) == layers
        assert all(found["absent"].values())
