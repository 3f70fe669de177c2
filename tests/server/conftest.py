"""The server is served on uvloop, so its tests run on it; and its passwords cost them little."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from argon2 import PasswordHasher

from spellwork_server.identity import passwords


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run async tests on uvloop."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def _passwords_that_cost_little() -> Iterator[None]:
    """Hash as the server does, with little memory and in one pass: what is slow on purpose proves nothing here."""
    light = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PasswordHasher", light)
        yield
