"""Queues: the rows of runs that wait, who takes them, and what each queue allows.

A run's row is its place in the queue: it waits while its status is ``queued``
and no process carries it. Whoever claims it adds one to its ``fence``, so that
nothing written under an older claim is taken any more (``journal.append``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Update,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .bulk import upsert
from .clock import Clock, database_time
from .database import Database
from .event_rows import RAN, nodes_of
from .journal import Claim
from .run_records import CARRIED, LISTED, OPEN, WHOLE, RunRecord, row_of
from .schema import EVENTS, PROCESSES, QUEUES, RUNS
from .steering import is_asked

WAITS = text("runs.status = 'queued' AND runs.process_id IS NULL")
"""As the index of what may be claimed has it, word for word: SQLite finds an index by that."""

DUE = text("runs.ended_at IS NULL AND runs.deadline IS NOT NULL")
"""As the index of deadlines has it, word for word."""

HAS, LENDS, WANTS = 0, 1, 2
"""What a run does with its place (``lent``): has it, gives it to others, or wants it back, so that nobody new gets it."""

_TAKEN_OVER = ("takeovers", "takeover_nodes", "ran")

ENDINGS = ("node.done", "node.failed", "node.skipped")
"""Kinds of events that say that a node ended."""

TAKEOVERS = 3
"""How often the process of a run may die, with no further node ended in between, until the run is ended."""

WATCHED_SECONDS = 30.0
"""For how long a run that is on its last chance is the only such one of its process, and how old that is at least.

What the run does to its process it does to itself then; what else ends processes again and again, as they start, does not reach it.
"""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """What holds for a queue; None is no limit. ``state``: open, paused (nothing is taken), draining (nothing is added)."""

    name: str
    state: str = "open"
    concurrency: int | None = None
    per_process: int | None = None
    rate_count: int | None = None
    rate_seconds: float | None = None

    @property
    def limited(self) -> bool:
        """Whether what is taken from it must be counted."""
        return not (self.concurrency is self.per_process is self.rate_count is None)


@dataclass(frozen=True, slots=True)
class Figures:
    """How a queue stands now. ``oldest_at`` is when the oldest that waits was made; ``running`` are those that have a place."""

    waiting: int = 0
    delayed: int = 0
    running: int = 0
    oldest_at: float | None = None
    started_last_minute: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What a glance at the rows found for one process, and when by the database's clock."""

    now: float
    claimable: bool
    late: bool
    """Whether a run that waits has passed its deadline."""
    cancelled: tuple[str, ...]
    """Runs of this process that somebody wants to end."""
    steered: bool = False
    """Whether another process asks to pause, play or step some of them."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and from where. ``queues`` None is all of them, and what is in no queue."""

    process: str
    queues: tuple[str, ...] | None = None

    def listens(self) -> ColumnElement[bool]:
        """Return the condition that a run is for this process."""
        return true() if self.queues is None else RUNS.c.queue.in_(self.queues)


