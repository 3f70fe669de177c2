"""HTTP nodes: what they send, what they give, when they try again, and where they never go."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from spellwork import Event
from spellwork.outbound import AddressDenied, Destinations
from spellwork_http.errors import RequestError
from spellwork_http.exchange import MAX_BYTES, Answer, Exchange, Request, host_of, read_url
from spellwork_http.retrying import MAX_WAIT, retry_after, send_with_retries

from .conftest import RunNode

pytestmark = pytest.mark.anyio


class Site:
    """A server that echoes, redirects, fails for a while, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.base = ""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        app.add_routes(
            [
                web.route("*", "/echo", self.echo),
                web.route("*", "/status/{status}", self.status),
                web.route("*", "/busy/{times}", self.busy),
                web.get("/to", self.redirect),
                web.get("/loop", self.redirect),
                web.get("/bytes/{size}", self.bytes),
                web.get("/bomb", self.bomb),
                web.get("/picture", self.picture),
                web.get("/slow", self.slow),
                web.get("/cut", self.cut),
                web.post("/graphql", self.graphql),
            ]
        )
        return app

    async def echo(self, request: web.Request) -> web.Response:
        self.calls += 1
        return web.json_response(
            {
                "method": request.method,
                "query": dict(request.query),
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": await request.text(),
            }
        )

    async def status(self, request: web.Request) -> web.Response:
        self.calls += 1
        return web.Response(status=int(request.match_info["status"]), text="said")

    async def busy(self, request: web.Request) -> web.Response:
        self.calls += 1
        if self.calls <= int(request.match_info["times"]):
            return web.Response(status=503, headers={"Retry-After": "0"})
        return web.Response(text="at last")

    async def redirect(self, request: web.Request) -> web.Response:
        self.calls += 1
        return web.Response(status=302, headers={"Location": request.query.get("url", "/loop")})

    async def bytes(self, request: web.Request) -> web.Response:
        return web.Response(body=b"x" * int(request.match_info["size"]), content_type="text/plain")

    async def bomb(self, request: web.Request) -> web.Response:
        body = gzip.compress(b"\0" * (MAX_BYTES + 1))
        return web.Response(
            body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
        )

    async def picture(self, request: web.Request) -> web.Response:
        return web.Response(body=b"\x89PNG", content_type="image/png")

    async def slow(self, request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async def cut(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def graphql(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if "broken" in asked["query"]:
            return web.json_response({"errors": [{"message": "no field broken"}]})
        return web.json_response(
            {"data": {"name": asked["variables"].get("name")}, "errors": [{"message": "half"}]}
        )


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A site on this machine, which the operator has allowed."""
    monkeypatch.setenv("SPELLWORK_HTTP_ALLOW", "127.0.0.1")
    found = Site()
    async with TestServer(found.app(), host="127.0.0.1") as served:
        found.base = str(served.make_url("")).rstrip("/")
        yield found


async def test_a_request_is_sent_as_told_and_its_answer_given_in_parts(
    site: Site, run_node: RunNode
) -> None:
    result = await run_node(
        "http.request",
        url=f"{site.base}/echo?a=1",
        method="PUT",
        headers={"X-Mine": "yes", "Host": "elsewhere"},
        query={"b": 2, "c": None},
        json={"k": [1, None]},
    )
    assert result.errors == {}
    out = result.outputs["n"]
    assert out["status"] == 200
    assert out["headers"]["content-type"].startswith("application/json")
    assert out["json"] == json.loads(out["body"])
    sent = out["json"]
    assert (sent["method"], sent["query"], json.loads(sent["body"])) == (
        "PUT",
        {"a": "1", "b": "2"},
        {"k": [1, None]},
    )
    assert sent["headers"]["x-mine"] == "yes"
    assert sent["headers"]["host"] == site.base.removeprefix("http://")
    assert sent["headers"]["content-type"] == "application/json"


async def test_a_body_of_text_and_what_is_no_text(site: Site, run_node: RunNode) -> None:
    text = await run_node("http.request", url=f"{site.base}/echo", method="POST", body="héllo")
    assert text.outputs["n"]["json"]["body"] == "héllo"
    picture = await run_node("http.request", url=f"{site.base}/picture")
    assert picture.outputs["n"]["body"] == "data:image/png;base64,iVBORw=="
    assert picture.outputs["n"]["json"] is None


async def test_a_busy_server_is_asked_again_and_the_log_says_so(
    site: Site, run_node: RunNode, events: list[Event]
) -> None:
    result = await run_node("http.request", url=f"{site.base}/busy/2", method="POST")
    assert result.outputs["n"]["body"] == "at last"
    assert site.calls == 3
    assert (
        len(
            [
                event
                for event in events
                if event.kind == "node.log" and "503" in (event.message or "")
            ]
        )
        == 2
    )


async def test_a_status_is_an_output_or_a_failure_as_the_node_says(
    site: Site, run_node: RunNode
) -> None:
    result = await run_node("http.request", url=f"{site.base}/status/404")
    assert (result.outputs["n"]["status"], result.outputs["n"]["body"]) == (404, "said")
    failed = await run_node(
        "http.request", url=f"{site.base}/status/404?token=secret", fail_on_status=True
    )
    assert failed.errors["n"].code == "http_status"
    assert "404" in failed.errors["n"].message
    assert "secret" not in failed.errors["n"].message


async def test_redirects_are_followed_and_counted(site: Site, run_node: RunNode) -> None:
    result = await run_node("http.request", url=f"{site.base}/to?url=/echo")
    assert result.outputs["n"]["json"]["method"] == "GET"
    site.calls = 0
    endless = await run_node("http.request", url=f"{site.base}/loop")
    assert endless.errors["n"].code == "too_many_redirects"
    assert site.calls == 6
    away = await run_node("http.request", url=f"{site.base}/to?url=file:///etc/passwd", retries=0)
    assert away.errors["n"].code == "unreachable"


async def test_a_redirect_to_a_private_address_is_denied(site: Site, run_node: RunNode) -> None:
    result = await run_node(
        "http.request", url=f"{site.base}/to?url=http://169.254.169.254/latest/meta-data"
    )
    assert result.errors["n"].code == "address_denied"
    assert "169.254.169.254" in result.errors["n"].message


@pytest.mark.parametrize("path", ["bytes/10485761", "bomb"])
async def test_an_answer_over_the_limit_is_refused_unpacked_too(
    site: Site, run_node: RunNode, path: str
) -> None:
    result = await run_node("http.request", url=f"{site.base}/{path}")
    assert result.errors["n"].code == "response_too_large"
    assert result.errors["n"].details["limit"] == MAX_BYTES


async def test_a_slow_server_is_given_up_and_a_broken_connection_told(
    site: Site, run_node: RunNode
) -> None:
    slow = await run_node("http.request", url=f"{site.base}/slow", timeout=0.05, retries=0)
    assert slow.errors["n"].code == "timeout"
    cut = await run_node("http.request", url=f"{site.base}/cut", retries=0)
    assert cut.errors["n"].code == "unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org",
        "example.org",
        "http://",
        "http://example.org:port",
        "javascript:alert(1)",
    ],
)
async def test_what_is_no_http_url_is_refused(run_node: RunNode, url: str) -> None:
    assert (await run_node("http.request", url=url)).errors["n"].code == "invalid_url"


async def test_graphql_gives_data_and_errors_and_fails_without_data(
    site: Site, run_node: RunNode
) -> None:
    result = await run_node(
        "http.graphql", url=f"{site.base}/graphql", query="{ name }", variables={"name": "Ada"}
    )
    assert result.outputs["n"] == {"data": {"name": "Ada"}, "errors": [{"message": "half"}]}
    broken = await run_node("http.graphql", url=f"{site.base}/graphql", query="{ broken }")
    assert (broken.errors["n"].code, "no field broken" in broken.errors["n"].message) == (
        "graphql_errors",
        True,
    )
    none = await run_node("http.graphql", url=f"{site.base}/status/200", query="{ name }")
    assert none.errors["n"].code == "http_status"


DENIED = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "::127.0.0.1", "5f00::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", DENIED)
def test_private_addresses_are_denied_by_default(address: str) -> None:
    assert not Destinations().allows("somewhere.example", address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert Destinations().allows("example.org", address)


def test_the_operator_allows_hosts_domains_and_blocks() -> None:
    rule = Destinations.from_environment(
        {"SPELLWORK_HTTP_ALLOW": "db.internal, .corp.example,10.1.0.0/16, ::1"}
    )
    assert rule.allows("DB.internal.", "10.9.9.9")
    assert rule.allows("wiki.corp.example", "192.168.0.1")
    assert rule.allows("anything", "10.1.2.3")
    assert rule.allows("anything", "::1")
    assert not rule.allows("anything", "10.2.0.1")
    assert not rule.allows("evilcorp.example", "10.9.9.9")


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    port = httpx.URL(site.base).port
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        """Answer like a name server that changes its mind after the check."""
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    exchange = Exchange(
        Destinations(
            blocks=Destinations.from_environment({"SPELLWORK_HTTP_ALLOW": "127.0.0.1"}).blocks
        ),
        resolve=rebinding,
    )
    answer = await exchange.send(
        Request("GET", read_url(f"http://rebind.example:{port}/echo", {}), {})
    )
    assert asked == ["rebind.example"]
    assert json.loads(answer.body)["headers"]["host"] == f"rebind.example:{port}"
    with pytest.raises(AddressDenied):
        await exchange.send(Request("GET", read_url(f"http://rebind.example:{port}/echo", {}), {}))


class Script:
    """Gives these answers in turn."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.statuses = list(statuses)
        self.headers = headers or {}

    async def send(self, request: Request) -> Answer:
        return Answer(str(request.url), self.statuses.pop(0), self.headers, b"", "utf-8")


@pytest.mark.parametrize(
    ("method", "statuses", "headers", "status", "tries"),
    [
        ("GET", [500, 502, 200], {}, 200, 3),
        ("GET", [500, 500, 500], {}, 500, 3),
        ("POST", [500, 200], {}, 500, 1),
        ("POST", [429, 200], {"retry-after": "3"}, 200, 2),
        ("GET", [404, 200], {}, 404, 1),
        ("GET", [503, 200], {"retry-after": "3600"}, 503, 1),
    ],
)
async def test_only_what_may_be_repeated_is_tried_again(
    method: str, statuses: list[int], headers: dict[str, str], status: int, tries: int
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    request = Request(method, read_url("http://example.org", {}), {})
    deferred: list[float] = []
    answer = await send_with_retries(
        Script(*statuses, headers=headers),
        request,
        2,
        log=lambda text: None,
        defer=deferred.append,
        sleep=sleep,
    )
    assert (answer.status, len(waits) + 1) == (status, tries)
    assert deferred == [float(value) for value in headers.values()]
    assert all(0 < wait <= MAX_WAIT for wait in waits)
    if "retry-after" in headers and waits:
        assert waits == [3.0]


def test_retry_after_is_seconds_or_a_date() -> None:
    now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    assert retry_after("5") == 5.0
    assert retry_after("Thu, 01 Jan 2026 12:00:30 GMT", now=now) == 30.0
    assert retry_after("Thu, 01 Jan 2026 11:00:00 GMT", now=now) == 0.0
    assert retry_after("soon") is None
    assert retry_after(None) is None


@pytest.mark.rule("14.9")
@pytest.mark.parametrize(
    ("inputs", "host"),
    [({"url": "https://Example.org:8/x"}, "example.org"), ({"url": "nowhere"}, None), ({}, None)],
)
def test_the_provider_of_a_request_is_the_host_that_it_asks(
    inputs: dict[str, Any], host: str | None
) -> None:
    assert host_of(inputs) == host


def test_errors_show_no_credentials() -> None:
    error: Any = RequestError("http://user:pass@example.org/path?key=secret", "failed")
    assert error.message == "http://example.org/path: failed"
