"""The rim of a live session: call what is ready, drop what was overtaken, wait where a node asks for quiet.

Steps that cannot suspend and that nobody watches are called in the very task
that waits for the session (``burst``): to start a task for a change that ends
after ten of them would take longer than they do. All others are carried by
drivers, as in a run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from .errors import NodeError, NodeSkipped
from .events import Event
from .failing import failure_of
from .gathering import gather, gather_apart, takes_long
from .live_drivers import LiveDrivers
from .live_state import AT_REST, MODE_FRESH, LiveState
from .loops import TURN, give_way
from .ports import SKIP
from .program import MODE_DECIDE, MODE_LIST, MODE_NONE, MODE_ONE, MODE_SEVERAL, MODE_WRAPPED
from .recall import Finding, Recall, stood
from .standing import outputs_in_place
from .step import Step

_SIMPLE = frozenset((int, str, float, bool, type(None)))


class Call:
    """A step under way. ``index`` follows it into a new plan; ``dropped``: its result is of no use any more."""

    __slots__ = ("dropped", "index", "started", "step", "task", "why")

    def __init__(self, index: int, step: Step, why: str) -> None:
        self.index = index
        self.step = step
        self.why = why
        self.started: float | None = None
        self.task = asyncio.current_task()
        self.dropped = False

    def drop(self) -> None:
        """Take it that a change reached the step: cancel this call of it."""
        self.dropped = True
        if self.task is not None:
            self.task.cancel()


class LiveLoop:
    """Drives the steps of one session. ``say`` takes events, ``settled`` is told when nothing is left to do."""

    def __init__(
        self,
        state: LiveState,
        host: Any,
        recall: Recall | None,
        say: Callable[[Event], None] | None,
        settled: Callable[[], None],
        stumbled: Callable[[BaseException], None],
    ) -> None:
        self.state = state
        self.host = host
        self.recall = recall
        self.say = say
        self.drivers = LiveDrivers(self, host.crew, settled, stumbled)
        self.paused = host.crew.paused
        self.timers: dict[int, asyncio.TimerHandle] = {}
        self.durations: dict[int, float] = {}
        self._rested: set[int] = set()
        self._queued: set[int] = set()
        self.began: set[int] = set()
        """The steps that have run before: debounce holds no first run back."""

    @property
    def idle(self) -> bool:
        """Whether nothing is ready, under way, or waiting for quiet."""
        state = self.state
        return not (state.ready or state.calls or self.timers)

    # What ends at once

    async def burst(self) -> None:  # noqa: C901, PLR0912, PLR0915 - one flat loop: a call per node would cost as much as the node
        """Call what is ready and ends at once, until something else is at the head of what is ready."""
        state = self.state
        program = state.program
        ready, values, modes, pending = state.ready, state.values, state.modes, state.pending
        touched, marks, rest = state.touched, state.marks, AT_REST
        calls, arguments, results, successors = (
            program.calls,
            program.arguments,
            program.results,
            program.successors,
        )
        take, add, simple = ready.popleft, ready.append, _SIMPLE
        turn = 0.0
        while ready and not self.paused:
            for _ in range(256):
                if not ready:
                    return
                index = take()
                if pending[index]:
                    continue
                if touched[index] is None:
                    if index not in state.calls:
                        state.keep(index)
                    continue
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
                    elif mode == MODE_FRESH:
                        state.refresh(index)
                        result = await program.begin(index, program.modes[index], values)
                    else:
                        ready.appendleft(index)
                        return
                except BaseException as error:  # the edge: a node may raise anything
                    if isinstance(error, KeyboardInterrupt):
                        raise
                    self._note(index)
                    if isinstance(error, NodeSkipped):
                        state.skip(index, error.message)
                    else:
                        state.fail(index, failure_of(error))
                    continue
                slot = results[index]
                old = values[slot]
                kind = type(result)
                if kind in simple:
                    changed = type(old) is not kind or result != old
                    if marks:
                        marks.pop(slot, None)
                elif result is SKIP:
                    state.finish(index, {})
                    continue
                else:
                    changed = state.differs(slot, old, result)
                values[slot] = result
                pending[index] = rest
                if changed:
                    for successor in successors[index]:
                        left = pending[successor] - 1
                        pending[successor] = left
                        touched[successor] = slot
                        if not left:
                            add(successor)
                else:
                    for successor in successors[index]:
                        left = pending[successor] - 1
                        pending[successor] = left
                        if not left:
                            add(successor)
            now = time.perf_counter()
            turn = turn or now
            if now > turn + TURN:
                await asyncio.sleep(0)
                return  # meanwhile the session may have gone on to another plan

    # All else

    async def drive(self) -> None:
        """Call what is ready until nothing is left, or all is held."""
        turn = time.perf_counter() + TURN
        task = asyncio.current_task()
        assert task is not None
        while self.state.ready and (not self.paused or self.drivers.crew.credit):
            if not self.paused:
                await self.burst()
                if not self.state.ready:
                    return
            await self._next(self.state.ready.popleft())
            while task.cancelling() and not self.drivers.cancelling and task.uncancel():
                pass
            turn = await give_way(turn)

    async def _next(self, index: int) -> None:
        state = self.state
        if state.pending[index] or index in state.calls or index in self.timers:
            return
        if state.touched[index] is None:
            state.keep(index)
        elif not self._waits_for_quiet(index):
            if state.modes[index] >= MODE_DECIDE and state.modes[index] != MODE_FRESH:
                await self._decide(index)
            elif not self.paused or self._spend():
                await self._run(index)
            else:
                state.ready.appendleft(index)

    def _spend(self) -> bool:
        crew = self.drivers.crew
        if not crew.credit:
            return False
        crew.credit -= 1
        return True

    def hold(self) -> None:
        """Start no further step; tell of those that are ready."""
        self.paused = True
        self.queue()

    def queue(self) -> None:
        """Tell of what is ready and held."""
        state = self.state
        for index in state.ready if self.paused else ():
            if state.touched[index] is not None and index not in self._queued:
                self._queued.add(index)
                self._tell("node.queued", state.steps[index])

    def let_go(self) -> None:
        """Go on after ``hold``."""
        self.paused = False
        self._queued.clear()
        self.drivers.wake()

    def follow(self, state: LiveState, recall: Recall | None) -> None:
        """Go on with the state of another plan."""
        before = self.state
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
        self._rested.clear()
        self._queued.clear()
        ids = [before.steps[index].id for index in self.began]
        self.began = {state.plan.index[id] for id in ids if id in state.plan.index}
        self.durations.clear()
        self.state, self.recall = state, recall
        self.drivers.follow()

    def readers_of(self, index: int, port: str) -> int:
        """Return how many steps ``begin_stream`` may let start."""
        return len(self.state.program.readers.get(index, {}).get(port, ()))

    def begin_stream(self, index: int, port: str, stream: Any) -> None:
        """Let the steps start that take an output of a step under way while it still comes."""
        call = self.state.calls.get(index)
        if call is not None and call.task is not None:
            self.state.begin_stream(index, port, stream)
            self.drivers.wake()

    # Quiet

    def _waits_for_quiet(self, index: int) -> bool:
        """Hold a step back that a change reached, until none has for its ``debounce``."""
        delay = self.state.steps[index].node.settings.debounce
        if not delay or index not in self.began:
            return False
        if index in self._rested:
            self._rested.discard(index)
            return False
        self.timers[index] = asyncio.get_running_loop().call_later(delay, self._rest, index)
        until = time.time() + delay
        self._tell(
            "node.waiting",
            self.state.steps[index],
            message=f"waits until nothing has changed for {delay:g} s",
            data={"for": "debounce", "until": until},
        )
        return True

    def _rest(self, index: int) -> None:
        self.timers.pop(index, None)
        self._rested.add(index)
        self.state.ready.append(index)
        self.drivers.wake()

    def disturb(self, index: int) -> None:
        """Take it that a change reached a step again: its time of quiet begins anew when it is ready."""
        self._rested.discard(index)
        timer = self.timers.pop(index, None)
        if timer is not None:
            timer.cancel()
            if not self.state.pending[index]:
                self.state.ready.append(index)

    # Steps that are not called

    async def _decide(self, index: int) -> None:
        state = self.state
        step = state.steps[index]
        if step.stand == "bypassed" and takes_long(state.program.gathers[index], state.values):
            await self._stand_in_apart(index, step)
            return
        if step.stand is not None:
            self._stand_in(index, step)
            return
        reason = state.decide(index)
        if reason is None:
            state.ready.appendleft(index)
        else:
            self._skip(index, reason)

    async def _stand_in_apart(self, index: int, step: Step) -> None:
        """Do what ``_stand_in`` does where that takes long: as a call, which a change may reach."""
        state = self.state
        call = state.calls[index] = Call(index, step, "bypassed")
        try:
            given = await gather_apart(state.program.gathers[index], state.values)
        except BaseException as error:  # noqa: BLE001 - a cancel, or a wire that could not do what it should
            self._went_wrong(call, error)
            return
        if not call.dropped:
            del self.state.calls[call.index]
            self._stand_in(call.index, step, given)

    def _stand_in(self, index: int, step: Step, given: dict[str, Any] | None = None) -> None:
        """Finish a step that is not run with the outputs that stand for its own, or skip it."""
        state = self.state
        why = "cached" if step.stand == "kept" else step.stand or ""
        try:
            if given is None:
                given = gather(state.program.gathers[index], state.values)
            outputs = outputs_in_place(step, given)
        except NodeError as error:  # a wire could not do what it should
            self._fail(index, step, error, None)
            return
        self._note(index, why)
        if outputs is None:
            reason = "muted" if step.stand == "muted" else state.reason(index)
            self._skip(index, reason or "nothing came that could pass", why)
            return
        self._forget(index)
        state.finish(index, outputs)
        if step.stand == "kept":
            return
        self._tell("node.done", step, why=why, outputs=state.outputs_of(index), duration=0.0)
        if self.recall is not None:
            self.recall.stood(index, why)

    def _skip(self, index: int, reason: str, why: str | None = None) -> None:
        state = self.state
        step = state.steps[index]
        self._note(index)
        self._forget(index)
        state.skip(index, reason)
        self._tell("node.skipped", step, message=reason, why=why)
        if self.recall is not None:
            self.recall.ended(index, None if why is None else stood(why))

    # Calls

    async def _run(self, index: int) -> None:
        state, step = self.state, self.state.steps[index]
        call = state.calls[index] = Call(index, step, self._why(index, step))
        finding = None
        try:
            if self.recall is not None:
                finding = await self._look_up(call, self.recall)
                if finding is None or call.dropped:
                    return
            outputs = await self._call(call)
        except BaseException as error:  # noqa: BLE001 - the edge: a node may raise anything
            self._went_wrong(call, error, finding)
            return
        if not call.dropped:
            self._finish(call, outputs, finding)

    def _went_wrong(self, call: Call, error: BaseException, finding: Finding | None = None) -> None:
        """Write down that a call failed; a cancel of the session, and Ctrl-C, go on."""
        if call.dropped:
            return
        self.state.calls.pop(call.index, None)
        if isinstance(error, KeyboardInterrupt) or (
            isinstance(error, asyncio.CancelledError) and self.drivers.cancelling
        ):
            raise error
        self._fail(call.index, call.step, error, call.started, finding)

    def _why(self, index: int, step: Step) -> str:
        state = self.state
        cause = state.touched[index]
        why = state.words(index, "new" if cause is None else cause)
        return step.first_why if why == "new" else why

    async def _look_up(self, call: Call, recall: Recall) -> Finding | None:
        """Return what is known of a step that is to run, or None when it need not, and was finished."""
        state = self.state
        index = call.index
        if call.why.startswith("triggered"):
            state.refresh(index)
            return recall.known(index, call.why)
        state.refresh(index)
        finding = (await recall.look_up([index]))[0]
        if call.dropped:
            return None
        index, state, recall = call.index, self.state, self.recall or recall
        if finding.kept is None and finding.outputs is None:
            if finding.why != "new" or call.why == "new":
                call.why = finding.why
            return finding
        del state.calls[index]
        self._note(index, "cached")
        if finding.kept is not None:
            state.keep_as(index, finding.kept.outputs, finding.kept.failure, finding.kept.skipped)
            recall.renew(index, finding.kept)
        else:
            assert finding.outputs is not None
            recall.forget(index)
            state.finish(index, finding.outputs)
            recall.done(index, finding, ran=False)
            self._tell("node.done", call.step, why="cached", outputs=finding.outputs, duration=0.0)
        return None

    async def _call(self, call: Call) -> dict[str, Any]:
        index, state, caller = call.index, self.state, self.host.caller
        state.refresh(index)

        def begin() -> None:
            call.started = time.time()
            if not call.dropped:
                self._tell("node.started", call.step, why=call.why)

        waits = caller.is_limited(call.step)
        if not waits:
            begin()
        state.forget_streams(index)
        sources = state.program.gathers[index]
        if takes_long(sources, state.values):
            given = await gather_apart(sources, state.values)
            index, state = call.index, self.state  # which may be another plan's by now
        else:
            given = gather(sources, state.values)
        if state.begun:
            given = state.streamed(index, given)
        outputs: dict[str, Any] = await caller.call(
            call.step, given, started=begin if waits else None
        )
        return outputs

    def _finish(self, call: Call, outputs: dict[str, Any], finding: Finding | None) -> None:
        index, state, step = call.index, self.state, call.step
        del state.calls[index]
        self._note(index, call.why)
        self._forget(index)
        state.finish(index, outputs)
        ended = time.time()
        duration = ended - (ended if call.started is None else call.started)
        self.durations[index] = duration
        self._tell(
            "node.done", step, why=call.why, outputs=state.outputs_of(index), duration=duration
        )
        if self.recall is not None and finding is not None:
            fleeting = step.id in self.host.fleeting and step.node.settings.cache is None
            self.recall.done(index, finding, ran=True, fleeting=fleeting)

    def _fail(
        self,
        index: int,
        step: Step,
        error: BaseException,
        started: float | None,
        finding: Finding | None = None,
    ) -> None:
        if isinstance(error, NodeSkipped):
            self._skip(index, error.message)
            return
        failure = failure_of(error)
        duration = None if started is None else time.time() - started
        self._note(index)
        self._forget(index)
        self.state.fail(index, failure)
        self._tell("node.failed", step, error=failure.to_json(), duration=duration)
        if self.recall is not None:
            self.recall.ended(index, finding)

    def _note(self, index: int, why: str | None = None) -> None:
        """Write down that a step ended, and why it was run."""
        state = self.state
        if why is not None:
            state.touched[index] = why
        if state.steps[index].node.settings.debounce:
            self.began.add(index)

    def _forget(self, index: int) -> None:
        if self.recall is not None:
            self.recall.forget(index)

    def _tell(self, kind: Any, step: Step, **fields: Any) -> None:
        if self.say is not None:
            self.say(Event(kind, time.time(), step.id, **fields))
