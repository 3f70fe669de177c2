"""The server as a process: what it prints, that it is quick, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from spellwork_server.serve import is_loopback
from tests.server_process import ServerProcess, free_port


def link_in(log: str) -> str:
    return str(re.findall(r"(http://\S+/#/link/\S+)", log)[-1])


def test_the_first_start_prints_a_link_that_signs_the_administrator_in_once(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        link = link_in(server.log)
        assert link.startswith(f"{server.url}/#/link/")
        assert f"Spellwork is ready at {server.url}\n" in server.log
        token = link.rpartition("/")[2]
        with httpx.Client(base_url=server.url) as browser:
            answer = browser.post("/v1/auth/link", json={"token": token})
            assert answer.json()["user"]["email"] == "admin@localhost"
            names = [each["name"] for each in browser.get("/v1/canvases").json()["items"]]
            assert names == ["Penguins"]
            assert browser.post("/v1/auth/link", json={"token": token}).status_code == 401
            server.stop()
            server.start()
            assert link_in(server.log) != link, "nobody has a password yet: there is a new link"
            assert len(browser.get("/v1/canvases").json()["items"]) == 1
            browser.put("/v1/auth/password", json={"password": "correct horse"})
        server.stop()
        before = server.log.count("/#/link/")
        server.start()
        assert server.log.count("/#/link/") == before


def test_accounts_and_keys_are_made_before_and_while_it_runs(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.command("user", "add", "ada@example.org", "--password", "correct horse")
    early = server.command("token", "ada@example.org")
    with server:
        server.add_user("grace@example.org", "correct horse", role="admin")
        late = server.api_key("grace@example.org")
        for key, email, role in (
            (early, "ada@example.org", "member"),
            (late, "grace@example.org", "admin"),
        ):
            with server.http(key) as client:
                me = client.get("/v1/auth/me").json()
                assert (me["email"], me["role"]) == (email, role)


def test_what_was_acknowledged_is_there_after_a_stop_and_after_a_kill(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    server.add_user("ada@example.org", "correct horse")
    key = server.api_key("ada@example.org")
    spell = {"nodes": {"a": {"type": "core.value", "inputs": {"value": 1}}}}
    with server, server.http(key) as client:
        path = "/v1/canvases/" + client.post("/v1/canvases", json={"spell": spell}).json()["id"]
        server.stop()
        server.start()
        assert client.get(f"{path}/spell").json()["nodes"] == spell["nodes"]
        spell["nodes"]["b"] = {"type": "core.value", "inputs": {"value": 2}}
        assert client.put(f"{path}/spell", json=spell).status_code == 200
        server.kill()
        server.start()
        assert client.get(f"{path}/spell").json()["nodes"] == spell["nodes"]


def test_a_stop_by_signal_ends_well_and_at_once(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        begun = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        assert server._process is not None
        assert server._process.wait(60) == 0
        assert time.monotonic() - begun < 20
        assert "Traceback" not in server.log


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "spellwork_server",
                "serve",
                "--port",
                port,
                "--data",
                str(tmp_path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert "Cannot listen" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("spells.lan", False),
    ],
)
def test_loopback_is_told_from_the_world(host: str, verdict: bool) -> None:
    assert is_loopback(host) is verdict
