"""Tasks, as they are kept: what runs ask people, whom, and what became of it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import Row, and_, case, false, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from spellwork_server.identity.policy import CANVAS_ROLES, Audience, CanvasRole

from .cursors import read_cursor, write_cursor
from .database import Database
from .schema import CANVASES, EVENTS, MEMBERS, RUNS, TASKS, USERS
from .users import Clock

State = Literal["open", "answered", "expired", "withdrawn"]

LINK_ID = 12
"""Characters of a link's hash that tell it from other links of its task."""

BY_LINK = "link"
"""In the place of a user's id: whoever held the link answered."""

ENDED = ("completed", "failed", "cancelled")
"""Statuses of a run that takes no answer any more; one that was interrupted may go on."""

_NOT_HANDED = (TASKS.c.answered_at.is_not(None), TASKS.c.handed_at.is_(None))
_ASSIGNEE = USERS.alias("assignee")
_ANSWERER = USERS.alias("answerer")
_STARTER = USERS.alias("starter")


@dataclass(frozen=True, slots=True)
class NewTask:
    """What a run asks. ``node`` is the path of the node that asks, within its run."""

    id: str
    run: str
    node: str
    canvas_id: str | None
    kind: str
    title: str
    text: str
    question: Mapping[str, Any]
    assignee_id: str | None
    assignee_role: CanvasRole | None
    created_by: str
    created_at: float
    due_at: float | None = None
    remind_at: float | None = None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task with the names of those it concerns. ``audience`` is its run's, ``link_id`` see ``link_id_of``."""

    id: str
    run: str
    node: str
    canvas_id: str | None
    canvas_name: str | None
    audience: Audience
    kind: str
    title: str
    text: str
    question: dict[str, Any]
    assignee_id: str | None
    assignee_name: str | None
    assignee_role: CanvasRole | None
    state: State
    created_by: str
    created_by_name: str | None
    created_at: float
    due_at: float | None
    remind_at: float | None
    reminded_at: float | None
    answered_at: float | None
    answered_by: str | None
    answered_by_name: str | None
    answered_by_email: str | None
    answer: dict[str, Any] | None
    handed_at: float | None
    link_by: str | None
    link_id: str | None

    @property
    def is_open(self) -> bool:
        """Whether it can be answered."""
        return self.state == "open"


def link_id_of(link_hash: str) -> str:
    """Return what tells a task's links apart; nobody who has it has the link."""
    return link_hash[:LINK_ID]


def asking_node(path: str) -> str:
    """Return the path of the node that asks: a further question of the same call has ``?2``, ``?3`` behind it."""
    return path.partition("?")[0]


async def task_of(conn: AsyncConnection, run: str, node: str) -> TaskRecord | None:
    """Return what a node of a run asked, if it did."""
    found = await conn.execute(_TASK.where(TASKS.c.run == run, TASKS.c.node == node))
    row = found.one_or_none()
    return None if row is None else _record(row)


async def insert_task(conn: AsyncConnection, task: NewTask) -> None:
    """Keep a new task, open."""
    values = {name: getattr(task, name) for name in NewTask.__slots__}
    await conn.execute(insert(TASKS).values(**values, state="open"))


async def reopen_task(conn: AsyncConnection, task: NewTask, old: str) -> None:
    """Ask anew what nobody answered in time: under the id that it had, with its times anew, and without its link."""
    values = {name: getattr(task, name) for name in NewTask.__slots__ if name != "id"}
    cleared = dict.fromkeys(
        ("reminded_at", "answered_at", "answered_by", "answer", "handed_at", "link_hash", "link_by")
    )
    await conn.execute(
        update(TASKS).where(TASKS.c.id == old).values(**values, **cleared, state="open")
    )


