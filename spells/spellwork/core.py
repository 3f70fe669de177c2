"""The pure core of a run: what is finished, what is ready, and what a result changes.

No calls, no clocks, no tasks. The loops in ``loops`` write the commonest
change (one output, a value came) into these same lists in place, for a call
per node would cost as much as the node; everything else goes through here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .plan import Plan
from .ports import FAILURE_PORT, SKIP, WHOLE_PORT
from .program import MODE_DECIDE, MODE_DROP, MODE_FULL, MODE_HELD, UNSET
from .result import NodeFailure

if TYPE_CHECKING:
    from .past import Ended


NEVER: Final = 1 << 62
"""How many steps one waits for that had ended before the run: it never becomes ready."""


class Begun:
    """A stream, how many steps have yet to take it, and what stands in its slot."""

    __slots__ = ("readers", "stream", "whole")

    def __init__(self, stream: Any, readers: int) -> None:
        self.stream = self.whole = stream
        self.readers = readers


class RunState:
    """Where a run of a plan stands.

    ``ready`` holds the steps to start, by index, first come first served.
    ``modes`` starts as the program's and is overwritten where a run differs:
    an input that will not come, a pause, a cancel. ``usual`` is what a step's
    mode is otherwise.
    """

    __slots__ = (
        "begun",
        "beyond",
        "failures",
        "held",
        "modes",
        "past",
        "pending",
        "plan",
        "program",
        "raw",
        "ready",
        "skipped",
        "streams",
        "usual",
        "values",
    )

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.program = plan.program
        self.values = self.program.start_values()
        self.raw = self.program.raw
        """By slot, values as typed in, where the function is given something made of them."""
        self.pending = self.program.pending.copy()
        self.usual = self.program.modes
        self.modes = self.usual.copy()
        self.ready: deque[int] = deque(self.program.first)
        self.failures: dict[int, NodeFailure] = {}
        self.skipped: dict[int, str] = {}
        self.held: list[int] | None = None
        self.streams: dict[int, dict[int, tuple[int, ...]]] = {}
        """By step under way, the slots that hold its streams, each with the steps let go by it."""
        self.begun: dict[int, Begun] = {}
        """By slot, streams that a step may have yet to take, though they may be whole by then."""
        self.past: Mapping[int, Ended] = {}
        """The steps that had ended before the run."""
        self.beyond = 0
        """How many more drivers than allowed there may be, lest who reads a stream waits for who fills it."""

    def call_in_full(self, indexes: Iterable[int]) -> None:
        """Before the start: let these steps be called with all that a call has, even where none would show."""
        self.usual = self.usual.copy()
        for index in indexes:
            self.usual[index] = max(self.usual[index], MODE_FULL)
        self.modes = self.usual.copy()

    @property
    def plain(self) -> int:
        """How many steps are called in the shortest way, where nothing counts calls."""
        spared = sum(self.usual[index] < MODE_FULL for index in self.past)
        return len([mode for mode in self.usual if mode < MODE_FULL]) - spared

    def begin_with(self, past: Mapping[int, Ended]) -> None:
        """Before the start: take these steps as they ended before, once each. None of them becomes ready again."""
        self.past = past
        for index in past:
            self.pending[index] = NEVER
        for index, ended in past.items():
            if ended.failure is not None:
                self.fail(index, ended.failure)
            elif ended.skipped is not None:
                self.skip(index, ended.skipped)
            else:
                self.finish(index, ended.outputs)
        ready = [index for index in self.ready if index not in past]
        self.ready.clear()
        self.ready.extend(ready)

    def finish(self, index: int, outputs: dict[str, Any]) -> None:
        """Take the outputs of a step, and let go what waits for it; see ``put``."""
        self.put(index, outputs)
        self.release(index)

    def put(self, index: int, outputs: dict[str, Any]) -> None:
        """Take the outputs of a step; a port that is absent or ``SKIP`` brings nothing. ``release`` has to follow.

        Its reserved output ``error`` brings nothing then, and ``all`` brings what the others do.
        """
        lost = False
        program, values = self.program, self.values
        whole = program.wholes.get(index)
        if index in program.failures:
            outputs = outputs | {FAILURE_PORT.name: SKIP}
        if whole is not None:
            outputs = outputs | {WHOLE_PORT.name: _whole(outputs)}
        for port, slot in program.outputs[index]:
            value = outputs.get(port, SKIP)
            if value is SKIP:
                lost = True
                values[slot] = UNSET
            else:
                values[slot] = value
                if slot in self.begun:
                    self.begun[slot].whole = value
        if program.results[index] not in (slot for _, slot in program.outputs[index]):
            values[program.results[index]] = None
        if lost:
            self._warn_successors(index)

    def finish_skipped(self, index: int) -> None:
        """Take it that a step is done and its only output is ``SKIP``."""
        self.finish(index, {})

    def fail(self, index: int, failure: NodeFailure) -> None:
        """Take it that a step failed, and let go what waits for it; see ``put_failure``."""
        self.put_failure(index, failure)
        self.release(index)

    def put_failure(self, index: int, failure: NodeFailure) -> None:
        """Take it that a step failed: what needs it will be skipped, but for readers of its output ``error``."""
        self.failures[index] = failure
        for slot in self.streams.get(index, ()):
            self.values[slot] = UNSET
        error = self.program.failures.get(index)
        if error is not None:
            self.values[error] = failure.brief(self.plan.steps[index].id)
        self._warn_successors(index)

    def skip(self, index: int, reason: str) -> None:
        """Take it that a step is skipped, and so what needs it."""
        self.put_skip(index, reason)
        self.release(index)

    def put_skip(self, index: int, reason: str) -> None:
        """Take it that a step is skipped; ``release`` has to follow."""
        self.skipped[index] = reason
        self._warn_successors(index)

    def warn_of_lacking(self, indexes: Iterable[int]) -> None:
        """Before the start, of steps that are finished: let what needs an output that brought nothing be decided on."""
        for index in indexes:
            if any(self.values[slot] is UNSET for _, slot in self.program.outputs[index]):
                self._warn_successors(index)

    def _warn_successors(self, index: int) -> None:
        modes = self.modes
        for successor in self.program.successors[index]:
            modes[successor] = max(modes[successor], MODE_DECIDE)

    def release(self, index: int) -> None:
        """Let go what waits for a step that is at its end."""
        pending = self.pending
        gone = self._end_streams(index) if self.streams else ()
        for successor in self.program.successors[index]:
            if successor in gone:
                continue
            pending[successor] -= 1
            if not pending[successor]:
                self.ready.append(successor)

    # Streams

    def begin_stream(self, index: int, port: str, stream: Any) -> None:
        """Take it that an output of a step under way begins to come, as ``stream``.

        Steps that take nothing else of this step are let go: they get
        ``stream``, also where they start after ``finish`` (``streamed``). All
        others wait for the whole. A second call for a port does nothing.
        """
        slot = dict(self.program.outputs[index])[port]
        open_streams = self.streams.setdefault(index, {})
        if slot in open_streams:
            return
        readers = self._readers(index, port)
        open_streams[slot] = readers
        self.values[slot] = stream
        self.begun[slot] = Begun(stream, len(readers))
        self.beyond += len(readers)
        for reader in reversed(readers):
            self.pending[reader] -= 1
            if not self.pending[reader]:
                self.ready.appendleft(reader)

    def streamed(self, index: int, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs of a step with the streams that it takes, as they came, in the place of their wholes."""
        streams = {port.name for port in self.plan.steps[index].ports.inputs if port.stream}
        for port, source in self.program.gathers[index]:
            if port not in streams or port not in inputs:
                continue
            if isinstance(source, int):
                if self.values[source] is not UNSET:  # else it failed since it was gathered
                    inputs[port] = self._stream(source)
            elif isinstance(source, tuple) and all(isinstance(slot, int) for slot in source):
                slots = [slot for slot in source if isinstance(slot, int)]
                inputs[port] = [
                    self._stream(slot) for slot in slots if self.values[slot] is not UNSET
                ]
        return inputs

    def reading(self) -> int:
        """Return how many calls wait for what comes next in the streams of steps under way."""
        streams = [self.values[slot] for slots in self.streams.values() for slot in slots]
        return len({who for stream in streams if stream is not UNSET for who in stream.awaiting})

    def _stream(self, slot: int) -> Any:
        begun, value = self.begun.get(slot), self.values[slot]
        if begun is None or value is not begun.whole:
            return value
        begun.readers -= 1
        if not begun.readers:
            del self.begun[slot]
        return begun.stream

    def _readers(self, index: int, port: str) -> tuple[int, ...]:
        """Return the steps that the stream of an output lets go."""
        return self.program.readers.get(index, {}).get(port, ())

    def _end_streams(self, index: int) -> tuple[int, ...]:
        gone = tuple(
            reader for readers in self.streams.pop(index, {}).values() for reader in readers
        )
        self.beyond -= len(gone)
        return gone

    def drop_streams(self) -> None:
        """Forget what was still coming when the run ended: it is no value."""
        for streams in self.streams.values():
            for slot in streams:
                self.values[slot] = UNSET
        self.streams.clear()
        self.begun.clear()
        self.beyond = 0

    def decide(self, index: int) -> str | None:
        """Return why a ready step is to be skipped, or None when it can run (its mode is then the program's)."""
        values = self.values
        step = self.plan.steps[index]
        needs = self.program.musts[index]
        missing = sum(values[slot] is UNSET for slot in needs)
        runs = not missing
        if step.type.waits == "any":
            runs = missing < len(self.program.needs[index]) or self._is_given(index)
        if runs or not needs:
            self.modes[index] = self.usual[index]
            return None
        return self.reason(index)

    def _is_given(self, index: int) -> bool:
        """Say whether a value is typed into an input of a step that no wire brings: null and an empty list are none."""
        defaults = {port.name: port.default for port in self.plan.steps[index].ports.inputs}
        start = self.program.constants_from
        return any(
            isinstance(source, int)
            and source >= start
            and self.values[source] is not None
            and self.values[source] not in ([], defaults.get(port))
            for port, source in self.program.gathers[index]
        )

    def reason(self, index: int) -> str:
        """Return which of a step's wires brought nothing, and why."""
        reasons = []
        for binding in self.plan.steps[index].bindings:
            for wire in binding.wires:
                source = self.plan.steps[wire.source]
                if self.values[dict(self.program.outputs[wire.source])[wire.output]] is not UNSET:
                    continue
                if wire.source in self.failures and wire.output != FAILURE_PORT.name:
                    reasons.append(f"{source.label!r} failed")
                elif wire.source in self.skipped:
                    state = "is muted" if source.stand == "muted" else "was skipped"
                    reasons.append(f"{source.label!r} {state}")
                else:
                    reasons.append(f"{source.label!r} gave nothing on {wire.output!r}")
        return ", ".join(dict.fromkeys(reasons))

    def hold(self) -> None:
        """Let no further step start until ``let_go``."""
        if self.held is None:
            self.held = []
            self._set_all(MODE_HELD)

    def look_again(self) -> None:
        """Put what is held back among what is ready: some of it may start."""
        if self.held is not None:
            self.ready.extend(self.held)
            self.held.clear()

    def let_go(self) -> None:
        """End a hold: what became ready in the meantime is ready now, and looked at anew."""
        if self.held is None:
            return
        self.ready.extend(self.held)
        self.held = None
        self._set_all(MODE_DECIDE)

    def drop(self) -> None:
        """Let no further step start, ever."""
        self.held = None
        self.ready.clear()
        self._set_all(MODE_DROP)

    def _set_all(self, mode: int) -> None:
        self.modes[:] = [mode] * len(self.modes)

    def is_done(self, index: int) -> bool:
        """Say whether a step finished with outputs (which may all be skipped)."""
        program = self.program
        return self.values[program.results[index]] is not UNSET or any(
            self.values[slot] is not UNSET for _, slot in program.outputs[index]
        )

    def outputs_of(self, index: int) -> dict[str, Any]:
        """Return what a step's outputs hold now, by port."""
        values = self.values
        return {
            port: values[slot]
            for port, slot in self.program.outputs[index]
            if values[slot] is not UNSET
        }

    def outputs(self) -> dict[str, dict[str, Any]]:
        """Return the outputs of every finished step by node id, in graph order."""
        values = self.values
        found: dict[str, dict[str, Any]] = {}
        for step, ports, slot in zip(
            self.plan.steps, self.program.outputs, self.program.results, strict=True
        ):
            if step.stand == "kept":
                continue
            if len(ports) == 1:
                if values[slot] is not UNSET:
                    found[step.id] = {ports[0][0]: values[slot]}
            elif self.is_done(step.index):
                found[step.id] = self.outputs_of(step.index)
        return found


def _whole(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        port: value
        for port, value in outputs.items()
        if value is not SKIP and port != WHOLE_PORT.name
    }
