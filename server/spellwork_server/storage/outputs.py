"""Values by content hash, and which run left which value on which port.

A small value is kept with each run that left it, and a larger one apart, once for all: hashes
come in no order, so each row of the table of values is on a page of its own, and a commit that
writes 200 of them writes 200 pages.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Dialect,
    ScalarSelect,
    Select,
    String,
    and_,
    cast,
    func,
    not_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import insert_many, json_text
from .database import Database
from .schema import OUTPUTS, RUN_OUTPUTS, RUNS


class OutputRef(msgspec.Struct, frozen=True, gc=False):
    """What a run's record knows of a value: where it is, how large, and its head when large."""

    node: str
    port: str
    hash: str
    size: int
    preview: Any


class OutputRow(msgspec.Struct, frozen=True, gc=False):
    """A value that a run left on a port: JSON under its hash.

    ``part`` is 0 for the port's value; a streamed chunk too large to send has
    its own number from 1. ``preview`` is the head of a large value.
    """

    run: str
    node: str
    port: str
    hash: str
    body: bytes
    preview: Any = None
    part: int = 0

    @property
    def ref(self) -> OutputRef:
        """What the run's record keeps of it."""
        return OutputRef(self.node, self.port, self.hash, len(self.body), self.preview)


LAST_RUNS = 50
"""How many runs are looked through for what was last left of a node."""

LAST_INSIDE = 200
"""How many places inside runs are looked at for one that somebody may read a value by."""

_IS_INSIDE = RUN_OUTPUTS.c.node.contains("/")

SMALL_BYTES = 1024
"""Bytes of JSON of a value that is kept with whoever names it, at most."""

VALUE_COLUMNS = ("hash", "body", "size", "created_at", "last_used_at")
REFERENCE_COLUMNS = ("run", "node", "port", "part", "hash", "size", "preview", "body")


async def insert_values(conn: AsyncConnection, bodies: Mapping[str, bytes]) -> None:
    """Keep values by hash, but for small ones; those known already stay as they are.

    They must be named by a run or a cache entry in the same transaction, or
    they may be thrown away again. That is where the small ones are kept.
    """
    now = time.time()
    rows = [
        (key, body, len(body), now, now) for key, body in bodies.items() if len(body) > SMALL_BYTES
    ]
    await insert_many(conn, OUTPUTS, VALUE_COLUMNS, rows, keep_old=True)


async def insert_outputs(conn: AsyncConnection, rows: Sequence[OutputRow]) -> None:
    """Keep the values, and who left them. Idempotent."""
    bodies = {row.hash: row.body for row in rows}
    await insert_values(conn, bodies)
    await _insert_references(
        conn,
        [
            (row.run, row.node, row.port, row.part, row.hash, len(row.body), row.preview)
            for row in rows
        ],
        bodies,
    )


async def insert_references(
    conn: AsyncConnection, run: str, refs: Iterable[OutputRef], bodies: Mapping[str, bytes]
) -> None:
    """Note which values a run left. Idempotent. ``bodies`` has those that no other run left before."""
    rows = [(run, ref.node, ref.port, 0, ref.hash, ref.size, ref.preview) for ref in refs]
    await insert_values(conn, bodies)
    await _insert_references(conn, rows, bodies)
    if any(row[5] <= SMALL_BYTES and row[4] not in bodies for row in rows):
        lacking = and_(
            RUN_OUTPUTS.c.run == run,
            RUN_OUTPUTS.c.body.is_(None),
            RUN_OUTPUTS.c.size <= SMALL_BYTES,
        )
        await conn.execute(
            update(RUN_OUTPUTS).where(lacking).values(body=_small_value(RUN_OUTPUTS.c.hash))
        )


async def _insert_references(
    conn: AsyncConnection,
    rows: Sequence[tuple[str, str, str, int, str, int, Any]],
    bodies: Mapping[str, bytes],
) -> None:
    """Note who left what: (run, node, port, part, hash, size, preview); of small values with the value, if it is here."""
    values = [
        (*row[:6], json_text(row[6]), bodies.get(row[4]) if row[5] <= SMALL_BYTES else None)
        for row in rows
    ]
    await insert_many(conn, RUN_OUTPUTS, REFERENCE_COLUMNS, values, keep_old=True)


def _small_value(key: ColumnElement[str], at_most: int = SMALL_BYTES) -> ScalarSelect[Any]:
    """Return the query for a value that some run has beside its hash. Of one that thousands have it reads one row."""
    some = RUN_OUTPUTS.alias()
    having = and_(some.c.hash == key, some.c.body.is_not(None), some.c.size <= at_most)
    return select(some.c.body).where(having).limit(1).scalar_subquery()


def _small_values(dialect: Dialect, keys: Sequence[str], at_most: int | None) -> Select[Any]:
    """Return the query for (hash, body) of those of the hashes whose values are kept with runs."""
    each: ColumnElement[Any]
    if dialect.name == "postgresql":
        each = func.unnest(cast(list(keys), ARRAY(String))).column_valued("each")
    else:
        each = func.json_each(json_text(keys)).table_valued("value").c.value
    limit = SMALL_BYTES if at_most is None else at_most
    found = select(each.label("hash"), _small_value(each, limit).label("body")).subquery()
    return select(found).where(found.c.body.is_not(None))


