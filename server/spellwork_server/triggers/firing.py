"""One firing: the run, its row, and what the trigger remembers, kept in one transaction or not at all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork.paths import PathError
from spellwork_server.errors import NotFound, ServerError, Unavailable
from spellwork_server.identity import Actor
from spellwork_server.identity.policy import CanvasAccess, allowed
from spellwork_server.storage.group_commit import GroupCommit, Job
from spellwork_server.storage.triggers import (
    FiredError,
    FiringRecord,
    OverlapError,
    TakenError,
    TriggerRecord,
    insert_firings,
    put_fault,
    require_idle,
)

from .kinds import RunSettings
from .mapping import mapped

MAX_DEPTH = 10
"""Runs that may lead to each other, each end firing the next."""

MAX_REASON = 1_000
NOT_NOW = frozenset({"too_many_runs", "run_busy"})
"""Refusals that a moment later may be none: the firing is tried again, and nothing is noted of it."""

logger = logging.getLogger(__name__)
audit = logging.getLogger("spellwork_server.audit")


@dataclass(frozen=True, slots=True)
class Came:
    """What makes a trigger fire. ``key`` is equal where the same comes again."""

    key: str
    due_at: float
    values: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start: ``also`` writes, given its id, in the transaction that keeps its record."""

    actor: Actor
    canvas: str
    inputs: Mapping[str, Any]
    run: RunSettings
    trigger: str
    depth: int
    also: Callable[[AsyncConnection, str], Awaitable[None]]


Starts = Callable[[Start], Awaitable[str]]
"""Starts a run and returns its id once its record is durable. Raises ServerError, and what ``also`` raised."""


class NotNow(Exception):
    """Nothing was noted: try again later."""


class Changed(Protocol):
    """Told of a trigger that fired, or whose fault is another."""

    def __call__(self, trigger: str) -> Coroutine[Any, Any, None]:
        """Tell those who look at it."""


class Firer:
    """Fires triggers as those whose they are, with the rights that these have at that moment."""

    def __init__(
        self,
        starts: Starts,
        commits: GroupCommit,
        find_actor: Callable[[str], Awaitable[Actor | None]],
        access: Callable[[str], Awaitable[CanvasAccess]],
        clock: Callable[[], float],
        changed: Changed,
    ) -> None:
        self._starts = starts
        self._commits = commits
        self._find_actor = find_actor
        self._access = access
        self.clock = clock
        self.changed = changed

    async def fire(
        self, trigger: TriggerRecord, came: Came, write: Job[None]
    ) -> FiringRecord | None:
        """Start the run that came is worth, or note why not; ``write`` goes in the same transaction.

        Return None where this has fired before, or another process did it.

        Raises:
            NotNow: the store, or who it is for, is too busy.
        """
        try:
            started = await self._start(trigger, came, write)
        except (TakenError, FiredError, IntegrityError):
            return None
        except OverlapError as error:
            reason = f"run {error.run} that it started goes on still"
            return await self.note(trigger, self._firing(trigger, came, "skipped", reason), write)
        except (PathError, ServerError) as error:
            if isinstance(error, Unavailable) or getattr(error, "code", "") in NOT_NOW:
                raise NotNow(str(error)) from error
            return await self.refuse(trigger, came, str(error), write)
        except Exception:  # the edge of one firing: others go on
            logger.exception("fault in a firing of trigger %s", trigger.id)
            return await self.refuse(trigger, came, "Something went wrong on the server", write)
        await self.changed(trigger.id)
        return started

    async def refuse(
        self, trigger: TriggerRecord, came: Came, reason: str, write: Job[None]
    ) -> FiringRecord | None:
        """Note that something came and started nothing, and say so on the trigger."""
        reason = reason[:MAX_REASON]
        audit.info("trigger %s of canvas %s did not fire", trigger.id, trigger.canvas_id)
        firing = self._firing(trigger, came, "refused", reason)
        return await self.note(trigger, firing, write, fault=reason)

    async def note(
        self,
        trigger: TriggerRecord,
        firing: FiringRecord,
        write: Job[None],
        fault: str | None = None,
    ) -> FiringRecord | None:
        """Keep a firing that starts nothing. Raises NotNow."""

        async def keep(conn: AsyncConnection) -> None:
            await write(conn)
            await insert_firings(conn, [firing])
            if fault is not None:
                await put_fault(conn, trigger.id, fault)

        if not await self.commit(keep):
            return None
        await self.changed(trigger.id)
        return firing

    async def commit(self, job: Job[None]) -> bool:
        """Do ``job``; False where there is nothing to do any more. Raises NotNow."""
        try:
            await self._commits.submit(job)
        except (TakenError, FiredError, IntegrityError):
            return False
        except Unavailable as error:
            raise NotNow(str(error)) from error
        return True

    def missed(
        self, trigger: TriggerRecord, times: Sequence[float], reason: str
    ) -> list[FiringRecord]:
        """Return the firings of times at which nothing was started."""
        return [self._firing(trigger, Came(due_key(at), at), "missed", reason) for at in times]

    async def require_owner(self, trigger: TriggerRecord) -> Actor:
        """Return whose trigger it is, who may still run its canvas. Raises ServerError."""
        actor = await self._find_actor(trigger.user_id)
        if actor is None:
            raise NotFound("Whose trigger it is may not sign in any more")
        if not allowed(actor, "canvas.run", await self._access(trigger.canvas_id)):
            raise NotFound("Whose trigger it is may not run this canvas any more")
        return actor

    async def _start(self, trigger: TriggerRecord, came: Came, write: Job[None]) -> FiringRecord:
        actor = await self.require_owner(trigger)
        if came.depth > MAX_DEPTH:
            raise NotFound(
                f"{MAX_DEPTH} runs led to this one, each end firing the next: the loop is ended here",
                code="trigger_loop",
            )
        settings = RunSettings.model_validate(trigger.run)
        inputs = mapped(trigger.inputs, came.values)
        firing = self._firing(trigger, came, "started", None)

        async def also(conn: AsyncConnection, run: str) -> None:
            await write(conn)
            if settings.overlap == "skip":
                await require_idle(conn, trigger.id)
            await insert_firings(conn, [_of_run(firing, run)])
            if trigger.fault is not None:
                await put_fault(conn, trigger.id, None)

        run = await self._starts(
            Start(actor, trigger.canvas_id, inputs, settings, trigger.id, came.depth, also)
        )
        return _of_run(firing, run)

    def _firing(
        self, trigger: TriggerRecord, came: Came, outcome: Any, reason: str | None
    ) -> FiringRecord:
        return FiringRecord(
            uuid4().hex, trigger.id, came.key, came.due_at, self.clock(), outcome, None, reason
        )


def _of_run(firing: FiringRecord, run: str) -> FiringRecord:
    return FiringRecord(
        firing.id, firing.trigger_id, firing.key, firing.due_at, firing.fired_at, "started", run
    )


def due_key(at: float) -> str:
    """Return the key of a due time."""
    return f"at:{at:.3f}"


async def nothing(_conn: AsyncConnection) -> None:
    """Write nothing."""
