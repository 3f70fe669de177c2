"""A plan as plain arrays: what the scheduling loop works on.

Every value of a run has a slot in one flat list: the outputs of all steps,
then the constants (typed-in values and defaults). So a run starts by copying
one list, and a step's arguments are picked by position, in C. What a step
needs besides is decided here, once, and written down as its mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter
from typing import Any, Final

from .step import Binding, Step


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

Source = int | tuple[int, ...]
"""Where an input comes from: a slot, or the slots whose values are listed."""


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
    successors: list[tuple[int, ...]]
    pending: list[int]
    """How many steps each step waits for."""
    template: list[Any]
    mutable: list[int]
    """Slots of constants that a run copies, so that a node may change what it is given."""
    raw: dict[int, Any]
    """By slot, constants as typed in, where the function is given something made of them."""
    first: list[int]
    """The steps that wait for nothing."""

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

    def start_values(self) -> list[Any]:
        """Return the slots of a new run."""
        values = self.template.copy()
        for slot in self.mutable:
            values[slot] = deepcopy(values[slot])
        return values


def assemble(steps: Sequence[Step]) -> Program:
    """Return the arrays for these steps."""
    outputs, template = _lay_out_outputs(steps)
    slots = [dict(row) for row in outputs]
    mutable: list[int] = []
    raw: dict[int, Any] = {}
    gathers = [_gather(step, slots, template, mutable, raw) for step in steps]
    before = [
        sorted({wire.source for binding in step.bindings for wire in binding.wires})
        for step in steps
    ]
    after: list[list[int]] = [[] for _ in steps]
    for step in steps:
        for source in before[step.index]:
            after[source].append(step.index)
    calls = [_mode(step, gather) for step, gather in zip(steps, gathers, strict=True)]
    return Program(
        calls=[step.type.call for step in steps],
        modes=[mode for mode, _ in calls],
        arguments=[argument for _, argument in calls],
        results=[row[0][1] for row in outputs],
        outputs=[
            row if step.ports.outputs else () for step, row in zip(steps, outputs, strict=True)
        ],
        gathers=gathers,
        needs=[
            tuple(
                slots[wire.source][wire.output]
                for binding in step.bindings
                for wire in binding.wires
            )
            for step in steps
        ],
        successors=[tuple(row) for row in after],
        pending=[len(row) for row in before],
        template=template,
        mutable=mutable,
        raw=raw,
        first=[index for index, row in enumerate(before) if not row],
    )


def _lay_out_outputs(steps: Sequence[Step]) -> tuple[list[tuple[tuple[str, int], ...]], list[Any]]:
    outputs = []
    size = 0
    for step in steps:
        names = [port.name for port in step.ports.outputs] or [""]
        outputs.append(tuple((name, size + offset) for offset, name in enumerate(names)))
        size += len(names)
    return outputs, [UNSET] * size


def _gather(
    step: Step,
    slots: list[dict[str, int]],
    template: list[Any],
    mutable: list[int],
    raw: dict[int, Any],
) -> tuple[tuple[str, Source], ...]:
    gather: list[tuple[str, Source]] = []
    for binding in step.bindings:
        source: Source
        if not binding.wires:
            source = len(template)
            template.append(binding.given)
            if binding.given is not binding.value:
                raw[source] = binding.value
            if isinstance(binding.given, (list, dict, set)) or hasattr(binding.given, "__dict__"):
                mutable.append(source)
        elif binding.many:
            source = tuple(slots[wire.source][wire.output] for wire in binding.wires)
        else:
            source = slots[binding.wires[0].source][binding.wires[0].output]
        gather.append((binding.port, source))
    return tuple(gather)


def _mode(step: Step, gather: tuple[tuple[str, Source], ...]) -> tuple[int, Any]:
    sources = [source for _, source in gather]
    if not _is_plain(step):
        return MODE_FULL, None
    if not sources:
        return MODE_NONE, None
    if len(sources) == 1:
        only = sources[0]
        if isinstance(only, int):
            return MODE_ONE, only
        return (MODE_LIST, itemgetter(*only)) if len(only) > 1 else (MODE_WRAPPED, only[0])
    slots = [source for source in sources if isinstance(source, int)]
    return (MODE_SEVERAL, itemgetter(*slots)) if len(slots) == len(sources) else (MODE_FULL, None)


def _is_plain(step: Step) -> bool:
    """Say whether a call is no more than ``result = await function(arguments)``."""
    declared = step.type
    return (
        step.fault is None
        and declared.form == "async"
        and declared.isolation == "inline"
        and declared.returns == "value"
        and declared.resolve is None
        and not declared.extra_inputs
        and not declared.wants_context
        and declared.waits == "all"
        and len(step.ports.outputs) <= 1
        and step.timeout is None
        and step.retries == 0
        and not any(binding.check for binding in step.bindings)
        and _is_positional(step.bindings, declared.inputs)
        and getattr(getattr(declared.call, "__code__", None), "co_kwonlyargcount", 1) == 0
    )


def _is_positional(bindings: Sequence[Binding], ports: Sequence[Any]) -> bool:
    return [binding.port for binding in bindings] == [port.name for port in ports]
