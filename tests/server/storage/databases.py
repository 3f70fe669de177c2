"""Databases to run one contract over: a file, and memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from spellwork_server.storage.database import MEMORY, Database
from spellwork_server.storage.upgrade import upgrade

KINDS = ("file", "memory")


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Database]:
    """Give an empty database with all tables."""
    url = MEMORY if kind == "memory" else f"sqlite+aiosqlite:///{folder / 'spellwork.db'}"
    async with Database(url) as database:
        await upgrade(database)
        yield database
