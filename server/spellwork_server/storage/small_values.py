"""The small values that runs left: those that came together share a row.

A row is JSON, [[node, port, hash, value], ...], and what a later one says of a port counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import Prepared, param
from .schema import RUN_VALUES

ROW_VALUES = 256
ROW_BYTES = 64 * 1024
"""Values, and bytes of them, that share a row, about."""


FEW_ROWS = 4
"""Rows that are decoded at once, and not in a thread."""


class OutputRef(msgspec.Struct, frozen=True, gc=False):
    """What a run's record knows of a value: where it is, how large, its head when large, and itself when small."""

    node: str
    port: str
    hash: str
    size: int
    preview: Any
    body: bytes | None = None


class _Value(msgspec.Struct, array_like=True, gc=False):
    node: str
    port: str
    hash: str
    value: msgspec.Raw

    @property
    def ref(self) -> OutputRef:
        body = bytes(self.value)
        return OutputRef(self.node, self.port, self.hash, len(body), None, body)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[_Value])

_NEXT = select(
    param("of_run", RUN_VALUES.c.run),
    func.coalesce(func.max(RUN_VALUES.c.number), literal_column("0")) + literal_column("1"),
    param("values", RUN_VALUES.c.body),
).where(RUN_VALUES.c.run == param("of_run", RUN_VALUES.c.run))
_INSERT = Prepared(lambda _: RUN_VALUES.insert().from_select(["run", "number", "body"], _NEXT))


async def insert_small(conn: AsyncConnection, run: str, refs: Sequence[OutputRef]) -> None:
    """Keep the small values that a run left on its ports."""
    for body in _rows(refs):
        await _INSERT.execute(conn, of_run=run, values=body)


def _rows(refs: Sequence[OutputRef]) -> Iterator[bytes]:
    values: list[_Value] = []
    size = 0
    for ref in refs:
        assert ref.body is not None
        values.append(_Value(ref.node, ref.port, ref.hash, msgspec.Raw(ref.body)))
        size += ref.size
        if len(values) == ROW_VALUES or size >= ROW_BYTES:
            yield _encoder.encode(values)
            values, size = [], 0
    if values:
        yield _encoder.encode(values)


async def read_small(
    conn: AsyncConnection, run: str, nodes: Collection[str] | None = None
) -> list[OutputRef]:
    """Return the small values that a run left on its ports; where given, on those of some nodes."""
    return (await read_small_of(conn, [run], nodes)).get(run, [])


async def read_small_of(
    conn: AsyncConnection, runs: Sequence[str], nodes: Collection[str] | None = None
) -> dict[str, list[OutputRef]]:
    """Return the same of several runs; those that left none are missing."""
    query = (
        select(RUN_VALUES.c.run, RUN_VALUES.c.body)
        .where(RUN_VALUES.c.run.in_(runs))
        .order_by(RUN_VALUES.c.run, RUN_VALUES.c.number)
    )
    rows = [(row.run, row.body) for row in await conn.execute(query)]
    if len(rows) <= FEW_ROWS:
        return _decoded(rows, nodes)
    return await asyncio.to_thread(_decoded, rows, nodes)


def _decoded(
    rows: Sequence[tuple[str, bytes]], nodes: Collection[str] | None
) -> dict[str, list[OutputRef]]:
    last: dict[str, dict[tuple[str, str], _Value]] = {}
    for run, body in rows:
        for value in _decoder.decode(body):
            if nodes is None or value.node in nodes:
                last.setdefault(run, {})[value.node, value.port] = value
    return {run: [value.ref for value in values.values()] for run, values in last.items()}


async def places_of_small(conn: AsyncConnection, run: str) -> set[str]:
    """Return the paths of the nodes that left small values in a run."""
    bodies = await conn.scalars(select(RUN_VALUES.c.body).where(RUN_VALUES.c.run == run))
    return {value.node for body in bodies for value in _decoder.decode(body)}


async def forget_small(conn: AsyncConnection, run: str, nodes: Collection[str]) -> None:
    """Forget the small values that nodes left in a run."""
    rows = (await conn.execute(select(RUN_VALUES).where(RUN_VALUES.c.run == run))).all()
    for row in rows:
        values = _decoder.decode(row.body)
        kept = [value for value in values if value.node not in nodes]
        mine = (RUN_VALUES.c.run == run) & (RUN_VALUES.c.number == row.number)
        if not kept:
            await conn.execute(delete(RUN_VALUES).where(mine))
        elif len(kept) < len(values):
            await conn.execute(update(RUN_VALUES).where(mine).values(body=_encoder.encode(kept)))
