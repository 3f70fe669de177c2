"""Live: a spell that stays computed while values, code and wires change."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from .body_run import open_body
from .cache import OutputCache
from .compiler import compile
from .context import RunContext
from .encoding import Encodings
from .errors import RunActive, RunTimeout
from .events import Event, Sink
from .executor import Executor
from .executors import Executors
from .failing import failure_of
from .handles import any_handles
from .host import RunHost
from .library import Library
from .limiting import Limiters
from .limits import Limits
from .live_loop import LiveLoop
from .live_preview import Preview
from .live_state import AT_REST, Cause, LiveState
from .live_swap import Given, Swap
from .live_telling import Telling
from .memory import RunMemory
from .plan import Plan
from .recall import Recall
from .rejection import given_to
from .result import NodeFailure, RunResult, Status
from .spell import Spell

T = TypeVar("T")


class LiveSession:
    """Keeps the outputs of a spell as they are to be, from one change to the next.

    ::

        async with LiveSession(spell, library) as session:
            await session.settled()
            session.set("slider.value", 7)
            await session.settled()
            print(session.outputs["chart"])

    A change is acted on in the next turn of the event loop, together with all
    others of this turn; ``settled`` acts on it at once. Only what depends on a
    change runs, each node once, on inputs that are all up to date, and where
    an output comes out equal the change ends. A change that reaches a node
    under way cancels the call of that node, and its late result is dropped;
    others go on. All methods but ``settled``, ``preview`` and ``close`` return
    at once; call them on the loop's thread.

    From the first change to rest is a *settle*. It is told to ``sink`` as a
    run: ``run.started``, its nodes, ``run.completed``. A change that comes
    meanwhile ends it with ``run.cancelled`` (``data.superseded``) and begins
    the next, where what goes on is told as started again.

    Args:
        library: What a spell is compiled against; with a plan it is the plan's.
        cache: Where outputs are looked up and kept by content.
        memory: What the last run left: the session goes on from there, and
            leaves there what it does.
        executors, context, limits, limiters, encodings: As for an ``Execution``.
            ``limits.seconds`` and ``limits.calls`` hold for each settle.
    """

    def __init__(
        self,
        spell: Spell | Plan,
        library: Library | None = None,
        *,
        sink: Sink | None = None,
        cache: OutputCache | None = None,
        memory: RunMemory | None = None,
        executors: Mapping[str, Executor] | None = None,
        context: RunContext | None = None,
        limits: Limits | None = None,
        limiters: Limiters | None = None,
        encodings: Encodings | None = None,
    ) -> None:
        plan = self._compiled(spell, library)
        self._library = library or plan.library
        self._cache = cache
        self._memory = memory if memory is not None or cache is None else RunMemory()
        self._context = context or RunContext()
        self._limits = limits or Limits()
        self._limiters = limiters or Limiters()
        self._encodings = encodings or Encodings()
        self._executors = Executors(executors or {}, self._limits.threads)
        self._telling = Telling(sink)
        self._given = Given()
        self._roots: dict[str, Cause] = {}
        self._later: dict[str, Cause] = {}
        """What was cancelled, and joins the next change."""
        self._next: Plan | None = None
        self._scheduled = False
        self._closed = False
        self._open = False
        self._began = self._took = 0.0
        self._status: Status = "completed"
        self._crash: NodeFailure | None = None
        self._asked = False
        self._deadline: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._listeners: list[asyncio.Future[RunResult]] = []
        self._loop = asyncio.get_running_loop()
        self._preview = Preview(self)
        self._host = self._make_host(plan)
        self._crew = self._host.crew
        state = LiveState(plan, plain=self._plain)
        recall = self._recall(state)
        self._live = LiveLoop(state, self._host, recall, self._say, self._at_rest, self._stumble)
        self._host.begin_stream = self._live.begin_stream
        self._host.readers_of = self._live.readers_of
        self._roots.update(Swap(None, state, recall, self._memory, self._given).roots)
        self._schedule()

    # Changes

    def set(self, key: str, value: Any) -> None:
        """Put a value in the place of what is typed in at ``NODE.PORT`` (or ``NODE``: its port ``value``, or its only one).

        NODE is an id, or a name that only one node has. The value stays until
        another is set, or another is typed in there in a spell given to ``replace``.

        Raises:
            InvalidInput: where there is no such input, it has a wire, or the value does not fit it.
        """
        if self._next is not None:
            self._apply()
        state = self._live.state
        index, slot, port = self._given.place(state, key)
        step = state.steps[index]
        given = given_to(step, port, key, value)
        if not self._given.put(state, index, slot, port, value, given):
            return
        if self._live.recall is not None:
            self._live.recall.forget_constant(slot)
        if self._given.starts(state, index, port):
            self._roots[step.id] = f"input changed ({port})"
            self._schedule()

    def replace(self, spell: Spell | Plan) -> None:
        """Go on with another spell, or this one as it has been edited: only what differs, and what depends on it, runs.

        Raises:
            SpellInvalid: when it does not compile; the session then stays as it is.
        """
        self._next = self._compiled(spell, self._library)
        self._schedule()

    def rerun(self, node: str) -> None:
        """Run a node again although nothing changed, and what depends on what it then gives."""
        self._roots[node] = "new"
        self._schedule()

    async def preview(self, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Try drafts of values, as while somebody types: run the cheap nodes (``NodeType.preview``) right downstream.

        Nothing that the session holds changes. Each output is told as
        ``node.preview`` and returned, by node and port. A later preview, and a
        settle that begins, end this one, which returns what it had.

        Raises:
            InvalidInput: as ``set``.
        """
        if self._next is not None:
            self._apply()
        return await self._preview.run(inputs)

    # What there is

    @property
    def plan(self) -> Plan:
        """The plan that the session works on."""
        return self._live.state.plan if self._next is None else self._next

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs of every node that has any, as they are now: {node: {port: value}}, in graph order."""
        return self._live.state.outputs()

    def value(self, node: str, port: str | None = None) -> Any:
        """Return one output as it is now; without ``port`` the first. Raises KeyError where there is none."""
        state = self._live.state
        outputs = state.outputs_of(state.plan.index[node])
        return outputs[port] if port is not None else next(iter(outputs.values()), None)

    @property
    def result(self) -> RunResult:
        """How things stand, as a run would say it. ``why`` is about the last settle."""
        state = self._live.state
        reached = state.reached
        return RunResult(
            self._status,
            duration=time.perf_counter() - self._began if self._open else self._took,
            errors=_by_id(state, state.failures),
            skipped=_by_id(state, state.skipped),
            durations=_by_id(state, self._live.durations),
            outputs=state.outputs,
            why=lambda: _why(state, reached),
            error=self._crash,
        )

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        return not (self._roots or self._asked) and self._next is None and self._live.idle

    # Steering

    async def settled(self) -> RunResult:
        """Wait until no change is left to act on, and return how things stand.

        Where the session is paused that is after ``play``; after ``close`` at once.
        Cancelling who waits cancels no node.
        """
        live = self._live
        while not self._closed:
            self._apply()
            if live.state.ready and not live.paused:
                try:
                    await live.burst()
                except BaseException:
                    self._schedule()
                    raise
            if self.is_settled:
                self._at_rest()
                break
            live.drivers.wake()
            if live.idle:
                continue
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        return self.result

    def pause(self) -> None:
        """Start no further node; those under way go on to their end. Changes are taken, and wait."""
        self._crew.pause()

    def play(self) -> None:
        """Go on after a pause."""
        self._crew.play()

    def step(self) -> None:
        """While paused, start exactly one more node: one that is ready, or else the next to be."""
        self._crew.step()

    @property
    def paused(self) -> bool:
        """Whether no further node starts."""
        return self._crew.paused

    def interrupt(self) -> None:
        """End the settle that is being told, with ``run.cancelled``, but not the calls under way: the next tells of them."""
        if self._open:
            self._end("cancelled", superseded=True)

    def begin(self, sink: Sink, run_id: str | None = None) -> None:
        """Tell another sink from now on, of a settle that begins even where there is nothing to do.

        Nodes that ask for their run get ``run_id``.

        Raises:
            RuntimeError: where the session was made without a sink.
        """
        if self._telling.sink is None:
            raise RuntimeError("a session that tells nothing cannot begin to")
        self.interrupt()
        self._telling.sink = sink
        self._asked = True
        if run_id is not None:
            self._host.run_id = run_id
        self._schedule()

    @property
    def is_telling(self) -> bool:
        """Whether a settle is being told."""
        return self._open

    async def told(self) -> RunResult:
        """Wait for the end of the settle that is told now, or is about to be, and return how things stood then.

        Its ``status`` is "cancelled" where a change, ``interrupt``, ``cancel``
        or ``close`` ended it; nodes that were still due then are not in it.
        """
        self._apply()
        if not self._open:
            return _standing(self)
        listener: asyncio.Future[RunResult] = self._loop.create_future()
        self._listeners.append(listener)
        self._schedule()
        return await listener

    def cancel(self) -> None:
        """Cancel all that is under way or waits: it stays as it was, and is looked at with the next change."""
        self._stop("cancelled")

    def _stop(self, status: Status) -> None:
        live = self._live
        state = live.state
        for call in list(state.calls.values()):
            state.touched[call.index] = call.why
            call.drop()
        state.calls.clear()
        for index in list(live.timers):
            live.disturb(index)
        left = {
            state.steps[index].id: cause
            for index, count in enumerate(state.pending)
            if count >= 0 and (cause := state.touched[index]) is not None
        }
        if self._open:
            self._end(status)
        self._later = left | self._later | self._roots
        self._roots.clear()
        state.rest()
        self._release_waiters()

    async def close(self) -> None:
        """End the session: calls under way are cancelled, and waited for, at most ``limits.cancel_grace`` seconds."""
        if self._closed:
            return
        self._closed = True
        self._preview.end()
        live = self._live
        for timer in live.timers.values():
            timer.cancel()
        live.timers.clear()
        for call in list(live.state.calls.values()):
            call.drop()
        live.state.calls.clear()
        self._host.cancelled = True
        live.drivers.cancel(self._limits.cancel_grace)
        await live.drivers.until_over()
        live.state.drop_streams()
        if self._open:
            self._end("cancelled")
        self._executors.close()
        await self._host.close()
        self._release_waiters()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # Within

    @property
    def _plain(self) -> bool:
        return (
            self._telling.sink is None
            and self._memory is None
            and self._limits.output_bytes is None
            and self._limits.calls is None
        )

    def _compiled(self, spell: Spell | Plan, library: Library | None) -> Plan:
        if isinstance(spell, Plan):
            return spell
        if library is None:
            raise TypeError("a spell is compiled against a library: give one")
        return compile(spell, library)

    def _make_host(self, plan: Plan) -> RunHost:
        sink = self._telling.reports if self._telling.sink is not None else None
        host = RunHost(
            plan,
            uuid.uuid4().hex,
            self._context,
            sink,
            self._limits,
            self._executors.of,
            self._limiters,
            self._encodings,
        )
        host.open_body, host.cache = open_body, self._cache
        return host

    def _recall(self, state: LiveState) -> Recall | None:
        if self._memory is None:
            return None
        recall = Recall(state, self._cache, self._memory, self._context.user, incremental=True)
        recall.encodings = self._encodings
        return recall

    def _schedule(self) -> None:
        if not self._scheduled:
            if self._closed:
                raise RunActive("the session is closed")
            self._scheduled = True
            self._loop.call_soon(self._kick)

    def _kick(self) -> None:
        self._scheduled = False
        if self._closed:
            return
        self._apply()
        self._live.drivers.wake()
        if self._live.idle:
            self._at_rest()

    def _apply(self) -> None:
        """Act on the changes so far: find what they reach, and call off what they overtake."""
        if not self._roots and self._next is None and not self._asked:
            return
        self._asked = False
        self._roots = self._later | self._roots
        self._later = {}
        self._preview.end()
        if self._open:
            self._end("cancelled", superseded=True)
        carried = self._swap() if self._next is not None else ()
        live = self._live
        state = live.state
        places, touched = state.plan.index, state.touched
        roots = []
        for id, cause in self._roots.items():
            index = places.get(id)
            if index is not None:
                touched[index] = cause
                roots.append(index)
        self._roots.clear()
        if any_handles():
            roots += [index for index in state.lost() if index not in roots]
        if state.timed:
            roots += [index for index in state.expired(live.recall) if index not in roots]
        state.at_rest = live.idle and not carried
        before = [] if state.at_rest else [i for i in state.reached if state.pending[i] != AT_REST]
        reached = state.reach(roots, carried)
        state.reached = before + reached if before else reached
        if state.calls or live.timers:
            self._call_off(roots)
        if self._memory is not None:
            self._mark_stale(reached)
        self._crew.called = 0
        self._open = True
        self._crash = None
        if self._limits.seconds is not None:
            self._deadline = self._loop.call_later(self._limits.seconds, self._overdue)
        self._began = time.perf_counter()
        self._telling.begin(state, [call for call in state.calls.values() if call.started])

    def _call_off(self, roots: list[int]) -> None:
        live = self._live
        state = live.state
        for index in state.overtaken(roots):
            call = state.calls.pop(index)
            if state.touched[index] is None:
                state.touched[index] = call.why
            call.drop()
            self._telling.drop(call.step.id)
        for index in [each for each in live.timers if state.pending[each] or each in roots]:
            live.disturb(index)

    def _mark_stale(self, reached: list[int]) -> None:
        """Let a later run look at what this settle may leave undone."""
        assert self._memory is not None
        steps, known = self._live.state.steps, self._memory.nodes
        for index in reached:
            if (old := known.get(steps[index].id)) is not None:
                old.stale = True

    def _swap(self) -> list[int]:
        """Go over to the next plan; return the steps that go on there."""
        plan, self._next = self._next, None
        assert plan is not None
        live = self._live
        state = LiveState(plan, plain=self._plain)
        recall = self._recall(state)
        swap = Swap(live.state, state, recall, self._memory, self._given)
        self._roots = swap.roots | {
            id: cause for id, cause in self._roots.items() if id in plan.index
        }
        live.follow(state, recall)
        self._host.follow(plan)
        return swap.carried

    def _say(self, event: Event) -> None:
        self._telling(event)

    def _at_rest(self) -> None:
        """End the settle where nothing is left to do."""
        if self._roots or self._next is not None or self._asked or not self._live.idle:
            return
        if self._open:
            self._end("completed")
        self._release_waiters()

    def _end(self, status: Status, *, superseded: bool = False) -> None:
        self._open = False
        self._status = status
        self._took = time.perf_counter() - self._began
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._memory is not None:
            self._given.disown(self._memory)
        if self._telling.sink is not None:
            state = self._live.state
            self._telling.end(status, self._took, state, self._crash, superseded=superseded)
        if self._listeners:
            listeners, self._listeners = self._listeners, []
            result = _standing(self)
            for listener in listeners:
                if not listener.done():
                    listener.set_result(result)

    def _overdue(self) -> None:
        assert self._limits.seconds is not None
        self._stumble(RunTimeout(self._limits.seconds))

    def _stumble(self, error: BaseException) -> None:
        """End the settle as failed as a whole; what was due is looked at with the next change."""
        if not self._closed:
            self._crash = failure_of(error)
            self._stop("failed")

    def _release_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _standing(session: LiveSession) -> RunResult:
    """Return a result of its own of what is at rest."""
    now, state = session.result, session._live.state  # noqa: SLF001 - its own module
    due = {step.id for step in state.steps if state.pending[step.index] != AT_REST}
    outputs = {node: each for node, each in now.outputs.items() if node not in due}
    why = {node: each for node, each in now.why.items() if node not in due}
    return RunResult(
        now.status,
        duration=now.duration,
        errors={node: each for node, each in now.errors.items() if node not in due},
        skipped={node: each for node, each in now.skipped.items() if node not in due},
        durations={node: each for node, each in now.durations.items() if why.get(node) != "cached"},
        outputs=lambda: outputs,
        why=lambda: why,
        error=now.error,
    )


def _by_id(state: LiveState, found: dict[int, T]) -> dict[str, T]:
    return {state.steps[index].id: found[index] for index in sorted(found)} if found else {}


def _why(state: LiveState, reached: list[int]) -> dict[str, str]:
    last = {index for index in reached if state.touched[index] is not None}
    return {
        step.id: state.why(step.index) if step.index in last else "cached"
        for step in state.steps
        if step.index in last or step.index in state.failures or state.is_done(step.index)
    }
