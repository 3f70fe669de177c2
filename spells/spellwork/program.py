"""A plan as plain arrays: what the scheduling loop works on.

Every value of a run has a slot in one flat list: the outputs of all steps,
then the constants (typed-in values and defaults). So a run starts by copying
one list, and a step's arguments are picked by position, in C. What a step
needs besides is decided here, once, and written down as its mode.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from inspect import CO_COROUTINE
from operator import itemgetter
from types import CodeType
from typing import Any, Final

from .node_type import NodeType
from .ports import FAILURE_PORT, WHOLE_PORT, Port, Ports, is_reserved
from .spell import AS_DECLARED
from .step import Binding, Step, Wire
from .transform import Shaped, shaped


class Unset(Enum):
    """The type of ``UNSET``."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""In the slot of an output that has not come, or never will."""

# How the loop calls a step. The order is that of the loop's tests: the commonest first.
MODE_ONE: Final = 0
"""One argument: the value in slot ``argument``."""
MODE_WRAPPED: Final = 1
"""One argument: a list of the one value in slot ``argument``."""
MODE_LIST: Final = 2
"""One argument: the list of what ``argument`` (an itemgetter of several slots) picks."""
MODE_SEVERAL: Final = 3
"""Several arguments: what ``argument`` (an itemgetter) picks."""
MODE_NONE: Final = 4
"""No argument."""
MODE_FULL: Final = 5
"""Anything else: context, checks, threads, workers, streams, timeouts, retries, several outputs."""
MODE_DECIDE: Final = 6
"""Set during a run: an input will not come; look whether to skip."""
MODE_HELD: Final = 7
"""Set during a run: it is paused, do not start."""
MODE_DROP: Final = 8
"""Set during a run: it is cancelled, do not start."""

Source = int | Shaped | tuple[int | Shaped, ...]
"""Where an input comes from: a slot, what a wire makes of one, or several of these as a list."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The arrays, indexed by step; ``template`` and what is in it by slot."""

    calls: list[Callable[..., Any]]
    modes: list[int]
    arguments: list[Any]
    results: list[int]
    """The slot of the first output; one is kept for a step without outputs, too."""
    outputs: list[tuple[tuple[str, int], ...]]
    """(port, slot) of every output."""
    gathers: list[tuple[tuple[str, Source], ...]]
    """(port, source) of every input."""
    needs: list[tuple[int, ...]]
    """The slots whose values wires bring."""
    musts: list[tuple[int, ...]]
    """Those of them for which no default stands in."""
    successors: list[tuple[int, ...]]
    pending: list[int]
    """How many steps each step waits for."""
    template: list[Any]
    mutable: list[int]
    """Slots of constants that a run copies, so that a node may change what it is given."""
    constants: int
    """How many slots are constants: the last ones."""
    raw: dict[int, Any]
    """By slot, constants as typed in, where the function is given something made of them."""
    first: list[int]
    """The steps that wait for nothing."""
    failures: dict[int, int]
    """By step, the slot of its reserved output ``error``, where that is wired."""
    wholes: dict[int, int]
    """By step, the slot of its reserved output ``all``, where that is wired."""
    readers: dict[int, dict[str, tuple[int, ...]]]
    """By step and output, the steps that need no more of the step than that output's stream."""
    committed: list[int]
    """The steps around whose calls a run with a barrier waits."""

    def begin(self, index: int, mode: int, values: list[Any]) -> Any:
        """Return the coroutine of a step whose mode is below ``MODE_FULL``."""
        call, argument = self.calls[index], self.arguments[index]
        if mode == MODE_ONE:
            return call(values[argument])
        if mode == MODE_WRAPPED:
            return call([values[argument]])
        if mode == MODE_LIST:
            return call(list(argument(values)))
        if mode == MODE_SEVERAL:
            return call(*argument(values))
        return call()

    def constant(self, index: int, port: str) -> int | None:
        """Return the slot of an input that no wire brings, or None."""
        for name, source in self.gathers[index]:
            if name == port and isinstance(source, int) and source >= self.constants_from:
                return source
        return None

    @property
    def constants_from(self) -> int:
        """The first slot that is no output's."""
        return len(self.template) - self.constants

    def start_values(self) -> list[Any]:
        """Return the slots of a new run."""
        values = self.template.copy()
        for slot in self.mutable:
            values[slot] = deepcopy(values[slot])
        return values