class OutputStore:
    """Reads values, and what runs left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def body(self, key: str) -> bytes | None:
        """Return the JSON of the value with this hash, None when it is not kept."""
        return (await self.bodies([key])).get(key)

    async def bodies(self, keys: Iterable[str], *, at_most: int | None = None) -> dict[str, bytes]:
        """Return the values with these hashes that are kept, and no larger than ``at_most`` bytes each."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, bytes] = {}
        async with self._database.read() as conn:
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                query = select(OUTPUTS.c.hash, OUTPUTS.c.body).where(OUTPUTS.c.hash.in_(part))
                if at_most is not None:
                    query = query.where(OUTPUTS.c.size <= at_most)
                found.update({row.hash: row.body for row in await conn.execute(query)})
                if lacks := [key for key in part if key not in found]:
                    small = _small_values(conn.dialect, lacks, at_most)
                    found.update({row.hash: row.body for row in await conn.execute(small)})
        return found

    async def of_run(self, run: str) -> list[OutputRef]:
        """Return what the run left on its ports, chunks aside, in no particular order."""
        query = select(RUN_OUTPUTS).where(RUN_OUTPUTS.c.run == run, RUN_OUTPUTS.c.part == 0)
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [OutputRef(row.node, row.port, row.hash, row.size, row.preview) for row in rows]

    async def of_port(self, run: str, node: str, port: str) -> str | None:
        """Return the hash of what the run left on one port."""
        query = select(RUN_OUTPUTS.c.hash).where(
            RUN_OUTPUTS.c.run == run,
            RUN_OUTPUTS.c.node == node,
            RUN_OUTPUTS.c.port == port,
            RUN_OUTPUTS.c.part == 0,
        )
        async with self._database.read() as conn:
            found: str | None = await conn.scalar(query)
        return found

    async def ref_of_port(self, run: str, node: str, port: str) -> OutputRef | None:
        """Return where the value is that the run left on one port."""
        columns = RUN_OUTPUTS.c
        query = select(RUN_OUTPUTS).where(
            columns.run == run, columns.node == node, columns.port == port, columns.part == 0
        )
        async with self._database.read() as conn:
            row = (await conn.execute(query)).first()
        return (
            None if row is None else OutputRef(row.node, row.port, row.hash, row.size, row.preview)
        )

    async def last_of(
        self, stream: str, nodes: Sequence[str], *, before: float | None = None
    ) -> list[OutputRef]:
        """Return what the newest runs of a stream left of these nodes, each as the last that left it did.

        ``before``: of the runs that were created before that time.
        """
        async with self._database.read() as conn:
            newest = select(RUNS.c.id).where(RUNS.c.stream == stream)
            if before is not None:
                newest = newest.where(RUNS.c.created_at < before)
            newest = newest.order_by(RUNS.c.created_at.desc()).limit(LAST_RUNS)
            runs = {run: index for index, run in enumerate(await conn.scalars(newest))}
            found: dict[str, tuple[int, list[OutputRef]]] = {}
            for start in range(0, len(nodes), 500):
                query = select(RUN_OUTPUTS).where(
                    RUN_OUTPUTS.c.run.in_(list(runs)),
                    RUN_OUTPUTS.c.node.in_(nodes[start : start + 500]),
                    RUN_OUTPUTS.c.part == 0,
                )
                for row in await conn.execute(query):
                    age, refs = found.get(row.node, (LAST_RUNS, []))
                    if runs[row.run] < age:
                        age, refs = found[row.node] = (runs[row.run], [])
                    if runs[row.run] == age:
                        refs.append(OutputRef(row.node, row.port, row.hash, row.size, None))
        return [ref for _, refs in found.values() for ref in refs]

    async def places(self, keys: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """Return where these values were left: (stream, run, node, port, key)."""
        found: list[tuple[str, str, str, str, str]] = []
        async with self._database.read() as conn:
            for start in range(0, len(keys), 500):
                columns = RUN_OUTPUTS.c
                query = (
                    select(RUNS.c.stream, columns.run, columns.node, columns.port, columns.hash)
                    .join(RUN_OUTPUTS, RUN_OUTPUTS.c.run == RUNS.c.id)
                    .where(columns.hash.in_(keys[start : start + 500]))
                )
                found += [
                    (row.stream, row.run, row.node, row.port, row.hash)
                    for row in await conn.execute(query)
                ]
        return found

    async def readers(self, key: str) -> list[tuple[str | None, str, str]]:
        """Return the (canvas, user, audience) of the runs whose own nodes left this value, each once."""
        query = (
            select(RUNS.c.canvas_id, RUNS.c.user_id, RUNS.c.audience)
            .join(RUN_OUTPUTS, RUN_OUTPUTS.c.run == RUNS.c.id)
            .where(RUN_OUTPUTS.c.hash == key, not_(_IS_INSIDE))
            .distinct()
        )
        async with self._database.read() as conn:
            return [(row.canvas_id, row.user_id, row.audience) for row in await conn.execute(query)]

    async def inside_readers(self, key: str) -> list[tuple[str, str, str | None, str, str]]:
        """Return the newest (run, path, canvas, user, audience) where a node inside another left this value."""
        query = (
            select(RUNS.c.id, RUN_OUTPUTS.c.node, RUNS.c.canvas_id, RUNS.c.user_id, RUNS.c.audience)
            .join(RUN_OUTPUTS, RUN_OUTPUTS.c.run == RUNS.c.id)
            .where(RUN_OUTPUTS.c.hash == key, _IS_INSIDE)
            .order_by(RUNS.c.created_at.desc())
            .limit(LAST_INSIDE)
        )
        async with self._database.read() as conn:
            return [
                (row.id, row.node, row.canvas_id, row.user_id, row.audience)
                for row in await conn.execute(query)
            ]
