"""The server is served on uvloop, so its tests run on it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run async tests on uvloop."""
    return "asyncio", {"use_uvloop": True}
