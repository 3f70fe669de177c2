"""A server that is killed loses no version for good: it makes the missing one later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server_process import ServerProcess


def versions(client: httpx.Client, canvas: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/canvases/{canvas}/versions").json()["items"]
    return items


@pytest.mark.rule("H2")
def test_a_killed_server_makes_the_missing_version_when_the_canvas_is_opened(
    tmp_path: Path,
) -> None:
    with ServerProcess(tmp_path / "data") as server:
        server.add_user("ada@example.org", "correct horse 7")
        with server.http(server.api_key("ada@example.org")) as ada:
            spell = {"nodes": {"a": {"type": "core.value", "inputs": {"value": 1}}}}
            canvas = ada.post("/v1/canvases", json={"spell": spell}).json()["id"]
            server.kill()
            server.start()
            assert versions(ada, canvas) == []
            drawn = ada.get(f"/v1/canvases/{canvas}/spell").json()
            # Opened by that call; the version follows, and a saved one waits for it.
            saved = ada.post(f"/v1/canvases/{canvas}/versions", json={"name": "Saved"}).json()
            (version,) = versions(ada, canvas)
            assert version == saved
            assert [author["name"] for author in version["authors"]] == ["ada"]
            whole = ada.get(f"/v1/canvases/{canvas}/versions/{version['id']}").json()
            assert whole["spell"] == drawn
