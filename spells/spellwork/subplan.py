"""A body, compiled: a plan that another node runs, any number of times.

What is given to it (inputs, and what it takes from outside) stands in the slots
of steps that are finished before it starts, so every run of it begins with a
copy of the same arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from .bodies import Inside
from .errors import InputRejected
from .interface import MARKED, Entry
from .library import Library
from .node_type import CachePolicy, NodeType
from .plan import Plan, step_json
from .ports import Port, Ports
from .program import MODE_FULL, Program, assemble
from .rejection import accepted
from .schemas import forms_of, shown
from .spell import Node
from .step import Step, Wire
from .values import digest

Take = Callable[[Any], Any]
"""Gives what a body gets of a value, or raises InputRejected."""

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}


async def _never_called() -> None:
    """Stand for a step that is finished before the run begins."""


GIVEN = NodeType(id="spellwork.given", call=_never_called)
"""The type of the steps that hold what is given to a body."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an input of the body goes. Without ``take`` it takes anything as it is."""

    port: Port
    slot: int
    take: Take | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SubPlan:
    """A body as a plan.

    ``captured`` are the outputs (node, port) from outside that it takes,
    ``captures`` (name of the owner's input, slot) of the same, ``spared`` those
    that nothing in it needs to run; ``exits`` (name, slot).
    """

    plan: Plan
    ports: Ports
    fanned: frozenset[str]
    entries: tuple[Slot, ...]
    captured: tuple[tuple[str, str], ...]
    captures: tuple[tuple[str, int], ...]
    spared: frozenset[tuple[str, str]]
    exits: tuple[tuple[str, int], ...]
    given: int
    """How many steps, the first ones, are finished before it starts."""
    recipe: str
    cache: CachePolicy
    ttl: float | None
    is_chain: bool
    """It is plain, and each step needs the one before it."""
    is_plain: bool
    """Each step is no more than an ``await``."""
    is_dear: bool
    """Some step may be kept, and is called in a worker or asks a provider: looking it up may be worth it."""
    is_committed: bool
    """Some step, here or in the bodies inside, is of a type whose calls are committed (``NodeType.is_committed``)."""

    def to_json(self) -> dict[str, Any]:
        """Return the body as JSON, as plans have it; what its own nodes run inside them is named by recipe."""
        return {
            "name": self.plan.name,
            "inputs": [
                {"name": entry.port.name, "required": entry.port.required} for entry in self.entries
            ],
            "outputs": [name for name, _ in self.exits],
            "steps": [step_json(self.plan, step) for step in self.plan.steps[self.given :]],
        }

    @property
    def room(self) -> int:
        """How many values a run of it holds, with what is kept beside them for each, about."""
        return len(self.plan.program.template) + 500

    @property
    def calls(self) -> int:
        """How many nodes one run of it calls at most, those nested deeper left out."""
        return len(self.plan.steps) - self.given


class Gifts:
    """The steps for what is given to a body, and where its other steps find it."""

    def __init__(self, captures: Iterable[tuple[str, str]]) -> None:
        self.steps: list[Step] = []
        self.index: dict[str, int] = {}
        self.opened: dict[str, dict[str, Wire]] = {}
        """By node, the wires to inputs of it that are inputs of the body."""
        taken: dict[str, list[str]] = {}
        for source, output in captures:
            taken.setdefault(source, []).append(output)
        for source, outputs in taken.items():
            self._add(source, outputs)

    def enter(self, entry: Entry) -> None:
        """Make room for an input of the body."""
        if entry.input is None:
            self._add(entry.node, [MARKED])
            return
        number = self._add(f"{entry.node}.{entry.input}", [MARKED])
        self.opened.setdefault(entry.node, {})[entry.input] = Wire(number, MARKED)

    def _add(self, id: str, outputs: Sequence[str]) -> int:
        number = len(self.steps)
        self.steps.append(
            Step(
                index=number,
                id=id,
                node=_NOBODY,
                type=GIVEN,
                ports=Ports(outputs=tuple(Port(name) for name in outputs)),
                bindings=(),
                local=digest("given", id, sorted(outputs)),
                cache="deterministic",
            )
        )
        self.index[id] = number
        return number


_NOBODY = Node(type=GIVEN.id)


