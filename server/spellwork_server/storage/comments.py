"""Comments, as they are kept: threads at nodes and places, and the comments in them.

A thread is its first comment: it has that comment's id, and ends with it. A
thread at a node keeps where the node was last (``keep_places``), so that it has
a place when the node is gone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from spellwork_server.errors import Conflict, NotFound

from .bulk import upsert
from .cursors import read_cursor, write_cursor
from .database import Database
from .schema import COMMENT_READS, COMMENTS, MENTIONS, USERS
from .users import Clock

MAX_THREADS = 1_000
"""Threads that a canvas may have, open and resolved."""

MAX_COMMENTS = 500
"""Comments that a thread may have."""

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote it, by the name they have now."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment. ``mentions`` are the people it names, by id, with the names they have now."""

    id: str
    canvas_id: str
    thread: str
    author: Author
    text: str
    created_at: float
    edited_at: float | None
    mentions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThreadRecord:
    """A thread: where it is, how it begins, and how far it went."""

    id: str
    canvas_id: str
    author: Author
    node: str | None
    at: Place
    text: str
    created_at: float
    last_at: float
    count: int
    resolved_at: float | None
    resolved_by: Author | None


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment to keep: in ``thread``, or without one the first of a thread at ``node`` or ``at``."""

    id: str
    canvas_id: str
    author_id: str
    text: str
    mentions: Sequence[str]
    thread: str | None = None
    node: str | None = None
    at: Place | None = None


class CommentRecords:
    """Comments by canvas, thread and id."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(self, new: NewComment) -> bool:
        """Keep a comment; False when its author had sent it before, in the same place.

        Raises NotFound for a thread that is not on the canvas, and Conflict for an
        id that another comment has, and for a thread or comment too many.
        """
        async with self._database.write() as conn:
            if await self._sent_before(conn, new):
                return False
            await _make_room(conn, new)
            now = self._clock()
            x, y = new.at if new.thread is None and new.at is not None else (None, None)
            await conn.execute(
                insert(COMMENTS).values(
                    id=new.id,
                    canvas_id=new.canvas_id,
                    thread=new.thread or new.id,
                    author_id=new.author_id,
                    text=new.text,
                    node=new.node if new.thread is None else None,
                    x=x,
                    y=y,
                    created_at=now,
                )
            )
            await _mention(conn, new.id, new.mentions)
            await _mark_read(conn, [new.thread or new.id], new.author_id, now)
        return True

    async def find(
        self, canvas_id: str, *, resolved: bool | None, limit: int, after: str | None = None
    ) -> tuple[list[ThreadRecord], str | None]:
        """Return threads of a canvas, the latest begun first, and from where to go on.

        Raises BadRequest for an ``after`` that no answer had.
        """
        query = _threads().where(COMMENTS.c.canvas_id == canvas_id)
        if resolved is not None:
            done = COMMENTS.c.resolved_at
            query = query.where(done.is_not(None) if resolved else done.is_(None))
        if after is not None:
            at, last = read_cursor(after)
            older = and_(COMMENTS.c.created_at == at, COMMENTS.c.id < last)
            query = query.where(or_(COMMENTS.c.created_at < at, older))
        query = query.order_by(COMMENTS.c.created_at.desc(), COMMENTS.c.id.desc())
        async with self._database.read() as conn:
            rows = (await conn.execute(query.limit(limit + 1))).all()
        page = [_thread(row) for row in rows[:limit]]
        more = len(rows) > limit
        return page, write_cursor(page[-1].created_at, page[-1].id) if more else None

    async def thread(self, canvas_id: str, thread: str) -> ThreadRecord | None:
        """Return one thread of a canvas, or None."""
        query = _threads().where(COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.id == thread)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else _thread(row)

    async def get(self, canvas_id: str, comment: str) -> CommentRecord:
        """Return one comment of a canvas. Raises NotFound."""
        found, _ = await self._comments(
            _comments().where(COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.id == comment), 1
        )
        if not found:
            raise missing(comment)
        return found[0]

    async def comments(
        self, canvas_id: str, thread: str, *, limit: int, after: str | None = None
    ) -> tuple[list[CommentRecord], str | None]:
        """Return comments of a thread, oldest first, and from where to go on. Raises BadRequest as ``find``."""
        query = _comments().where(COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.thread == thread)
        if after is not None:
            at, last = read_cursor(after)
            newer = and_(COMMENTS.c.created_at == at, COMMENTS.c.id > last)
            query = query.where(or_(COMMENTS.c.created_at > at, newer))
        query = query.order_by(COMMENTS.c.created_at, COMMENTS.c.id)
        return await self._comments(query, limit)

    async def edit(self, comment: str, text: str, mentions: Sequence[str]) -> None:
        """Give a comment another text. People it names still stay mentioned as they were. Raises NotFound."""
        values = {"text": text, "edited_at": self._clock()}
        async with self._database.write() as conn:
            changed = await conn.execute(
                update(COMMENTS).where(COMMENTS.c.id == comment).values(values)
            )
            if not changed.rowcount:
                raise missing(comment)
            await conn.execute(
                delete(MENTIONS).where(
                    MENTIONS.c.comment_id == comment, MENTIONS.c.user_id.not_in(mentions)
                )
            )
            await _mention(conn, comment, mentions)

    async def remove(self, comment: str) -> None:
        """Remove a comment; the first of a thread takes the thread along."""
        gone = or_(COMMENTS.c.id == comment, COMMENTS.c.thread == comment)
        async with self._database.write() as conn:
            await conn.execute(delete(COMMENTS).where(gone))

    async def resolve(self, thread: str, user_id: str | None) -> None:
        """Note that a thread is done with, or with None that it is not. Doing so twice changes nothing."""
        at = COMMENTS.c.resolved_at
        same = at.is_(None) if user_id is not None else at.is_not(None)
        values = {"resolved_at": self._clock() if user_id else None, "resolved_by": user_id}
        async with self._database.write() as conn:
            await conn.execute(update(COMMENTS).where(COMMENTS.c.id == thread, same).values(values))

    async def mark_read(self, canvas_id: str, user_id: str, thread: str | None) -> None:
        """Note that somebody has read a thread of a canvas, or all of them, with what mentions them there."""
        now = self._clock()
        heads = select(COMMENTS.c.id).where(
            COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.thread == COMMENTS.c.id
        )
        inside = select(COMMENTS.c.id).where(COMMENTS.c.canvas_id == canvas_id)
        if thread is not None:
            heads = heads.where(COMMENTS.c.id == thread)
            inside = inside.where(COMMENTS.c.thread == thread)
        async with self._database.write() as conn:
            await _mark_read(conn, list(await conn.scalars(heads)), user_id, now)
            unread = and_(MENTIONS.c.user_id == user_id, MENTIONS.c.read_at.is_(None))
            await conn.execute(
                update(MENTIONS)
                .where(unread, MENTIONS.c.comment_id.in_(inside))
                .values(read_at=now)
            )

    async def read_by(self, user_id: str, threads: Sequence[str]) -> dict[str, float]:
        """Return until when somebody has read each of the threads; those never read are left out."""
        query = select(COMMENT_READS.c.thread, COMMENT_READS.c.read_at).where(
            COMMENT_READS.c.user_id == user_id, COMMENT_READS.c.thread.in_(threads)
        )
        async with self._database.read() as conn:
            return {row.thread: row.read_at for row in await conn.execute(query)}

    async def node_places(self, canvas_id: str) -> dict[str, Place]:
        """Return the nodes of a canvas that have threads, with the places kept for them."""
        query = select(COMMENTS.c.node, COMMENTS.c.x, COMMENTS.c.y).where(
            COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.node.is_not(None)
        )
        async with self._database.read() as conn:
            return {row.node: (row.x, row.y) for row in await conn.execute(query)}

    async def keep_places(self, canvas_id: str, places: Mapping[str, Place]) -> None:
        """Keep where nodes are, for the threads at them."""
        async with self._database.write() as conn:
            for node, (x, y) in places.items():
                here = and_(COMMENTS.c.canvas_id == canvas_id, COMMENTS.c.node == node)
                await conn.execute(update(COMMENTS).where(here).values(x=x, y=y))

    async def _sent_before(self, conn: AsyncConnection, new: NewComment) -> bool:
        known = (
            await conn.execute(
                select(COMMENTS.c.canvas_id, COMMENTS.c.author_id, COMMENTS.c.thread).where(
                    COMMENTS.c.id == new.id
                )
            )
        ).one_or_none()
        if known is None:
            return False
        if tuple(known) != (new.canvas_id, new.author_id, new.thread or new.id):
            raise Conflict(
                f"Another comment has the id {new.id}",
                code="comment_id_taken",
                details={"id": new.id},
            )
        return True

    async def _comments(
        self, query: Select[Any], limit: int
    ) -> tuple[list[CommentRecord], str | None]:
        named: dict[str, dict[str, str]] = {}
        async with self._database.read() as conn:
            rows = (await conn.execute(query.limit(limit + 1))).all()
            more, rows = len(rows) > limit, rows[:limit]
            people = (
                select(MENTIONS.c.comment_id, USERS.c.id, USERS.c.name)
                .join(USERS, USERS.c.id == MENTIONS.c.user_id)
                .where(MENTIONS.c.comment_id.in_([row.id for row in rows]))
            )
            for row in await conn.execute(people):
                named.setdefault(row.comment_id, {})[row.id] = row.name
        found = [_comment(row, named.get(row.id, {})) for row in rows]
        return found, write_cursor(found[-1].created_at, found[-1].id) if more else None


