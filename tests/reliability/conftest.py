"""Data that is made once: Ada's and Bob's accounts, with keys. Every test serves a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spellwork_server.commands.accounts import add_account, make_key
from spellwork_server.settings import Settings

from .served import UNUSED, People


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    settings = Settings(data=tmp_path_factory.mktemp("people") / "data")
    for name in ("ada", "bob"):
        email = f"{name}@example.org"
        add_account(settings, email, password="correct horse", role="member", name=name.title())
    keys = {
        key: make_key(settings, f"{owner}@example.org", key)
        for key, owner in (("ada", "ada"), ("bob", "bob"), *((key, "ada") for key in UNUSED))
    }
    return People(Path(settings.data), keys)