def subplan(
    inside: Inside,
    steps: Sequence[Step],
    gifts: Gifts,
    library: Library,
    environment: str,
) -> SubPlan:
    """Put a body together from its steps, the first of which are ``gifts.steps``."""
    given = len(gifts.steps)
    program = _begun(assemble(steps), given)
    index = {step.id: step.index for step in steps}
    plan = Plan(inside.analysis.spell.name, tuple(steps), library, program, environment, (), index)
    slots = [dict(row) for row in program.outputs]
    entries = tuple(
        Slot(
            entry.port,
            slots[index[entry.node if entry.input is None else f"{entry.node}.{entry.input}"]][
                MARKED
            ],
            _taking(entry, inside),
        )
        for entry in inside.interface.entries
    )
    region = inside.region
    captured = inside.analysis.regions.captures.get(region, ()) if region is not None else ()
    exits = tuple(
        (out.port.name, slots[index[out.node]][out.output]) for out in inside.interface.exits
    )
    cache, ttl = _policy(steps[given:])
    return SubPlan(
        plan=plan,
        ports=inside.interface.ports,
        fanned=inside.fanned,
        entries=entries,
        captured=tuple(captured),
        captures=tuple(
            (capture_name(source, output), slots[index[source]][output])
            for source, output in captured
        ),
        spared=frozenset()
        if region is None
        else inside.analysis.regions.spared.get(region, frozenset()),
        exits=exits,
        given=given,
        recipe=digest(
            plan.recipes,
            [
                [entry.port.name, entry.slot, entry.port.schema, entry.port.default]
                for entry in entries
            ],
            exits,
        ),
        cache=cache,
        ttl=ttl,
        is_chain=_is_plain(program, given) and _is_chain(program, given),
        is_plain=_is_plain(program, given),
        is_dear=any(map(_is_dear, steps[given:])),
        is_committed=any(map(_is_committed, steps[given:])),
    )


def capture_name(source: str, output: str) -> str:
    """Return the name of the input under which the owner of a body waits for what that takes from outside."""
    return f"{source}.{output}"


def _taking(entry: Entry, inside: Inside) -> Take | None:
    """Return what takes a value in: as the node's own input would, or by the type of a marker's schema."""
    if entry.input is None:
        return _by_schema(entry.port)
    adapter = inside.analysis.parts[entry.node].type.adapters.get(entry.input)
    return None if adapter is None else _by_adapter(entry.port.name, adapter)


def _by_adapter(name: str, adapter: TypeAdapter[Any]) -> Take:
    return partial(
        accepted,
        adapter.validator.validate_python,
        what=f"the input {name!r} of the body",
        port=name,
    )


def _by_schema(port: Port) -> Take | None:
    fits = check_of(port.schema)
    if fits is None:
        return None

    def take(value: Any) -> Any:
        if fits(value):
            return value
        text = repr(value)
        given = text if len(text) <= 80 else f"{text[:77]}..."
        raise InputRejected(
            f"the input {port.name!r} of the body takes {shown(port.schema)}, not {given}",
            port=port.name,
        )

    return take


def check_of(schema: dict[str, Any]) -> Callable[[Any], bool] | None:
    """Return what says whether a value is of a schema's type, or None where it admits anything."""
    forms = forms_of(schema)
    if any("type" not in form for form in forms):
        return None
    if len(forms) == 1 and set(forms[0]) <= {"type", "description", "title"}:
        return _only(forms[0]["type"])
    allowed = [
        (_PYTHON.get(form["type"], (object,)), form["type"], _values(form)) for form in forms
    ]

    def check(value: Any) -> bool:
        return any(
            isinstance(value, kinds)
            and (kind == "boolean" or not isinstance(value, bool))
            and (values is None or value in values)
            for kinds, kind, values in allowed
        )

    return check


def _only(kind: str) -> Callable[[Any], bool]:
    kinds = _PYTHON.get(kind, (object,))
    if kind in ("number", "integer"):
        return lambda value: isinstance(value, kinds) and not isinstance(value, bool)
    return lambda value: isinstance(value, kinds)


def _values(form: dict[str, Any]) -> list[Any] | None:
    if "const" in form:
        return [form["const"]]
    return form["enum"] if isinstance(form.get("enum"), list) else None


def _begun(program: Program, given: int) -> Program:
    """Return the program as it is once the first ``given`` steps are finished."""
    pending = program.pending.copy()
    for index in range(given):
        for successor in program.successors[index]:
            pending[successor] -= 1
    first = [index for index in range(given, len(pending)) if not pending[index]]
    return replace(program, pending=pending, first=first)


def _is_chain(program: Program, given: int) -> bool:
    count = len(program.modes)
    return all(index + 1 in program.successors[index] for index in range(given, count - 1))


def _is_dear(step: Step) -> bool:
    if step.cache == "none":
        return False
    inner = step.body is not None and step.body.is_dear
    return inner or step.type.isolation == "worker" or step.type.limiter is not None


def _is_committed(step: Step) -> bool:
    return step.type.is_committed or (step.body is not None and step.body.is_committed)


def _is_plain(program: Program, given: int) -> bool:
    return all(mode < MODE_FULL for mode in program.modes[given:])


def _policy(steps: Sequence[Step]) -> tuple[CachePolicy, float | None]:
    """Return the strictest policy of a body's steps, which is that of the body."""
    policies = {step.cache for step in steps}
    ttls = [step.ttl for step in steps if step.ttl is not None]
    if "none" in policies or policies >= {"private", "ttl"}:
        return "none", None
    if "private" in policies:
        return "private", None
    return ("ttl", min(ttls)) if ttls else ("deterministic", None)
