"""What is PostgreSQL's own: how it is reached, and how writers take turns there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

DRIVER = "postgresql+asyncpg"

NAMES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
"""What a URL may begin with."""

WRITERS = 0x5370_656C_6C77  # "Spellw"
"""The advisory lock that whoever writes holds until the end of the transaction."""

SESSION = {
    "application_name": "spellwork",
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
}
"""Settings of every connection. What is acknowledged is on disk; a process that stands still in the middle of a
transaction loses it, so that it holds nobody else up for long (see also ``turns``), and one whose machine is gone
after 30 s."""

COMMAND_SECONDS = 120.0
"""How long one statement may take before the server is taken to be gone."""

CONNECT_SECONDS = 10.0
POOL_SECONDS = 10.0
RECYCLE_SECONDS = 1_800


def driver_url(url: URL) -> URL:
    """Return a URL as our driver reads it, of one as PostgreSQL's own programs take it."""
    query = dict(url.query)
    mode = query.pop("sslmode", None)
    if mode is not None:
        query["ssl"] = mode
    return url.set(drivername=DRIVER, query=query)


def make_engine(url: URL, connections: int) -> AsyncEngine:
    """Return an engine with at most ``connections`` to the server; none is opened yet."""
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={
            "server_settings": SESSION,
            "command_timeout": COMMAND_SECONDS,
            "timeout": CONNECT_SECONDS,
        },
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def take_turn(connection: Connection) -> None:
    """Wait until no other process writes; the turn ends with the transaction.

    With it whoever writes sees all that was written before, as on SQLite: what is looked up
    first and written then needs no retry, and no two writers wait for each other.
    """
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _replace_closed(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Have a connection that the server closed meanwhile replaced before it is used."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server closed the connection")
