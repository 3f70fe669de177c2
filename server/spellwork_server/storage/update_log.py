"""The log of a canvas: its committed edits in order, and snapshots that stand for those before them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import NotFound

from .database import Database
from .group_commit import GroupCommit
from .insertion import Insertion, Rows
from .schema import CANVASES, SNAPSHOTS, UPDATES

KEPT_SNAPSHOTS = 2
"""The newest, and the one before it for the case that the newest cannot be read."""


PROBE = -1
"""The number of a row that is never committed."""

COLUMNS = ("canvas_id", "seq", "body", "user_id", "created_at")


@dataclass(frozen=True, slots=True)
class LoggedUpdate:
    """One edit: its number on the canvas, its bytes and who made it (None for the server)."""

    seq: int
    body: bytes
    user_id: str | None


@dataclass(frozen=True, slots=True)
class LoggedSnapshot:
    """All edits up to ``seq`` in one; what is in ``body`` is the room's business."""

    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class CanvasLog:
    """Everything kept of one canvas: snapshots newest first, and the edits after the oldest of them."""

    epoch: str
    snapshots: tuple[LoggedSnapshot, ...]
    updates: tuple[LoggedUpdate, ...]

    def after(self, seq: int) -> tuple[LoggedUpdate, ...]:
        """Return the edits after number ``seq``."""
        return tuple(update for update in self.updates if update.seq > seq)


class UpdateLog:
    """Appends to, reads and trims the logs of all canvases. One writer per canvas: its room."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    async def load(self, canvas_id: str) -> CanvasLog:
        """Return what is kept of a canvas. Raises NotFound."""
        async with self._database.read() as conn:
            epoch = await conn.scalar(select(CANVASES.c.epoch).where(CANVASES.c.id == canvas_id))
            if epoch is None:
                raise NotFound(f"There is no canvas {canvas_id}", details={"canvas": canvas_id})
            snapshots = await conn.execute(
                select(SNAPSHOTS.c.seq, SNAPSHOTS.c.body)
                .where(SNAPSHOTS.c.canvas_id == canvas_id)
                .order_by(SNAPSHOTS.c.seq.desc())
            )
            kept = tuple(LoggedSnapshot(row.seq, row.body) for row in snapshots)
            return CanvasLog(epoch, kept, await _updates_after(conn, canvas_id, 0))

    async def after(self, canvas_id: str, seq: int) -> tuple[LoggedUpdate, ...]:
        """Return the edits of a canvas after number ``seq``."""
        async with self._database.read() as conn:
            return await _updates_after(conn, canvas_id, seq)

    def append(
        self,
        canvas_id: str,
        updates: Callable[[], Sequence[LoggedUpdate]],
        meanwhile: Callable[[], None] | None = None,
    ) -> asyncio.Future[None]:
        """Write edits at the end of a canvas's log; the future is done once they are durable.

        ``updates`` is called when the transaction begins, and must give the
        same when it is called again; ``meanwhile`` as ``Insertion`` has it.
        """

        def rows() -> Rows:
            now = time.time()
            return [
                (canvas_id, update.seq, update.body, update.user_id, now) for update in updates()
            ]

        return self._commits.submit(Insertion(UPDATES, COLUMNS, rows, meanwhile))

    def keep(self, canvas_id: str, snapshot: LoggedSnapshot) -> asyncio.Future[None]:
        """Write a snapshot and, in the same transaction, trim what it and the one before it stand for."""

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(
                insert(SNAPSHOTS).values(
                    canvas_id=canvas_id,
                    seq=snapshot.seq,
                    body=snapshot.body,
                    created_at=time.time(),
                )
            )
            await _trim(conn, canvas_id)

        return self._commits.submit(write)

    def probe(self, canvas_id: str) -> asyncio.Future[None]:
        """Find out whether the store takes writes: the future is done once one was committed.

        A row comes and goes: a statement that changes nothing writes nothing,
        and succeeds on a full disk. Of a canvas that was deleted there is none.
        """
        row = select(CANVASES.c.id, literal(PROBE), literal(b""), literal(0.0))
        names = ["canvas_id", "seq", "body", "created_at"]

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(
                insert(UPDATES).from_select(names, row.where(CANVASES.c.id == canvas_id))
            )
            await conn.execute(
                delete(UPDATES).where(UPDATES.c.canvas_id == canvas_id, UPDATES.c.seq == PROBE)
            )

        return self._commits.submit(write)


async def _trim(conn: AsyncConnection, canvas_id: str) -> None:
    """Drop the snapshots beyond KEPT_SNAPSHOTS, and the edits that the oldest one kept holds."""
    seqs = (
        await conn.scalars(
            select(SNAPSHOTS.c.seq)
            .where(SNAPSHOTS.c.canvas_id == canvas_id)
            .order_by(SNAPSHOTS.c.seq.desc())
            .limit(KEPT_SNAPSHOTS)
        )
    ).all()
    if len(seqs) < KEPT_SNAPSHOTS:
        return
    oldest = seqs[-1]
    await conn.execute(
        delete(SNAPSHOTS).where(SNAPSHOTS.c.canvas_id == canvas_id, SNAPSHOTS.c.seq < oldest)
    )
    await conn.execute(
        delete(UPDATES).where(UPDATES.c.canvas_id == canvas_id, UPDATES.c.seq <= oldest)
    )


async def _updates_after(
    conn: AsyncConnection, canvas_id: str, seq: int
) -> tuple[LoggedUpdate, ...]:
    rows = await conn.execute(
        select(UPDATES.c.seq, UPDATES.c.body, UPDATES.c.user_id)
        .where(UPDATES.c.canvas_id == canvas_id, UPDATES.c.seq > seq)
        .order_by(UPDATES.c.seq)
    )
    return tuple(LoggedUpdate(row.seq, row.body, row.user_id) for row in rows)
