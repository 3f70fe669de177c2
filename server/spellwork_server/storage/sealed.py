"""All that is encrypted under the server's key, in whichever table it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .schema import PACKS, SECRETS, TRIGGERS

Sealed = tuple[str, bytes]
"""What a value is bound to, and the value encrypted."""

Seal = Callable[[str, bytes], bytes]

_PLACES: tuple[tuple[Table, ColumnElement[bytes], ColumnElement[str]], ...] = (
    (SECRETS, SECRETS.c.value, SECRETS.c.id),
    (TRIGGERS, TRIGGERS.c.sealed, TRIGGERS.c.id),
    (
        PACKS,
        PACKS.c.sealed,
        literal("pack:").concat(PACKS.c.worker_id).concat(":").concat(PACKS.c.distribution),
    ),
)
"""Where such values are, and what each is bound to (of a pack: ``PackRecord.bound_to``)."""


class SealedRecords:
    """Secrets, the secrets of webhooks, and the configurations of packs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Sealed]:
        """Return every one of them."""
        async with self._database.read() as conn:
            return [(row.bound, row.value) for place in _PLACES for row in await _rows(conn, place)]

    async def reseal(self, seal: Seal) -> None:
        """Put ``seal(bound, value)`` in the place of each, all in one transaction: what it raises leaves all as it was."""
        async with self._database.write() as conn:
            for place in _PLACES:
                table, column, _ = place
                for row in await _rows(conn, place, lock=True):
                    change = update(table).where(table.c.id == row.id)
                    await conn.execute(change.values({column: seal(row.bound, row.value)}))


async def _rows(
    conn: AsyncConnection,
    place: tuple[Table, ColumnElement[bytes], ColumnElement[str]],
    *,
    lock: bool = False,
) -> list[Row[Any]]:
    table, column, bound = place
    query = select(table.c.id, bound.label("bound"), column.label("value"))
    query = query.where(column.is_not(None)).order_by(table.c.id)
    rows = await conn.execute(query.with_for_update() if lock else query)
    return list(rows)
