"""Which run left which value on which port, and values by content hash.

A small value is kept with each run that left it, and is read there; the others are kept apart,
once for all, and are found by hash. Hashes come in no order, so each row in a table or an index
of them is on a page of its own: a commit with 200 small values would write 400 pages. Small values
that come together share a row of the run (``small_values``).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import insert_many, json_text
from .database import Database
from .group_commit import Job
from .output_refs import OutputRef, is_small
from .schema import OUTPUTS, RUN_OUTPUTS, RUNS
from .small_values import FEW_NODES, insert_small, read_small, small_rows


class OutputRow(msgspec.Struct, frozen=True, gc=False):
    """A value that a run left on a port: ``body`` is its JSON.

    ``part`` is 0 for the port's value; a streamed chunk too large to send has
    its own number from 1.
    """

    run: str
    ref: OutputRef
    body: bytes
    part: int = 0


LAST_RUNS = 50
"""How many runs are looked through for what was last left of a node."""

LAST_INSIDE = 200
"""How many places inside runs are looked at for one that somebody may read a value by."""

_IS_APART = RUN_OUTPUTS.c.body.is_(None)
"""Small values are not found by hash, but with the run that left them."""

_IS_INSIDE = RUN_OUTPUTS.c.node.contains("/")

VALUE_COLUMNS = ("hash", "body", "size", "created_at", "last_used_at")
REFERENCE_COLUMNS = ("run", "node", "port", "part", "hash", "size", "preview", "body")
REFERENCE = [RUN_OUTPUTS.c[name] for name in ("node", "port", "hash", "size", "preview", "body")]
"""What a reference is read from, in the order of its fields."""


async def insert_values(conn: AsyncConnection, bodies: Mapping[str, bytes]) -> None:
    """Keep values by hash, but for small ones; those known already stay as they are.

    They must be named by a run or a cache entry in the same transaction, or
    they may be thrown away again. That is where the small ones are kept.
    """
    now = time.time()
    rows = [(key, body, len(body), now, now) for key, body in bodies.items() if not is_small(body)]
    await insert_many(conn, OUTPUTS, VALUE_COLUMNS, rows, keep_old=True)


def inserting_outputs(rows: Sequence[OutputRow]) -> Job[None]:
    """Return the job that keeps values, and who left them. What needs no database is done at once."""
    apart = {row.ref.hash: row.body for row in rows if row.ref.body is None}
    insert = _inserting_references([(row.run, row.part, row.ref) for row in rows])

    async def write(conn: AsyncConnection) -> None:
        if apart:
            await insert_values(conn, apart)
        await insert(conn)

    return write


async def insert_references(conn: AsyncConnection, run: str, refs: Iterable[OutputRef]) -> None:
    """Note which values a run left on its ports; those that are kept apart are there."""
    await _inserting_references([(run, 0, ref) for ref in refs])(conn)


def _inserting_references(refs: Iterable[tuple[str, int, OutputRef]]) -> Job[None]:
    """Return the job that notes who left what: (run, part, reference). Of a port the last counts, though a larger value before it stays named."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    left: dict[str, list[OutputRef]] = {}
    for run, part, ref in refs:
        if part == 0:
            left.setdefault(run, []).append(ref)
        if part or ref.body is None:
            key = (run, ref.node, ref.port, part)
            rows[key] = (*key, ref.hash, ref.size, json_text(ref.preview), ref.body)
    small = [(run, list(small_rows(values))) for run, values in left.items()]

    async def write(conn: AsyncConnection) -> None:
        await insert_many(conn, RUN_OUTPUTS, REFERENCE_COLUMNS, list(rows.values()), replace=True)
        for run, bodies in small:
            await insert_small(conn, run, bodies)

    return write


