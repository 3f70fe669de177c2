"""The small values that runs left: those that came together share a row.

A row is JSON, [[node, port, hash, value], ...], and what a later one says of a port counts. A hash
of "" says that the value is a larger one, which has a row in ``run_outputs``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import (
    ColumnElement,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import Prepared, holds, param
from .output_refs import OutputRef
from .schema import RUN_VALUES

ROW_VALUES = 256
ROW_BYTES = 64 * 1024
"""Values, and bytes of them, that share a row, about."""

FEW_ROWS = 4
"""Rows that are decoded at once, and not in a thread."""

FEW_NODES = 16
"""Nodes that the database looks for itself, so that rows without them are not read."""


class _Value(msgspec.Struct, array_like=True, gc=False):
    node: str
    port: str
    hash: str
    value: msgspec.Raw


Left = dict[tuple[str, str], OutputRef]
"""Small values that a run left, by node and port: where its last word of the port is such a one."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[_Value])

_NEXT = select(
    param("of_run", RUN_VALUES.c.run),
    func.coalesce(func.max(RUN_VALUES.c.number), literal_column("0")) + literal_column("1"),
    param("values", RUN_VALUES.c.body),
).where(RUN_VALUES.c.run == param("of_run", RUN_VALUES.c.run))
_INSERT = Prepared(lambda _: RUN_VALUES.insert().from_select(["run", "number", "body"], _NEXT))

_LARGER = msgspec.Raw(b"null")


async def insert_small(conn: AsyncConnection, run: str, rows: Iterable[bytes]) -> None:
    """Keep rows of a run, as ``small_rows`` makes them."""
    for row in rows:
        await _INSERT.execute(conn, of_run=run, values=row)


def small_rows(refs: Iterable[OutputRef]) -> Iterator[bytes]:
    """Yield the rows of the small values that a run left on its ports; of the larger ones they say that they are."""
    values: list[tuple[str, str, str, msgspec.Raw]] = []
    size = 0
    for ref in refs:
        if ref.body is None:
            values.append((ref.node, ref.port, "", _LARGER))
        else:
            values.append((ref.node, ref.port, ref.hash, msgspec.Raw(ref.body)))
            size += ref.size
        size += len(ref.node)
        if len(values) == ROW_VALUES or size >= ROW_BYTES:
            yield _encoder.encode(values)
            values, size = [], 0
    if values:
        yield _encoder.encode(values)


async def read_small(
    conn: AsyncConnection, runs: Sequence[str], nodes: Collection[str] | None = None
) -> dict[str, Left]:
    """Return the small values that runs left, by run; where given, of some nodes."""
    query = (
        select(RUN_VALUES.c.run, RUN_VALUES.c.body)
        .where(RUN_VALUES.c.run.in_(runs))
        .order_by(RUN_VALUES.c.run, RUN_VALUES.c.number)
    )
    if nodes is not None and len(nodes) <= FEW_NODES:
        query = query.where(or_(*(_names(conn, node) for node in nodes)))
    rows = [(row.run, row.body) for row in await conn.execute(query)]
    if len(rows) <= FEW_ROWS:
        return _decoded(rows, nodes)
    return await asyncio.to_thread(_decoded, rows, nodes)


def _names(conn: AsyncConnection, node: str) -> ColumnElement[bool]:
    """Return the condition that a row may have a value of a node."""
    return holds(conn, RUN_VALUES.c.body, b"[%b," % _encoder.encode(node))


def _decoded(rows: Sequence[tuple[str, bytes]], nodes: Collection[str] | None) -> dict[str, Left]:
    last: dict[str, dict[tuple[str, str], _Value]] = {}
    for run, body in rows:
        for value in _decoder.decode(body):
            if nodes is None or value.node in nodes:
                last.setdefault(run, {})[value.node, value.port] = value
    return {run: _left(values) for run, values in last.items()}


def _left(values: dict[tuple[str, str], _Value]) -> Left:
    return {
        place: OutputRef(*place, value.hash, len(body), None, body)
        for place, value in values.items()
        if value.hash and (body := bytes(value.value))
    }


async def places_of_small(conn: AsyncConnection, run: str) -> set[str]:
    """Return the paths of the nodes that left values in a run."""
    bodies = await conn.scalars(select(RUN_VALUES.c.body).where(RUN_VALUES.c.run == run))
    return {value.node for body in bodies for value in _decoder.decode(body)}


async def forget_small(conn: AsyncConnection, run: str, nodes: Collection[str]) -> None:
    """Forget what is said here of the values that nodes left in a run."""
    rows = (await conn.execute(select(RUN_VALUES).where(RUN_VALUES.c.run == run))).all()
    for row in rows:
        values = _decoder.decode(row.body)
        kept = [value for value in values if value.node not in nodes]
        mine = (RUN_VALUES.c.run == run) & (RUN_VALUES.c.number == row.number)
        if not kept:
            await conn.execute(delete(RUN_VALUES).where(mine))
        elif len(kept) < len(values):
            await conn.execute(update(RUN_VALUES).where(mine).values(body=_encoder.encode(kept)))
