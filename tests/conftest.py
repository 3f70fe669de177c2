"""What every test shares: the event loop, and what happens when a part of the machine is missing."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest

from tests.parts import require
from tests.seeds import FACTOR

# What `make test` finds it finds each time, on every machine; `make soak` looks elsewhere each time.
hypothesis.settings.register_profile("spellwork", derandomize=FACTOR == 1, deadline=None)
hypothesis.settings.load_profile("spellwork")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run async tests on asyncio's own loop; tests/server/conftest.py moves the server's to uvloop."""
    return "asyncio", {"use_uvloop": False}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Honour `@pytest.mark.requires("chromium", ...)` before any fixture is made."""
    for mark in item.iter_markers("requires"):
        for part in mark.args:
            require(part)
