"""Nodes of the server that declare a secret: which one they get, and that nothing tells of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestServer

from spellwork import Context, Library, NodeError, Pack, node
from spellwork.outbound import Destinations, GuardedTransport
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


@node("vault.send", secrets=("example",), cache="none", isolation="inline")
async def send(ctx: Context, url: str, how: str) -> int:
    """Send a secret in one of the ways in which nodes do."""
    async with (
        asyncio.TaskGroup() as tasks
    ):  # a task of its own: what it is given is held all the same
        asked = tasks.create_task(ctx.secret("example"))
    value = asked.result()

    async def made() -> AsyncIterator[bytes]:
        for part in (b"x" * 3_000, value[:4].encode(), value[4:].encode(), b"y"):
            yield part

    ways: dict[str, dict[str, Any]] = {
        "header": {"headers": {"Authorization": f"Bearer {value}"}},
        "basic": {"auth": ("ada", value)},
        "query": {"params": {"key": value}},
        "json": {"json": {"key": [value]}},
        "stream": {"content": made()},
        "none": {"headers": {"Authorization": "Bearer public"}},
    }
    transport = GuardedTransport(Destinations(frozenset(("127.0.0.1", "localhost"))))
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        return (await client.post(url, **ways[how])).status_code


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with a pack whose node uses a secret."""
    vault = Pack("vault", "1", "Vault", (tell, send))
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


@pytest.mark.rule("K9")
async def test_a_secret_in_the_hands_of_a_node_goes_to_the_hosts_of_its_grant_only(
    tmp_path: Path,
) -> None:
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except (ConnectionError, ClientPayloadError):
            body = b""
        got.append(f"{request.rel_url}{dict(request.headers)}".encode() + body)
        return web.Response()

    async def lead_on(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"http://localhost:{request.url.port}/")

    app = web.Application()
    app.router.add_post("/", take)
    app.router.add_post("/on", lead_on)
    async with place(tmp_path) as p, TestServer(app, host="127.0.0.1") as server:
        of_canvas = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", of_canvas)).body["id"]
        granted = await p.grant(hosts=[f"127.0.0.1:{server.port}"], secret=secret)

        async def sent(host: str, *ways: str, path: str = "") -> dict[str, str]:
            """Send in these ways; return how each was refused."""
            url = f"http://{host}:{server.port}/{path}"
            nodes = {
                way: {"type": "vault.send", "inputs": {"url": url, "how": way}} for way in ways
            }
            await p.ada.put(f"/v1/canvases/{p.canvas}/spell", {"spell": {"nodes": nodes}})
            done = (await p.ada.post("/v1/runs", {"canvas": p.canvas, "wait": 60})).body
            assert set(done["errors"]) | set(done["outputs"]) == set(ways)
            return {way: each["message"] for way, each in done["errors"].items()}

        ways = ("header", "basic", "query", "json", "stream")
        assert await sent("127.0.0.1", *ways) == {}
        assert len(got) == len(ways)
        got.clear()
        refused = await sent("localhost", *ways, "none")
        assert set(refused) == set(ways)
        assert all(
            f"may not go to localhost:{server.port}; it was granted for: 127.0.0.1" in each
            for each in refused.values()
        )
        assert not any(SECRET[:4].encode() in each for each in got)
        assert set(await sent("127.0.0.1", "json", path="on")) == {"json"}
        await p.admin.delete(f"/v1/canvases/{p.canvas}/grants/{granted['id']}")
        assert set(await sent("127.0.0.1", "header")) == {"header"}


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
