"""Hosts and secrets that a canvas was granted: who gives them, what they open, and what they do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spellwork.workers.addresses import as_address, choose, is_public
from spellwork.workers.broker import not_granted
from spellwork_server.grants.hosts import HostPattern
from tests.server.services.house import Caller, House, house

pytestmark = pytest.mark.anyio

SECRET = "hunter2/hunter2+hunter2"

COVERED = [
    ("api.example.org", "api.example.org", 443, True),
    ("api.example.org", "api.example.org", 80, False),
    ("api.example.org:80", "api.example.org", 80, True),
    ("api.example.org:80", "api.example.org", 443, False),
    ("api.example.org", "api.example.org", 8080, False),
    ("API.example.org.", "api.example.org", 443, True),
    ("api.example.org:8080", "api.example.org", 8080, True),
    ("api.example.org:8080", "api.example.org", 443, False),
    ("*.example.org", "a.b.example.org", 443, True),
    ("*.example.org", "example.org", 443, False),
    ("*.example.org", "badexample.org", 443, False),
    ("example.org", "example.org.evil.net", 443, False),
    ("10.0.0.5:5432", "10.0.0.5", 5432, True),
    ("[2001:db8::1]:443", "2001:db8::1", 443, True),
    ("2001:DB8:0::1", "2001:db8::1", 443, True),
    ("bücher.example", "xn--bcher-kva.example", 443, True),
]


@pytest.mark.rule("K4")
@pytest.mark.parametrize(("granted", "host", "port", "covers"), COVERED)
def test_a_host_covers_what_it_says(granted: str, host: str, port: int, covers: bool) -> None:
    pattern = HostPattern.parse(granted)
    assert pattern.covers(host, port) is covers
    assert HostPattern.parse(str(pattern)) == pattern


@pytest.mark.rule("K4")
@pytest.mark.parametrize(
    ("host", "port", "grant"),
    [
        ("example.org", 443, "example.org"),
        ("example.org", 80, "example.org:80"),
        ("2001:db8::1", 443, "2001:db8::1"),
        ("2001:db8::1", 80, "[2001:db8::1]:80"),
    ],
)
def test_what_is_refused_names_the_grant_to_ask_for(host: str, port: int, grant: str) -> None:
    assert f"ask for the grant {grant!r}" in not_granted(host, port)
    assert HostPattern.parse(grant).covers(host, port)


@pytest.mark.rule("K4")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.org",
        "*.*.org",
        "a.*.org",
        "https://a.org",
        "a.org/path",
        "u@a.org",
        "a.org:0",
        "a.org:99999",
        "a.org:x",
        "a b",
        "a..b",
        "*.10.0.0.1",
        "[::1",
        "x" * 400,
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port|wide"):
        HostPattern.parse(text)


@pytest.mark.rule("19.8")
@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1%eth0",
        "198.18.0.1",
    ],
)
def test_what_is_not_public_is_not_connected_to_unless_it_was_named(text: str) -> None:
    address = as_address(text)
    assert address is not None
    assert not is_public(address)
    assert choose([text], None) is None
    assert choose([text], address) == address


def test_a_public_address_is_connected_to() -> None:
    assert str(choose(["10.0.0.1", "93.184.216.34"], None)) == "93.184.216.34"


@dataclass
class Site:
    """A small site: what it got, and what it answers."""

    port: int = 0
    got: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # whoever connected says nothing
            writer.close()
            return
        length = [line for line in head.split("\r\n") if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(length[0].split(":")[1])) if length else b""
        if "/page" in head:  # others may look whether a server of theirs is here
            self.got.append(head + body.decode())
        path = head.split(" ")[1].partition("?")[0]
        echo = json.dumps({"got": head + body.decode()})
        answer = self.answers.get(path) or (
            f"HTTP/1.1 200 OK\r\nX-Echo: {SECRET}\r\nContent-Length: {len(echo)}\r\n\r\n{echo}"
        )
        writer.write(answer.encode())
        await writer.drain()
        writer.close()


@dataclass
class Place:
    """An administrator, Ada with a canvas, and a site on this machine."""

    house: House
    admin: Caller
    ada: Caller
    canvas: str
    site: Site

    async def grant(self, **fields: Any) -> Any:
        answer = await self.admin.post(f"/v1/canvases/{self.canvas}/grants", fields)
        assert answer.status == 201, answer.body
        return answer.body

    async def run(self, code: str) -> dict[str, Any]:
        spell = {"schema": 1, "name": "C", "nodes": {"cell": {"type": "code.python", "code": code}}}
        assert (
            await self.ada.put(f"/v1/canvases/{self.canvas}/spell", {"spell": spell})
        ).status == 200
        answer = await self.ada.post("/v1/runs", {"canvas": self.canvas, "wait": 60})
        assert answer.status < 300, answer.body
        return dict(answer.body)

    async def failure(self, code: str) -> str:
        return str((await self.run(code))["errors"]["cell"]["message"])


@asynccontextmanager
async def place(folder: Path, **settings: Any) -> AsyncIterator[Place]:
    async with house(folder, **settings) as h:
        admin, ada = await h.person("root", role="admin"), await h.person("ada")
        canvas = (await ada.post("/v1/canvases", {"name": "C"})).body["id"]
        site = Site()
        server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
        async with server:
            site.port = server.sockets[0].getsockname()[1]
            yield Place(h, admin, ada, canvas, site)


@pytest.mark.rule("K3", "K5")
async def test_who_grants_what(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "spellwork_server.audit")
    async with place(tmp_path) as p:
        path = f"/v1/canvases/{p.canvas}/grants"
        assert (await p.ada.post(path, {"hosts": ["a.example.org"]})).code == "forbidden"
        grant = await p.grant(hosts=["A.example.org", "a.example.org"])
        assert grant["hosts"] == ["a.example.org"]
        assert (await p.admin.post(path, {"hosts": ["a.example.org"]})).code == "granted"
        assert (await p.admin.post(path, {"hosts": ["http://x"]})).code == "bad_request"
        listed = (await p.ada.get(path)).body
        assert ([each["hosts"] for each in listed["items"]], listed["may_grant"]) == (
            [["a.example.org"]],
            False,
        )
        assert "a.example.org" not in str((await p.ada.get(f"/v1/canvases/{p.canvas}/spell")).body)
        hers = (await p.ada.post("/v1/secrets", {"name": "hers", "value": SECRET})).body["id"]
        lent = await p.admin.post(path, {"hosts": ["a.example.org"], "secret": hers})
        assert lent.code == "not_found"
        assert (await p.admin.delete(f"{path}/{grant['id']}")).status == 200
        assert (await p.ada.get(path)).body["items"] == []
    said = [record.getMessage() for record in caplog.records if record.name.endswith("audit")]
    assert [f"canvas {p.canvas}" in line and "a.example.org" in line for line in said] == [True] * 2


@pytest.mark.rule("K3")
async def test_owners_grant_where_the_operator_lets_them_but_nothing_private(
    tmp_path: Path,
) -> None:
    async with place(tmp_path, grants_by="owners") as p:
        path = f"/v1/canvases/{p.canvas}/grants"
        assert (await p.ada.post(path, {"hosts": ["a.example.org"]})).status == 201
        assert (await p.ada.get(path)).body["may_grant"] is True
        assert (await p.ada.post(path, {"hosts": ["127.0.0.1:80"]})).code == "forbidden"


@pytest.mark.rule("K1")
async def test_a_secrets_value_is_told_to_nobody(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        made = await p.ada.post("/v1/secrets", {"name": "example", "value": SECRET})
        again = await p.ada.post("/v1/secrets", {"name": "example", "value": SECRET})
        of_canvas = {"name": "example", "value": SECRET, "canvas": p.canvas}
        theirs = await p.ada.post("/v1/secrets", of_canvas)
        found = await p.ada.get("/v1/secrets")
        listed = await p.ada.get(f"/v1/secrets?canvas={p.canvas}")
        path = f"/v1/secrets/{made.body['id']}"
        replaced = await p.ada.put(path, {"value": "another"})
        wrong = await p.ada.post("/v1/secrets", {"name": "no spaces", "value": SECRET})
        assert (again.code, wrong.code) == ("name_taken", "bad_request")
        assert [each["name"] for each in found.body["items"]] == ["example"]
        assert [each["id"] for each in listed.body["items"]] == [theirs.body["id"]]
        assert replaced.body["updated_at"] >= made.body["updated_at"]
        for answer in (made, again, theirs, found, listed, replaced, wrong):
            assert SECRET not in str(answer.body)
        assert SECRET.encode() not in b"".join(
            file.read_bytes()
            for file in tmp_path.rglob("*")  # noqa: ASYNC240 - a handful of small files
            if file.is_file()
        )
        assert (await p.ada.delete(path)).status == 200
        assert (await p.ada.get("/v1/secrets")).body["items"] == []


FETCH = (
    "import urllib.request\nurllib.request.urlopen('http://{host}:{port}/page', timeout=20).status"
)


@pytest.mark.rule("19.8", "19.9", "K5")
async def test_a_granted_host_is_reached_until_it_is_taken_back(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        fetch = FETCH.format(host="127.0.0.1", port=p.site.port)
        refused = await p.failure(fetch)
        assert f"127.0.0.1:{p.site.port}" in refused
        assert "administrator" in refused
        assert p.site.got == []
        grant = await p.grant(hosts=[f"127.0.0.1:{p.site.port}"])
        assert (await p.run(fetch))["outputs"]["cell"]["result"] == 200
        # a name that leads to the same place is another host; granted, it leads to what is private
        await p.grant(hosts=[f"localhost:{p.site.port}"])
        by_name = await p.failure(fetch.replace("127.0.0.1", "localhost"))
        assert "private address" in by_name
        await p.admin.delete(f"/v1/canvases/{p.canvas}/grants/{grant['id']}")
        assert "was not granted" in await p.failure(fetch + "\n")
        assert len(p.site.got) == 1


CLIENTS = {
    "httpx": "import httpx\nhttpx.get(url).status_code",
    "httpx, asynchronous": "import httpx\nasync with httpx.AsyncClient() as _c:\n    status = (await _c.get(url)).status_code\nstatus",
    "asyncio": "import asyncio\n_r, _w = await asyncio.open_connection('127.0.0.1', port)\n_w.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\nint((await _r.readline()).split()[1])",
    "http.client": "import http.client\n_c = http.client.HTTPConnection('127.0.0.1', port, timeout=20)\n_c.request('GET', '/')\n_c.getresponse().status",
    "aiohttp": "import aiohttp\nasync with aiohttp.ClientSession() as _s, _s.get(url) as _r:\n    status = _r.status\nstatus",
    "a socket": "import socket\n_s = socket.create_connection(('127.0.0.1', port), 20)\n_s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\nint(_s.recv(99).split()[1])",
}

ESCAPES = {
    "connect it elsewhere": "import ctypes, socket\n_s = socket.create_connection(('127.0.0.1', port))\n"
    "_c = ctypes.CDLL(None, use_errno=True)\n"
    "_c.connect(_s.fileno(), b'\\0' * 16, 16) == -1 and ctypes.get_errno()",
    "listen": "import socket\ntry:\n    socket.create_server(('127.0.0.1', 0))\n    said = 0\nexcept PermissionError as error:\n    said = error.errno\nsaid",
}


@pytest.mark.rule("19.8", "19.9")
async def test_the_usual_clients_connect_and_a_connection_leads_nowhere_else(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        await p.grant(hosts=[f"127.0.0.1:{p.site.port}"])
        given = f"port = {p.site.port}\nurl = 'http://127.0.0.1:{p.site.port}/page'\n"
        for name, code in CLIENTS.items():
            body = await p.run(given + code)
            assert body["outputs"].get("cell", {}).get("result") == 200, (name, body["errors"])
        for name, code in ESCAPES.items():
            body = await p.run(given + code)
            assert body["outputs"].get("cell", {}).get("result") == 1, (name, body)


REQUEST = """
import spellwork_cell
_r = spellwork_cell.request(
    "POST", "{url}", headers={{"Authorization": "Bearer {{{{secret.example}}}}"}}, params={{"k": "{{{{secret.example}}}}"}},
    json={{"token": "{{{{ secret.example }}}}"}},
)
told = [_r.status, _r.text, dict(_r.headers), _r.url]
"""


@pytest.mark.rule("19.10", "K6")
async def test_a_request_with_a_secret_is_made_by_the_server_and_comes_back_without_it(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as p:
        url = f"http://127.0.0.1:{p.site.port}/page"
        code = REQUEST.format(url=url)
        assert "was not granted a secret 'example'" in await p.failure(code)
        theirs = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", theirs)).body["id"]
        await p.grant(hosts=[f"127.0.0.1:{p.site.port}"], secret=secret)
        body = await p.run(code)
        status, text, headers, _ = body["outputs"]["cell"]["told"]
        assert status == 200, body
        (got,) = p.site.got
        assert f"Authorization: Bearer {SECRET}" in got
        assert json.dumps({"token": SECRET}) in got
        assert "k=hunter2" in got
        assert "Bearer ***" in text
        assert headers["X-Echo"] == "***"
        assert "hunter2" not in str(body)
        events = await p.ada.get(f"/v1/runs/{body['id']}/events")
        assert "hunter2" not in str(events.body)


@pytest.mark.rule("K6")
async def test_a_secret_goes_to_no_other_host(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        theirs = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", theirs)).body["id"]
        other = f"127.0.0.1:{p.site.port}"
        await p.grant(hosts=["api.example.org"], secret=secret)
        await p.grant(hosts=[other])  # code may reach it: the secret still may not go there
        refused = await p.failure(REQUEST.format(url=f"http://{other}/page"))
        assert f"may not go to {other}; it was granted for: api.example.org" in refused
        plain = f"import spellwork_cell\nspellwork_cell.request('GET', 'http://{other}/')"
        assert "holds no {{secret.NAME}}" in await p.failure(plain)
        assert p.site.got == []


@pytest.mark.rule("K6")
async def test_a_redirect_is_followed_on_the_same_host_alone(tmp_path: Path) -> None:
    async with place(tmp_path) as p:
        host = f"127.0.0.1:{p.site.port}"
        theirs = {"name": "example", "value": SECRET, "canvas": p.canvas}
        secret = (await p.ada.post("/v1/secrets", theirs)).body["id"]
        await p.grant(hosts=[host], secret=secret)
        for path, target in (
            ("/page/here", "/page"),
            ("/page/away", f"http://localhost:{p.site.port}/page"),
        ):
            p.site.answers[path] = (
                f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
            )
        here = (await p.run(REQUEST.format(url=f"http://{host}/page/here")))["outputs"]["cell"][
            "told"
        ]
        assert here[0] == 200
        before = len(p.site.got)
        away = (await p.run(REQUEST.format(url=f"http://{host}/page/away")))["outputs"]["cell"][
            "told"
        ]
        assert away[0] == 302
        assert len(p.site.got) == before + 1
