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
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from inspect import CO_COROUTINE
from operator import itemgetter
from types import CodeType
from typing import Any, Final

from .node_type import NodeType
from .ports import FAILURE_PORT, RESERVED_PORTS, WHOLE_PORT, Port, Ports, is_reserved
from .step import Binding, Step, Wire
from .transform import Shaped, has_default, shaped


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
    kinds = _Kinds()
    outputs, template = _lay_out_outputs(steps)
    constants_from = len(template)
    slots = [dict(row) for row in outputs]
    mutable: list[int] = []
    raw: dict[int, Any] = {}
    gathers: list[tuple[tuple[str, Source], ...]] = []
    needs: list[tuple[int, ...]] = []
    musts: list[tuple[int, ...]] = []
    before: list[list[int]] = []
    after: list[list[int]] = [[] for _ in steps]
    calls: list[tuple[int, Any]] = []
    streaming: list[tuple[Step, frozenset[str]]] = []
    for step in steps:
        kind = kinds.of(step)
        gather = _gather(step, kind.triggers, slots, template, mutable, raw)
        wires = [wire for binding in step.bindings for wire in binding.wires]
        need = tuple([slots[wire.source][wire.output] for wire in wires])
        shaping = any(wire.transform for wire in wires)
        gathers.append(gather)
        needs.append(need)
        musts.append(
            need
            if not shaping
            else tuple(
                slot
                for slot, wire in zip(need, wires, strict=True)
                if not has_default(wire.transform)
            )
        )
        sources = sorted({wire.source for wire in wires})
        before.append(sources)
        for source in sources:
            after[source].append(step.index)
        calls.append(_mode(step, gather, plain=kind.plain and not shaping))
        if kind.streams:
            streaming.append((step, kind.streams))
    return Program(
        calls=[step.type.call for step in steps],
        modes=[mode for mode, _ in calls],
        arguments=[argument for _, argument in calls],
        results=[row[0][1] for row in outputs],
        outputs=[row if row[0][0] else row[1:] for row in outputs],
        gathers=gathers,
        needs=needs,
        musts=musts,
        successors=[tuple(row) for row in after],
        pending=[len(row) for row in before],
        template=template,
        mutable=mutable,
        raw=raw,
        first=[index for index, row in enumerate(before) if not row],
        constants=len(template) - constants_from,
        failures=_reserved(steps, slots, FAILURE_PORT),
        wholes=_reserved(steps, slots, WHOLE_PORT),
        readers=_readers(streaming),
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What steps of one type with the same ports have in common."""

    triggers: frozenset[str]
    streams: frozenset[str]
    plain: bool


class _Kinds:
    """Kinds by type and ports, looked at once each: a plan has many steps of few."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], _Kind] = {}

    def of(self, step: Step) -> _Kind:
        """Return the kind of a step."""
        key = id(step.type), id(step.ports)
        kind = self._known.get(key)
        if kind is None:
            inputs = step.ports.inputs
            kind = self._known[key] = _Kind(
                triggers_of(step),
                frozenset(port.name for port in inputs if port.stream and not port.trigger),
                _is_plain_kind(step.type, step.ports),
            )
        return kind


def _reserved(steps: Sequence[Step], slots: Sequence[dict[str, int]], port: Port) -> dict[int, int]:
    return {
        step.index: slots[step.index][port.name]
        for step in steps
        for each in step.ports.outputs[-len(RESERVED_PORTS) :]
        if each is port
    }


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


def _lay_out_outputs(steps: Sequence[Step]) -> tuple[list[tuple[tuple[str, int], ...]], list[Any]]:
    outputs = []
    size = 0
    for step in steps:
        names = [port.name for port in step.ports.outputs]
        if not names or is_reserved(step.ports.outputs[0]):  # that it ran needs a slot, too
            names.insert(0, "")
        outputs.append(tuple((name, size + offset) for offset, name in enumerate(names)))
        size += len(names)
    return outputs, [UNSET] * size


def _gather(
    step: Step,
    triggers: frozenset[str],
    slots: list[dict[str, int]],
    template: list[Any],
    mutable: list[int],
    raw: dict[int, Any],
) -> tuple[tuple[str, Source], ...]:
    gather: list[tuple[str, Source]] = []
    for binding in step.bindings:
        if binding.port in triggers:  # its wire says when, and brings nothing
            continue
        source: Source
        if not binding.wires:
            source = len(template)
            template.append(binding.given)
            if binding.given is not binding.value:
                raw[source] = binding.value
            if isinstance(binding.given, (list, dict, set)) or hasattr(binding.given, "__dict__"):
                mutable.append(source)
        elif binding.many:
            source = tuple(_source(binding, wire, slots) for wire in binding.wires)
        else:
            source = _source(binding, binding.wires[0], slots)
        gather.append((binding.port, source))
    return tuple(gather)


def _source(binding: Binding, wire: Wire, slots: list[dict[str, int]]) -> int | Shaped:
    slot = slots[wire.source][wire.output]
    return shaped(slot, wire.edge or "", binding.port, wire.transform) if wire.transform else slot


def _mode(step: Step, gather: tuple[tuple[str, Source], ...], *, plain: bool) -> tuple[int, Any]:
    """Return how a step is called, and with what; ``plain``: its kind and its wires allow for no more than an ``await``."""
    if step.stand is not None:
        return MODE_DECIDE, None
    if not (plain and _is_plain(step)):
        return MODE_FULL, None
    sources = [source for _, source in gather]
    if not sources:
        return MODE_NONE, None
    if len(sources) == 1:
        only = sources[0]
        if isinstance(only, int):
            return MODE_ONE, only
        if isinstance(only, tuple):
            return (MODE_LIST, itemgetter(*only)) if len(only) > 1 else (MODE_WRAPPED, only[0])
        return MODE_FULL, None
    slots = [source for source in sources if isinstance(source, int)]
    return (MODE_SEVERAL, itemgetter(*slots)) if len(slots) == len(sources) else (MODE_FULL, None)


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
    return (
        step.fault is None
        and step.timeout is None
        and step.retries == 0
        and step.node.settings.limits is None
        and not any(binding.check for binding in step.bindings)
        and _is_positional(step.bindings, step.type.inputs)
    )


def _is_positional(bindings: Sequence[Binding], ports: Sequence[Any]) -> bool:
    return [binding.port for binding in bindings] == [port.name for port in ports]
