"""One run: its execution, its journal, and what is kept when it ends."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

from spellwork import (
    Event,
    Execution,
    Limiters,
    LiveSession,
    Plan,
    RunContext,
    RunMemory,
    RunResult,
    Sink,
    Spell,
)
from spellwork.asking import Asker
from spellwork.encoding import Encodings
from spellwork.executor import Executor
from spellwork.handles import any_handles
from spellwork.limits import Limits
from spellwork.outbound.holding import begin_holding
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import Unavailable
from spellwork_server.grants.masking import RunSecrets, no_secrets
from spellwork_server.storage.event_rows import Entry
from spellwork_server.storage.group_commit import Job
from spellwork_server.storage.run_records import RunRecord
from spellwork_server.storage.run_states import note_steered

from .asking import Asked, Asking
from .beginning import beginning, first_job
from .followers import BEHIND
from .insides import ALL_SHOWN, Insides
from .journal import Journal
from .last_values import LastValues
from .live_seat import LiveExecution, LiveSeat
from .origin import Origin
from .output_cache import SharedCache
from .pace import Pace
from .progress import progress_of
from .resting import Rest, TryAgain, is_over, laying_down, never
from .run_end import Left, RunEnd
from .run_sink import RunSink
from .stream_log import StreamLog
from .streams import runs_of
from .views import Audience, Mode, RunProgress, Status
from .wire import Wire
from .worker_values import LeftInWorkers
from .writer import RunWriter

PAUSE_BYTES = 16 * 1024 * 1024
"""Bytes of events waiting for the store at which a run starts no further node; it goes on at half of it."""

STREAM_BYTES = 512 * 1024
"""Bytes of events waiting for the store at which streams wait. So much may still come to a tab that is found to lag."""

FAIL_BYTES = 128 * 1024 * 1024
"""Bytes of events waiting for the store at which a run fails, rather than fill the memory.

Streams wait long before. Only what does not wait comes here: log lines, and ``Context.emit``.
"""

logger = logging.getLogger(__name__)


def nobody_lags(_stream: str, _user: str) -> bool:
    """Return False."""
    return False


def no_process() -> str | None:
    """Return None."""
    return None


async def as_required(_canvas: str | None) -> str:
    """Return ""."""
    return ""


@dataclass(frozen=True, slots=True)
class Machinery:
    """What every run of this server runs with."""

    journal: Journal
    cache: SharedCache
    executors: Mapping[str, Executor]
    limits: Limits
    limiters: Limiters
    last: LastValues
    children: ChildSpells
    inline_bytes: int
    held_up: Callable[[str, str], bool] = nobody_lags
    """Says whether a run of a user's on a stream should wait for who follows it."""

    max_pending_bytes: int = 4 * 1024 * 1024
    """How far a tab may lag. Found to lag by an eighth of it, it still gets what waits for the store: no more than as much again."""
    left_in_workers: LeftInWorkers = field(default_factory=LeftInWorkers)

    packages: Callable[[str | None], Awaitable[str]] = as_required
    """Gives, by canvas, what the packages of its worker are known by; "" for what the spell requires."""

    process: Callable[[], str | None] = no_process
    """Gives the id under which this process carries runs now."""

    secrets: Callable[[str | None, str], RunSecrets] = no_secrets
    """Gives, by canvas and user, what the nodes of a run get their secrets from."""

    asking: Asking | None = None
    """Keeps the questions that nodes have for people."""

    try_again: TryAgain = never
    """Says when a run whose nodes failed begins another attempt."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What is to be run, checked and compiled."""

    plan: Plan
    spell: Spell
    user: str
    canvas: str | None
    stream: str
    audience: Audience
    mode: Mode
    request: dict[str, Any]
    timeout: float | None = None
    insides: Insides = ALL_SHOWN
    """What those who follow the run may see of what its nodes run inside themselves."""
    drawn: Any = None
    """The spell as JSON, where it is at hand."""

    def limits(self, most: Limits, spent: float = 0.0) -> Limits:
        """Return what the run may use: what it asks for, and no more than ``most``. ``spent`` seconds it went before."""
        if self.timeout is None:
            return replace(most, spent=spent) if spent else most
        seconds = self.timeout if most.seconds is None else min(self.timeout, most.seconds)
        return replace(most, seconds=seconds, spent=spent)


