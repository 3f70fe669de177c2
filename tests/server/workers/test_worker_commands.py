"""``spellwork worker list|start|stop|restart|logs`` steer the workers of a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from spellwork_server.cli import main
from tests.server.workers.test_workers import drawn
from tests.server_process import ServerProcess
from tests.workers.wheels import write_wheel


@pytest.mark.rule("W12", "W13")
def test_a_worker_is_steered_from_a_terminal(tmp_path: Path) -> None:
    write_wheel(tmp_path / "wheels", "spam")
    settings = {
        "SPELLWORK_NO_INDEX": "true",
        "SPELLWORK_FIND_LINKS": f'["{tmp_path / "wheels"}"]',
    }
    with ServerProcess(tmp_path / "data", environment=settings) as process:
        process.add_user("ada@example.org", "correct horse")
        key = process.api_key("ada@example.org")

        def call(*arguments: str, **variables: Any) -> Result:
            environment = {"SPELLWORK_URL": process.url, "SPELLWORK_TOKEN": key} | variables
            return CliRunner().invoke(main, ["worker", *arguments], env=environment)

        with process.http(key) as http:
            spell = drawn("import spam\nspam.VERSION", {"spam": ""})
            canvas = str(http.post("/v1/canvases", json={"spell": spell}).json()["id"])
        assert f"* {canvas}" in call("list", "--canvas", canvas).output
        assert call("list").output == ""
        assert "ready" in call("start", canvas).output
        assert " + spam==1.0" in call("logs", canvas).output
        assert "stopped" in call("stop", canvas).output
        assert "stopped" in call("list", "--canvas", canvas).output
        assert "ready" in call("restart", canvas).output
        unknown = call("stop", "nothing")
        assert unknown.exit_code == 2
        assert "not_found" in unknown.output
