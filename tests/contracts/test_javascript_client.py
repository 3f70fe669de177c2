"""The official socket.io-client of JavaScript drives the server, and gets every event once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.client.spells import HELLO
from tests.server_process import ServerProcess
from tools import client

DRIVER = Path(__file__).with_name("drive.mjs")


def drive(server: ServerProcess, token: str) -> dict[str, Any]:
    client.install()
    result = subprocess.run(
        [client.node(), str(DRIVER), server.url, token, str(client.CLIENT)],
        input=json.dumps(HELLO),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(result.stdout))


@pytest.mark.requires("node")
def test_the_official_client_runs_a_spell_and_hears_of_every_node(
    server: ServerProcess, key: str
) -> None:
    answer = drive(server, key)
    assert "failure" not in answer, answer
    events = answer["events"]
    assert events[0]["kind"] == "run.started"
    done = {each["node"]: each["outputs"] for each in events if each["kind"] == "node.done"}
    assert done["b"]["result"] == 42


@pytest.mark.requires("node")
def test_the_official_client_is_told_why_it_is_refused(server: ServerProcess) -> None:
    answer = drive(server, "not a token")
    assert answer["refused"]["data"]["code"] == "token_invalid"