class QueueStore:
    """Claims, gives back and counts the runs of queues. ``clock`` is the database's own, but in tests."""

    def __init__(
        self, database: Database, clock: Clock = database_time, takeovers: int = TAKEOVERS
    ) -> None:
        self._database = database
        self._clock = clock
        self._takeovers = takeovers

    # Taking

    async def claim(self, claimant: Claimant, most: int) -> list[RunRecord]:
        """Take up to ``most`` runs for a process: highest priority first, then oldest.

        All in one transaction, and no run is ever given to two. Where a queue
        has limits, its row is held, so that processes count one after another.
        """
        async with self._database.write() as conn:
            now = await self._clock(conn)
            rules = await self._rules(conn, claimant, hold=True)
            found = await self._find(conn, claimant, rules, most, now, true())
            if any(self._is_suspect(run) for run in found):
                found = await self._spread(conn, claimant, rules, most, now, found)
            return await self._take(conn, found, claimant.process, now)

    async def _find(
        self,
        conn: AsyncConnection,
        claimant: Claimant,
        rules: Mapping[str, QueueRecord],
        most: int,
        now: float,
        where: ColumnElement[bool],
    ) -> list[RunRecord]:
        """Return up to ``most`` runs that a process may take now, in their order."""
        counted = {name: rule for name, rule in rules.items() if rule.limited}
        others = claimant.listens() if not rules else and_(claimant.listens(), _none_of(rules))
        found = await self._candidates(conn, and_(others, where), most, now)
        for name, room in (await self._rooms(conn, counted, claimant.process, now)).items():
            mine = and_(RUNS.c.queue == name, where)
            found += await self._candidates(conn, mine, min(room, most), now)
        found.sort(key=lambda run: (-run.priority, run.created_at, run.id))
        return found[:most]

    def _is_suspect(self, run: RunRecord) -> bool:
        """Say whether a run ends with the next process that dies under it: perhaps it is what kills them."""
        return run.takeovers >= self._takeovers

    async def _spread(
        self,
        conn: AsyncConnection,
        claimant: Claimant,
        rules: Mapping[str, QueueRecord],
        most: int,
        now: float,
        found: Sequence[RunRecord],
    ) -> list[RunRecord]:
        """Return what a process may take with one suspect at most among it, and none while it is new or carries one."""
        watched = select(literal(1)).where(
            RUNS.c.process_id == claimant.process,
            RUNS.c.takeovers >= self._takeovers,
            RUNS.c.status.in_(CARRIED),
            RUNS.c.claimed_at > now - WATCHED_SECONDS,
        )
        young = select(literal(1)).where(
            PROCESSES.c.id == claimant.process, PROCESSES.c.started_at > now - WATCHED_SECONDS
        )
        is_free = await conn.scalar(watched.union_all(young).limit(1)) is None
        suspects = [run for run in found if self._is_suspect(run)][: int(is_free)]
        sure = RUNS.c.takeovers < self._takeovers
        others = await self._find(conn, claimant, rules, most - len(suspects), now, sure)
        return suspects + others

    async def _rules(
        self, conn: AsyncConnection, claimant: Claimant, *, hold: bool = False
    ) -> dict[str, QueueRecord]:
        """Return the queues that are not simply open, by name."""
        query = select(QUEUES).order_by(QUEUES.c.name)
        if claimant.queues is not None:
            query = query.where(QUEUES.c.name.in_(claimant.queues))
        if hold:
            query = query.with_for_update()
        rules = [_queue(row) for row in await conn.execute(query)]
        return {rule.name: rule for rule in rules if rule.limited or rule.state == "paused"}

    async def _rooms(
        self, conn: AsyncConnection, rules: Mapping[str, QueueRecord], process: str, now: float
    ) -> dict[str, int]:
        """Return how many runs more each of the queues allows this process; those with none are left out."""
        open_ones = {name: rule for name, rule in rules.items() if rule.state != "paused"}
        if not open_ones:
            return {}
        counts = await self._carried(conn, open_ones, process, (HAS, WANTS))
        rooms: dict[str, int] = {}
        for name, rule in open_ones.items():
            of_all, mine = counts.get(name, (0, 0))
            rooms[name] = min(
                _left(rule.concurrency, of_all),
                _left(rule.per_process, mine),
                _left(rule.rate_count, await self._taken_lately(conn, rule, now)),
            )
        return {name: room for name, room in rooms.items() if room > 0}

    async def _carried(
        self, conn: AsyncConnection, queues: Iterable[str], process: str, lent: Sequence[int]
    ) -> dict[str, tuple[int, int]]:
        """Return how many runs of each queue go, in all processes and in this one, that do this with their place."""
        query = (
            select(
                RUNS.c.queue,
                func.count().label("all"),
                func.sum(case((RUNS.c.process_id == process, 1), else_=0)).label("mine"),
            )
            .where(
                RUNS.c.queue.in_(list(queues)),
                RUNS.c.status.in_(CARRIED),
                RUNS.c.process_id.is_not(None),
                RUNS.c.lent.in_(lent),
            )
            .group_by(RUNS.c.queue)
        )
        return {row[0]: (int(row[1]), int(row[2])) for row in await conn.execute(query)}

    async def _taken_lately(self, conn: AsyncConnection, rule: QueueRecord, now: float) -> int:
        if rule.rate_count is None or rule.rate_seconds is None:
            return 0
        query = select(func.count()).where(
            RUNS.c.queue == rule.name, RUNS.c.claimed_at > now - rule.rate_seconds
        )
        return int(await conn.scalar(query) or 0)

    async def _candidates(
        self, conn: AsyncConnection, where: ColumnElement[bool], most: int, now: float
    ) -> list[RunRecord]:
        query = (
            select(*WHOLE)
            .where(_due(now), where)
            .order_by(RUNS.c.priority.desc(), RUNS.c.created_at, RUNS.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return [RunRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it

    async def _take(
        self, conn: AsyncConnection, found: Sequence[RunRecord], process: str, now: float
    ) -> list[RunRecord]:
        if not found:
            return []
        await conn.execute(
            update(RUNS)
            .where(RUNS.c.id.in_([run.id for run in found]))
            .values(
                status="running",
                process_id=process,
                fence=RUNS.c.fence + 1,
                claimed_at=now,
                not_before=None,
                lent=HAS,
                started_at=func.coalesce(RUNS.c.started_at, now),
            )
        )
        return [
            replace(
                run,
                status="running",
                process_id=process,
                fence=run.fence + 1,
                claimed_at=now,
                not_before=None,
                lent=HAS,
                started_at=now if run.started_at is None else run.started_at,
            )
            for run in found
        ]

    async def look(self, claimant: Claimant) -> Look:
        """Glance whether there may be something to do; nothing is taken."""
        async with self._database.read() as conn:
            now = await self._clock(conn)
            rules = await self._rules(conn, claimant)
            paused = {name: rule for name, rule in rules.items() if rule.state == "paused"}
            mine = claimant.listens() if not paused else and_(claimant.listens(), _none_of(paused))
            claimable = select(literal(1)).where(_due(now), mine).limit(1).exists()
            late = select(literal(1)).where(_late(now)).order_by(RUNS.c.deadline).limit(1).exists()
            steered = is_asked(claimant.process)
            told = (await conn.execute(select(claimable, late, steered))).one()
            marked = await conn.scalars(
                select(RUNS.c.id).where(
                    RUNS.c.process_id == claimant.process, RUNS.c.cancel_at.is_not(None)
                )
            )
            return Look(now, bool(told[0]), bool(told[1]), tuple(marked), bool(told[2]))

    async def take_late(self, process: str, most: int = 100) -> list[RunRecord]:
        """Take runs that wait, in queues or for people, and have passed their deadline, whatever their queue allows: to end them."""
        async with self._database.write() as conn:
            now = await self._clock(conn)
            query = (
                select(*WHOLE)
                .where(_late(now))
                .order_by(RUNS.c.deadline)
                .limit(most)
                .with_for_update(skip_locked=True)
            )
            found = [RunRecord(**row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - as above
            return await self._take(conn, found, process, now)

    async def take_waiting(self, process: str, run: str) -> RunRecord | None:
        """Take one run that waits for a process, to end it; None where it does not wait any more."""
        async with self._database.write() as conn:
            now = await self._clock(conn)
            query = select(*WHOLE).where(WAITS, RUNS.c.id == run).with_for_update()
            row = (await conn.execute(query)).first()
            if row is None:
                return None
            found = [RunRecord(**row._mapping)]  # noqa: SLF001 - as above
            return (await self._take(conn, found, process, now))[0]

    # Lending places

    async def lend(self, claim: Claim) -> None:
        """Give the place of a run in its queue to others, as it only waits for these."""
        await self._set_lent(claim, LENDS)

    async def want_back(self, claim: Claim) -> None:
        """Let nobody new have a place in the queue of a run until it has its own again."""
        await self._set_lent(claim, WANTS)

    async def keep(self, claim: Claim) -> None:
        """Let a run have its place again, whether there is room or not."""
        await self._set_lent(claim, HAS)

    async def _set_lent(self, claim: Claim, lent: int) -> None:
        async with self._database.write() as conn:
            await conn.execute(_under(claim).values(lent=lent))

    async def have_back(self, claim: Claim, queue: str, process: str) -> bool:
        """Let a run have its place again, if there is room; else return False. One that is not under the claim needs none."""
        async with self._database.write() as conn:
            rule = (await self._rules(conn, Claimant(process, (queue,)), hold=True)).get(queue)
            if rule is not None and rule.limited:
                counts = await self._carried(conn, (queue,), process, (HAS,))
                of_all, mine = counts.get(queue, (0, 0))
                if min(_left(rule.concurrency, of_all), _left(rule.per_process, mine)) <= 0:
                    run, fence = claim
                    query = select(literal(1)).where(RUNS.c.id == run, RUNS.c.fence == fence)
                    return await conn.scalar(query) is None
            await conn.execute(_under(claim).values(lent=HAS))
        return True

    async def time(self) -> float:
        """Return what time it is by the clock that delays and deadlines are measured by."""
        async with self._database.read() as conn:
            return await self._clock(conn)

    # Giving back

    async def take_over(self, process: str, dead: Sequence[str]) -> list[RunRecord]:
        """Take the runs of processes that are dead, not known, or none, and forget these processes.

        Durable ones wait for whoever claims them; what waits for people goes on
        waiting. The rest is the caller's (``process``) to end: it is returned,
        under a fence of its own. That is what is not durable, and durable ones
        whose process died once more than they may, with no further node ended in between.
        """
        known = select(PROCESSES.c.id).where(PROCESSES.c.id.not_in(list(dead)))
        unknown = and_(RUNS.c.process_id.is_not(None), RUNS.c.process_id.not_in(known))
        abandoned = or_(
            unknown,
            and_(RUNS.c.process_id.is_(None), RUNS.c.status.in_(CARRIED)),
            and_(RUNS.c.process_id.is_(None), RUNS.c.status == "queued", ~RUNS.c.durable),
        )
        async with self._database.write() as conn:
            await conn.execute(
                update(RUNS)
                .where(unknown, RUNS.c.status == "waiting")
                .values(process_id=None, fence=RUNS.c.fence + 1)
            )
            query = (
                select(*LISTED, PROCESSES.c.beat_at)
                .outerjoin(PROCESSES, PROCESSES.c.id == RUNS.c.process_id)
                .where(abandoned, RUNS.c.status.in_((*CARRIED, "queued")))
                .order_by(RUNS.c.created_at)
                .with_for_update(of=RUNS, skip_locked=True)
            )
            rows = [dict(row._mapping) for row in await conn.execute(query)]  # noqa: SLF001 - as above
            beats = [row.pop("beat_at") for row in rows]
            runs = [RunRecord(**row) for row in rows]
            found = await self._take_over(conn, runs, beats, process) if runs else []
            await conn.execute(delete(PROCESSES).where(PROCESSES.c.id.in_(list(dead))))
        return found

    async def _take_over(
        self,
        conn: AsyncConnection,
        runs: Sequence[RunRecord],
        beats: Sequence[float | None],
        process: str,
    ) -> list[RunRecord]:
        """Take runs over; return those that are to be ended. ``beats``: the last sign of life of each one's process."""
        now, found = await self._clock(conn), []
        nodes = await ended_nodes(conn, [run.id for run in runs if run.durable])
        for run, beat in zip(runs, beats, strict=True):
            ended = nodes.get(run.id, 0)
            times = run.takeovers + 1 if ended <= run.takeover_nodes else 1
            going = run.claimed_at or run.started_at
            ran = max(0.0, beat - going) if beat and going else 0.0
            taken = replace(
                run,
                fence=run.fence + 1,
                takeovers=times,
                takeover_nodes=ended,
                ran=run.ran + ran,
            )
            if run.durable and times <= self._takeovers:
                taken = replace(taken, status="queued", process_id=None)
            else:
                taken = replace(taken, process_id=process, claimed_at=now)
                found.append(taken)
            changed = ("status", "process_id", "fence", "claimed_at", *_TAKEN_OVER)
            values = {name: getattr(taken, name) for name in changed}
            await conn.execute(update(RUNS).where(RUNS.c.id == run.id).values(values))
        return found

    async def give_back(self, claims: Mapping[Claim, float]) -> None:
        """Let runs wait again that this process claimed and does not carry any more; nothing where they are another's.

        With each claim, for how many seconds the run went; of one that was laid down meanwhile that is kept already.
        """
        if not claims:
            return
        async with self._database.write() as conn:
            for claim, ran in claims.items():
                went = case((RUNS.c.process_id.is_not(None), ran), else_=0.0)
                await conn.execute(
                    _under(claim)
                    .where(RUNS.c.status.in_((*CARRIED, "queued")))
                    .values(
                        status="queued",
                        process_id=None,
                        fence=RUNS.c.fence + 1,
                        ran=RUNS.c.ran + went,
                    )
                )

    # Steering

    async def mark_cancelled(self, runs: Sequence[str]) -> None:
        """Ask whoever carries these runs to end them."""
        async with self._database.write() as conn:
            now = await self._clock(conn)
            await conn.execute(
                update(RUNS)
                .where(RUNS.c.id.in_(list(runs)), RUNS.c.status.in_(OPEN))
                .values(cancel_at=now)
            )

    async def ended(self, runs: Sequence[str]) -> set[str]:
        """Return which of these runs have ended, or are not kept any more."""
        async with self._database.read() as conn:
            query = select(RUNS.c.id).where(RUNS.c.id.in_(list(runs)), RUNS.c.status.in_(OPEN))
            return set(runs) - set(await conn.scalars(query))

    async def find_by_key(self, queue: str, key: str) -> RunRecord | None:
        """Return the newest run of a queue with a dedupe key, ended or not."""
        query = (
            select(*WHOLE)
            .where(RUNS.c.queue == queue, RUNS.c.dedupe_key == key)
            .order_by(RUNS.c.created_at.desc())
            .limit(1)
        )
        async with self._database.read() as conn:
            row = (await conn.execute(query)).first()
        return None if row is None else RunRecord(**row._mapping)  # noqa: SLF001 - as above

    async def open_of(self, **where: Any) -> list[RunRecord]:
        """Return the runs that have not ended with these values of columns; a list is any of it."""
        conditions = [
            RUNS.c[name].in_(value) if isinstance(value, (list, tuple)) else RUNS.c[name] == value
            for name, value in where.items()
        ]
        query = select(*LISTED).where(RUNS.c.status.in_(OPEN), *conditions)
        async with self._database.read() as conn:
            rows = await conn.execute(query.order_by(RUNS.c.created_at))
            return [RunRecord(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    # Queues

    async def queues(self) -> dict[str, QueueRecord]:
        """Return the queues that were ever set up, by name."""
        async with self._database.read() as conn:
            rows = await conn.execute(select(QUEUES).order_by(QUEUES.c.name))
            return {row.name: _queue(row) for row in rows}

    async def put(self, queue: QueueRecord) -> None:
        """Keep what holds for a queue from now on."""
        values = {name: getattr(queue, name) for name in QueueRecord.__dataclass_fields__}
        async with self._database.write() as conn:
            now = await self._clock(conn)
            begun = upsert(conn.dialect, QUEUES).values(**values, created_at=now, updated_at=now)
            await conn.execute(
                begun.on_conflict_do_update(
                    index_elements=[QUEUES.c.name], set_=values | {"updated_at": now}
                )
            )

    async def figures(self, user: str | None = None) -> dict[str, Figures]:
        """Return how each queue stands that has runs now, or had some in the last minute; of one user's where given."""
        async with self._database.read() as conn:
            now = await self._clock(conn)
            waits = and_(RUNS.c.status == "queued", RUNS.c.process_id.is_(None))
            delayed = and_(waits, RUNS.c.not_before > now)
            query = (
                select(
                    RUNS.c.queue,
                    _count(and_(waits, ~func.coalesce(RUNS.c.not_before > now, literal(False)))),
                    _count(delayed),
                    _count(and_(RUNS.c.status.in_(CARRIED), RUNS.c.lent != LENDS)),
                    func.min(case((waits, RUNS.c.created_at))),
                    _count(RUNS.c.claimed_at > now - 60),
                )
                .where(
                    RUNS.c.queue.is_not(None),
                    or_(RUNS.c.status.in_(OPEN), RUNS.c.claimed_at > now - 60),
                )
                .group_by(RUNS.c.queue)
            )
            if user is not None:
                query = query.where(RUNS.c.user_id == user)
            return {
                row[0]: Figures(int(row[1]), int(row[2]), int(row[3]), row[4], int(row[5]))
                for row in await conn.execute(query)
            }


async def enqueue(conn: AsyncConnection, record: RunRecord) -> RunRecord:
    """Keep a run that waits in its queue; where an open one there has its dedupe key, return that one instead."""
    statement = upsert(conn.dialect, RUNS).values(await row_of(conn, record))
    if record.dedupe_key is None:
        await conn.execute(statement)
        return record
    same = select(*WHOLE).where(
        RUNS.c.queue == record.queue,
        RUNS.c.dedupe_key == record.dedupe_key,
        RUNS.c.ended_at.is_(None),
    )
    while True:
        made = await conn.execute(
            statement.on_conflict_do_nothing(
                index_elements=[RUNS.c.queue, RUNS.c.dedupe_key],
                index_where=and_(RUNS.c.ended_at.is_(None), RUNS.c.dedupe_key.is_not(None)),
            )
        )
        if made.rowcount == 1:
            return record
        row = (await conn.execute(same)).first()
        if row is not None:
            return RunRecord(**row._mapping)  # noqa: SLF001 - as above


def _due(now: float) -> ColumnElement[bool]:
    """Return the condition that a run waits, and that its time has come and is not over."""
    return and_(
        WAITS,
        or_(RUNS.c.not_before.is_(None), RUNS.c.not_before <= now),
        or_(RUNS.c.deadline.is_(None), RUNS.c.deadline > now),
    )


async def ended_nodes(conn: AsyncConnection, runs: Sequence[str]) -> dict[str, int]:
    """Return how many nodes of each run have ended, where any has.

    One whose outputs are in no store ends again each time that the run goes on: that is no way further.
    """
    columns = EVENTS.c
    ended = (
        select(columns.run, columns.node)
        .where(columns.run.in_(runs), columns.kind.in_(ENDINGS))
        .distinct()
    )
    together = select(columns.run, columns.body).where(columns.run.in_(runs), columns.kind == RAN)
    nodes: dict[str, set[str]] = {}
    for run, node in await conn.execute(ended):
        nodes.setdefault(run, set()).add(node)
    for run, body in await conn.execute(together):
        nodes.setdefault(run, set()).update(nodes_of(body))
    return {run: len(each) for run, each in nodes.items()}


def _late(now: float) -> ColumnElement[bool]:
    """Return the condition that a run waits past its deadline: in its queue, or for people.

    Written so that SQLite can use no index but that of deadlines: by status or process it would read all that waits.
    """
    nobodys = func.coalesce(RUNS.c.process_id, "") == ""
    return and_(DUE, RUNS.c.deadline <= now, RUNS.c.status.not_in(CARRIED), nobodys)


def _under(claim: Claim) -> Update:
    """Return the change of the row of a run, where it is still under this claim."""
    run, fence = claim
    return update(RUNS).where(RUNS.c.id == run, RUNS.c.fence == fence)


def _none_of(rules: Mapping[str, QueueRecord]) -> ColumnElement[bool]:
    return or_(RUNS.c.queue.is_(None), RUNS.c.queue.not_in(list(rules)))


def _left(most: int | None, taken: int) -> int:
    return 1_000_000 if most is None else most - taken


def _count(what: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((what, 1), else_=0)), 0)


def _queue(row: Any) -> QueueRecord:
    return QueueRecord(*(getattr(row, name) for name in QueueRecord.__dataclass_fields__))
