"""Takes runs from their queues, as many as this process carries, and sees to those that must end.

It sleeps until something is to be done: somebody here queued a run, or one
ended (``ring``); and looks a few times a second for what other processes
queued or want to end. A look only reads.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from spellwork_server.errors import ServerError, Unavailable
from spellwork_server.storage.journal import Claim
from spellwork_server.storage.queues import Claimant, QueueStore
from spellwork_server.storage.run_records import RunRecord

from .processes import Processes

DEADLINE = "deadline_exceeded"

LOOK_SECONDS = (0.25, 0.5)
"""Between two looks at what others queued or want to end: by chance, so that processes do not look all at once."""

LATE_AT_ONCE = 100
"""Runs past their deadline that are ended in one go."""

LOST = "interrupted: its process ended"

TAKEN_OVER = "too_many_takeovers"

logger = logging.getLogger(__name__)

End = Callable[[], Awaitable[Any]]
"""Ends a run that was taken to be ended."""


class Carried(Protocol):
    """What the dispatcher needs of ``runs.Run``."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def fence(self) -> int:
        """The claim under which it is carried."""

    @property
    def kept(self) -> RunRecord | None:
        """Its row as it was first kept."""

    @property
    def ended(self) -> asyncio.Event:
        """Set once nothing more is done for it here."""

    def cancel(self) -> None:
        """End it within a second."""

    def fail(self, code: str, message: str) -> None:
        """End it as failed within a second."""

    def drop(self) -> None:
        """Stop carrying it, and write nothing more."""


class Runs(Protocol):
    """What the dispatcher needs of ``runs.Runners``."""

    async def carry(self, record: RunRecord, fence: int) -> Carried:
        """Set a claimed run going. One that cannot go on is ended, and the reason raised."""

    def open_runs(self) -> Iterator[Any]:
        """Return what this process carries (``Carried``)."""

    async def interrupt(self, record: RunRecord, why: str) -> Any:
        """End a run as interrupted that this process claimed and does not carry."""

    async def end_failed(self, record: RunRecord, code: str, message: str) -> Any:
        """End such a run as failed."""


@dataclass(slots=True)
class _Held:
    """A run that was claimed here. ``run`` is None until it goes."""

    record: RunRecord
    run: Carried | None = None
    timer: asyncio.TimerHandle | None = None


