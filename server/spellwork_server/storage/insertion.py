"""Jobs of a group commit that only add rows: most commits are a few rows of one canvas's log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
