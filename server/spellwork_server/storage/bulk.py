"""Insert many rows fast: the statement is compiled once, the rows go to the driver as they are.

A journal writes hundreds of small rows per run; SQLAlchemy's own processing of
parameters would cost more than the database does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import msgspec
from sqlalchemy import Dialect, Insert, Table
from sqlalchemy.dialects.sqlite import Insert as Upsert
from sqlalchemy.dialects.sqlite import insert as on_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def json_text(value: Any) -> str | None:
    """Return a value as a JSON column keeps it, for rows that go past SQLAlchemy's own conversion."""
    return None if value is None else msgspec.json.encode(value).decode()


async def insert_many(
    conn: AsyncConnection,
    table: Table,
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    keep_old: bool = False,
) -> None:
    """Insert ``rows``, tuples in the order of ``names``; ``keep_old`` leaves rows that are there as they are.

    Values are given as the driver takes them: JSON columns by ``json_text``.
    """
    if rows:
        statement = insert_statement(conn.dialect, table, names, keep_old=keep_old)
        await conn.exec_driver_sql(statement, list(rows))


def upsert(dialect: Dialect, table: Table) -> Upsert:
    """Return an insert whose ``on_conflict_do_update`` and ``on_conflict_do_nothing`` this database understands."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as on_postgres  # noqa: PLC0415 - few servers have one

        return cast("Upsert", on_postgres(table))  # what is used of it is the same
    return on_sqlite(table)


@cache
def insert_statement(
    dialect: Dialect, table: Table, names: tuple[str, ...], *, keep_old: bool = False
) -> str:
    """Return the statement that inserts one row, its values in the order of ``names``."""
    begun = upsert(dialect, table)
    statement: Insert = begun.on_conflict_do_nothing() if keep_old else begun
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = tuple(compiled.positiontup or ())
    if order != names:
        raise ValueError(f"columns of {table.name} must be given in the table's order: {order}")
    return str(compiled)