class TaskRecords:
    """Tasks by id, by run and by whom they concern. ``everywhere`` is for administrators, who may see all."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    # Reading

    async def get(self, task: str) -> TaskRecord | None:
        """Return a task, or None."""
        return await self._one(TASKS.c.id == task)

    async def by_link(self, link_hash: str) -> TaskRecord | None:
        """Return the task of a link's token; None for a token that is none's."""
        query = select(TASKS.c.id, TASKS.c.link_hash).where(TASKS.c.link_hash == link_hash)
        async with self._database.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        # The index finds it; what is compared are hashes of 256 random bits, again without leaking time.
        if row is None or not hmac.compare_digest(row.link_hash, link_hash):
            return None
        return await self.get(row.id)

    async def find(
        self,
        user_id: str,
        *,
        everywhere: bool,
        mine: bool = False,
        states: Collection[State],
        canvas: str | None = None,
        run: str | None = None,
        limit: int,
        after: str | None = None,
    ) -> tuple[list[TaskRecord], str | None]:
        """Return what a user may see (``mine``: what is asked of them), the latest first, and from where to go on.

        Raises BadRequest for an ``after`` that no answer had.
        """
        which = _asked_of(user_id, _as_sql(everywhere)) if mine else _seen_by(user_id, everywhere)
        query = _joined_member(_TASK, user_id).where(which, TASKS.c.state.in_(list(states)))
        if canvas is not None:
            query = query.where(TASKS.c.canvas_id == canvas)
        if run is not None:
            query = query.where(TASKS.c.run == run)
        if after is not None:
            at, last = read_cursor(after)
            same = and_(TASKS.c.created_at == at, TASKS.c.id < last)
            query = query.where(or_(TASKS.c.created_at < at, same))
        query = query.order_by(TASKS.c.created_at.desc(), TASKS.c.id.desc()).limit(limit + 1)
        async with self._database.read() as conn:
            page = [_record(row) for row in await conn.execute(query)]
        if len(page) <= limit:
            return page, None
        return page[:limit], write_cursor(page[limit - 1].created_at, page[limit - 1].id)

    async def counts(self, user_ids: Collection[str]) -> dict[str, int]:
        """Count, for each of these users, the open tasks that are asked of them."""
        here = and_(MEMBERS.c.canvas_id == TASKS.c.canvas_id, MEMBERS.c.user_id == USERS.c.id)
        perhaps = and_(
            TASKS.c.state == "open",
            or_(TASKS.c.assignee_id == USERS.c.id, TASKS.c.assignee_role.is_not(None)),
        )
        query = (
            select(USERS.c.id, func.count())
            .select_from(USERS)
            .join(TASKS, perhaps)
            .outerjoin(MEMBERS, here)
            .where(USERS.c.id.in_(list(user_ids)), _asked_of(USERS.c.id, USERS.c.role == "admin"))
            .group_by(USERS.c.id)
        )
        async with self._database.read() as conn:
            found = {user: int(count) for user, count in (await conn.execute(query)).all()}
        return {user: found.get(user, 0) for user in user_ids}

    async def count(self, user_id: str) -> int:
        """Count the open tasks that are asked of a user."""
        return (await self.counts([user_id]))[user_id]

    async def of_runs(self, runs: Collection[str], *, settled: bool) -> list[TaskRecord]:
        """Return what these runs asked that is open, or is so no more, in the order of time."""
        state = TASKS.c.state != "open" if settled else TASKS.c.state == "open"
        query = _TASK.where(TASKS.c.run.in_(list(runs)), state).order_by(TASKS.c.created_at)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query)]

    async def is_settled(self, run: str) -> bool:
        """Tell whether something that a run asked is settled without its node having gone on."""
        query = select(TASKS.c.node).where(TASKS.c.run == run, *_NOT_HANDED)
        async with self._database.read() as conn:
            nodes = (await conn.scalars(query)).all()
            for node in nodes:
                ended = select(EVENTS.c.seq).where(
                    EVENTS.c.run == run,
                    EVENTS.c.node == asking_node(node),
                    EVENTS.c.kind.in_(("node.done", "node.failed", "node.skipped")),
                )
                if (await conn.execute(ended.limit(1))).first() is None:
                    return True
        return False

    async def not_handed(self) -> list[str]:
        """Return the runs that rest although something they asked is settled: nobody could tell them so."""
        query = select(TASKS.c.run).join(RUNS, RUNS.c.id == TASKS.c.run).distinct()
        async with self._database.read() as conn:
            found = await conn.scalars(query.where(*_NOT_HANDED, RUNS.c.status == "waiting"))
            runs = found.all()
        return [run for run in runs if await self.is_settled(run)]

    async def left_open(self) -> list[str]:
        """Return the runs that have ended with tasks open."""
        query = (
            select(TASKS.c.run)
            .join(RUNS, RUNS.c.id == TASKS.c.run)
            .where(TASKS.c.state == "open", RUNS.c.status.in_(ENDED))
            .distinct()
        )
        async with self._database.read() as conn:
            return list((await conn.scalars(query)).all())

    async def next_at(self) -> float | None:
        """Return when the next open task is due or to be reminded of."""
        query = select(func.min(TASKS.c.due_at), func.min(TASKS.c.remind_at))
        async with self._database.read() as conn:
            row = (await conn.execute(query.where(TASKS.c.state == "open"))).one()
        return min((at for at in row if at is not None), default=None)

    async def due(self) -> list[TaskRecord]:
        """Return the open tasks whose time is over."""
        return await self._open_until(TASKS.c.due_at)

    async def to_remind(self) -> list[TaskRecord]:
        """Return the open tasks that people are to be reminded of."""
        return await self._open_until(TASKS.c.remind_at)

    async def _open_until(self, column: Any) -> list[TaskRecord]:
        query = _TASK.where(TASKS.c.state == "open", column <= self._clock()).order_by(column)
        async with self._database.read() as conn:
            return [_record(row) for row in await conn.execute(query.limit(200))]

    async def _one(self, which: ColumnElement[bool]) -> TaskRecord | None:
        async with self._database.read() as conn:
            row = (await conn.execute(_TASK.where(which))).one_or_none()
        return None if row is None else _record(row)

    # Changing: each says whether it did, and one of several who try at once does

    async def settle(
        self,
        task: str,
        state: State,
        *,
        answer: Mapping[str, Any] | None = None,
        by: str | None = None,
        link_hash: str | None = None,
    ) -> bool:
        """End a task that is open; False where it is not, or its run takes no answer any more.

        ``link_hash``: and only while that is the hash of its link. The link is
        used up by this. An expired or answered one must be handed to its run.
        """
        which = [TASKS.c.id == task, TASKS.c.state == "open"]
        if link_hash is not None:
            which.append(TASKS.c.link_hash == link_hash)
        if state == "answered":
            ended = select(RUNS.c.id).where(RUNS.c.id == TASKS.c.run, RUNS.c.status.in_(ENDED))
            which.append(~ended.exists())
        return await self._change(
            which,
            state=state,
            answer=None if answer is None else dict(answer),
            answered_by=by,
            answered_at=self._clock(),
            link_hash=None,
            remind_at=None,
        )

    async def end_of_run(self, run: str) -> None:
        """Withdraw what a run that is over still asks; it takes nothing more."""
        now = self._clock()
        values = {"answered_at": now, "handed_at": now, "link_hash": None, "remind_at": None}
        await self._change(
            [TASKS.c.run == run, TASKS.c.state == "open"], state="withdrawn", **values
        )
        await self._change([TASKS.c.run == run, *_NOT_HANDED], handed_at=now)

    async def assign(self, task: str, *, user_id: str | None, role: CanvasRole | None) -> bool:
        """Ask somebody else, or a role; who had its link has it no more."""
        return await self._change(
            [TASKS.c.id == task, TASKS.c.state == "open"],
            assignee_id=user_id,
            assignee_role=role,
            link_hash=None,
            link_by=None,
        )

    async def put_link(self, task: str, link_hash: str | None, by: str | None) -> bool:
        """Give an open task another link in the place of the one it has, or none."""
        return await self._change(
            [TASKS.c.id == task, TASKS.c.state == "open"], link_hash=link_hash, link_by=by
        )

    async def note_reminded(self, task: TaskRecord, next_at: float | None) -> bool:
        """Note that people were reminded, once, and when again; False where another process was first."""
        return await self._change(
            [TASKS.c.id == task.id, TASKS.c.state == "open", TASKS.c.remind_at == task.remind_at],
            remind_at=next_at,
            reminded_at=self._clock(),
        )

    async def note_handed(self, task: str) -> bool:
        """Note that the run has what became of its task."""
        return await self._change(
            [TASKS.c.id == task, *_NOT_HANDED],
            handed_at=self._clock(),
        )

    async def _change(self, which: Collection[ColumnElement[bool]], **values: Any) -> bool:
        async with self._database.write() as conn:
            changed = await conn.execute(update(TASKS).where(*which).values(values))
        return bool(changed.rowcount)


_TASK: Select[Any] = (
    select(
        *(column for column in TASKS.c if column.key != "link_hash"),
        func.substr(TASKS.c.link_hash, 1, LINK_ID).label("link_id"),
        CANVASES.c.name.label("canvas_name"),
        RUNS.c.audience,
        _ASSIGNEE.c.name.label("assignee_name"),
        _STARTER.c.name.label("created_by_name"),
        _ANSWERER.c.name.label("answered_by_name"),
        _ANSWERER.c.email.label("answered_by_email"),
    )
    .select_from(TASKS)
    .join(RUNS, RUNS.c.id == TASKS.c.run)
    .outerjoin(CANVASES, CANVASES.c.id == TASKS.c.canvas_id)
    .outerjoin(_ASSIGNEE, _ASSIGNEE.c.id == TASKS.c.assignee_id)
    .outerjoin(_STARTER, _STARTER.c.id == TASKS.c.created_by)
    .outerjoin(_ANSWERER, _ANSWERER.c.id == TASKS.c.answered_by)
)


def _joined_member(query: Select[Any], user_id: str) -> Select[Any]:
    """Join what the user is on the task's canvas; there may be no such row."""
    here = and_(MEMBERS.c.canvas_id == TASKS.c.canvas_id, MEMBERS.c.user_id == user_id)
    return query.outerjoin(MEMBERS, here)


