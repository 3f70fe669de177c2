"""How the rows of runs change hands while nobody carries them: laid down, taken up again, ended as they lie."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .journal import FencedError
from .run_records import CARRIED, WHOLE, RunRecord
from .schema import RUNS

_STAYS_PAUSED = and_(RUNS.c.paused, RUNS.c.status != "interrupted")
"""What was paused goes on by a word for that alone; who has an interrupted run go on says just that."""


async def lay_down(
    conn: AsyncConnection,
    run: str,
    fence: int,
    status: str,
    *,
    attempt: int | None = None,
    not_before: float | None = None,
    ran: float = 0.0,
) -> None:
    """Let go of a run that this process carried under ``fence`` for ``ran`` seconds; it is open, and nobody's.

    Another attempt begins with all the time that it may take. Raises FencedError.
    """
    values: dict[str, Any] = {"status": status, "process_id": None, "not_before": not_before}
    values["ran"] = RUNS.c.ran + ran if attempt is None else 0.0
    if attempt is not None:
        values |= {"attempt": attempt, "takeovers": 0}
    laid = await conn.execute(
        update(RUNS).where(RUNS.c.id == run, RUNS.c.fence == fence).values(**values)
    )
    if laid.rowcount != 1:
        raise FencedError(run)


async def take_up(
    conn: AsyncConnection, run: str, statuses: Sequence[str], process: str | None
) -> RunRecord | None:
    """Claim a run that has one of these statuses, and nobody carries; None where another one was first, or it changed.

    One that had ended is open again. It was asked for or answered: how often its process died before counts no more.
    """
    taken = await conn.execute(
        update(RUNS)
        .where(RUNS.c.id == run, RUNS.c.status.in_(statuses))
        .values(
            status="running",
            ended_at=None,
            result=None,
            cancel_at=None,
            process_id=process,
            fence=RUNS.c.fence + 1,
            claimed_at=time.time(),
            lent=0,
            takeovers=0,
            paused=_STAYS_PAUSED,
        )
        .returning(*WHOLE)
    )
    row = taken.first()
    return None if row is None else RunRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


async def put_back(conn: AsyncConnection, run: str, statuses: Sequence[str]) -> bool:
    """Let a run of one of these statuses wait in its queue again, for whoever listens to that; say whether it does."""
    moved = await conn.execute(
        update(RUNS)
        .where(RUNS.c.id == run, RUNS.c.status.in_(statuses))
        .values(
            status="queued",
            ended_at=None,
            result=None,
            process_id=None,
            not_before=None,
            takeovers=0,
            paused=_STAYS_PAUSED,
        )
    )
    return moved.rowcount == 1


async def end_lying(
    conn: AsyncConnection, run: str, fence: int, status: str, at: float, result: Any
) -> None:
    """Note how a run ended that nobody carries. Raises FencedError where somebody does by now, or it has ended."""
    ended = await conn.execute(
        update(RUNS)
        .where(
            RUNS.c.id == run,
            RUNS.c.fence == fence,
            RUNS.c.ended_at.is_(None),
            RUNS.c.process_id.is_(None),
        )
        .values(status=status, ended_at=at, result=result)
    )
    if ended.rowcount != 1:
        raise FencedError(run)


async def note_steered(
    conn: AsyncConnection, run: str, fence: int, status: str, paused: bool
) -> None:
    """Note where a run stands that is carried under ``fence``, and whether it stays paused when somebody else carries it.

    Nothing happens where it is not carried, or elsewhere.
    """
    waits_its_turn = and_(RUNS.c.status == "queued", RUNS.c.process_id.is_not(None))
    await conn.execute(
        update(RUNS)
        .where(
            RUNS.c.id == run,
            RUNS.c.fence == fence,
            or_(RUNS.c.status.in_(CARRIED), waits_its_turn),
        )
        .values(status=status, paused=paused)
    )


async def note_request(conn: AsyncConnection, run: str, request: Any) -> None:
    """Note what a run does by now of what it was asked for."""
    await conn.execute(update(RUNS).where(RUNS.c.id == run).values(request=request))
