"""What a live session takes along from one plan to the next, and the values that were set in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from .errors import InvalidInput
from .live_loop import Call
from .live_state import AT_REST, Cause, LiveState, loud_ports
from .memory import Remembered, RunMemory
from .ports import FAILURE_PORT, WHOLE_PORT
from .program import UNSET
from .recall import Recall, change_of, packages_of
from .step import Step
from .values import plain_bytes

_SIMPLE = (int, str, float, bool, type(None))


@dataclass(slots=True)
class _Set:
    """A value that was set: as given, as the function gets it, and what was typed in there."""

    value: Any
    given: Any
    typed: Any


class Given:
    """The values set in a session, by node and port."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], _Set] = {}
        self._places: dict[str, tuple[int, int, str]] = {}
        self._placed_in: LiveState | None = None

    def place(self, state: LiveState, key: str) -> tuple[int, int, str]:
        """Return the (step, slot, port) that a key means; raises InvalidInput."""
        if self._placed_in is not state:
            self._places.clear()
            self._placed_in = state
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _find(state, key)
        return place

    def put(
        self, state: LiveState, index: int, slot: int, port: str, value: Any, given: Any
    ) -> bool:
        """Put a value into its slot; say whether it is another than the one before."""
        id = state.steps[index].id
        before = state.raw.get(slot, state.pristine.get(slot, state.values[slot]))
        fault = state.steps[index].fault
        if fault is None and _same(before, value):
            return False
        old = self._values.get((id, port))
        typed = _typed(state, index, port) if old is None else old.typed
        self._values[id, port] = _Set(value, given, typed)
        _write(state, index, slot, port, value, given)
        return True

    def starts(self, state: LiveState, index: int, port: str) -> bool:
        """Say whether a value set on a port starts its node."""
        loud = loud_ports(state.steps[index])
        return loud is None or port in loud or state.never_ran(index)

    def disown(self, memory: RunMemory) -> None:
        """Let later runs not take for what is typed in what was made of values set here."""
        for id, _ in self._values:
            if id in memory.nodes:
                memory.nodes[id].shape = ""

    def again(self, state: LiveState) -> None:
        """Put the values into the slots of another plan, where nothing else was typed in meanwhile."""
        for (id, port), each in list(self._values.items()):
            index = state.plan.index.get(id)
            slot = None if index is None else state.program.constant(index, port)
            if index is None or slot is None or not _same(_typed(state, index, port), each.typed):
                del self._values[id, port]
            else:
                _write(state, index, slot, port, each.value, each.given)


def _write(state: LiveState, index: int, slot: int, port: str, value: Any, given: Any) -> None:
    step = state.steps[index]
    if state.raw is state.program.raw:
        state.raw = dict(state.raw)
    state.raw[slot] = value
    state.values[slot] = given
    if isinstance(given, _SIMPLE):
        state.pristine.pop(slot, None)
    else:
        state.pristine[slot] = given
    state.copy_for(index, slot, not isinstance(given, _SIMPLE))
    if step.fault is not None and step.fault.port == port:
        state.steps[index] = msgspec.structs.replace(step, fault=None)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, _SIMPLE) or isinstance(other, _SIMPLE):
        return type(one) is type(other) and bool(one == other)
    if one is UNSET or other is UNSET:
        return one is other
    if type(one) is type(other) and type(one) in (list, dict) and one != other:
        return False
    plain = plain_bytes(one)
    return plain is not None and plain == plain_bytes(other)


def _typed(state: LiveState, index: int, port: str) -> Any:
    for binding in state.plan.steps[index].bindings:
        if binding.port == port:
            return binding.value
    return None


def _find(state: LiveState, key: str) -> tuple[int, int, str]:
    node, dot, port = key, ".", ""
    while True:
        index = _node(state, node)
        if index is not None:
            name = port or _only_input(state.steps[index])
            slot = None if name is None else state.program.constant(index, name)
            if name is not None and slot is not None:
                return index, slot, name
        node, dot, rest = node.rpartition(".")
        if not dot:
            raise _unknown(state, key)
        port = f"{rest}.{port}" if port else rest


def _node(state: LiveState, name: str) -> int | None:
    if name in state.plan.index:
        return state.plan.index[name]
    named = [step.index for step in state.steps if step.node.name == name]
    return named[0] if len(named) == 1 else None


def _only_input(step: Step) -> str | None:
    names = [binding.port for binding in step.bindings]
    return "value" if "value" in names else names[0] if len(names) == 1 else None


def _unknown(state: LiveState, key: str) -> InvalidInput:
    allowed = [
        f"{step.id}.{binding.port}"
        for step in state.steps
        for binding in step.bindings
        if not binding.wires
    ][:50]
    shown = ", ".join(allowed) or "none"
    return InvalidInput(
        f"there is no input {key!r} without a wire; there are: {shown}",
        details={"input": key, "allowed": allowed},
    )