def _rank(role: Any) -> Any:
    return case({each: rank for rank, each in enumerate(CANVAS_ROLES)}, value=role, else_=-1)


def _asked_of(user_id: Any, everywhere: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whose it is to answer: who is named, while they are members, or whose role is high enough."""
    alone = TASKS.c.canvas_id.is_(None)
    member = MEMBERS.c.user_id.is_not(None)
    named = and_(TASKS.c.assignee_id == user_id, or_(alone, everywhere, member))
    high_enough = _rank(MEMBERS.c.role) >= _rank(TASKS.c.assignee_role)
    return or_(named, and_(TASKS.c.assignee_role.is_not(None), member, high_enough))


def _as_sql(value: bool) -> ColumnElement[bool]:
    return true() if value else false()


def _seen_by(user_id: str, everywhere: bool) -> ColumnElement[bool]:
    """What runs ask that a user may see: of shared runs on their canvases, of their own, and what they may answer."""
    if everywhere:
        return true()
    followed = or_(RUNS.c.audience == "shared", RUNS.c.user_id == user_id)
    member = MEMBERS.c.user_id.is_not(None)
    alone = and_(TASKS.c.canvas_id.is_(None), TASKS.c.created_by == user_id)
    return or_(
        _asked_of(user_id, false()),
        alone,
        and_(member, followed),
    )


def _record(row: Row[Any]) -> TaskRecord:
    return TaskRecord(**{name: cast("Any", row._mapping[name]) for name in TaskRecord.__slots__})  # noqa: SLF001 - SQLAlchemy's public name for it