async def _make_room(conn: AsyncConnection, new: NewComment) -> None:
    """Refuse a reply to nothing, and what would be too much."""
    if new.thread is None:
        heads = and_(COMMENTS.c.canvas_id == new.canvas_id, COMMENTS.c.thread == COMMENTS.c.id)
        if await _count(conn, heads) >= MAX_THREADS:
            raise Conflict(
                f"A canvas takes at most {MAX_THREADS} threads of comments; remove some first",
                code="too_many_threads",
                details={"limit": MAX_THREADS},
            )
        return
    head = and_(COMMENTS.c.canvas_id == new.canvas_id, COMMENTS.c.id == new.thread)
    if not await _count(conn, and_(head, COMMENTS.c.thread == new.thread)):
        raise missing(new.thread)
    if await _count(conn, COMMENTS.c.thread == new.thread) >= MAX_COMMENTS:
        raise Conflict(
            f"A thread takes at most {MAX_COMMENTS} comments; begin another",
            code="too_many_replies",
            details={"limit": MAX_COMMENTS},
        )


async def _count(conn: AsyncConnection, which: Any) -> int:
    query = select(func.count()).select_from(COMMENTS).where(which)
    return int((await conn.execute(query)).scalar_one())


async def _mention(conn: AsyncConnection, comment: str, user_ids: Sequence[str]) -> None:
    """Add mentions; one that is there stays as it is."""
    if user_ids:
        rows = [{"comment_id": comment, "user_id": each, "read_at": None} for each in user_ids]
        await conn.execute(upsert(conn.dialect, MENTIONS).values(rows).on_conflict_do_nothing())


