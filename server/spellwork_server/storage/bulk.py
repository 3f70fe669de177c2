"""Insert many rows fast: the statement is compiled once, the rows go to the driver as they are.

A journal writes hundreds of small rows per run; SQLAlchemy's own processing of
parameters would cost more than the database does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, cast

import msgspec
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Executable,
    Insert,
    LargeBinary,
    Table,
    bindparam,
    func,
    literal,
)
from sqlalchemy.dialects.sqlite import Insert as Upsert
from sqlalchemy.dialects.sqlite import insert as on_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Plain = Callable[[str, tuple[Any, ...]], Sequence[Any]]

ROWS_AT_ONCE = 256
"""Rows of one statement on SQLite, at most.

Its driver gives Python's lock away for each statement that it carries out, and
then waits for it until the loop has nothing to do or the interpreter's switch
interval is over: 400 statements of a row each took 170 ms beside a busy loop,
which take 2 ms alone.
"""

TOGETHER_BYTES = 4 * 1024
"""Bytes of a value whose row may go with others in one statement."""


def to_text(value: Any) -> str:
    """Return JSON for a column. Spells are large, and this is four times as fast as Python's own."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate pair, which Python's own escapes
        return json.dumps(value)


def json_text(value: Any) -> str | None:
    """Return a value as a JSON column keeps it, for rows that go past SQLAlchemy's own conversion."""
    return None if value is None else to_text(value)


def param(name: str, column: Column[Any]) -> BindParameter[Any]:
    """Return a named parameter of a ``Prepared`` statement, of a column's type."""
    return bindparam(name, type_=column.type)


def holds(conn: AsyncConnection, column: ColumnElement[bytes], part: bytes) -> ColumnElement[bool]:
    """Return the condition that bytes are in a column."""
    wanted = literal(part, LargeBinary)
    if conn.dialect.name == "postgresql":
        return func.position(wanted.op("IN")(column)) > 0
    return func.instr(column, wanted) > 0


class Prepared:
    """A statement with named parameters that is compiled once: for what every run does, that costs more than the database."""

    def __init__(self, make: Callable[[Dialect], Executable]) -> None:
        self._make = make
        self._known: dict[str, tuple[str, tuple[str, ...]]] = {}

    async def execute(self, conn: AsyncConnection, **values: Any) -> Sequence[Any]:
        """Execute it, and return the rows it gives; values are given as the driver takes them."""
        known = self._known.get(conn.dialect.name)
        if known is None:
            compiled = cast("Any", self._make(conn.dialect)).compile(dialect=conn.dialect)
            known = str(compiled), tuple(compiled.positiontup or ())
            self._known[conn.dialect.name] = known
        statement, order = known
        return await execute_plain(conn, statement, tuple([values[name] for name in order]))


async def execute_plain(
    conn: AsyncConnection, statement: str, values: tuple[Any, ...]
) -> Sequence[Any]:
    """Execute what the driver understands, and return the rows it gives.

    SQLAlchemy takes longer for a short statement than the database: who has a driver of its own
    (``writer_thread.Direct``) does without.
    """
    plain: Plain | None = getattr(conn, "execute_plain", None)
    if plain is not None:
        return plain(statement, values)
    result = await conn.exec_driver_sql(statement, values)
    return result.all() if result.returns_rows else ()


async def insert_many(
    conn: AsyncConnection,
    table: Table,
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    keep_old: bool = False,
    replace: bool = False,
) -> None:
    """Insert ``rows``, tuples in the order of ``names``.

    Rows that are there stay as they are with ``keep_old``, and become the new ones with ``replace``.
    Values are given as the driver takes them: JSON columns by ``json_text``.
    """
    if rows:
        statement = insert_statement(conn.dialect, table, names, keep_old=keep_old, replace=replace)
        if conn.dialect.name == "sqlite":
            for several, values in in_few(statement, rows):
                await execute_plain(conn, several, values)
        else:
            await conn.exec_driver_sql(statement, list(rows))


def in_few(
    statement: str, rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the statements for SQLite that do the same as ``statement``, the insert of a row, for each of ``rows``, in whatever order.

    The number of rows in each is a power of two, so that the driver has few of them to keep. Rows
    with large bytes go alone: it keeps them until the same statement is carried out again.
    """
    heavy = (
        next((place for place, value in enumerate(rows[0]) if type(value) is bytes), None)
        if rows
        else None
    )
    if heavy is not None and max(len(row[heavy] or b"") for row in rows) > TOGETHER_BYTES:
        light = []
        for row in rows:
            if len(row[heavy] or b"") > TOGETHER_BYTES:
                yield statement, row
            else:
                light.append(row)
        rows = light
    start = 0
    while start < len(rows):
        left = len(rows) - start
        count = ROWS_AT_ONCE if left >= ROWS_AT_ONCE else 1 << (left.bit_length() - 1)
        yield (
            _of_rows(statement, len(rows[0]), count),
            tuple(chain.from_iterable(rows[start : start + count])),
        )
        start += count


@cache
def _of_rows(statement: str, columns: int, count: int) -> str:
    """Return the insert of one row, for SQLite, as one of ``count`` rows."""
    row = f"({', '.join('?' * columns)})"
    head, values, tail = statement.partition(f" VALUES {row}")
    if not values:
        raise ValueError(f"not the insert of one row of {columns} columns: {statement}")
    return f"{head} VALUES {', '.join([row] * count)}{tail}"


def upsert(dialect: Dialect, table: Table) -> Upsert:
    """Return an insert whose ``on_conflict_do_update`` and ``on_conflict_do_nothing`` this database understands."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as on_postgres  # noqa: PLC0415 - few servers have one

        return cast("Upsert", on_postgres(table))  # what is used of it is the same
    return on_sqlite(table)


@cache
def insert_statement(
    dialect: Dialect,
    table: Table,
    names: tuple[str, ...],
    *,
    keep_old: bool = False,
    replace: bool = False,
) -> str:
    """Return the statement that inserts one row, its values in the order of ``names``."""
    begun = upsert(dialect, table)
    statement: Insert = begun.on_conflict_do_nothing() if keep_old else begun
    if replace:
        key = [column.name for column in table.primary_key]
        statement = begun.on_conflict_do_update(
            index_elements=key,
            set_={name: begun.excluded[name] for name in names if name not in key},
        )
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = tuple(compiled.positiontup or ())
    if order != names:
        raise ValueError(f"columns of {table.name} must be given in the table's order: {order}")
    return str(compiled)