def assemble(steps: Sequence[Step]) -> Program:
    """Return the arrays for these steps."""
    kinds = _kinds(steps)
    outputs, template = _lay_out_outputs(kinds)
    constants_from = len(template)
    results = [row[0][1] for row in outputs]
    inputs = _Inputs(outputs, results, template)
    modes: list[int] = []
    arguments: list[Any] = []
    gives = _giving_handles(steps, kinds)
    for step, kind in zip(steps, kinds, strict=True):
        plain = inputs.read(step, kind.triggers) and kind.plain
        if gives is not None and plain and _reads(step, gives):
            plain = False
        mode, argument = _mode(step, kind, inputs.gathers[-1], plain=plain)
        modes.append(mode)
        arguments.append(argument)
    own = [
        (step.index, dict(outputs[step.index]))
        for step, kind in zip(steps, kinds, strict=True)
        if kind.reserved
    ]
    return Program(
        calls=[step.type.call for step in steps],
        modes=modes,
        arguments=arguments,
        results=results,
        outputs=[row if row[0][0] else row[1:] for row in outputs],
        gathers=inputs.gathers,
        needs=inputs.needs,
        musts=inputs.musts,
        successors=inputs.successors(),
        pending=inputs.pending,
        template=template,
        mutable=inputs.mutable,
        raw=inputs.raw,
        first=[index for index, waits in enumerate(inputs.pending) if not waits],
        constants=len(template) - constants_from,
        failures={
            index: slots[FAILURE_PORT.name]
            for index, slots in own
            if FAILURE_PORT in kinds[index].reserved
        },
        wholes={
            index: slots[WHOLE_PORT.name]
            for index, slots in own
            if WHOLE_PORT in kinds[index].reserved
        },
        readers=_readers(
            [(step, kind.streams) for step, kind in zip(steps, kinds, strict=True) if kind.streams]
        ),
        committed=[step.index for step, kind in zip(steps, kinds, strict=True) if kind.committed],
    )


def differ_by_values(one: Step, other: Step) -> bool:
    """Say whether nothing tells two steps of a node apart but values that no wire brings."""
    return len(one.bindings) == len(other.bindings) and all(
        before.port == after.port and before.many == after.many and before.wires == after.wires
        for before, after in zip(one.bindings, other.bindings, strict=True)
    )


def with_values(program: Program, steps: Sequence[Step], changed: Sequence[int]) -> Program:
    """Return the arrays for steps of which some are given other values than before (see ``differ_by_values``)."""
    template, raw, modes = program.template.copy(), dict(program.raw), program.modes.copy()
    mutable = set(program.mutable)
    for index in changed:
        step = steps[index]
        if step.fault is not None:
            modes[index] = max(modes[index], MODE_FULL)
        for binding in step.bindings:
            slot = None if binding.wires else program.constant(index, binding.port)
            if slot is None:
                continue
            raw.pop(slot, None)
            mutable.discard(slot)
            template[slot] = binding.given
            if binding.given is not binding.value:
                raw[slot] = binding.value
            if _may_change(binding.given):
                mutable.add(slot)
    return replace(program, template=template, raw=raw, modes=modes, mutable=sorted(mutable))