async def _mark_read(
    conn: AsyncConnection, threads: Sequence[str], user_id: str, at: float
) -> None:
    if threads:
        rows = [{"thread": each, "user_id": user_id, "read_at": at} for each in threads]
        put = upsert(conn.dialect, COMMENT_READS)
        put = put.on_conflict_do_update(
            index_elements=["thread", "user_id"], set_={"read_at": put.excluded.read_at}
        )
        await conn.execute(put, rows)


def missing(comment: str) -> NotFound:
    """Return the refusal of a comment that is not on the canvas."""
    return NotFound(f"There is no comment {comment} here", details={"comment": comment})


def _comments() -> Select[Any]:
    return select(COMMENTS, USERS.c.name.label("author_name")).join(
        USERS, USERS.c.id == COMMENTS.c.author_id
    )


def _threads() -> Select[Any]:
    inside = COMMENTS.alias("inside")
    resolver = USERS.alias("resolver")
    totals = select(func.count(), func.max(inside.c.created_at)).where(
        inside.c.thread == COMMENTS.c.id
    )
    count = totals.with_only_columns(func.count()).scalar_subquery()
    last = totals.with_only_columns(func.max(inside.c.created_at)).scalar_subquery()
    return (
        select(
            COMMENTS,
            USERS.c.name.label("author_name"),
            resolver.c.name.label("resolver_name"),
            count.label("count"),
            last.label("last_at"),
        )
        .join(USERS, USERS.c.id == COMMENTS.c.author_id)
        .outerjoin(resolver, resolver.c.id == COMMENTS.c.resolved_by)
        .where(COMMENTS.c.thread == COMMENTS.c.id)
    )


def _comment(row: Row[Any], mentions: Mapping[str, str]) -> CommentRecord:
    return CommentRecord(
        id=row.id,
        canvas_id=row.canvas_id,
        thread=row.thread,
        author=Author(row.author_id, row.author_name),
        text=row.text,
        created_at=row.created_at,
        edited_at=row.edited_at,
        mentions=mentions,
    )


def _thread(row: Row[Any]) -> ThreadRecord:
    by = row.resolved_by
    return ThreadRecord(
        id=row.id,
        canvas_id=row.canvas_id,
        author=Author(row.author_id, row.author_name),
        node=row.node,
        at=(row.x, row.y),
        text=row.text,
        created_at=row.created_at,
        last_at=row.last_at,
        count=row._mapping["count"],  # noqa: SLF001 - SQLAlchemy's public name; `count` is a method of tuples
        resolved_at=row.resolved_at,
        resolved_by=None if by is None else Author(by, row.resolver_name or ""),
    )
