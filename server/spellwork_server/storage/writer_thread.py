"""The thread that writes to a SQLite file: a whole transaction there costs one way to it and back.

Through SQLAlchemy's bridge to asyncio each statement would go to a thread and
back by itself: five to ten times what SQLite takes for it. What is written is
the same: jobs are called with a connection of this thread, of which nothing
is waited for, so each runs from its beginning to its end in one go.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, ScalarResult
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import in_few
from .failures import is_store_failure
from .insertion import Rows

T = TypeVar("T")

Work = tuple[str, Rows] | Callable[[AsyncConnection], Awaitable[Any]]
"""A statement with the rows to run it for, or a job."""


class Direct:
    """What jobs use of an ``AsyncConnection``, over a connection of the thread that calls them."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    @property
    def dialect(self) -> Dialect:
        """The database's."""
        return self._conn.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Execute a statement; its rows are read before the job executes another."""
        return self._conn.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """Return the first column of the first row, or None."""
        return self._conn.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        """Return the first column of all rows."""
        return self._conn.scalars(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> CursorResult[Any]:
        """Execute what the driver understands."""
        return self._conn.exec_driver_sql(statement, parameters)

    def execute_plain(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """Execute what the driver understands, by the driver alone; return the rows it gives."""
        try:
            return _driver(self._conn).execute(statement, values).fetchall()
        except sqlite3.IntegrityError as error:
            raise IntegrityError(statement, values, error) from error

    def carry_out(self, work: Work) -> Any:
        """Add rows, or call a job and return what it returns."""
        if not isinstance(work, tuple):
            return _at_once(work(cast("AsyncConnection", self)))
        statement, rows = work
        for several, values in in_few(statement, rows):
            self.execute_plain(several, values)
        return None


class WriterThread:
    """Writes to a SQLite file over a connection and a thread of its own. One call at a time.

    The thread takes its work off a queue and answers straight to the loop: an
    executor's futures and their bridge to asyncio's take 0.15 ms more for each
    commit, which everybody waits for who sees an edit.

    Raises what ``sqlite3``, SQLAlchemy and the jobs raise; nothing is written then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._conn: Connection | None = None

    async def write(
        self,
        batch: Sequence[Work],
        meanwhile: Sequence[Callable[[], None]] = (),
        durable: Callable[[list[Any]], None] | None = None,
    ) -> list[Any]:
        """Carry all of it out in one transaction, durable on return, and return what the jobs returned, else None.

        The loop calls each of ``meanwhile`` while the disk is waited for, and ``durable`` with
        what is returned, a turn before who waits for it goes on.
        """
        if self._thread is None:
            self._thread = Thread(target=self._work, name="database-writer", daemon=True)
            self._thread.start()
        tell = partial(_call_all, asyncio.get_running_loop(), meanwhile) if meanwhile else None
        return cast("list[Any]", await self._ask(partial(self._write, batch, tell), durable))

    async def close(self) -> None:
        """Close the connection and end the thread."""
        if self._thread is not None:
            await self._ask(self._close)
            self._asked.put(None)
            self._thread = None

    def _ask(
        self, what: Callable[[], Any], then: Callable[[Any], None] | None = None
    ) -> asyncio.Future[Any]:
        asked = _Asked(what, asyncio.get_running_loop(), then)
        self._asked.put(asked)
        return asked.done

    def _work(self) -> None:
        while True:
            asked = self._asked.get()
            if asked is None:
                return
            asked.carry_out()
            del asked  # it holds the rows, and the next one may be long in coming

    def _write(self, batch: Sequence[Work], tell: Callable[[], None] | None = None) -> list[Any]:
        conn = self._conn = self._conn or self._engine.connect()
        try:
            driver = _driver(conn)
            driver.execute("BEGIN IMMEDIATE")
            direct = Direct(conn)
            results = [direct.carry_out(work) for work in batch]
            if tell is not None:
                tell()
            driver.execute("COMMIT")
            conn.commit()  # no more than a mark of SQLAlchemy's, where a job executed something by it
        except BaseException as error:
            if is_store_failure(error) or not _rolled_back(conn):
                self._close()  # which rolls back, whatever state the connection is in
            raise
        return results

    def _close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.invalidate()  # not back to a pool
            conn.close()


def _rolled_back(conn: Connection) -> bool:
    """Roll back what was begun, and say whether that is done."""
    driver = _driver(conn)
    with suppress(sqlite3.Error, SQLAlchemyError):
        driver.rollback()
        conn.rollback()
    return not driver.in_transaction


def _driver(conn: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", conn.connection.driver_connection)


def _at_once(work: Awaitable[T]) -> T:
    """Return what a job gives that waits for nothing but its connection."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as done:
        return cast("T", done.value)
    raise RuntimeError("a job of the database waited for something else than its connection")


def _call_all(loop: asyncio.AbstractEventLoop, calls: Sequence[Callable[[], None]]) -> None:
    """Have the loop make some calls, from another thread."""
    with suppress(RuntimeError):  # the loop is closed
        for call in calls:
            loop.call_soon_threadsafe(call)


class _Asked:
    """What the thread shall do, and who waits for it."""

    def __init__(
        self,
        what: Callable[[], Any],
        loop: asyncio.AbstractEventLoop,
        then: Callable[[Any], None] | None,
    ) -> None:
        self.what = what
        self.loop = loop
        self.then = then
        self.done: asyncio.Future[Any] = loop.create_future()

    def carry_out(self) -> None:
        """Do it, in the thread, and let the loop know."""
        error: BaseException | None = None
        result: Any = None
        try:
            result = self.what()
        except BaseException as raised:  # noqa: BLE001 - raised where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._answer, result, error)

    def _answer(self, result: Any, error: BaseException | None) -> None:
        if error is None and self.then is not None:
            self.then(result)
        if self.done.done():
            return  # cancelled
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)
