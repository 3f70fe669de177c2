"""Data that is made once: Ada's and Bob's accounts, with a key each. Every test serves a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spellwork_server.commands.accounts import add_account, make_key
from spellwork_server.settings import Settings

from .served import People


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    settings = Settings(data=tmp_path_factory.mktemp("people") / "data")
    keys = {}
    for name in ("ada", "bob"):
        email = f"{name}@example.org"
        add_account(settings, email, password="correct horse", role="member", name=name.title())
        keys[name] = make_key(settings, email, "test")
    return People(Path(settings.data), keys)
