"""A running server keeps its secrets from the cells that it runs, and says how."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess

KEY = "sk-only-the-server-knows-this"
ADA = "ada@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("server")
    with ServerProcess(data, environment={"SPELLWORK_OPENAI_API_KEY": KEY}) as running:
        running.add_user(ADA, "correct horse 7")
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.api_key(ADA)


def run(server: ServerProcess, token: str, code: str) -> dict[str, Any]:
    spell = {
        "schema": 1,
        "name": "Attack",
        "nodes": {"cell": {"type": "code.python", "code": code}},
    }
    with server.http(token) as http:
        answer = http.post("/v1/runs", json={"spell": spell, "wait": 60})
    assert answer.status_code < 300, answer.text
    body: dict[str, Any] = answer.json()
    return body


def workers(server: ServerProcess, token: str) -> dict[str, Any]:
    """Return what health says of the workers once one has started; skip where it is not all."""
    run(server, token, "1")
    with server.http(token) as http:
        found: dict[str, Any] = http.get("/healthz").json()["parts"]["workers"]
    if not (found["files"] and found["network"] and found["signals"]):
        assert found["reason"] in server.log
        if os.environ.get("CI") == "true":
            pytest.fail(found["reason"], pytrace=False)
        pytest.skip(found["reason"])
    return found


def test_health_says_what_is_closed_and_the_log_has_no_warning(
    server: ServerProcess, token: str
) -> None:
    found = workers(server, token)
    assert {"files": True, "network": True, "signals": True}.items() <= found.items()
    assert {"rlimits", "seccomp"} <= set(found["layers"])
    assert not set(found["layers"]) & set(found["absent"])
    assert "can reach" not in server.log


@pytest.mark.parametrize(
    "code",
    [
        "open('{data}/secret.key').read()",
        "open('{data}/spellwork.db', 'rb').read(16)",
        "import os\nos.listdir('{data}')",
        "open('{data}/secret.key', 'w')",
        "open('/proc/{pid}/environ').read()",
        "open('/proc/{pid}/mem', 'rb')",
        "import os\nos.listdir('/proc/{pid}/fd')",
        "import os\nos.kill({pid}, 15)",
        "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
        "import urllib.request\nurllib.request.urlopen('{url}/healthz')",
    ],
)
def test_a_cell_cannot_reach_the_server_that_runs_it(
    server: ServerProcess, token: str, code: str
) -> None:
    workers(server, token)
    assert Path(f"{server.data}/secret.key").is_file()
    assert Path(f"{server.data}/spellwork.db").is_file()
    places = {"data": server.data, "pid": server.pid, "port": server.port, "url": server.url}
    body = run(server, token, code.format_map(places))
    message = body["errors"]["cell"]["message"]
    assert "code in a worker reaches no files" in message or "was not granted" in message
    assert KEY not in str(body)
    assert run(server, token, "40 + 2")["status"] == "completed"
