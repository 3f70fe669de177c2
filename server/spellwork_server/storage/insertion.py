"""Jobs of a group commit that only add rows, and the thread that writes them without detours.

Most commits are a few rows of one canvas's log. Through SQLAlchemy and its
bridge to threads such a commit costs five to ten times what SQLite takes for
it: begin, cursor, statement, commit and reset each go to a thread and back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
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
    an answer: nothing is written then. ``meanwhile`` may be called after that,
    any number of times, while the disk is waited for and the loop has nothing
    else to do.
    """

    def __init__(
        self,
        table: Table,
        names: tuple[str, ...],
        rows: Callable[[], Rows],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self.rows = rows
        self.meanwhile = meanwhile
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

    The thread takes its work off a queue and answers straight to the loop: an
    executor's futures and their bridge to asyncio's take 0.15 ms more for each
    commit, which everybody waits for who sees an edit.

    Raises what ``sqlite3`` raises; nothing is written then.
    """

    def __init__(self, path: str, pragmas: Sequence[str], timeout: float) -> None:
        self._path = path
        self._pragmas = pragmas
        self._timeout = timeout
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._conn: sqlite3.Connection | None = None

    async def write(
        self, batch: Sequence[tuple[str, Rows]], meanwhile: Sequence[Callable[[], None]] = ()
    ) -> None:
        """Run each statement for its rows, all in one transaction; durable on return.

        The loop calls each of ``meanwhile`` while the disk is waited for.
        """
        if self._thread is None:
            self._thread = Thread(target=self._work, name="appender", daemon=True)
            self._thread.start()
        tell = partial(_call_all, asyncio.get_running_loop(), meanwhile) if meanwhile else None
        await self._ask(partial(self._write, batch, tell))

    async def close(self) -> None:
        """Close the connection and end the thread."""
        if self._thread is not None:
            await self._ask(self._close)
            self._asked.put(None)
            self._thread = None

    def _ask(self, what: Callable[[], None]) -> asyncio.Future[None]:
        asked = _Asked(what, asyncio.get_running_loop())
        self._asked.put(asked)
        return asked.done

    def _work(self) -> None:
        while True:
            asked = self._asked.get()
            if asked is None:
                return
            asked.carry_out()
            del asked  # it holds the rows, and the next one may be long in coming

    def _write(
        self, batch: Sequence[tuple[str, Rows]], tell: Callable[[], None] | None = None
    ) -> None:
        conn = self._conn = self._conn or self._open()
        try:
            conn.execute("BEGIN IMMEDIATE")
            for statement, rows in batch:
                conn.executemany(statement, rows)
            if tell is not None:
                tell()
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


def _call_all(loop: asyncio.AbstractEventLoop, calls: Sequence[Callable[[], None]]) -> None:
    """Have the loop make some calls, from another thread."""
    with suppress(RuntimeError):  # the loop is closed
        for call in calls:
            loop.call_soon_threadsafe(call)


class _Asked:
    """What the thread shall do, and who waits for it."""

    def __init__(self, what: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self.what = what
        self.loop = loop
        self.done: asyncio.Future[None] = loop.create_future()

    def carry_out(self) -> None:
        """Do it, in the thread, and let the loop know."""
        error: BaseException | None = None
        try:
            self.what()
        except BaseException as raised:  # noqa: BLE001 - raised where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._answer, error)

    def _answer(self, error: BaseException | None) -> None:
        if self.done.done():
            return  # cancelled
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
