"""Databases to run one contract over: a file, memory, and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from spellwork_server.storage.database import MEMORY, Database
from spellwork_server.storage.upgrade import upgrade
from tests.parts import require
from tests.real_servers import shared_postgres

KINDS = ("file", "memory", "postgres")


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Database]:
    """Give an empty database with all tables."""
    with placed(kind, folder) as url:
        async with Database(url) as database:
            if kind != "postgres":  # it is a copy of one that has them
                await upgrade(database)
            yield database


@contextmanager
def placed(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database of a kind; it is there as long as the block."""
    if kind != "postgres":
        yield MEMORY if kind == "memory" else f"sqlite+aiosqlite:///{folder / 'spellwork.db'}"
        return
    require("postgres")
    server = shared_postgres()
    name = server.migrated()
    try:
        yield server.url(name)
    finally:
        server.give_back(name)


@pytest.fixture(
    params=["file", pytest.param("postgres", marks=pytest.mark.requires("postgres"))],
)
def kept_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database that outlives whoever opens it: a file, then PostgreSQL."""
    with placed(request.param, tmp_path) as url:
        yield url
