"""The client's files: its page for the addresses it routes, and nothing beside its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from spellwork_server.errors import NotFound
from spellwork_server.static_files import StaticFiles

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.key").write_text("secret")
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>Spellwork</title>")
    (static / "mark.svg").write_text("<svg/>")
    (static / "service-worker.js").write_text("const SHELL = {}")
    (static / "assets" / "app-1a2b.js").write_text("export {}")
    return static


@web.middleware
async def not_found(request: web.Request, handler: object) -> web.StreamResponse:
    try:
        return await handler(request)  # type: ignore[operator, no-any-return]
    except NotFound:
        return web.Response(status=404)


def client(folder: Path) -> TestClient:
    app = web.Application(middlewares=[not_found])
    StaticFiles(folder).mount(app)
    return TestClient(TestServer(app))


@pytest.mark.parametrize(
    ("path", "type", "cache"),
    [
        ("/", "text/html", "no-cache"),
        ("/canvas/abc", "text/html", "no-cache"),
        ("/mark.svg", "image/svg+xml", "no-cache"),
        ("/service-worker.js", "text/javascript", "no-cache"),
        ("/assets/app-1a2b.js", "text/javascript", "public, max-age=31536000, immutable"),
    ],
)
async def test_the_page_and_its_files_are_served(
    folder: Path, path: str, type: str, cache: str
) -> None:
    async with client(folder) as http, http.get(path) as answer:
        assert answer.status == 200
        assert answer.content_type in (type, "application/javascript")
        assert answer.headers["Cache-Control"] == cache


@pytest.mark.parametrize(
    "path",
    [
        "/none.js",
        "/assets/none.js",
        "/assets/..%2F..%2Fsecret.key",
        "/..%2Fsecret.key",
        "/%2e%2e/secret.key",
        "/assets/%00.js",
        "/assets/",
        "/.env",
    ],
)
async def test_nothing_else_is(folder: Path, path: str) -> None:
    async with client(folder) as http, http.get(path) as answer:
        assert answer.status == 404


async def test_a_client_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    async with client(tmp_path) as http, http.get("/") as answer:
        assert answer.status == 503
        assert "make client" in await answer.text()
