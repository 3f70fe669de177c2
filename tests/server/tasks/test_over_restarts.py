"""Tasks outlive the process: asked, killed, started, answered (SPEC P1, P5)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_process import ServerProcess

from .desk import approval, spell


def wait_for(client: httpx.Client, path: str, done: Any) -> Any:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        body = client.get(path).json()
        if done(body):
            return body
        time.sleep(0.02)
    raise AssertionError(f"{path}: {body}")


@pytest.mark.rule("P1", "P5")
def test_a_run_that_asked_before_a_crash_takes_the_answer_after_it(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        server.add_user("ada@example.org", "correct horse")
        token = server.api_key("ada@example.org")
        with server.http(token) as client:
            runs = []
            for asking in (
                approval(),
                spell("people.choice", {"options": ["A"], "due": 1}, "choice"),
            ):
                canvas = client.post("/v1/canvases", json={"name": "C", "spell": asking}).json()[
                    "id"
                ]
                run = client.post("/v1/runs", json={"canvas": canvas}).json()["id"]
                wait_for(client, f"/v1/runs/{run}", lambda body: body["status"] == "waiting")
                runs.append(run)
            task = client.get(f"/v1/tasks?run={runs[0]}").json()["items"][0]
        server.kill()
        server.start()
        with server.http(token) as client:
            again = client.get(f"/v1/tasks?run={runs[0]}").json()["items"]
            assert [each["id"] for each in again] == [task["id"]]
            answer = {"answer": {"approved": True, "comment": "after the crash"}}
            assert client.post(f"/v1/tasks/{task['id']}/answer", json=answer).status_code == 200
            ended = [
                wait_for(client, f"/v1/runs/{run}", lambda body: body["status"] == "completed")
                for run in runs
            ]
            assert ended[0]["outputs"]["ask"]["comment"] == "after the crash"
            assert ended[0]["outputs"]["z"] == {"value": {"sum": 12}}
            assert ended[1]["errors"]["ask"]["code"] == "not_answered"
            events = client.get(f"/v1/runs/{runs[0]}/events").json()["events"]
            started = [each["node"] for each in events if each["kind"] == "node.started"]
            assert started.count("a") == 1
            assert len([each for each in events if each["kind"] == "node.waiting"]) == 1
