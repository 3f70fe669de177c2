"""Jobs of a group commit that only add rows, and the thread that writes them without detours.

Most commits are a few rows of one canvas's log. Through SQLAlchemy and its
bridge to threads such a commit costs five to ten times what SQLite takes for
it: begin, cursor, statement, commit and reset each go to a thread and back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import insert_many, insert_statement

Rows = Sequence[tuple[Any, ...]]

SQLITE = sqlite.dialect()


class Insertion:
    """A job that adds rows to one table, in the order of ``names``.

    ``rows`` is called when the transaction begins, so that what came meanwhile
    goes along; called again after a rollback, it must give the same. None is
    an answer: nothing is written then.
    """

    def __init__(self, table: Table, names: tuple[str, ...], rows: Callable[[], Rows]) -> None:
        self.rows = rows
        self._table = table
        self._names = names

    @property
    def statement(self) -> str:
        """The statement for SQLite's own driver."""
        return insert_statement(SQLITE, self._table, self._names)

    async def __call__(self, conn: AsyncConnection) -> None:
        """Write through SQLAlchemy, in a transaction shared with other jobs."""
        await insert_many(conn, self._table, self._names, self.rows())


class Appender:
    """Writes rows to a SQLite file over a connection and a thread of its own. One call at a time.

    Raises what ``sqlite3`` raises; nothing is written then.
    """

    def __init__(self, path: str, pragmas: Sequence[str], timeout: float) -> None:
        self._path = path
        self._pragmas = pragmas
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="appender")
        self._conn: sqlite3.Connection | None = None

    async def write(self, batch: Sequence[tuple[str, Rows]]) -> None:
        """Run each statement for its rows, all in one transaction; durable on return."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _write(self, batch: Sequence[tuple[str, Rows]]) -> None:
        conn = self._conn = self._conn or self._open()
        try:
            conn.execute("BEGIN IMMEDIATE")
            for statement, rows in batch:
                conn.executemany(statement, rows)
            conn.execute("COMMIT")
        except BaseException:
            self._close()  # which rolls back, whatever state the connection is in
            raise

    def _open(self) -> sqlite3.Connection:
        conn = sqlite3.connect(
            self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        for pragma in self._pragmas:
            conn.execute(pragma)
        return conn

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None
