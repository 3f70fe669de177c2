"""One real server for the tests of the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server_process import ServerProcess

EMAIL = "ada@example.org"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("server") / "data") as process:
        process.add_user(EMAIL, "correct horse 7")
        yield process


@pytest.fixture(scope="session")
def key(server: ServerProcess) -> str:
    return server.api_key(EMAIL)
