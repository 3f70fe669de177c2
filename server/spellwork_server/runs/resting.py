"""How a run is laid down that has not come to its end: for people, for its next attempt, or for the next process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork import RunResult
from spellwork_server.storage.group_commit import Job
from spellwork_server.storage.run_figures import keep_figures
from spellwork_server.storage.run_progress import write_progress
from spellwork_server.storage.run_records import RunRecord
from spellwork_server.storage.run_states import lay_down

from .views import RunProgress

TryAgain = Callable[[RunRecord, RunResult], float | None]
"""Returns when (Unix time) a run whose nodes failed is tried again; None where it ends."""


def never(_record: RunRecord, _result: RunResult) -> float | None:
    """Return None."""
    return None


@dataclass(frozen=True, slots=True)
class Rest:
    """What a run is laid down as, after it went for ``ran`` seconds. ``not_before`` and ``attempt`` are those of its next attempt."""

    status: Literal["waiting", "queued"]
    not_before: float | None = None
    attempt: int | None = None
    ran: float = 0.0


def is_over(record: RunRecord, result: RunResult) -> bool:
    """Say whether a run came to its end with nodes that failed, and may be tried again at all."""
    return record.retry is not None and result.status == "completed" and bool(result.errors)


def laying_down(
    run: str, fence: int, rest: Rest, progress: RunProgress | None, summary: Any = None
) -> Job[None]:
    """Return the job that lays a run down, and keeps how far it is, and what is counted of ``summary``."""

    async def write(conn: AsyncConnection) -> None:
        if progress is not None:
            await write_progress(conn, {(run, fence): progress.model_dump()})
        if summary is not None:
            await keep_figures(conn, run, summary, ran=rest.ran, over=rest.attempt is not None)
        await lay_down(
            conn,
            run,
            fence,
            rest.status,
            attempt=rest.attempt,
            not_before=rest.not_before,
            ran=rest.ran,
        )

    return write
