"""Short words between the processes on one PostgreSQL database: LISTEN and NOTIFY, over a connection of their own.

A word may be lost with the connection; nothing may depend on it. It says where
to look, and what is there is read from the tables.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from .failures import translate
from .postgres import CONNECT_SECONDS

CHANNEL = "spellwork"

COMMAND_SECONDS = 10.0
"""How long the server has to take a word; after that the connection is taken to be lost."""

MAX_WORD = 7_000
"""Bytes of one word; PostgreSQL takes fewer than 8,000."""


class Line:
    """A connection on which words are heard and said."""

    def __init__(self, connection: Any, tell: Callable[[], None]) -> None:
        self.is_lost = False
        """Whether the connection is gone; ``tell`` is called then."""
        self._connection = connection
        self._tell = tell
        connection.add_termination_listener(self._lose)

    def _lose(self, _connection: Any) -> None:
        self.is_lost = True
        self._tell()

    async def say(self, word: str) -> None:
        """Say a word, at most MAX_WORD bytes, to all others and to oneself. Raises StoreUnavailable."""
        with translate():
            await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, word)


@asynccontextmanager
async def listening(
    url: URL, hear: Callable[[str], None], lost: Callable[[], None]
) -> AsyncIterator[Line]:
    """Have ``hear`` called with every word said from now on, and ``lost`` at the end. Raises StoreUnavailable."""
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "server_settings": {"application_name": "spellwork doorbell"},
            "timeout": CONNECT_SECONDS,
            "command_timeout": COMMAND_SECONDS,
        },
    )
    try:
        with translate():
            async with engine.connect() as conn:
                raw: Any = (await conn.get_raw_connection()).driver_connection
                line = Line(raw, lost)
                await raw.add_listener(CHANNEL, lambda *heard: hear(heard[-1]))
                yield line
    finally:
        await engine.dispose()