def _may_change(value: Any) -> bool:
    """Say whether a node may change a value that it is given."""
    return isinstance(value, (list, dict, set)) or hasattr(value, "__dict__")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What steps of one type with the same ports have in common.

    ``inputs`` and ``outputs`` are names, ``outputs`` with one for the slot that
    says that a step ran; ``reserved`` are those of ``RESERVED_PORTS`` among them.
    ``gives``: an output may be a value that stays in a worker.
    """

    triggers: frozenset[str]
    streams: frozenset[str]
    plain: bool
    gives: bool
    committed: bool
    inputs: list[str]
    outputs: list[str]
    reserved: list[Port]


def _kinds(steps: Sequence[Step]) -> list[_Kind]:
    """Return the kind of each step; each is looked at once, for a plan has many steps of few."""
    known: dict[tuple[int, int], _Kind] = {}
    kinds: list[_Kind] = []
    for step in steps:
        key = id(step.type), id(step.ports)
        kind = known.get(key)
        if kind is None:
            kind = known[key] = _kind(step)
        kinds.append(kind)
    return kinds


def _kind(step: Step) -> _Kind:
    inputs, outputs = step.ports.inputs, step.ports.outputs
    names = [port.name for port in outputs]
    if not outputs or is_reserved(outputs[0]):  # that it ran needs a slot, too
        names.insert(0, "")
    return _Kind(
        triggers=triggers_of(step),
        streams=frozenset(port.name for port in inputs if port.stream and not port.trigger),
        plain=_is_plain_kind(step.type, step.ports),
        gives=step.type.isolation == "worker" or step.type.wants_context,
        committed=step.type.is_committed,
        inputs=[port.name for port in step.type.inputs],
        outputs=names,
        reserved=[port for port in outputs if is_reserved(port)],
    )


def _readers(
    streaming: Sequence[tuple[Step, frozenset[str]]],
) -> dict[int, dict[str, tuple[int, ...]]]:
    """Find the steps that may start on a stream: whatever they take of its maker is one output, as a stream."""
    found: dict[int, dict[str, tuple[int, ...]]] = {}
    for step, streams in streaming:
        taken: dict[int, set[str]] = {}
        for binding in step.bindings:
            for wire in binding.wires:
                whole = binding.port not in streams or bool(wire.transform)
                taken.setdefault(wire.source, set()).add("" if whole else wire.output)
        for source, outputs in taken.items():
            if len(outputs) == 1 and (output := next(iter(outputs))):
                row = found.setdefault(source, {})
                row[output] = (*row.get(output, ()), step.index)
    return found


def _lay_out_outputs(
    kinds: Sequence[_Kind],
) -> tuple[list[tuple[tuple[str, int], ...]], list[Any]]:
    outputs: list[tuple[tuple[str, int], ...]] = []
    size = 0
    for kind in kinds:
        names = kind.outputs
        if len(names) == 1:
            outputs.append(((names[0], size),))
        else:
            outputs.append(tuple([(name, size + place) for place, name in enumerate(names)]))
        size += len(names)
    return outputs, [UNSET] * size


class _Inputs:
    """Where the inputs of steps come from, read step by step."""

    def __init__(
        self,
        outputs: list[tuple[tuple[str, int], ...]],
        results: list[int],
        template: list[Any],
    ) -> None:
        self.gathers: list[tuple[tuple[str, Source], ...]] = []
        self.needs: list[tuple[int, ...]] = []
        self.musts: list[tuple[int, ...]] = []
        self.mutable: list[int] = []
        self.raw: dict[int, Any] = {}
        self.pending: list[int] = []
        self._outputs = outputs
        self._only = [
            slot if len(row) == 1 else None for slot, row in zip(results, outputs, strict=True)
        ]
        """By step, the slot of its output where it has one alone."""
        self._template = template
        self._after: list[list[int]] = [[] for _ in outputs]

    def read(self, step: Step, triggers: frozenset[str]) -> bool:
        """Read the inputs of the next step; say whether values come to them as they are, unchecked."""
        only, after, index = self._only, self._after, step.index
        gather: list[tuple[str, Source]] = []
        need: tuple[int, ...] = ()
        must: tuple[int, ...] = ()
        plain = True
        waits = 0
        for binding in step.bindings:
            port, wires = binding.port, binding.wires
            if not wires:
                if port not in triggers:
                    gather.append((port, self._constant(binding)))
                continue
            found: list[int] = []
            transformed = False
            for wire in wires:
                source = wire.source
                slot = only[source]
                found.append(self._slot(wire) if slot is None else slot)
                if wire.transform:
                    transformed = True
                row = after[source]
                if not row or row[-1] != index:
                    row.append(index)
                    waits += 1
            slots = tuple(found)
            if transformed or binding.check:
                plain = False
            sure = _sure(wires, slots) if transformed or wires[0].spared else slots
            same = need is must and sure is slots
            need = need + slots if need else slots
            must = need if same else must + sure
            if port not in triggers:  # the wire of a trigger says when, and brings nothing
                as_it_is = slots if binding.many else slots[0]
                gather.append((port, _shaped(binding, slots) if transformed else as_it_is))
        self.pending.append(waits)
        self.gathers.append(tuple(gather))
        self.needs.append(need)
        self.musts.append(must)
        return plain

    def _slot(self, wire: Wire) -> int:
        """Return the slot of an output of a step that has several."""
        return dict(self._outputs[wire.source])[wire.output]

    def successors(self) -> list[tuple[int, ...]]:
        """Return, by step, those that wait for it; asked once, when all are read."""
        found: list[Any] = self._after
        for index, row in enumerate(found):
            found[index] = tuple(row)  # each in the place of its list
        return found

    def _constant(self, binding: Binding) -> int:
        """Return the slot of a value that no wire brings."""
        slot = len(self._template)
        given = binding.given
        self._template.append(given)
        if given is not binding.value:
            self.raw[slot] = binding.value
        if _may_change(given):
            self.mutable.append(slot)
        return slot


def _shaped(binding: Binding, slots: tuple[int, ...]) -> Source:
    """Return the source of an input, of whose wires some transform what they bring."""
    sources = [
        shaped(slot, wire.edge or "", binding.port, wire.transform) if wire.transform else slot
        for slot, wire in zip(slots, binding.wires, strict=True)
    ]
    return tuple(sources) if binding.many else sources[0]


def _sure(wires: tuple[Wire, ...], slots: tuple[int, ...]) -> tuple[int, ...]:
    """Return the slots without which the step cannot run."""
    return tuple(slot for slot, wire in zip(slots, wires, strict=True) if not wire.is_sure)


def _mode(
    step: Step, kind: _Kind, gather: tuple[tuple[str, Source], ...], *, plain: bool
) -> tuple[int, Any]:
    """Return how a step is called, and with what; ``plain``: its kind and its wires allow for no more than an ``await``."""
    if step.stand is not None:
        return MODE_DECIDE, None
    if not plain or not _is_plain(step):
        return MODE_FULL, None
    if len(gather) == 1:
        port, only = gather[0]
        if kind.inputs != [port]:
            return MODE_FULL, None
        if isinstance(only, int):
            return MODE_ONE, only
        if isinstance(only, tuple):
            return (MODE_LIST, itemgetter(*only)) if len(only) > 1 else (MODE_WRAPPED, only[0])
        return MODE_FULL, None
    if [port for port, _ in gather] != kind.inputs:
        return MODE_FULL, None
    if not gather:
        return MODE_NONE, None
    slots = [source for _, source in gather if isinstance(source, int)]
    return (MODE_SEVERAL, itemgetter(*slots)) if len(slots) == len(gather) else (MODE_FULL, None)


def _giving_handles(steps: Sequence[Step], kinds: Sequence[_Kind]) -> list[bool] | None:
    """Say of each step whether an output may be a value that stays in a worker; None where none may.

    One that has a context may hand on what another gave that it called.
    """
    gives = [
        kind.gives or step.body is not None or step.stand in ("bypassed", "kept")
        for step, kind in zip(steps, kinds, strict=True)
    ]
    if not any(gives):
        return None
    for step in steps:
        if step.type.takes_handles and not gives[step.index]:
            gives[step.index] = _reads(step, gives)
    return gives


def _reads(step: Step, gives: Sequence[bool]) -> bool:
    """Say whether a wire comes from a step that may give such a value: then it is called in full."""
    return any(gives[wire.source] for binding in step.bindings for wire in binding.wires)


def slot_of(source: Source, slot: int) -> bool:
    """Say whether an input's source has this slot in it."""
    if isinstance(source, int):
        return source == slot
    if isinstance(source, tuple):
        return any(slot_of(each, slot) for each in source)
    return source.slot == slot


