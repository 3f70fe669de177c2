"""The database: one engine, many readers, one writer at a time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, StaticPool

from . import postgres
from .bulk import to_text
from .failures import translate
from .insertion import Insertion
from .writer_thread import WriterThread

logger = logging.getLogger(__name__)

MEMORY = "sqlite+aiosqlite:///:memory:"
"""A database that lives and dies with its ``Database``; for tests."""

WRITE = "spellwork_write"
"""Execution option of a connection whose transaction will write."""

WAL = "PRAGMA journal_mode=WAL"

WAL_ATTEMPTS = 20
"""How often others may be in between who open a fresh file at the same moment."""

PRAGMAS = (
    WAL,
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)

PAGE_CACHE = -2000
"""Memory of a connection's page cache as ``PRAGMA cache_size`` has it: SQLite's own default, 2 MB."""

DRIVER_TIMEOUT = 5.0
"""Seconds that Python's driver waits for a database which another process holds, unless told."""

CONNECTIONS = 10
"""Connections to a PostgreSQL server, unless told."""


Job = Callable[[AsyncConnection], Awaitable[Any]]
"""Writes through the connection it is given."""


class UnknownDatabase(ValueError):
    """The URL is of a database that there is no storage on."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no storage on {name!r}: the database is a sqlite+aiosqlite:///FILE or a"
            " postgresql://USER:PASSWORD@HOST/DATABASE"
        )


class Database:
    """An SQL database as an async context manager.

    ``read`` gives a consistent snapshot, ``write`` a transaction that commits
    when its block ends. Writers take turns under a lock, because SQLite has
    one writer and a waiting coroutine is cheaper than a busy loop in SQLite;
    on PostgreSQL those of other processes do, too, under a lock of the server.
    Blocks must not be nested in one task: an in-memory database has a single
    connection, which readers share with the writer.

    Raises StoreUnavailable where the store itself fails (full, locked, gone);
    other SQL errors are bugs or conflicts and pass through. A SQLite database
    that another process holds is waited for 5 s, which is the driver's own
    default; ``?timeout=SECONDS`` in the URL says otherwise. PostgreSQL is
    reached over ``connections`` at most. Raises UnknownDatabase for others.
    """

    def __init__(self, url: str, *, connections: int = CONNECTIONS) -> None:
        self.url = _known(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._connections = connections
        self.in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self._lock = asyncio.Lock()
        self._engine = self._make_engine()
        self._reader = self._engine
        if not self.is_sqlite:
            self._reader = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writer = self._engine.execution_options(**{WRITE: True})
        self._thread = self._make_thread()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            await self._thread.close()
        await self._engine.dispose()

    @property
    def engine(self) -> AsyncEngine:
        """The engine underneath; for migrations and checks."""
        return self._engine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that reads one consistent state; nothing written on it is kept."""
        async with AsyncExitStack() as stack:
            if self.in_memory:
                await stack.enter_async_context(self._lock)
            with translate():
                conn = await stack.enter_async_context(self._reader.connect())
                yield conn

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction: committed at the end, rolled back on any error."""
        async with self._lock:
            with translate():
                async with self._writer.begin() as conn:
                    yield conn

    async def carry_out(
        self, jobs: Sequence[Job], durable: Callable[[list[Any]], None] = lambda _results: None
    ) -> list[Any]:
        """Call jobs in one transaction and return what they returned; like ``write``, for a SQLite file at a fraction of its cost.

        There they are called in another thread, and may wait for nothing but the connection they are given.
        ``durable`` is called with what they returned as soon as it is, a turn of the loop before this returns.
        """
        if self._thread is None:
            async with self.write() as conn:
                results = [await job(conn) for job in jobs]
            durable(results)
            return results
        async with self._lock:
            # What comes in the meantime goes along, so it is asked for here and not before.
            work = [
                (job.statement, job.rows()) if isinstance(job, Insertion) else job for job in jobs
            ]
            meanwhile = [
                job.meanwhile
                for job in jobs
                if isinstance(job, Insertion) and job.meanwhile is not None
            ]
            if not any(each if callable(each) else each[1] for each in work):
                nothing = [None] * len(jobs)
                durable(nothing)
                return nothing
            with translate():
                return await self._thread.write(work, meanwhile, durable)

    def _make_thread(self) -> WriterThread | None:
        if not self.is_sqlite or self.in_memory:
            return None
        timeout = float(str(self.url.query.get("timeout", DRIVER_TIMEOUT)))
        engine = create_engine(
            URL.create("sqlite", database=self.url.database),
            json_serializer=to_text,
            poolclass=NullPool,
            connect_args={"timeout": timeout, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "connect", _lengthen_wal)
        return WriterThread(engine)

    def _make_engine(self) -> AsyncEngine:
        if not self.is_sqlite:
            engine = postgres.make_engine(self.url, self._connections)
            event.listen(engine.sync_engine, "begin", _begin_postgres)
            return engine
        options: dict[str, Any] = {"json_serializer": to_text}
        if self.in_memory:
            options["poolclass"] = StaticPool
        engine = create_async_engine(self.url, **options)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine


def _known(url: str) -> URL:
    """Return the URL of a database that there is storage on. Raises UnknownDatabase for any other."""
    made = make_url(url)
    if made.drivername in postgres.NAMES:
        return postgres.driver_url(made)
    if made.drivername != "sqlite+aiosqlite":
        raise UnknownDatabase(made.drivername)
    return made


def _begin_postgres(connection: Connection) -> None:
    """Wait for the turn of a transaction that will write."""
    if connection.get_execution_options().get(WRITE, False):
        postgres.take_turn(connection)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Take transactions out of the driver's hands and set what durability needs."""
    connection.isolation_level = None
    cursor = connection.cursor()
    _begin_wal(cursor)
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_wal(cursor: DBAPICursor) -> None:
    """Turn a fresh file to WAL, which SQLite refuses at once while somebody else writes: wait for them, as for any write."""
    for _ in range(WAL_ATTEMPTS):
        try:
            cursor.execute(WAL)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return


def _lengthen_wal(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Make the WAL file at once as long as it gets before SQLite writes it from the start again.

    A commit that makes the file longer has its length written, too: with a short log
    each waits for the disk half as long again. What a transaction that is rolled back
    spilled into the file stays there, is not valid, and is written over.
    """
    cursor = connection.cursor()
    try:
        pages, page_bytes = (
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("wal_autocheckpoint", "page_size")
        )
        _, path = cursor.execute("SELECT seq, file FROM pragma_database_list").fetchone()
        lacks = pages * page_bytes - Path(f"{path}-wal").stat().st_size
        if lacks <= 0:
            return
        busy = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA cache_size=8")
        cursor.execute("PRAGMA busy_timeout=0")  # who comes to write waits long enough
        try:
            cursor.execute("BEGIN IMMEDIATE")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={busy}")
        cursor.execute("CREATE TABLE wal_filling (body BLOB)")
        cursor.execute("INSERT INTO wal_filling VALUES (zeroblob(?))", (lacks,))
    except (OSError, sqlite3.OperationalError):
        logger.debug("the WAL stays as short as it is", exc_info=True)
    finally:
        if connection.in_transaction:
            cursor.execute("ROLLBACK")
        cursor.execute(f"PRAGMA cache_size={PAGE_CACHE}")
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a writer at once where a write will follow.

    A deferred transaction that turns into a writer fails with SQLITE_BUSY
    without waiting when another process wrote in between.
    """
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