class OutputStore:
    """Reads values, and what runs left."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def body(self, key: str) -> bytes | None:
        """Return the JSON of the value with this hash, None when it is not kept, or only with runs."""
        return (await self.bodies([key])).get(key)

    async def bodies(self, keys: Iterable[str], *, at_most: int | None = None) -> dict[str, bytes]:
        """Return the values with these hashes that are kept apart, and no larger than ``at_most`` bytes each."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, bytes] = {}
        async with self._database.read() as conn:
            for start in range(0, len(wanted), 500):
                query = select(OUTPUTS.c.hash, OUTPUTS.c.body).where(
                    OUTPUTS.c.hash.in_(wanted[start : start + 500])
                )
                if at_most is not None:
                    query = query.where(OUTPUTS.c.size <= at_most)
                found.update({row.hash: row.body for row in await conn.execute(query)})
        return found

    async def values(
        self, refs: Iterable[OutputRef], *, at_most: int | None = None
    ) -> dict[str, bytes]:
        """Return the values of references by hash: those that are kept, and no larger than ``at_most`` bytes each."""
        found: dict[str, bytes] = {}
        apart: list[str] = []
        for ref in refs:
            if at_most is not None and ref.size > at_most:
                continue
            if ref.body is None:
                apart.append(ref.hash)
            else:
                found[ref.hash] = ref.body
        return found | await self.bodies(apart) if apart else found

    async def of_run(self, run: str) -> list[OutputRef]:
        """Return what the run left on its ports, chunks aside, in no particular order."""
        async with self._database.read() as conn:
            return (await _left_of(conn, [run])).get(run, [])

    async def ref_of_port(self, run: str, node: str, port: str) -> OutputRef | None:
        """Return where the value is that the run left on one port."""
        async with self._database.read() as conn:
            refs = (await _left_of(conn, [run], [node])).get(run, [])
        return next((ref for ref in refs if ref.port == port), None)

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
            runs = (await conn.scalars(newest)).all()
            missing = set(nodes)
            found: list[OutputRef] = []
            count = 1
            while runs and missing:
                if len(missing) <= FEW_NODES:  # the database looks for them
                    count = len(runs)
                several, runs, count = runs[:count], runs[count:], 2 * count
                left = await _left_of(conn, several, missing)
                for run in several:
                    its = [ref for ref in left.get(run, ()) if ref.node in missing]
                    found += its
                    missing.difference_update([ref.node for ref in its])
        return found

    async def places(self, keys: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """Return where these values were left: (stream, run, node, port, key)."""
        found: list[tuple[str, str, str, str, str]] = []
        async with self._database.read() as conn:
            for start in range(0, len(keys), 500):
                columns = RUN_OUTPUTS.c
                query = (
                    select(RUNS.c.stream, columns.run, columns.node, columns.port, columns.hash)
                    .join(RUN_OUTPUTS, RUN_OUTPUTS.c.run == RUNS.c.id)
                    .where(columns.hash.in_(keys[start : start + 500]), _IS_APART)
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
            .where(RUN_OUTPUTS.c.hash == key, _IS_APART, not_(_IS_INSIDE))
            .distinct()
        )
        async with self._database.read() as conn:
            return [(row.canvas_id, row.user_id, row.audience) for row in await conn.execute(query)]

    async def inside_readers(self, key: str) -> list[tuple[str, str, str | None, str, str]]:
        """Return the newest (run, path, canvas, user, audience) where a node inside another left this value."""
        query = (
            select(RUNS.c.id, RUN_OUTPUTS.c.node, RUNS.c.canvas_id, RUNS.c.user_id, RUNS.c.audience)
            .join(RUN_OUTPUTS, RUN_OUTPUTS.c.run == RUNS.c.id)
            .where(RUN_OUTPUTS.c.hash == key, _IS_APART, _IS_INSIDE)
            .order_by(RUNS.c.created_at.desc())
            .limit(LAST_INSIDE)
        )
        async with self._database.read() as conn:
            return [
                (row.id, row.node, row.canvas_id, row.user_id, row.audience)
                for row in await conn.execute(query)
            ]


async def _left_of(
    conn: AsyncConnection, runs: Sequence[str], nodes: Collection[str] | None = None
) -> dict[str, list[OutputRef]]:
    """Return what runs left on their ports, by run; where given, on those of some nodes."""
    left = await read_small(conn, runs, nodes)
    found = {run: list(small.values()) for run, small in left.items()}
    for part in _parts(nodes):
        query = select(RUN_OUTPUTS.c.run, *REFERENCE).where(
            RUN_OUTPUTS.c.run.in_(runs), RUN_OUTPUTS.c.part == 0
        )
        if part is not None:
            query = query.where(RUN_OUTPUTS.c.node.in_(part))
        for run, *fields in await conn.execute(query):
            ref = OutputRef(*fields)
            if run not in left or (ref.node, ref.port) not in left[run]:
                found.setdefault(run, []).append(ref)
    return found


def _parts(nodes: Collection[str] | None) -> Iterator[Sequence[str] | None]:
    if nodes is None:
        yield None
        return
    wanted = list(nodes)
    for start in range(0, len(wanted), 500):
        yield wanted[start : start + 500]