@lru_cache(maxsize=4_096)
def _never_suspends(code: CodeType) -> bool:
    return not any(each.opname in _SUSPENDING for each in dis.get_instructions(code))


_SUSPENDING = frozenset(("GET_AWAITABLE", "GET_ANEXT", "SEND", "YIELD_VALUE"))
"""Instructions by which a coroutine may wait."""


def instant(call: Callable[..., Any]) -> bool:
    """Say whether a coroutine function has nothing in it to wait for: its call ends without suspending."""
    code = getattr(call, "__code__", None)
    return (
        isinstance(code, CodeType) and bool(code.co_flags & CO_COROUTINE) and _never_suspends(code)
    )


def triggers_of(step: Step) -> frozenset[str]:
    """Return the names of a step's trigger ports."""
    return frozenset(port.name for port in step.ports.inputs if port.trigger)


def _is_plain_kind(declared: NodeType, ports: Ports) -> bool:
    """Say whether a call of this type may be no more than ``result = await function(arguments)``."""
    return (
        declared.form == "async"
        and declared.isolation == "inline"
        and declared.returns == "value"
        and declared.resolve is None
        and not declared.extra_inputs
        and not declared.wants_context
        and declared.waits == "all"
        and declared.limiter is None
        and len(ports.outputs) <= 1
        and not any(map(is_reserved, ports.outputs))
        and not any(port.stream or port.trigger for port in ports.inputs)
        and getattr(getattr(declared.call, "__code__", None), "co_kwonlyargcount", 1) == 0
    )


def _is_plain(step: Step) -> bool:
    """Say whether nothing of this one step asks for more."""
    settings = step.node.settings
    return (
        step.fault is None
        and not step.pins
        and step.timeout is None
        and step.retries == 0
        and (settings is AS_DECLARED or (settings.limits is None and settings.queue is None))
    )
