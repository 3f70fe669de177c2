"""The loops that drivers run: take a ready step, call it, write down what it changes.

Two loops, since a run that nobody watches should cost little more than its
nodes: ``quiet`` for neither sink, cache, memory nor limits, ``told`` for the
rest. Both write the commonest change (a value came, count down the successors)
into the state's lists themselves; see ``core``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from .calls import Started
from .core import RunState
from .drivers import Drivers
from .errors import NodeError, NodeSkipped
from .events import Event, Sink, started_and
from .failing import failure_of
from .gathering import gather, gather_apart, takes_long
from .host import RunHost
from .past import Ended
from .ports import SKIP
from .program import (
    MODE_DECIDE,
    MODE_FULL,
    MODE_HELD,
    MODE_LIST,
    MODE_NONE,
    MODE_ONE,
    MODE_SEVERAL,
    MODE_WRAPPED,
)
from .recall import Finding, Recall, stood
from .result import NodeFailure
from .standing import outputs_in_place

BURST = 256
"""Steps that may follow each other before a driver looks at the clock."""

TURN = 0.005
"""Seconds that a driver may keep the event loop to itself."""


class Loops:
    """Both loops over the state of one run."""

    def __init__(
        self, state: RunState, host: RunHost, sink: Sink | None, recall: Recall | None
    ) -> None:
        self.state = state
        self.host = host
        self.sink = sink
        self._tell_ran = host.report_ran if sink is host.sink else self._tell_apart
        self._begun: tuple[int, float] | None = None
        """The step that is being called and when it started, while its start is not told."""
        if host.limiters.are_wide:
            state.call_in_full(
                step.index for step in state.plan.steps if host.limiters.covers(step)
            )
        if host.barrier is not None and state.program.committed:
            state.call_in_full(state.program.committed)
        self.recall = recall
        self.drivers: Drivers
        self.why: dict[int, str] = {}
        self.durations: dict[int, float] = {}
        self._findings: dict[int, Finding] = {}
        self._queued: set[int] = set()
        host.begin_stream = self.begin_stream
        host.readers_of = self.readers_of

    def make_drivers(self) -> Drivers:
        """Return what carries the run on: by ``quiet`` where there is nobody to tell, nothing to look up and no limit."""
        host = self.host
        watched = (
            self.sink is not None
            or self.recall is not None
            or host.barrier is not None
            or host.caller.measures
        )
        drive = self.told if watched else self.quiet
        drivers = self.drivers = Drivers(self.state, drive, host.crew)
        if self.sink is not None:
            drivers.on_wait = self.tell_begun
        return drivers

    def begin_with(self, past: Mapping[str, Ended], given: int = 0) -> None:
        """Before the start: take nodes as they ended before; of them nothing is told. ``given``: steps that are finished."""
        state, recall = self.state, self.recall
        index = state.plan.index
        found = {
            index[id]: ended
            for id, ended in past.items()
            if id in index and index[id] >= given and not self._is_settled(index[id])
        }
        state.begin_with(dict(sorted(found.items())))
        for number, ended in state.past.items():
            if ended.why is not None:
                self.why[number] = ended.why
            if ended.duration is not None:
                self.durations[number] = ended.duration
            if recall is not None:
                recall.past(number)

    def _is_settled(self, index: int) -> bool:
        """Say whether a step is to be left alone: the last run's outputs stand for it."""
        recall = self.recall
        kept = recall is not None and index in recall.kept
        return kept or self.state.plan.steps[index].stand == "kept"

    # Nobody watches

    async def quiet(self) -> None:  # noqa: C901, PLR0912 - one flat loop: a call per node would cost as much as the node
        """Run ready steps until none is left."""
        state, program = self.state, self.state.program
        ready, values, modes, pending = state.ready, state.values, state.modes, state.pending
        calls, arguments, results, successors = (
            program.calls,
            program.arguments,
            program.results,
            program.successors,
        )
        take, add = ready.popleft, ready.append
        turn = time.perf_counter() + TURN
        while ready:
            for _ in range(BURST):
                if not ready:
                    break
                index = take()
                mode = modes[index]
                try:
                    if mode == MODE_ONE:
                        result = await calls[index](values[arguments[index]])
                    elif mode == MODE_WRAPPED:
                        result = await calls[index]([values[arguments[index]]])
                    elif mode == MODE_LIST:
                        result = await calls[index](list(arguments[index](values)))
                    elif mode == MODE_SEVERAL:
                        result = await calls[index](*arguments[index](values))
                    elif mode == MODE_NONE:
                        result = await calls[index]()
                    else:
                        if mode == MODE_DECIDE and self._passes_much(index):
                            await self._stand_in_apart(index)
                        elif self._may_start(index, mode):
                            state.finish(index, await self._call(index))
                        continue
                except BaseException as error:  # noqa: BLE001 - the edge: a node may raise anything
                    self._failed(index, error)
                    continue
                if result is SKIP:
                    state.finish_skipped(index)
                    continue
                values[results[index]] = result
                for successor in successors[index]:
                    left = pending[successor] - 1
                    pending[successor] = left
                    if not left:
                        add(successor)
            turn = await give_way(turn) if ready else turn

    # Somebody watches

    async def told(self) -> None:
        """Run ready steps until none is left; look each up first, and tell the sink."""
        state, recall = self.state, self.recall
        ready, modes, drivers = state.ready, state.modes, self.drivers
        task = _own_task()
        turn = time.perf_counter() + TURN
        while ready:
            for _ in range(BURST):
                if not ready:
                    break
                if task.cancelling() and not drivers.cancelling:
                    await self._shake_off(task)
                    continue
                index = ready.popleft()
                mode = modes[index]
                if mode == MODE_DECIDE and self._passes_much(index):
                    await self._stand_in_apart(index)
                    continue
                if mode >= MODE_DECIDE and not self._may_start(index, mode):
                    continue
                if recall is not None and index not in self._findings:
                    await self._look_up(recall, index)
                    continue
                if mode < MODE_FULL:
                    await self._told_simple(index, mode)
                else:
                    await self._told_full(index)
            turn = await give_way(turn) if ready else turn

    async def _told_simple(self, index: int, mode: int) -> None:
        """Call a step that is no more than an ``await``: what ``quiet`` does, and what others are to learn of it."""
        state, sink = self.state, self.sink
        program, values, caller = state.program, state.values, self.host.caller
        step = state.plan.steps[index]
        finding = self._findings.get(index)
        why = step.first_why if finding is None else finding.why
        self.why[index] = why
        started = time.time()
        begun = self._begun = None if sink is None else (index, started)
        ports = program.outputs[index]
        try:
            result = await program.begin(index, mode, values)
            outputs = {ports[0][0]: result} if ports and result is not SKIP else {}
            if caller.measures and (large := caller.measure_small(outputs, share=True)):
                await caller.measure_large(large)
        except BaseException as error:  # noqa: BLE001 - the edge: a node may raise anything
            caller.encodings.end_moment()
            if self._begun is begun:
                self.tell_begun()
            self._failed(index, error, started)
            return
        waited = self._begun is not begun
        if not waited:
            self._begun = None
        if outputs:
            values[program.results[index]] = result
        ended = time.time()
        self.durations[index] = ended - started
        self._tell_done(index, finding, outputs, ended, ended - started, simple=True, waited=waited)
        if not outputs:
            state.finish_skipped(index)
            return
        pending = state.pending
        for successor in program.successors[index]:
            left = pending[successor] - 1
            pending[successor] = left
            if not left:
                state.ready.append(successor)

    def _tell_done(
        self,
        index: int,
        finding: Finding | None,
        outputs: dict[str, Any],
        ended: float,
        duration: float,
        *,
        simple: bool = False,
        waited: bool = True,
    ) -> None:
        """Tell, and remember, that a step was called and gave its outputs, which the state has.

        ``simple``: by an ``await`` alone. Without ``waited`` its start is told now, too.
        """
        step, recall = self.state.plan.steps[index], self.recall
        encodings = self.host.caller.encodings
        try:
            if recall is not None and not (simple and self.host.caller.measures):
                for value in outputs.values():
                    encodings.small(value)  # for the sink, the memory and the cache
            if self.sink is not None and not self.host.ended:
                done = Event("node.done", ended, step.id, self.why[index], outputs, duration)
                (self.sink if waited else self._tell_ran)(done)
            if recall is not None and finding is not None:
                fleeting = step.id in self.host.fleeting and step.node.settings.cache is None
                seconds = duration if simple else None
                recall.done(index, finding, ran=True, fleeting=fleeting, seconds=seconds)
        finally:
            encodings.end_moment()

    def tell_begun(self) -> None:
        """Tell the start of the step that is being called: it waits for something, or failed."""
        if self._begun is not None:
            (index, started), self._begun = self._begun, None
            if self.sink is not None and not self.host.ended:
                step = self.state.plan.steps[index]
                self.sink(Event("node.started", started, step.id, self.why[index]))

    def _tell_apart(self, done: Event) -> None:
        assert self.sink is not None
        for event in started_and(done):
            self.sink(event)

    async def _told_full(self, index: int) -> None:
        state, sink = self.state, self.sink
        step = state.plan.steps[index]
        finding = self._findings.get(index)
        why = step.first_why if finding is None else finding.why
        self.why[index] = why
        started: float | None = None

        def begin() -> None:
            nonlocal started
            started = time.time()
            if sink is not None and not self.host.ended:
                sink(Event("node.started", started, step.id, why))

        committed = self.host.barrier is not None and step.type.is_committed

        def begin_committed() -> Awaitable[None] | None:
            begin()
            return self._committed() if committed else None

        begins: Started | None = begin_committed
        if not self.host.caller.is_limited(step):
            begin()
            begins = self._committed if committed else None
        try:
            outputs = await self._call(index, begins)
        except BaseException as error:  # noqa: BLE001 - the edge: a node may raise anything
            if self._failed(index, error, started, release=not committed) and committed:
                await self._committed()
                state.release(index)
            return
        state.put(index, outputs)
        ended = time.time()
        started = ended if started is None else started
        self.durations[index] = ended - started
        self._tell_done(index, finding, state.outputs_of(index), ended, ended - started)
        if committed:
            await self._committed()
        state.release(index)

    async def _committed(self) -> None:
        """Wait until what was told is durable; where it cannot be, the run ends, and this never returns."""
        barrier = self.host.barrier
        assert barrier is not None
        try:
            await barrier()
        except Exception as error:  # noqa: BLE001 - an edge: the journal's failure is the run's
            self.host.break_off(error)
            await asyncio.get_running_loop().create_future()

    async def _look_up(self, recall: Recall, index: int) -> None:
        """Look up a step together with all that are ready beside it; finish those that need not run."""
        state = self.state
        modes, known = state.modes, self._findings
        batch: list[int] = [index]
        rest: list[int] = []
        for other in state.ready:
            startable = modes[other] < MODE_DECIDE and other not in known
            (batch if startable else rest).append(other)
        state.ready.clear()
        state.ready.extend(rest)
        for number, finding in zip(batch, await recall.look_up(batch), strict=True):
            known[number] = finding
            if finding.kept is not None:
                self.why[number] = "cached"
                recall.keep(number, finding.kept)
                self._step_on()
            elif finding.outputs is not None:
                self._cached(recall, number, finding)
            else:
                state.ready.append(number)

    def _step_on(self) -> None:
        """Give a single step back that met a node which need not run, and of which nothing is told."""
        if self.state.held is not None:
            self.drivers.crew.credit += 1
            self.state.look_again()

    def _cached(self, recall: Recall, index: int, finding: Finding) -> None:
        step = self.state.plan.steps[index]
        assert finding.outputs is not None
        self.why[index] = "cached"
        self.state.finish(index, finding.outputs)
        recall.done(index, finding, ran=False)
        if self.sink is not None and not self.host.ended:
            self.sink(Event("node.done", time.time(), step.id, "cached", finding.outputs, 0.0))

    async def _shake_off(self, task: asyncio.Task[Any]) -> None:
        """Meet the cancellation that a node left on its own task, lest it hit the next node there.

        ``quiet`` does without: to look costs a sixth of its time for each node.
        """
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self.drivers.cancelling:
                raise
        while task.uncancel():
            pass

    # For both

    def _may_start(self, index: int, mode: int) -> bool:
        """Say whether a ready step is to be called now; if not, it was skipped, held or dropped."""
        if mode == MODE_FULL:
            return True
        if mode == MODE_DECIDE and self.state.plan.steps[index].stand is not None:
            self._stand_in(index)
        elif mode == MODE_DECIDE:
            reason = self.state.decide(index)
            if reason is None:
                self.state.ready.appendleft(index)
            else:
                self._skipped(index, reason)
        elif mode == MODE_HELD and self.state.held is not None:
            self._hold(index)
        return False

    def _hold(self, index: int) -> None:
        """Keep a step back while the run is paused, but for the one that a single step lets go."""
        state, crew = self.state, self.drivers.crew
        assert state.held is not None
        if crew.credit and state.plan.steps[index].stand is not None:
            state.modes[index] = MODE_DECIDE
            state.ready.appendleft(index)
            return
        if crew.credit:
            reason = state.decide(index)
            if reason is None:
                crew.credit -= 1
                state.ready.appendleft(index)
            else:
                self._skipped(index, reason)
            return
        state.held.append(index)
        if index not in self._queued:
            self._queued.add(index)
            self._tell("node.queued", index)

    def readers_of(self, index: int, port: str) -> int:
        """Return how many steps ``begin_stream`` would let start."""
        return len(self.state.program.readers.get(index, {}).get(port, ()))

    def begin_stream(self, index: int, port: str, stream: Any) -> None:
        """Let the steps start that take an output of a step under way while it still comes (see ``RunState``)."""
        self.state.begin_stream(index, port, stream)
        self.drivers.wake()

    def _passes_much(self, index: int) -> bool:
        """Say whether a step that is not run passes large values on that its wires transform."""
        state = self.state
        return state.plan.steps[index].stand == "bypassed" and takes_long(
            state.program.gathers[index], state.values
        )

    async def _stand_in_apart(self, index: int) -> None:
        """Do what ``_stand_in`` does where that takes long."""
        state = self.state
        try:
            given = await gather_apart(state.program.gathers[index], state.values)
        except BaseException as error:  # noqa: BLE001 - a cancel, or a wire that could not do what it should
            self._failed(index, error)
            return
        self._stand_in(index, given)

    def _stand_in(self, index: int, given: dict[str, Any] | None = None) -> None:
        """Finish a step that is not run with the outputs that stand for its own, or skip it."""
        state = self.state
        step = state.plan.steps[index]
        self.why[index] = why = "cached" if step.stand == "kept" else step.stand or ""
        try:
            if given is None:
                given = gather(state.program.gathers[index], state.values)
            outputs = outputs_in_place(step, given)
        except NodeError as error:  # a wire could not do what it should
            self._failed(index, error)
            return
        if outputs is None:
            reason = "muted" if step.stand == "muted" else state.reason(index)
            self._skipped(index, reason or "nothing came that could pass", why)
            return
        state.finish(index, outputs)
        if step.stand == "kept":
            return
        if self.sink is not None and not self.host.ended:
            now = time.time()
            self.sink(Event("node.done", now, step.id, why, state.outputs_of(index), 0.0))
        if self.recall is not None:
            self.recall.stood(index, why)

    async def _call(self, index: int, started: Started | None = None) -> dict[str, Any]:
        state = self.state
        sources = state.program.gathers[index]
        if takes_long(sources, state.values):
            inputs = await gather_apart(sources, state.values)
        else:
            inputs = gather(sources, state.values)
        if state.begun:
            inputs = state.streamed(index, inputs)
        outputs = await self.host.caller.call(state.plan.steps[index], inputs, started=started)
        if self.host.suspended:  # it swallowed its cancel: what it gave instead is nothing
            raise asyncio.CancelledError
        return outputs

    def _skipped(self, index: int, reason: str, why: str | None = None) -> None:
        self.state.skip(index, reason)
        self._tell("node.skipped", index, message=reason, why=why)
        if self.recall is not None:
            self.recall.ended(index, None if why is None else stood(why))

    def _failed(
        self,
        index: int,
        error: BaseException,
        started: float | None = None,
        *,
        release: bool = True,
    ) -> bool:
        """Turn what a node raised into data; a cancel of the run, and Ctrl-C, are not the node's and go on.

        Without ``release`` that has to follow, where this returns True.
        """
        if isinstance(error, KeyboardInterrupt) or (
            isinstance(error, asyncio.CancelledError) and self.drivers.cancelling
        ):
            raise error
        if self.host.ended:
            return False
        if isinstance(error, NodeSkipped):
            self._stopped_here(index, error.message)
        else:
            self._note_failure(index, failure_of(error), started)
        if release:
            self.state.release(index)
        return True

    def _note_failure(self, index: int, failure: NodeFailure, started: float | None) -> None:
        self.state.put_failure(index, failure)
        duration = None if started is None else time.time() - started
        if duration is not None:
            self.durations[index] = duration
        self._tell("node.failed", index, error=failure.to_json(), duration=duration)
        if self.recall is not None:
            self.recall.ended(index, self._findings.get(index))

    def _stopped_here(self, index: int, reason: str) -> None:
        """Take it that a node that was called lets nothing pass, and says why."""
        self.state.put_skip(index, reason)
        self._tell("node.skipped", index, message=reason)
        if self.recall is not None:
            self.recall.ended(index, self._findings.get(index))

    def _tell(self, kind: Any, index: int, **fields: Any) -> None:
        if self.sink is not None and not self.host.ended:
            self.sink(Event(kind, time.time(), self.state.plan.steps[index].id, **fields))


def _own_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def give_way(turn: float) -> float:
    """Let the event loop do its other work when this driver's turn is over; return when the next one is."""
    now = time.perf_counter()
    if now < turn:
        return turn
    await asyncio.sleep(0)
    return time.perf_counter() + TURN