class Swap:
    """One change of plans: ``roots`` must run in the new one, ``carried`` are under way and go on.

    A step whose shape is the same is as it was, by its id; from a memory where
    there was no plan before.
    """

    def __init__(
        self,
        before: LiveState | None,
        state: LiveState,
        recall: Recall | None,
        memory: RunMemory | None,
        given: Given,
    ) -> None:
        self.roots: dict[str, Cause] = {}
        self.carried: list[int] = []
        self._old = before
        self._new = state
        self._recall = recall
        self._memory = memory
        given.again(state)
        for step in state.plan.steps:
            self._take(step)
        if self._old is not None:
            self._take_calls(self._old)
        if memory is not None:
            for id in memory.nodes.keys() - state.plan.index.keys():
                del memory.nodes[id]

    def _take(self, step: Step) -> None:
        old = self._old
        index = None if old is None else old.plan.index.get(step.id)
        if old is None or index is None:
            self._take_remembered(step)
        else:  # what it gave stays until it ends anew: only then can be said what changed
            self._take_along(old, index, step)
            if old.plan.shapes[index] != self._new.plan.shapes[step.index]:
                self.roots[step.id] = _difference(old, old.plan.steps[index], self._new, step)

    def _take_along(self, old: LiveState, index: int, step: Step) -> None:
        new, here = self._new, step.index
        cause = new.touched[here] = old.touched[index]
        if cause is not None and old.pending[index] != AT_REST:
            self.roots[step.id] = old.words(index, cause)
        if index in old.failures:
            new.failures[here] = old.failures[index]
        if index in old.skipped:
            new.skipped[here] = old.skipped[index]
        slots = dict(new.program.outputs[here])
        streams = old.streams.get(index, ())
        values = {
            port: old.values[slot]
            for port, slot in old.program.outputs[index]
            if slot not in streams
        }
        new.values[new.program.results[here]] = old.values[old.program.results[index]]
        if new.program.results[here] in slots.values() and old.program.results[index] in streams:
            new.values[new.program.results[here]] = UNSET
        for port, slot in slots.items():
            new.values[slot] = values.get(port, UNSET)
        for port, slot in old.program.outputs[index]:
            if port in slots and slot in old.marks:
                new.marks[slots[port]] = old.marks[slot]
        self._reserve(step, values)
        self._remember(step)
        if any(new.values[slot] is UNSET for slot in slots.values()):
            new.warn(here)

    def _reserve(self, step: Step, values: dict[str, Any]) -> None:
        """Fill an output that is wired only now with what it would have brought."""
        new, here = self._new, step.index
        whole, failure = new.program.wholes.get(here), new.program.failures.get(here)
        if whole is not None and WHOLE_PORT.name not in values and here not in new.failures:
            given = {port: value for port, value in values.items() if value is not UNSET}
            if given or here not in new.skipped:
                new.values[whole] = {k: v for k, v in given.items() if k != FAILURE_PORT.name}
        if failure is not None and here in new.failures:
            new.values[failure] = new.failures[here].brief(step.id)

    def _take_remembered(self, step: Step) -> None:
        old = None if self._memory is None else self._memory.nodes.get(step.id)
        shape = self._new.plan.shapes[step.index]
        if old is None or old.stale or old.shape != shape:
            now = packages_of(step, self._new.plan.environment)
            same = old is None or old.shape == shape
            self.roots[step.id] = (
                "new" if same or old is None else change_of(old.code, old.packages, step, now)
            )
        if old is not None:
            self._adopt(step, old)

    def _adopt(self, step: Step, old: Remembered) -> None:
        new, here = self._new, step.index
        new.adopt(here, old.outputs, old.failure, old.skipped)
        for port, slot in new.program.outputs[here]:
            if port in old.hashes and not isinstance(new.values[slot], _SIMPLE):
                new.marks[slot] = old.hashes[port]
        self._remember(step)

    def _remember(self, step: Step) -> None:
        if self._recall is not None and self._memory is not None:
            old = self._memory.nodes.get(step.id)
            if old is not None:
                self._recall.adopt(step, old)

    def _take_calls(self, old: LiveState) -> None:
        new = self._new
        for index, call in list(old.calls.items()):
            here = new.plan.index.get(old.steps[index].id)
            if here is None or new.plan.shapes[here] != old.plan.shapes[index]:
                call.drop()
                continue
            if here != call.step.index and index in old.program.readers:
                # who streams says so by its place, and that is another: it begins again
                call.drop()
                self.roots[call.step.id] = call.why
                continue
            call.index = here
            new.calls[here] = call
            self.carried.append(here)
            self.roots.pop(call.step.id, None)
        for index in [each for each in old.streams if each in old.calls]:
            self._take_streams(old, index, old.calls[index])

    def _take_streams(self, old: LiveState, index: int, call: Call) -> None:
        """Let readers under way go on reading; whoever did not start waits for the whole."""
        new = self._new
        if call.dropped or new.calls.get(call.index) is not call:
            return
        ports = {slot: port for port, slot in old.program.outputs[index]}
        slots = dict(new.program.outputs[call.index])
        for slot, readers in old.streams[index].items():
            going = tuple(
                old.calls[reader].index
                for reader in readers
                if reader in old.calls and not old.calls[reader].dropped
            )
            here = slots.get(ports[slot])
            if here is not None:
                new.values[here] = old.values[slot]
                if slot in old.begun:
                    new.begun[here] = old.begun[slot]
                new.streams.setdefault(call.index, {})[here] = going
                new.beyond += len(going)


def _difference(old: LiveState, was: Step, new: LiveState, step: Step) -> Cause:
    """Say what of a step is another."""
    if was.local != step.local:
        had = packages_of(was, old.plan.environment)
        return change_of(was.node.code, had, step, packages_of(step, new.plan.environment))
    if was.stand is not None:  # nothing is known of what it would have been
        return "new"
    before = {binding.port: _from(old, binding) for binding in was.bindings}
    for binding in step.bindings:
        if binding.port not in before or before[binding.port] != _from(new, binding):
            return f"input changed ({binding.port})"
    gone = before.keys() - {binding.port for binding in step.bindings}
    return f"input changed ({min(gone)})" if gone else "code changed"


def _from(state: LiveState, binding: Any) -> Any:
    if not binding.wires:
        return plain_bytes(binding.value)
    steps = state.plan.steps
    return [(steps[wire.source].id, wire.output, wire.transform) for wire in binding.wires]
