"""Versions of canvases, as they are kept. What is in ``body`` and ``changes`` is the history's business."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import Conflict, NotFound

from .database import Database
from .group_commit import GroupCommit
from .schema import CANVASES, UPDATES, VERSIONS

Reason = Literal["edited", "saved", "restored"]
"""Why there is a version: editing came to rest, somebody saved it, or another was restored."""

MAX_NAMED = 1_000
"""Versions of one canvas that may have a name: they are never thinned out."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to keep."""

    canvas_id: str
    seq: int
    created_at: float
    body: bytes
    changes: Any
    authors: tuple[str, ...] = ()
    name: str | None = None
    reason: Reason = "edited"
    source: str | None = None
    kept: bool = False
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version, without what was drawn. ``number`` counts those of a canvas from 1."""

    id: str
    canvas_id: str
    number: int
    seq: int
    name: str | None
    reason: Reason
    source: str | None
    kept: bool
    created_by: str | None
    created_at: float
    authors: tuple[str, ...]
    changes: Any
    size: int
    """Bytes that it takes."""

    @property
    def lasting(self) -> bool:
        """Whether it stays, however old it gets."""
        return self.kept or self.name is not None


@dataclass(frozen=True, slots=True)
class Editing:
    """Who made some edits of a canvas, as far as the log still tells, and when the last was made."""

    authors: tuple[str, ...] = ()
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Thinning:
    """Versions that go, and what those that stay take over: by id, authors and changes."""

    gone: tuple[str, ...] = ()
    heirs: dict[str, tuple[tuple[str, ...], Any]] = field(default_factory=dict)


_LISTED = (
    *(VERSIONS.c[name] for name in VersionRecord.__slots__ if name != "size"),
    func.length(VERSIONS.c.body).label("size"),
)


class VersionRecords:
    """Versions by canvas; writes share the transactions of ``GroupCommit``."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    async def find(
        self,
        canvas_id: str,
        *,
        limit: int | None = None,
        before: int | None = None,
        named: bool = False,
    ) -> list[VersionRecord]:
        """Return versions of a canvas, newest first: those ``before`` a number, only ``named`` ones."""
        query = select(*_LISTED).where(VERSIONS.c.canvas_id == canvas_id)
        if before is not None:
            query = query.where(VERSIONS.c.number < before)
        if named:
            query = query.where(VERSIONS.c.name.is_not(None))
        query = query.order_by(VERSIONS.c.number.desc()).limit(limit)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]

    async def get(self, canvas_id: str, version: str) -> VersionRecord:
        """Return one version of a canvas. Raises NotFound."""
        async with self._database.read() as conn:
            return await _get(conn, canvas_id, version)

    async def body(self, canvas_id: str, version: str) -> bytes:
        """Return what was drawn. Raises NotFound."""
        query = select(VERSIONS.c.body).where(
            VERSIONS.c.canvas_id == canvas_id, VERSIONS.c.id == version
        )
        async with self._database.read() as conn:
            body: bytes | None = await conn.scalar(query)
        if body is None:
            raise _missing(canvas_id, version)
        return body

    async def newest(self, canvas_id: str) -> VersionRecord | None:
        """Return the newest version of a canvas, if it has any."""
        found = await self.find(canvas_id, limit=1)
        return found[0] if found else None

    async def editing(self, canvas_id: str, after: int, until: int) -> Editing:
        """Return who made the edits from one number (without it) to another, as far as the log holds them."""
        query = (
            select(UPDATES.c.user_id, func.max(UPDATES.c.created_at))
            .where(UPDATES.c.canvas_id == canvas_id, UPDATES.c.seq > after, UPDATES.c.seq <= until)
            .group_by(UPDATES.c.user_id)
            .order_by(func.min(UPDATES.c.seq))
        )
        async with self._database.read() as conn:
            rows = (await conn.execute(query)).all()
        return Editing(
            tuple(user for user, _ in rows if user is not None),
            max((last for _, last in rows), default=None),
        )

    async def add(self, new: NewVersion) -> VersionRecord:
        """Keep a version under the next number. Raises NotFound for a canvas that is gone, and Conflict."""
        version = uuid4().hex
        values = {name: getattr(new, name) for name in NewVersion.__slots__}
        values["authors"] = list(new.authors)

        async def write(conn: AsyncConnection) -> VersionRecord:
            await _require_canvas(conn, new.canvas_id)
            if new.name is not None:
                await _require_room_for_name(conn, new.canvas_id)
            last = await conn.scalar(
                select(func.max(VERSIONS.c.number)).where(VERSIONS.c.canvas_id == new.canvas_id)
            )
            await conn.execute(
                insert(VERSIONS).values(id=version, number=(last or 0) + 1, **values)
            )
            return await _get(conn, new.canvas_id, version)

        return await self._commits.submit(write)

    async def rename(self, canvas_id: str, version: str, name: str | None) -> VersionRecord:
        """Give a version a name, or take it away. Raises NotFound and Conflict."""

        async def write(conn: AsyncConnection) -> VersionRecord:
            before = await _get(conn, canvas_id, version)
            if name is not None and before.name is None:
                await _require_room_for_name(conn, canvas_id)
            await _change(conn, version, name=name)
            return await _get(conn, canvas_id, version)

        return await self._commits.submit(write)

    async def save(self, canvas_id: str, version: str, name: str, user_id: str) -> VersionRecord:
        """Name a version that was written by itself as one that somebody saved."""

        async def write(conn: AsyncConnection) -> VersionRecord:
            await _get(conn, canvas_id, version)
            await _require_room_for_name(conn, canvas_id)
            await _change(conn, version, name=name, reason="saved", created_by=user_id)
            return await _get(conn, canvas_id, version)

        return await self._commits.submit(write)

    async def keep(self, canvas_id: str, version: str, kept: bool = True) -> VersionRecord:
        """Never thin out a version; or, with ``kept`` False, as any other."""

        async def write(conn: AsyncConnection) -> VersionRecord:
            await _change(conn, version, kept=kept)
            return await _get(conn, canvas_id, version)

        return await self._commits.submit(write)

    async def stretch(self, version: str, seq: int) -> None:
        """Note that the canvas is as this version has it up to edit ``seq``."""
        await self._commits.submit(lambda conn: _change(conn, version, seq=seq))

    async def thin(self, thinning: Thinning) -> None:
        """Forget versions, and pass on what they tell."""

        async def write(conn: AsyncConnection) -> None:
            await conn.execute(delete(VERSIONS).where(VERSIONS.c.id.in_(thinning.gone)))
            for heir, (authors, changes) in thinning.heirs.items():
                await _change(conn, heir, authors=list(authors), changes=changes)

        await self._commits.submit(write)


