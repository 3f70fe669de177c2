"""The server is served on uvloop, so its tests run on it; and its passwords and its many starts cost them little."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite as SQLite
from sqlalchemy.ext.asyncio import AsyncEngine

import spellwork.library
from spellwork_server.identity import passwords
from spellwork_server.services import models
from spellwork_server.storage.database import Database


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


@pytest.fixture(scope="session", autouse=True)
def _packs_that_are_looked_for_once() -> Iterator[None]:
    """Keep what is installed: hundreds of servers start here, and nothing is installed meanwhile."""
    found = cache(entry_points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spellwork.library, "entry_points", found)
        patch.setattr(models, "entry_points", found)
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_that_are_compiled_once() -> Iterator[None]:
    """Keep compiled statements from one SQLite database to the next, as a server keeps them for its own."""
    make = Database._make_engine
    kept: list[Any] = []

    def sharing(database: Database) -> AsyncEngine:
        engine = make(database)
        if database.is_sqlite:
            kept[:] = kept or [engine.sync_engine._compiled_cache]
            engine.sync_engine._compiled_cache = kept[0]
        return engine

    with pytest.MonkeyPatch.context() as patch:
        # A statement is kept for a dialect; those of two databases are alike.
        patch.setattr(SQLite, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(SQLite, "__hash__", lambda one: hash(type(one)))
        patch.setattr(Database, "_make_engine", sharing)
        yield
