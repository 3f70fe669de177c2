"""Run a plan: the effectful rim around the core."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal

from .asking import Asker
from .barriers import Barrier
from .body_run import open_body
from .cache import OutputCache
from .context import RunContext
from .core import RunState
from .drivers import Drivers
from .encoding import Encodings
from .errors import RunActive, RunTimeout, TooManyCalls
from .events import Event, Sink
from .executor import Executor
from .executors import Executors
from .failing import failure_of
from .host import KEPT_INSIDE, RunHost
from .limiting import Limiters
from .limits import Limits
from .loops import Loops
from .memory import RunMemory
from .past import Behind, Past
from .plan import Plan
from .recall import Recall
from .result import NodeFailure, RunResult, Status

RunStatus = Literal["new", "running", "paused", "completed", "cancelled", "failed", "waiting"]


class Execution:
    """One run of a plan: await ``run`` once; steer it meanwhile from the same event loop.

    Args:
        sink: Takes every event, in order, on the loop's thread.
        cache: Where outputs are looked up and kept by content.
        memory: What the last run left. It lets each node say why it ran, and
            serves unchanged outputs that may be cached.
        incremental: With ``memory``: nodes that no change reaches are not run,
            cacheable or not, and tell nothing; a change ends where an output
            comes out equal.
        executors: By isolation, "thread" and "worker", and "queue" for nodes with
            ``settings.queue``. Threads are made when
            first needed if not given.
        limits: What the run may use at most.
        limiters: How often nodes may be called, together with the other runs
            that have the same.
        past: What of the run had ended before, by path: it is finished with that, without a
            call, an event or a lookup. What is inside a node that had not ended is kept
            likewise, where the node itself is called anew.
        resumed: The same run goes on: it tells ``run.resumed``, not ``run.started``. Both
            have the nodes of the past in ``data.kept``.
        barrier: Awaited around the calls of nodes that must not be made twice unawares.
        asker: Asks people; without it a node that has a question fails with ``no_asker``.
        encodings: Takes the JSON of large outputs, where ``limits`` bound their
            size, for a sink or a cache that needs it, too.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        sink: Sink | None = None,
        cache: OutputCache | None = None,
        memory: RunMemory | None = None,
        incremental: bool = False,
        executors: Mapping[str, Executor] | None = None,
        run_id: str | None = None,
        context: RunContext | None = None,
        limits: Limits | None = None,
        limiters: Limiters | None = None,
        encodings: Encodings | None = None,
        past: Past | None = None,
        resumed: bool = False,
        barrier: Barrier | None = None,
        asker: Asker | None = None,
    ) -> None:
        self.plan = plan
        self.run_id = run_id or uuid.uuid4().hex
        self._sink = sink
        self._cache = cache
        self._memory = memory
        self._incremental = incremental
        self._executors = Executors(executors or {}, (limits or Limits()).threads)
        self._context = context or RunContext()
        self._limits = limits or Limits()
        self._limiters = limiters or Limiters()
        self._encodings = encodings or Encodings()
        self._past = Behind.of(past) if past else None
        self._resumed = resumed
        self._barrier = barrier
        self._asker = asker
        self.on_rest: Callable[[], object] | None = None
        """Called, perhaps more than once, when every call under way has come to wait for people: see ``suspend``."""
        self._status: RunStatus = "new"
        self._state: RunState | None = None
        self._drivers: Drivers | None = None
        self._host: RunHost | None = None
        self._cancelled = False
        self._suspended = False

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self._status

    @property
    def lost(self) -> frozenset[str]:
        """The steps that failed or were skipped so far."""
        state = self._state
        if state is None:
            return frozenset()
        return frozenset(self.plan.steps[index].id for index in (*state.failures, *state.skipped))

    async def run(self) -> RunResult:
        """Run the plan to its end and return what it left. Raises only when this task itself is cancelled.

        Raises:
            RunActive: when it was started before.
        """
        if self._status not in ("new", "paused") or self._state is not None:
            raise RunActive("an Execution runs once; make a new one to run again")
        started = time.time()
        begun = time.perf_counter()
        state, loops, drivers = self._prepare()
        self._tell_start(started)
        if loops.recall is not None:
            loops.recall.begin()
        if self._past is not None:
            loops.begin_with(self._past.ended)
        if self._status == "paused":
            drivers.crew.pause()
        else:
            self._status = "running"
        if self._cancelled:
            self.cancel()
        deadline = self._set_deadline(drivers)
        try:
            self._count(state, drivers)
            await drivers.run()
        except asyncio.CancelledError:
            self.cancel()
            await drivers.until_over()
            raise
        finally:
            if deadline is not None:
                deadline.cancel()
            result = await self._close(state, loops, drivers, time.perf_counter() - begun)
        return result

    def _tell_start(self, at: float) -> None:
        if self._sink is None:
            return
        data: dict[str, Any] = {"nodes": self.plan.running.copy()}
        if self._past is not None or self._resumed:
            ended = self._past.ended if self._past is not None else {}
            data["kept"] = [node for node in self.plan.running if node in ended]
        self._sink(Event("run.resumed" if self._resumed else "run.started", at, data=data))

    def _set_deadline(self, drivers: Drivers) -> asyncio.TimerHandle | None:
        seconds = self._limits.seconds
        if seconds is None:
            return None

        def end() -> None:
            drivers.error = drivers.error or RunTimeout(seconds)
            self._end()

        left = max(0.0, seconds - self._limits.spent)
        return asyncio.get_running_loop().call_later(left, end)

    def _count(self, state: RunState, drivers: Drivers) -> None:
        """Count the calls that nobody else counts; without room for them the run ends here."""
        if self._limits.calls is not None:
            try:
                drivers.crew.count(state.plain)
            except TooManyCalls as error:
                drivers.error = error
                self._end()

    def _prepare(self) -> tuple[RunState, Loops, Drivers]:
        state = self._state = RunState(self.plan)
        host = self._host = RunHost(
            self.plan,
            self.run_id,
            self._context,
            self._sink,
            self._limits,
            self._executors.of,
            self._limiters,
            self._encodings,
        )
        host.open_body, host.cache = open_body, self._cache
        host.barrier, host.asker, host.behind = self._barrier, self._asker, self._past
        host.break_off, host.crew.on_rest = self._break_off, self._rest
        if self._barrier is not None:
            host.allowance.left = KEPT_INSIDE
        recall = None
        if self._cache is not None or self._memory is not None:
            recall = Recall(state, self._cache, self._memory, self._context.user, self._incremental)
            recall.encodings = self._encodings
        loops = Loops(state, host, self._sink, recall)
        drivers = self._drivers = loops.make_drivers()
        return state, loops, drivers

    async def _close(
        self, state: RunState, loops: Loops, drivers: Drivers, duration: float
    ) -> RunResult:
        steps = self.plan.steps
        state.drop_streams()
        status: Status = "cancelled" if self._cancelled else "completed"
        if self._suspended and not self._cancelled:
            status = "waiting"
        crash = None
        if drivers.error is not None:
            status, crash = "failed", failure_of(drivers.error)
        failed = {steps[index].id: failure for index, failure in sorted(state.failures.items())}
        skipped = {steps[index].id: reason for index, reason in sorted(state.skipped.items())}
        self._executors.close()
        assert self._host is not None
        if status != "waiting":
            self._tell_end(status, duration, list(failed), list(skipped), crash)
        await self._host.close()
        self._status = status
        return RunResult(
            status,
            duration=duration,
            errors=failed,
            skipped=skipped,
            durations={steps[index].id: taken for index, taken in loops.durations.items()},
            outputs=state.outputs,
            why=lambda: _why(loops),
            error=crash,
        )

    def _tell_end(
        self,
        status: Status,
        duration: float,
        failed: list[str],
        skipped: list[str],
        crash: NodeFailure | None,
    ) -> None:
        if self._sink is None:
            return
        data = {"failed": failed, "skipped": skipped}
        if crash is not None:
            self._sink(
                Event(
                    "run.failed", time.time(), duration=duration, error=crash.to_json(), data=data
                )
            )
        elif status == "cancelled":
            self._sink(Event("run.cancelled", time.time(), duration=duration, data=data))
        else:
            self._sink(Event("run.completed", time.time(), duration=duration, data=data))

    def suspend(self) -> bool:
        """End the run here, to go on elsewhere with its past; return whether it will end so.

        Only where every call under way waits for people (and the run is not paused): else, and
        where the run is over, it does nothing. ``run`` returns with status "waiting". Of the nodes
        that waited, and of the end, nothing is told.
        """
        if self._status != "running" or self._host is None or not self._host.crew.at_rest():
            return False
        self._suspended = True
        self._host.suspend()
        self._end()
        return True

    def _rest(self) -> None:
        if self.on_rest is not None and not self._suspended and self._status == "running":
            self.on_rest()

    def _break_off(self, error: BaseException) -> None:
        """End the run as a whole with an error."""
        if self._drivers is not None:
            self._drivers.error = self._drivers.error or error
        self._end()

    def cancel(self) -> None:
        """End the run: running nodes are cancelled, no other starts. ``run`` returns within a second."""
        if self._status in ("completed", "cancelled", "failed", "waiting"):
            return
        self._cancelled = True
        self._end()

    def _end(self) -> None:
        if self._drivers is not None and self._host is not None:
            self._host.cancelled = True
            self._drivers.cancel(self._limits.cancel_grace)

    def pause(self) -> None:
        """Start no further node; those under way go on to their end."""
        if self._status in ("new", "running"):
            self._status = "paused"
            if self._drivers is not None:
                self._drivers.crew.pause()

    def step(self) -> None:
        """While paused, start exactly one more node, here or in a nested run: one that is ready, or else the next to be."""
        if self._status == "paused" and self._drivers is not None:
            self._drivers.crew.step()

    def play(self) -> None:
        """Go on after a pause."""
        if self._status != "paused":
            return
        self._status = "new"
        if self._state is not None and self._drivers is not None:
            self._status = "running"
            self._drivers.crew.play()


def _why(loops: Loops) -> dict[str, str]:
    """Return why each step ran, in graph order; kept ones are cached, in a run nobody watched all are new."""
    state = loops.state
    found: dict[str, str] = {}
    for step in state.plan.steps:
        if step.stand == "kept":
            continue
        if step.stand is not None:
            found[step.id] = step.stand
        elif step.index in loops.why:
            found[step.id] = loops.why[step.index]
        elif step.index in state.failures or state.is_done(step.index):
            kept = loops.recall is not None
            found[step.id] = "cached" if kept else step.first_why
    return found