async def _get(conn: AsyncConnection, canvas_id: str, version: str) -> VersionRecord:
    query = select(*_LISTED).where(VERSIONS.c.canvas_id == canvas_id, VERSIONS.c.id == version)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise _missing(canvas_id, version)
    return _record(row)


async def _change(conn: AsyncConnection, version: str, **values: Any) -> None:
    await conn.execute(update(VERSIONS).where(VERSIONS.c.id == version).values(values))


async def _require_canvas(conn: AsyncConnection, canvas_id: str) -> None:
    if await conn.scalar(select(CANVASES.c.id).where(CANVASES.c.id == canvas_id)) is None:
        raise NotFound(f"There is no canvas {canvas_id}", details={"canvas": canvas_id})


async def _require_room_for_name(conn: AsyncConnection, canvas_id: str) -> None:
    query = select(func.count()).where(
        VERSIONS.c.canvas_id == canvas_id, VERSIONS.c.name.is_not(None)
    )
    if (await conn.scalar(query) or 0) >= MAX_NAMED:
        raise Conflict(
            f"A canvas has at most {MAX_NAMED} named versions; take a name off one first",
            code="too_many_versions",
            details={"limit": MAX_NAMED},
        )


def _record(row: Row[Any]) -> VersionRecord:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["authors"] = tuple(values["authors"])
    values["reason"] = cast("Reason", values["reason"])
    return VersionRecord(**values)


def _missing(canvas_id: str, version: str) -> NotFound:
    return NotFound(
        f"Canvas {canvas_id} has no version {version}; old ones are thinned out",
        details={"canvas": canvas_id, "version": version},
    )