class Dispatcher:
    """The one of a process, as an async context manager; ``carrying`` of its ``Processes``.

    ``obey`` does what other processes ask of runs here.
    """

    def __init__(
        self,
        store: QueueStore,
        processes: Processes,
        runs: Runs,
        obey: Callable[[], Awaitable[None]],
        *,
        most: int = 32,
    ) -> None:
        self._store = store
        self._processes = processes
        self._runs = runs
        self._obey = obey
        self._most = most
        self._held: dict[str, _Held] = {}
        self._dropped: dict[Claim, float] = {}
        """Runs that were dropped here, and may be nobody's; and for how many seconds each had gone by then."""
        self._unended: list[End] = []
        """Runs that are this process's and that nobody carries: the store failed when they were to end."""
        self._more = False
        """Whether the last claim took all it could, so that more may wait."""
        self._bell = asyncio.Event()
        self._rung = True
        self._owes_answers = False
        """Whether somebody may not have heard yet what became of what they asked of a run here."""
        self._looked = -math.inf
        """When the database was last looked at, by ``time.monotonic``."""
        self._resting: Counter[str] = Counter()
        """Runs that only wait for others, by how many of their nodes do."""
        self._skew = time.time() - time.monotonic()
        """What the database's clock is ahead of this process's monotonic one."""
        self._running: set[asyncio.Task[None]] = set()
        self._tasks = asyncio.TaskGroup()
        processes.carrying = self

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._begin(self._dispatch(), "dispatcher")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Claim nothing more; what goes is for the runners to lay down."""
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._tasks.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @property
    def claimant(self) -> Claimant:
        """Who claims here."""
        return Claimant(self._processes.id, self._processes.queues)

    def now(self) -> float:
        """Return what time it is by the database's clock, as far as this process knows; Unix seconds."""
        return time.monotonic() + self._skew

    def ring(self) -> None:
        """Say that a run was queued here: it is looked for at once."""
        self._rung = True
        self._bell.set()

    @contextmanager
    def resting(self, run: str) -> Iterator[None]:
        """Give a run's place to others for as long as it waits for one of them."""
        self._resting[run] += 1
        self.ring()
        try:
            yield
        finally:
            self._resting[run] -= 1
            if not self._resting[run]:
                del self._resting[run]

    def _room(self) -> int:
        return self._most - sum(run not in self._resting for run in self._held)

    # Taking

    async def _dispatch(self) -> None:
        while True:
            try:
                await self._turn()
            except Unavailable as error:
                logger.warning("queues: %s", error.message)
            except Exception:  # the edge of the dispatcher: it goes on with the next turn
                logger.exception("fault in the dispatcher")
            await self._wait()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(*LOOK_SECONDS)):  # noqa: S311 - spreads load
                await self._bell.wait()
        self._bell.clear()

    async def _turn(self) -> None:
        if self._processes.is_fenced:
            return
        sure, self._rung = self._rung, False
        if not sure or time.monotonic() - self._looked > LOOK_SECONDS[1]:
            look = await self._store.look(self.claimant)
            self._looked = time.monotonic()
            self._skew = look.now - self._looked
            self._cancel_marked(look.cancelled)
            if look.steered or self._owes_answers:
                self._owes_answers = True
                await self._obey()
                self._owes_answers = False
            if look.late:
                await self._end_late()
            sure = sure or look.claimable
        room = self._room()
        if sure and room > 0:
            await self._claim(room)

    async def _claim(self, room: int) -> None:
        found = await self._store.claim(self.claimant, room)
        self._more = len(found) == room
        for record in found:
            self._skew = (record.claimed_at or 0.0) - time.monotonic()
            self._held[record.id] = held = _Held(record)
            self._begin(self._carry(held), f"carry {record.id}")

    async def _carry(self, held: _Held) -> None:
        record = held.record
        try:
            run = held.run = await self._runs.carry(record, record.fence)
            if record.deadline is not None:
                late = max(0.0, record.deadline - self.now())
                held.timer = asyncio.get_running_loop().call_later(late, _end_by_deadline, run)
            await run.ended.wait()
        except Unavailable:  # not here, not now: the next one may
            await self._give_back(record)
        except ServerError as error:
            logger.warning("run %s cannot be carried: %s", record.id, error.message)
        except (
            asyncio.CancelledError
        ):  # this process ends; if it does not go by then, others take it
            self._note_dropped(record)
            raise
        except Exception:  # the edge of one run
            logger.exception("run %s could not be carried", record.id)
            await self._give_up(record)
        finally:
            if held.timer is not None:
                held.timer.cancel()
            self._held.pop(record.id, None)
            if self._more:
                self._rung = True
            self._bell.set()

    async def _give_back(self, record: RunRecord) -> None:
        try:
            await self._store.give_back({(record.id, record.fence): 0.0})
        except Unavailable:
            self._dropped[record.id, record.fence] = 0.0

    def _note_dropped(self, record: RunRecord) -> None:
        """Have a run given back that goes no more from now on."""
        begun = record.claimed_at or record.started_at
        ran = 0.0 if begun is None else max(0.0, self.now() - begun)
        self._dropped.setdefault((record.id, record.fence), ran)

    async def _give_up(self, record: RunRecord) -> None:
        why = "The run could not be carried on"
        await self._end([partial(self._runs.end_failed, record, "internal", why)])

    async def _end(self, ends: Iterable[End]) -> None:
        """End runs; those for which the store fails are ended later (``_settle``)."""
        left = list(ends)
        while left:
            end = left.pop(0)
            try:
                await end()
            except Unavailable as error:
                logger.warning("the end of a run could not be kept: %s", error.message)
                self._unended += [end, *left]
                return
            except Exception:  # the edge of one run: others end all the same
                logger.exception("a run could not be ended")
                self._unended.append(end)

    async def _settle(self) -> None:
        """Try again to end what could not be ended, and to give back what could not be."""
        unended, self._unended = self._unended, []
        await self._end(unended)
        if self._dropped:
            await self.renounce()

    def _cancel_marked(self, runs: Sequence[str]) -> None:
        marked = set(runs)
        if marked:
            for run in self._runs.open_runs():
                if run.id in marked:
                    run.cancel()

    async def _end_late(self) -> None:
        late = await self._store.take_late(self._processes.id, LATE_AT_ONCE)
        await self._end(
            partial(self._runs.end_failed, each, DEADLINE, _late(each)) for each in late
        )

    # What happens to processes (``processes.Carrying``)

    async def take_over(self, process: str, dead: Sequence[str]) -> None:
        """Give the runs of dead processes back; those that nobody may carry on end: as interrupted, or failed."""
        await self._settle()
        await self._end(
            partial(self._runs.end_failed, each, TAKEN_OVER, _killing(each))
            if each.durable
            else partial(self._runs.interrupt, each, LOST)
            for each in await self._store.take_over(process, dead)
        )
        if dead:
            self.ring()

    def drop_claimed(self, why: str) -> None:
        """Drop at once every run that another process may have taken to carry on."""
        for run in list(self._runs.open_runs()):
            if run.kept is not None and run.kept.durable:
                logger.warning("run %s is dropped: %s", run.id, why)
                self._note_dropped(replace(run.kept, fence=run.fence))
                run.drop()

    def drop_all(self, why: str) -> None:
        """Drop every run: none of them is this process's any more."""
        self._dropped.clear()
        self._unended.clear()
        for run in list(self._runs.open_runs()):
            logger.warning("run %s is dropped: %s", run.id, why)
            run.drop()

    async def renounce(self) -> None:
        """Let runs wait again that were dropped, where nobody has taken them."""
        claims = dict(self._dropped)
        await self._store.give_back(claims)
        for claim in claims:
            self._dropped.pop(claim, None)
        self.ring()

    async def leave(self) -> None:
        """Let wait what this process still has."""
        await self._store.give_back(self._dropped)


def _end_by_deadline(run: Carried) -> None:
    run.fail(DEADLINE, "The run did not end by its deadline; it was ended")


def _late(record: RunRecord) -> str:
    return f"The run was to end by {record.deadline}, and still waited"


def _killing(record: RunRecord) -> str:
    return (
        f"Its process died {record.takeovers} times while the run went, and no further node of it ended in between:"
        " it may be what ends them, as by too much memory; it is not carried on"
    )
