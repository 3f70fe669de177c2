"""One timer for all triggers that go by the clock: it sleeps until the first is due.

What is due is in the database, so processes share it: whoever moves ``next_at`` on fires.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncConnection

from spellwork_server.errors import ServerError
from spellwork_server.storage.triggers import (
    TriggerRecord,
    TriggerRecords,
    insert_firings,
    known_keys,
    move_on,
    put_fault,
)

from .firing import Came, Firer, NotNow, due_key
from .kinds import schedule_of
from .missed import CaughtUp, catch_up
from .schedule import Schedule, ScheduleError

SLEEP = 30.0
"""Seconds that it sleeps at most: the clock may be put forward, and another process may add what is due sooner."""

AGAIN = 5.0
"""Seconds until a firing that could not be made just now is tried again."""

AT_ONCE = 100
"""Triggers that are looked at together."""

SET_BACK = 3 * 3_600.0
"""Seconds by which the clock must be set back for due times to be found anew; less is waited for, as cron does."""

HOURLY = 3_600.0

logger = logging.getLogger(__name__)


class Timer:
    """Fires what is due. ``look`` polls an address; it returns at once, and works on."""

    def __init__(
        self,
        records: TriggerRecords,
        firer: Firer,
        look: Callable[[TriggerRecord], None],
        sweep: Callable[[], Awaitable[None]],
    ) -> None:
        self._records = records
        self._firer = firer
        self._look = look
        self._sweep = sweep
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._later: dict[str, float] = {}
        self._trimmed_at: float | None = None
        self._seen = 0.0
        self._stopped = False
        self._swept_at: float | None = None

    def wake(self) -> None:
        """Look again: what is due has changed."""
        self._swept_at = None
        self._wake.set()

    def stop(self) -> None:
        """End after the round that goes on."""
        self._stopped = True
        self._wake.set()

    async def run(self) -> None:
        """Fire what is due, until it is stopped."""
        while not self._stopped:
            pause = AGAIN
            try:
                pause = await self.fire_due()
            except (ServerError, OSError) as error:
                logger.warning("triggers wait for the store: %s", error)
            except Exception:  # the edge of the timer: a fault of one round is not the end
                logger.exception("fault in the timer of triggers")
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()

    async def fire_due(self) -> float:
        """Fire all that is due now; return the seconds until the next may be."""
        async with self._turn:
            now = self._firer.clock()
            await self._tidy(now)
            self._later = {id: at for id, at in self._later.items() if now < at <= now + AGAIN}
            due = [
                each
                for each in await self._records.due(now, AT_ONCE + len(self._later))
                if each.id not in self._later
            ]
            await asyncio.gather(*(self._one(each) for each in due))
            if len(due) >= AT_ONCE:
                return 0.0
            first = await self._records.next_at()
            now = self._firer.clock()
            ahead = SLEEP if first is None else first - now
            if self._later and ahead <= 0:
                ahead = max(0.05, min(self._later.values()) - now)
            return min(SLEEP, max(0.0, ahead))

    async def _one(self, trigger: TriggerRecord) -> None:
        try:
            if trigger.kind == "poll":
                await self._begin_look(trigger)
            else:
                await self._catch_up(trigger)
        except NotNow as error:
            self._later[trigger.id] = self._firer.clock() + AGAIN
            logger.info("trigger %s is tried again soon: %s", trigger.id, error)

    async def _schedule(self, trigger: TriggerRecord) -> Schedule | None:
        """Return when a trigger is due; one that never is any more (zones change) says so and rests."""
        try:
            schedule = schedule_of(trigger.kind, trigger.settings)
        except ScheduleError as error:
            await self._firer.commit(_rest(trigger, str(error)))
            return None
        return schedule

    async def _begin_look(self, trigger: TriggerRecord) -> None:
        schedule = await self._schedule(trigger)
        if schedule is None:
            return
        following = schedule.next(self._firer.clock())

        async def take(conn: AsyncConnection) -> None:
            await move_on(conn, trigger, following)

        if await self._firer.commit(take):
            self._look(trigger)

    async def _catch_up(self, trigger: TriggerRecord) -> None:
        schedule = await self._schedule(trigger)
        if schedule is None or trigger.next_at is None:
            return
        policy = trigger.missed if trigger.missed in ("once", "all") else "skip"
        now = self._firer.clock()
        found = catch_up(schedule, trigger.next_at, now, policy)  # type: ignore[arg-type] # one of the three, by the line above
        following = [*found.start[1:], found.next_at]
        if not found.start:
            await self._firer.commit(self._noting(trigger, found, found.next_at))
            await self._firer.changed(trigger.id)
            return
        for place, (at, then) in enumerate(zip(found.start, following, strict=True)):
            write = self._noting(trigger, found if place == 0 else None, then)
            came = Came(due_key(at), at, {"due": at})
            if await self._firer.fire(trigger, came, write) is None:
                # Another process has it; or the clock was put back, and this time has fired before.
                await self._pass_over(trigger, came.key, then)
                return
            trigger = await self._records.find(trigger.id) or trigger

    async def _pass_over(self, trigger: TriggerRecord, key: str, following: float | None) -> None:
        async def take(conn: AsyncConnection) -> None:
            if await known_keys(conn, trigger.id, [key]):
                await move_on(conn, trigger, following)

        await self._firer.commit(take)

    def _noting(
        self, trigger: TriggerRecord, found: CaughtUp | None, following: float | None
    ) -> Callable[[AsyncConnection], Awaitable[None]]:
        """Return what moves the trigger on, with a row for each time that was missed."""
        reason = "nobody was there when it was due"
        missed = [] if found is None else self._firer.missed(trigger, found.missed, reason)
        if found is not None and found.more and missed:
            earlier = f"{reason}; so it was earlier, and that is not listed"
            missed[0] = self._firer.missed(trigger, found.missed[:1], earlier)[0]

        async def write(conn: AsyncConnection) -> None:
            await move_on(conn, trigger, following)
            known = await known_keys(conn, trigger.id, [each.key for each in missed])
            await insert_firings(conn, [each for each in missed if each.key not in known])

        return write

    async def _tidy(self, now: float) -> None:
        """Once an hour forget old firings; find due times anew where the clock went back; sweep for ends of runs."""
        first = self._trimmed_at is None
        if first or now < self._seen - SET_BACK:
            await self._realign(now)
        if not _within(now, self._trimmed_at, HOURLY):
            await self._records.trim(now)
            self._trimmed_at = now
        if not _within(now, self._swept_at, SLEEP):
            self._swept_at = now
            await self._sweep()
        self._seen = now

    async def _realign(self, now: float) -> None:
        for trigger in await self._records.enabled("cron", "interval", "poll"):
            schedule = await self._schedule(trigger)
            first = None if schedule is None else schedule.next(now)
            if first is None or trigger.next_at is None or trigger.next_at - first <= SET_BACK:
                continue

            async def take(
                conn: AsyncConnection, trigger: TriggerRecord = trigger, first: float = first
            ) -> None:
                await move_on(conn, trigger, first)

            await self._firer.commit(take)


def _within(now: float, since: float | None, seconds: float) -> bool:
    return since is not None and 0 <= now - since < seconds


def _rest(trigger: TriggerRecord, why: str) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def write(conn: AsyncConnection) -> None:
        await move_on(conn, trigger, None)
        await put_fault(conn, trigger.id, why)

    return write
