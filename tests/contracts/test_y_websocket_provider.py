"""The standard y-websocket provider from npm syncs a canvas, and does what is sensible when it is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess
from tools import client

pytestmark = pytest.mark.requires("node")

PROVIDER = Path(__file__).with_name("provider.mjs")
OTHER = "grace@example.org"


@pytest.fixture(scope="session")
def other(server: ServerProcess) -> str:
    server.add_user(OTHER, "correct horse 8")
    return server.api_key(OTHER)


def shared(server: ServerProcess, key: str, role: str) -> str:
    """Make a canvas on which somebody else has a role."""
    with server.http(key) as http:
        canvas = http.post("/v1/canvases", json={"name": "For providers"}).json()["id"]
        member = {"email": OTHER, "role": role}
        http.put(f"/v1/canvases/{canvas}/members", json=member).raise_for_status()
    return str(canvas)


def drive(server: ServerProcess, scenario: str, canvas: str, *tokens: str) -> dict[str, Any]:
    """Run a scenario, restarting the server where it asks for that; return its result."""
    client.install()
    command = [client.node(), str(PROVIDER), str(client.CLIENT), scenario, server.url, canvas]
    with subprocess.Popen(
        [*command, *tokens], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        result: dict[str, Any] = {}
        for line in node.stdout:
            result = json.loads(line)
            if result.get("restart"):
                server.kill()
                server.start()
                node.stdin.write("\n")
                node.stdin.flush()
    assert node.returncode == 0
    return result


@pytest.mark.rule("Y1", "Y5", "Y11")
def test_two_providers_and_the_server_have_one_canvas(
    server: ServerProcess, key: str, other: str
) -> None:
    canvas = shared(server, key, "editor")
    result = drive(server, "sync", canvas, key, other)
    assert result["nodes"]["a"]["code"] == "1 + x * 21 é😀"
    assert result["person"]["cursor"] == [3, 4]
    assert result["person"]["user"]["name"] != "Not me"
    assert result["closes"] == []
    with server.http(key) as http:
        spell = http.get(f"/v1/canvases/{canvas}/spell").json()
    assert spell["nodes"]["a"]["code"] == "1 + x * 21 é😀"


@pytest.mark.rule("Y4", "Y12", "R1")
def test_a_provider_outlives_a_server_that_is_killed(
    server: ServerProcess, key: str, other: str
) -> None:
    result = drive(server, "restart", shared(server, key, "editor"), key, other)
    assert result == {"nodes": ["before", "offline"], "closed": None}


@pytest.mark.rule("Y6", "Y7", "Y8")
def test_a_provider_of_a_viewer_follows_until_it_edits_and_does_not_come_back(
    server: ServerProcess, key: str, other: str
) -> None:
    result = drive(server, "viewer", shared(server, key, "viewer"), key, other)
    assert result["closed"]["code"] == 4403
    assert result["closed"]["reason"].startswith("forbidden: ")
    assert "You may not edit this canvas" in result["warnings"][0]
    assert result["reconnections"] == 0
    assert result["nodes"] == ["a", "c"]


@pytest.mark.rule("Y8", "U2", "U5", "U7")
def test_what_a_canvas_does_not_take_ends_one_provider_for_good(
    server: ServerProcess, key: str, other: str
) -> None:
    result = drive(server, "refused", shared(server, key, "editor"), key, other)
    reasons = [each["reason"].partition(":")[0] for each in result["closed"]]
    assert [each["code"] for each in result["closed"]] == [4422] * 3
    assert reasons == ["update_invalid", "schema_violation", "update_invalid"]
    assert result["code"] == "ab😀cd"
    assert result["closes"] == []


@pytest.mark.rule("Y3")
def test_a_provider_with_a_wrong_token_does_not_hammer(
    server: ServerProcess, key: str, other: str
) -> None:
    result = drive(server, "stranger", shared(server, key, "editor"), "wrong")
    assert result["connections"] <= 6
    assert (result["closed"], result["synced"]) == (None, False)
    assert "wrong" not in server.log
