"""Mentions, as they are kept: who is named in which comment, and whether they have seen it.

Somebody's mentions are those on canvases that they may see now: what is on a
canvas that they were taken off is neither listed nor counted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.sql import Select

from .comments import Author
from .cursors import read_cursor, write_cursor
from .database import Database
from .schema import CANVASES, COMMENTS, MEMBERS, MENTIONS, USERS
from .users import Clock


@dataclass(frozen=True, slots=True)
class MentionRecord:
    """Somebody named the user in a comment."""

    comment: str
    thread: str
    canvas_id: str
    canvas_name: str
    author: Author
    text: str
    created_at: float
    read_at: float | None


class MentionRecords:
    """Mentions of a user. ``everywhere`` is for administrators, who may see every canvas."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    async def find(
        self, user_id: str, *, everywhere: bool, limit: int, after: str | None = None
    ) -> tuple[list[MentionRecord], str | None]:
        """Return mentions, those not read first, the latest first; and from where to go on.

        Raises BadRequest for an ``after`` that no answer had.
        """
        read = MENTIONS.c.read_at.is_not(None)
        query = _seen(_MENTION, user_id, everywhere)
        if after is not None:
            was_read, _, rest = after.partition(":")
            at, last = read_cursor(rest)
            same = COMMENTS.c.created_at == at
            older = or_(COMMENTS.c.created_at < at, and_(same, COMMENTS.c.id < last))
            stage = and_(read == (was_read == "1"), older)
            query = query.where(stage if was_read == "1" else or_(stage, read))
        query = query.order_by(read, COMMENTS.c.created_at.desc(), COMMENTS.c.id.desc())
        async with self._database.read() as conn:
            rows = (await conn.execute(query.limit(limit + 1))).all()
        page = [_mention(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return page, None
        last_one = page[-1]
        stage_mark = 0 if last_one.read_at is None else 1
        return page, f"{stage_mark}:{write_cursor(last_one.created_at, last_one.comment)}"

    async def of(self, user_id: str, comment: str) -> MentionRecord | None:
        """Return the mention of a user in one comment, or None."""
        query = _seen(_MENTION, user_id, True).where(COMMENTS.c.id == comment)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else _mention(row)

    async def unread(self, user_id: str, *, everywhere: bool) -> int:
        """Count the mentions that are not read."""
        query = _seen([func.count()], user_id, everywhere).where(MENTIONS.c.read_at.is_(None))
        async with self._database.read() as conn:
            return int((await conn.execute(query)).scalar_one())

    async def mark_read(self, user_id: str, comment: str | None) -> None:
        """Note that a user has read one mention, or all; one that is not there changes nothing."""
        which = and_(MENTIONS.c.user_id == user_id, MENTIONS.c.read_at.is_(None))
        if comment is not None:
            which = and_(which, MENTIONS.c.comment_id == comment)
        async with self._database.write() as conn:
            await conn.execute(update(MENTIONS).where(which).values(read_at=self._clock()))


_MENTION: Sequence[Any] = (
    COMMENTS.c.id,
    COMMENTS.c.thread,
    COMMENTS.c.canvas_id,
    CANVASES.c.name.label("canvas_name"),
    COMMENTS.c.author_id,
    USERS.c.name.label("author_name"),
    COMMENTS.c.text,
    COMMENTS.c.created_at,
    MENTIONS.c.read_at,
)


def _seen(columns: Sequence[Any], user_id: str, everywhere: bool) -> Select[Any]:
    query = (
        select(*columns)
        .select_from(MENTIONS)
        .join(COMMENTS, COMMENTS.c.id == MENTIONS.c.comment_id)
        .join(CANVASES, CANVASES.c.id == COMMENTS.c.canvas_id)
        .join(USERS, USERS.c.id == COMMENTS.c.author_id)
        .where(MENTIONS.c.user_id == user_id)
    )
    if everywhere:
        return query
    return query.join(
        MEMBERS, and_(MEMBERS.c.canvas_id == COMMENTS.c.canvas_id, MEMBERS.c.user_id == user_id)
    )


def _mention(row: Row[Any]) -> MentionRecord:
    return MentionRecord(
        comment=row.id,
        thread=row.thread,
        canvas_id=row.canvas_id,
        canvas_name=row.canvas_name,
        author=Author(row.author_id, row.author_name),
        text=row.text,
        created_at=row.created_at,
        read_at=row.read_at,
    )
