"""Find runs: by what their rows say, and by words; newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from .cursors import read_cursor, write_cursor
from .database import Database
from .run_figures import LAID_DOWN
from .run_records import LISTED, RunRecord
from .schema import RUN_FIGURES, RUNS, TRIGGERS, USERS

ID_PART = 6
"""Characters of an id from which on its beginning is looked for."""

_FAILED, _NAME = "failed_nodes", "user_name"

MOST_AHEAD = 1_000
"""Runs of a queue that are counted to tell the place of one."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs are wanted; what is None does not matter.

    ``canvas``: of that canvas, shared or of ``reader``; without one, those of ``reader`` (None: everybody's).
    ``text`` is looked for, whatever its case, in the nodes that failed (names and ids) with codes and messages, in
    the name of who ran it, in its queue and its trigger's name; as a beginning, in the run's own id.
    ``failed``: those that failed, or of which a node did; False: those that ended, and nothing in them failed.
    Calls that runs placed are found by their ``parent`` or their ``queue`` alone.
    """

    reader: str | None
    canvas: str | None = None
    status: Sequence[str] | None = None
    failed: bool | None = None
    queue: str | None = None
    trigger: str | None = None
    parent: str | None = None
    forked_from: str | None = None
    user: str | None = None
    text: str | None = None
    since: float | None = None
    before: float | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """A page of runs; ``next`` is where the one after it goes on, None at the end."""

    records: list[RunRecord]
    next: str | None
    failed: dict[str, int]
    """By run that has ended, how many of its nodes failed."""
    names: dict[str, str]
    """By user who ran one of them, what they are called."""


class RunSearch:
    """Answers RunQuery. Runs that come meanwhile are before the first page: no page shows a run twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, query: RunQuery) -> FoundRuns:
        """Return a page of runs, without spells and results. Raises BadRequest for a cursor that is none."""
        wanted = select(*LISTED, RUN_FIGURES.c.failed.label(_FAILED), USERS.c.name.label(_NAME))
        figures = and_(RUN_FIGURES.c.run == RUNS.c.id, RUN_FIGURES.c.day != LAID_DOWN)
        wanted = wanted.outerjoin(RUN_FIGURES, figures)
        wanted = wanted.outerjoin(USERS, USERS.c.id == RUNS.c.user_id).where(*_conditions(query))
        wanted = wanted.order_by(RUNS.c.created_at.desc(), RUNS.c.id.desc()).limit(query.limit + 1)
        async with self._database.read() as conn:
            rows = (await conn.execute(wanted)).all()
        more = len(rows) > query.limit
        found: list[RunRecord] = []
        failed: dict[str, int] = {}
        names: dict[str, str] = {}
        for row in rows[: query.limit]:
            fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
            if (count := fields.pop(_FAILED)) is not None:
                failed[fields["id"]] = count
            if name := fields.pop(_NAME):
                names[fields["user_id"]] = name
            found.append(RunRecord(**fields))
        after = write_cursor(found[-1].created_at, found[-1].id) if more else None
        return FoundRuns(found, after, failed, names)

    async def ahead(self, records: Sequence[RunRecord]) -> dict[str, int]:
        """Return how many runs leave their queue before those of ``records`` that wait in one; MOST_AHEAD at most."""
        waiting = {each.id for each in records if each.status == "queued" and each.queue}
        queues = {each.queue for each in records if each.id in waiting}
        found: dict[str, int] = {}
        for queue in sorted(filter(None, queues)):
            query = (
                select(RUNS.c.id)
                .where(RUNS.c.queue == queue, RUNS.c.status == "queued")
                .order_by(RUNS.c.priority.desc(), RUNS.c.created_at, RUNS.c.id)
                .limit(MOST_AHEAD)
            )
            async with self._database.read() as conn:
                ids = (await conn.scalars(query)).all()
            found |= {id: place for place, id in enumerate(ids) if id in waiting}
        return found


def _conditions(query: RunQuery) -> list[ColumnElement[bool]]:
    runs = RUNS.c
    found: list[ColumnElement[bool]] = []
    if query.canvas is None:
        if query.reader is not None:
            found.append(runs.user_id == query.reader)
    else:
        found.append(runs.canvas_id == query.canvas)
        found.append(or_(runs.audience == "shared", runs.user_id == query.reader))
    equal = {
        runs.queue: query.queue,
        runs.trigger_id: query.trigger,
        runs.parent_id: query.parent,
        runs.forked_from: query.forked_from,
        runs.user_id: query.user,
    }
    found += [column == value for column, value in equal.items() if value is not None]
    if query.parent is None and query.queue is None:
        found.append(runs.parent_id.is_(None))
    if query.status is not None:
        found.append(runs.status.in_(query.status))
    if query.failed is not None:
        some = or_(runs.status == "failed", func.coalesce(RUN_FIGURES.c.failed, 0) > 0)
        found.append(some if query.failed else and_(runs.ended_at.is_not(None), not_(some)))
    if query.since is not None:
        found.append(runs.created_at >= query.since)
    if query.before is not None:
        found.append(runs.created_at < query.before)
    if query.after is not None:
        at, last = read_cursor(query.after)
        found.append(or_(runs.created_at < at, and_(runs.created_at == at, runs.id < last)))
    if query.text:
        found.append(_says(query.text.lower()))
    return found


def _says(text: str) -> ColumnElement[bool]:
    def has(column: Any) -> ColumnElement[bool]:
        return func.lower(column).contains(text, autoescape=True)

    places = [
        RUNS.c.id.in_(
            select(RUN_FIGURES.c.run).where(RUN_FIGURES.c.words.contains(text, autoescape=True))
        ),
        RUNS.c.user_id.in_(select(USERS.c.id).where(has(USERS.c.name))),
        RUNS.c.trigger_id.in_(select(TRIGGERS.c.id).where(has(TRIGGERS.c.name))),
        has(RUNS.c.queue),
    ]
    if len(text) >= ID_PART:
        places.append(RUNS.c.id.startswith(text, autoescape=True))
    return or_(*places)