class Run:
    """One run from its order to its end. ``go`` drives it and never raises but for cancellation."""

    def __init__(  # noqa: PLR0915 - a run has many sides, and each begins with nothing
        self,
        order: RunOrder,
        machinery: Machinery,
        log: StreamLog,
        *,
        memory: RunMemory | None = None,
        kept: Callable[[], Left] = dict,
        after: Sequence[Run] = (),
        seat: LiveSeat | None = None,
        fence: int = 0,
        origin: Origin | None = None,
    ) -> None:
        self._origin = origin = origin or Origin()
        known = origin.record
        self.id = uuid4().hex if known is None else known.id
        self.order = order
        self.status: Status = "queued"
        self.created_at = time.time() if known is None else known.created_at
        self.started_at: float | None = None if known is None else known.started_at
        self.ended_at: float | None = None
        self.ended = asyncio.Event()
        """Set once the run's end is committed, or cannot be."""
        self.interrupted: str | None = None
        """Why the server ends it, where it is not its user who does."""
        self.kept: RunRecord | None = None
        """The row as it was first kept."""
        self.kept_aside = known is not None
        """Whether how far it is may be kept, too."""
        self._machinery = machinery
        self._log = log
        self._memory = memory
        self.remembers = memory is not None
        """Whether what it leaves is what the next run of its runner builds on."""
        self._find_kept = kept
        self._kept: Left = {}
        """Where the values are that ``memory`` holds; asked for when the runs before have ended."""
        self._after = [run for run in after if not run.ended.is_set()]
        self._followers: list[Run] = []
        self._wake = asyncio.Event()
        self.fence = fence
        """The number of the claim under which this process carries it."""
        self._wire = Wire(self.id, machinery.inline_bytes, fence)
        self._wire.left.update(
            {node: ports for node, ports in origin.left.items() if "/" not in node}
        )
        self._writer = RunWriter(self._wire, self._append)
        self.seat = seat
        """Where the live mode of its runner goes on from run to run."""
        self._execution: Execution | LiveExecution | None = None
        self._secrets = machinery.secrets(order.canvas, order.user)
        most = min(STREAM_BYTES, machinery.max_pending_bytes // BEHIND)
        self._pace = Pace(most, lambda: machinery.held_up(runs_of(order.stream), order.user))
        self._sink = RunSink(
            self._say, self._writer, self._pace, order.insides, self._secrets.masks
        )
        self._sink.tokens.take_all(origin.tokens)
        self._held = False
        self._paused = False
        self._failure: dict[str, Any] | None = None
        self._broken = False
        self._told = False
        """Whether any of its events is told."""
        self._begun = False
        """Whether any of its events is on its way."""
        self._leaving = False
        """Whether it is laid down for another process, rather than ended."""
        self._lying_down = False
        for run in self._after:
            run._followers.append(self)  # noqa: SLF001 - another run

    @property
    def waits(self) -> bool:
        """Whether runs that must end first have not."""
        return any(not run.ended.is_set() for run in self._after)

    @property
    def is_paused(self) -> bool:
        """Whether it starts no further node until ``play``."""
        return self._paused

    @property
    def went_before(self) -> bool:
        """Whether it had begun before it was taken up here."""
        return self._origin.begun

    @property
    def is_broken(self) -> bool:
        """Whether not all that it told is kept, and never will be."""
        return self._broken

    @property
    def goes_elsewhere(self) -> bool:
        """Whether it is stopped here for another process to carry on."""
        return self._leaving or self._broken

    @property
    def is_let_go(self) -> bool:
        """Whether it is stopped here though it is open, so that what is asked of it would be lost."""
        return self.goes_elsewhere or self._lying_down

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended."""
        return self.status in ("queued", "running", "paused", "waiting")

    @property
    def progress(self) -> RunProgress | None:
        """How many of its own nodes have ended; None before it began, and in live mode, where each change is a run."""
        execution = self._execution
        if not self._begun or not isinstance(execution, Execution):
            return None
        nodes = self.order.plan.running
        kept = frozenset(self._origin.kept)
        return progress_of(nodes, self._wire.left, execution.lost, self._writer.said, kept)

    @property
    def left(self) -> Left:
        """Where the values are that its nodes left so far."""
        return self._wire.left

    def record(self) -> RunRecord:
        """Return the row to keep before anything runs; of a run that goes on, the row that is kept already."""
        known = self._origin.record
        if known is not None:
            self.status = "running"
            self.kept = replace(known, status="running", ended_at=None, result=None)
            return self.kept
        if not self.waits:
            self.status = "running"
            self.started_at = self.created_at
        self.kept = RunRecord(
            id=self.id,
            canvas_id=self.order.canvas,
            user_id=self.order.user,
            stream=self.order.stream,
            status=self.status,
            mode=self.order.mode,
            audience=self.order.audience,
            created_at=self.created_at,
            started_at=self.started_at,
            spell=(
                self.order.spell.without_tests().to_json()
                if self.order.drawn is None
                else self.order.drawn
            ),
            request=self.order.request,
            durable=bool(self.order.request.get("durable")),
            process_id=self._machinery.process(),
            fence=self.fence,
            trigger_id=self.order.request.get("trigger"),
            forked_from=self._origin.forked_from,
        )
        return self.kept

    # Steering

    def cancel(self, interrupted: str | None = None) -> None:
        """End the run within a second; ``interrupted`` says why when its user did not ask for it."""
        if not self.is_open:
            return
        self.interrupted = self.interrupted or interrupted
        if self._execution is not None:
            self._execution.cancel()
        else:
            self.status = "cancelled"
            self._wake.set()

    def fail(self, code: str, message: str) -> None:
        """End the run as failed within a second; nothing happens where it has ended."""
        if self.is_open:
            self._failure = self._failure or {"code": code, "message": message}
            self._stop_failed()

    def drop(self) -> None:
        """Stop carrying the run, and write nothing more for it: it is another process's now, or nobody's."""
        self._broken = True
        self.cancel()

    def leave(self, why: str) -> None:
        """Stop carrying the run as the server stops: a durable one is laid down, any other ends as interrupted."""
        if self.kept is None or not self.kept.durable or self.order.mode == "live":
            self.cancel(why)
        elif self.is_open:
            self._leaving = True
            self._wake.set()
            self._stop()

    def give_way(self, seat: LiveSeat | None) -> None:
        """End the run for another one; where that goes on from the same seat, with what it does not overtake."""
        if seat is self.seat and self.is_open and isinstance(self._execution, LiveExecution):
            self._execution.give_way()
        else:
            self.cancel()

    def step(self) -> bool:
        """While paused, start exactly one more node; False where none can, as before its turn has come."""
        if not self._paused or self._execution is None:
            return False
        self._execution.step()
        return True

    def pause(self) -> None:
        """Start no further node until ``play``."""
        if self.is_open:
            self._paused = True
            self.status = "paused"
            self._steer()
            self._tell_steered()

    def play(self) -> None:
        """Go on after ``pause``."""
        if self.status == "paused":
            self._paused = False
            self.status = "queued" if self.waits else "running"
            self._steer()
            self._tell_steered()

    def _tell_steered(self) -> None:
        """Tell those who follow whether the run is paused, and its row, for those who ask another process."""
        self.tell_status()
        note = partial(
            note_steered, run=self.id, fence=self.fence, status=self.status, paused=self._paused
        )
        self._machinery.journal.append(self._log, self, (), size=0, also=note)

    def _steer(self) -> None:
        if self._execution is None:
            return
        if self._paused or self._held:
            self._execution.pause()
        else:
            self._execution.play()

    # Running

    async def go(self) -> None:
        """Wait for the runs before, run, and commit the end."""
        result: RunResult | None = None
        begin_holding()
        try:
            await self._await_turn()
            if self.is_open and not self._leaving:
                result = await self._execute()
        except Exception as error:
            logger.exception("run %s broke", self.id)
            self._failure = self._failure or _internal(error)
        finally:
            self._pace.give_up()
            self._writer.flush()
            await self._end(result)

    async def _await_turn(self) -> None:
        while self.waits and self.is_open and not self._leaving:
            self._wake.clear()
            await self._wake.wait()
        self._after = []

    def abandon(self) -> None:
        """Let go of a run whose record could not be kept; it never was."""
        self.status = "cancelled"
        self._let_go()

    def _let_go(self) -> None:
        self._memory = None
        self._execution = None
        self._find_kept = dict
        self._kept = {}
        self.ended.set()
        self._log.wake()
        for follower in self._followers:
            follower._wake.set()  # noqa: SLF001 - another run
        self._followers.clear()

    async def _execute(self) -> RunResult | None:
        order = self.order
        if self.seat is not None and order.mode != "live":
            await self.seat.renew()
            if not self.is_open:
                return None
        self._kept = self._find_kept()
        self._execution = self._make_execution()
        if self.status == "queued":
            self.status = "running"
        self._steer()
        return await self._execution.run()

    def _make_execution(self) -> Execution | LiveExecution:
        order, machinery = self.order, self._machinery
        live = self.seat if order.mode == "live" else None
        encodings = self._wire.encodings = Encodings() if live is None else live.encodings
        shared: dict[str, Any] = {
            "cache": machinery.cache.of(order.user, order.stream, encodings),
            "encodings": encodings,
            "executors": machinery.executors,
            "context": self._context(),
            "limits": order.limits(machinery.limits, self._origin.ran),
            "limiters": machinery.limiters,
        }
        if live is not None and self._memory is not None:

            def make(plan: Plan, memory: RunMemory, sink: Sink) -> LiveSession:
                return LiveSession(plan, memory=memory, sink=sink, **shared)

            return LiveExecution(live, make, order.plan, self._memory, self._sink, self.id)
        execution = Execution(
            order.plan,
            sink=self._sink,
            memory=self._memory,
            run_id=self.id,
            past=self._origin.past,
            barrier=self.secure,
            asker=self._asker(),
            **shared,
        )
        execution.on_rest = self._rest
        return execution

    def _asker(self) -> Asker | None:
        asking, order = self._machinery.asking, self.order
        if asking is None:
            return None
        return asking.asker_of(
            Asked(
                self.id,
                order.canvas,
                order.user,
                order.stream,
                order.audience,
                self.secure,
                self._secrets.masks.plain,
            )
        )

    def _rest(self) -> None:
        """Let go of a run in which everything under way waits for people."""
        if isinstance(self._execution, Execution) and not self._paused:
            self._execution.suspend()

    async def secure(self) -> None:
        """Return once its row, and all that was told so far, is durable. Raises Unavailable where it cannot be, and the run ends."""
        self._writer.flush()
        if self._pace.pending:
            await self._machinery.journal.settle(self._log, self)
        if self._broken:
            raise Unavailable("The run is not kept any more")

    def _context(self) -> RunContext:
        order = self.order
        return RunContext(
            canvas=order.canvas,
            user=order.user,
            secrets=self._secrets.source,
            begun=self._origin.since,
        )

    async def _end(self, result: RunResult | None) -> None:
        if result is not None and any_handles():
            self._machinery.left_in_workers.hold(self.id, result.outputs)
        rest = self._resting(result)
        if rest is not None:
            await self._lie_down(rest, result)
            return
        self.ended_at = time.time()
        self.status = self._last_status(result)
        try:
            if not self._broken:
                await self._commit(self._ending(result, self.ended_at))
        except Exception as error:
            logger.exception("the end of run %s could not be told in full", self.id)
            self._failure = _internal(error)
            self.status = "failed"
            await self._commit(self._ending(None, self.ended_at))
        finally:
            self._let_go()

    def _resting(self, result: RunResult | None) -> Rest | None:
        """Return how the run is laid down, where it has not come to its end."""
        if self._failure is not None or self._broken or self.kept is None:
            return None
        ran = 0.0 if result is None else result.duration
        if result is not None and result.status == "waiting":
            return Rest("waiting", ran=ran)
        if self._leaving and (result is None or result.status == "cancelled"):
            return Rest("queued", ran=ran)
        if result is None or self.interrupted is not None or not is_over(self.kept, result):
            return None
        again = self._machinery.try_again(self.kept, result)
        return None if again is None else Rest("queued", again, self.kept.attempt + 1)

    async def _lie_down(self, rest: Rest, result: RunResult | None) -> None:
        """Keep the run as open, and carry it no further."""
        self._lying_down = True
        journal = self._machinery.journal
        try:
            done = None if result is None else self._ending(result, time.time()).summary()
            laid = laying_down(self.id, self.fence, rest, self.progress, done)
            await journal.settle(self._log, self, laid)
            self.status = rest.status
            if not self._broken:
                self.tell_status()
        finally:
            self._let_go()

    async def _commit(self, end: RunEnd) -> None:
        live = self.order.mode == "live"
        kept = end.kept(self._kept, self._machinery.inline_bytes) if live else {}
        entry = self._wire.entry(end.event(kept))
        self._wire.left.update(kept)
        await self._machinery.journal.commit(self._log, self, entry, end.writing(kept, self._kept))

    def _ending(self, result: RunResult | None, at: float) -> RunEnd:
        said = self._writer.terminal
        return RunEnd(
            run=self.id,
            plan=self.order.plan,
            status=self.status,
            at=at,
            result=result,
            said=said,
            error=self._failure or (said.error if said else None),
            message=self.interrupted if self.status == "interrupted" else None,
            left=self.left.copy(),
            insides=self.order.insides,
            masks=self._secrets.masks,
            usage=self._sink.tokens.summed(self.order.spell),
            kept_aside=self.kept_aside,
        )

    def _last_status(self, result: RunResult | None) -> Status:
        if self._failure is not None:
            return "failed"
        if self.interrupted is not None and (result is None or result.status == "cancelled"):
            return "interrupted"
        return "cancelled" if result is None else result.status

    # Writing

    def _say(self, event: Event) -> None:
        if event.kind == "node.preview":  # answered to who asked, and no part of a run
            return
        if self._leaving and event.kind != "node.done":  # what is cut short has not ended
            return
        if event.kind not in ("run.started", "run.resumed"):
            self._writer(event)
            return
        order, origin = self.order, self._origin
        event.kind = "run.resumed" if origin.begun else "run.started"
        event.data = (event.data or {}) | {
            "user": order.user,
            "mode": order.mode,
            "audience": order.audience,
            "scope": order.request.get("scope"),
            "reach": order.request.get("reach"),
            "children": order.request.get("children"),
            **beginning(origin),
        }
        self._writer(event)
        for told in origin.repeated:
            self._writer.put(self._wire.repeat(told, event.at))

    def tell_status(self) -> None:
        """Tell those who follow the stream where the run stands, for what no event says."""
        self._machinery.journal.tell(
            self.order.stream, "run.status", {"run": self.id, "status": self.status}
        )

    def _append(self, entries: Sequence[Entry], size: int) -> None:
        if self._broken:
            return
        self._pace.add(size)
        self._machinery.journal.append(
            self._log, self, entries, size=size, before=self._first_job()
        )
        if self._pace.pending > FAIL_BYTES and self._failure is None:
            self._failure = {
                "code": "journal_full",
                "message": f"{self._pace.pending:,} bytes of events wait for the store, which is more than a run may hold "
                f"in memory ({FAIL_BYTES:,}); the run was ended",
            }
            self._stop()
        elif self._pace.pending > PAUSE_BYTES and not self._held:
            self._held = True
            self._steer()

    def _first_job(self) -> Job[None] | None:
        """Return what is written before the first events, and None with later ones."""
        if self._begun:
            return None
        self._begun = True
        begins = self.started_at is None
        self.started_at = self.started_at or time.time()
        started = self.started_at if begins else None
        return first_job(self.id, self._origin, self.order.request, started)

    def committed(self, size: int) -> None:
        """Learn that events are durable and told; go on when the store has caught up."""
        if not self._told:
            self._told = True
            if self._paused:  # its first event says to those who follow that it goes on
                self._tell_steered()
        self._pace.take(size)
        if self._held and self._pace.pending < PAUSE_BYTES // 2:
            self._held = False
            self._steer()

    def broken(self, error: Exception) -> None:
        """Learn that its row or its events were refused for good: end, or never begin, and write nothing more."""
        self._broken = True
        self._failure = self._failure or _internal(error)
        self._stop_failed()

    def _stop_failed(self) -> None:
        """Stop a run that has failed; one that has not begun never does."""
        if self._execution is None and self.is_open:
            self.status = "failed"
            self._wake.set()
        self._stop()

    def _stop(self) -> None:
        self._pace.give_up()
        if self._execution is not None:
            self._execution.cancel()


def _internal(error: BaseException) -> dict[str, Any]:
    return {"code": "internal", "message": f"The run could not go on ({type(error).__name__})"}
