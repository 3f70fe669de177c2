"""Canvases and their members, as they are kept. What is drawn on them is in the update log."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import NotFound
from spellwork_server.identity.policy import CanvasAccess, CanvasRole

from .bulk import upsert
from .database import Database
from .schema import CANVASES, EVENTS, MEMBERS, STREAMS, USERS
from .users import Clock

ACCESS_SECONDS = 2.0
"""How long a canvas's members are believed without looking again. A change in
this process counts at once; one by another process after this time."""

MAX_ACCESS = 10_000


@dataclass(frozen=True, slots=True)
class CanvasRecord:
    """A canvas. A client that holds another ``epoch`` must not merge into it."""

    id: str
    name: str
    owner_id: str
    epoch: str
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody's role on a canvas."""

    user_id: str
    email: str
    name: str
    role: CanvasRole


class CanvasRecords:
    """Canvases by id, and who may do what on them."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock
        self._access: OrderedDict[str, tuple[float, CanvasAccess]] = OrderedDict()
        self._changes = 0
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(canvas_id)`` after a canvas's members change here, or it is deleted."""
        self._watchers.append(callback)

    async def create(self, name: str, owner_id: str) -> CanvasRecord:
        """Add an empty canvas with its owner as the only member."""
        now = self._clock()
        record = CanvasRecord(
            id=uuid4().hex,
            name=name,
            owner_id=owner_id,
            epoch=uuid4().hex,
            created_at=now,
            updated_at=now,
        )
        values = {column: getattr(record, column) for column in CanvasRecord.__slots__}
        async with self._database.write() as conn:
            await conn.execute(insert(CANVASES).values(values))
            await conn.execute(
                insert(MEMBERS).values(canvas_id=record.id, user_id=owner_id, role="owner")
            )
        return record

    async def find(self, canvas_id: str) -> CanvasRecord | None:
        """Return a canvas, or None."""
        async with self._database.read() as conn:
            row = (
                await conn.execute(select(CANVASES).where(CANVASES.c.id == canvas_id))
            ).one_or_none()
        return None if row is None else _record(row)

    async def get(self, canvas_id: str) -> CanvasRecord:
        """Return a canvas. Raises NotFound."""
        record = await self.find(canvas_id)
        if record is None:
            raise _missing(canvas_id)
        return record

    async def seen_by(self, user_id: str | None) -> list[tuple[CanvasRecord, CanvasRole | None]]:
        """Return the canvases a user is a member of, with the role; all of them for None. Latest first."""
        query = select(CANVASES, MEMBERS.c.role).order_by(
            CANVASES.c.updated_at.desc(), CANVASES.c.id
        )
        if user_id is None:
            query = select(CANVASES).order_by(CANVASES.c.updated_at.desc(), CANVASES.c.id)
        else:
            query = query.join(MEMBERS, MEMBERS.c.canvas_id == CANVASES.c.id)
            query = query.where(MEMBERS.c.user_id == user_id)
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [
            (_record(row), None if user_id is None else cast("CanvasRole", row.role))
            for row in rows
        ]

    async def rename(self, canvas_id: str, name: str) -> CanvasRecord:
        """Give a canvas another name. Raises NotFound."""
        await self._change(canvas_id, name=name, updated_at=self._clock())
        return await self.get(canvas_id)

    async def note_edits(self, times: Mapping[str, float]) -> None:
        """Note when canvases were last edited, to the second: what a canvas is made with is no edit of it.

        Those that are gone are left out.
        """
        earlier = CANVASES.c.updated_at < bindparam("before")
        change = (
            update(CANVASES)
            .where(CANVASES.c.id == bindparam("canvas"), earlier)
            .values(updated_at=bindparam("at"))
        )
        rows = [{"canvas": id, "at": at, "before": at - 1} for id, at in times.items()]

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(change, rows)

        await self._database.carry_out([write])

    async def delete(self, canvas_id: str) -> None:
        """Delete a canvas with its edits, members, runs and their events. Raises NotFound."""
        shared, private = f"canvas:{canvas_id}", f"canvas:{canvas_id}:%"
        async with self._database.write() as conn:
            gone = await conn.execute(delete(CANVASES).where(CANVASES.c.id == canvas_id))
            for table, stream in ((EVENTS, EVENTS.c.stream), (STREAMS, STREAMS.c.id)):
                await conn.execute(delete(table).where(or_(stream == shared, stream.like(private))))
        if not gone.rowcount:
            raise _missing(canvas_id)
        self.changed(canvas_id)

    async def members(self, canvas_id: str) -> list[Member]:
        """Return who has a role on a canvas, by email address."""
        query = (
            select(MEMBERS.c.user_id, USERS.c.email, USERS.c.name, MEMBERS.c.role)
            .join(USERS, USERS.c.id == MEMBERS.c.user_id)
            .where(MEMBERS.c.canvas_id == canvas_id)
            .order_by(USERS.c.email)
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return [
            Member(row.user_id, row.email, row.name, cast("CanvasRole", row.role)) for row in rows
        ]

    async def set_member(self, canvas_id: str, user_id: str, role: CanvasRole) -> None:
        """Give a user a role on a canvas, in place of any they have."""
        async with self._database.write() as conn:
            await put_member(conn, canvas_id, user_id, role)
        self.changed(canvas_id)

    async def remove_member(self, canvas_id: str, user_id: str) -> bool:
        """Take a user's role away; False when they had none."""
        gone = delete(MEMBERS).where(MEMBERS.c.canvas_id == canvas_id, MEMBERS.c.user_id == user_id)
        async with self._database.write() as conn:
            count = (await conn.execute(gone)).rowcount
        self.changed(canvas_id)
        return bool(count)

    async def access(self, canvas_id: str) -> CanvasAccess:
        """Return who may do what on a canvas, at most ACCESS_SECONDS old. Raises NotFound."""
        known = self.known_access(canvas_id)
        if known is not None:
            return known
        now, changes = time.monotonic(), self._changes
        access = await self._read_access(canvas_id)
        if changes != self._changes:  # what was read may be from before a change that counts by now
            return access
        self._access[canvas_id] = (now, access)
        self._access.move_to_end(canvas_id)
        self._forget_accesses(now)
        return access

    def _forget_accesses(self, now: float) -> None:
        """Drop what is not believed any more; the oldest come first."""
        while len(self._access) > MAX_ACCESS or (
            now - next(iter(self._access.values()))[0] >= ACCESS_SECONDS
        ):
            self._access.popitem(last=False)

    def known_access(self, canvas_id: str) -> CanvasAccess | None:
        """Return what ``access`` would without looking into the store; None when it must look."""
        known = self._access.get(canvas_id)
        if known is None or time.monotonic() - known[0] >= ACCESS_SECONDS:
            return None
        return known[1]

    async def _read_access(self, canvas_id: str) -> CanvasAccess:
        query = (
            select(CANVASES.c.id, MEMBERS.c.user_id, MEMBERS.c.role)
            .outerjoin(MEMBERS, MEMBERS.c.canvas_id == CANVASES.c.id)
            .where(CANVASES.c.id == canvas_id)
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        if not rows:
            raise _missing(canvas_id)
        return CanvasAccess(
            canvas_id, {row.user_id: row.role for row in rows if row.user_id is not None}
        )

    async def _change(self, canvas_id: str, **values: Any) -> None:
        async with self._database.write() as conn:
            await conn.execute(update(CANVASES).where(CANVASES.c.id == canvas_id).values(values))

    def changed(self, canvas_id: str) -> None:
        """Look again at who may do what, and tell the watchers; after members changed, here or by an invitation."""
        self._changes += 1
        self._access.pop(canvas_id, None)
        for callback in self._watchers:
            callback(canvas_id)


async def put_member(conn: AsyncConnection, canvas_id: str, user_id: str, role: CanvasRole) -> None:
    """Give a user a role on a canvas, in place of any they have, as part of a transaction."""
    put = upsert(conn.dialect, MEMBERS).values(canvas_id=canvas_id, user_id=user_id, role=role)
    await conn.execute(
        put.on_conflict_do_update(index_elements=["canvas_id", "user_id"], set_={"role": role})
    )


def _record(row: Row[Any]) -> CanvasRecord:
    return CanvasRecord(**{column: getattr(row, column) for column in CanvasRecord.__slots__})


def _missing(canvas_id: str) -> NotFound:
    return NotFound(f"There is no canvas {canvas_id}", details={"canvas": canvas_id})
