"""What went into a node of a past run: its literals, and what the run's kept outputs brought over its wires.

Nothing is called. The recorded spell is compiled again, as far as the node
needs; where a value is not kept any more, or cannot be known, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spellwork import Plan, Spell, SpellInvalid
from spellwork import compile as compile_spell
from spellwork.analysis import Analysis
from spellwork.errors import InvalidInput, TransformFailed
from spellwork.library import Libraries
from spellwork.ports import FAILURE_PORT
from spellwork.program import UNSET, triggers_of
from spellwork.step import Binding, Step, Wire
from spellwork.subplan import SubPlan
from spellwork.transform import shaped
from spellwork.values import to_json
from spellwork_server.child_spells import ChildSpells
from spellwork_server.identity import Actor
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.run_records import OPEN, RunRecord

from .errors import ValueNotFound
from .insides import Insides
from .references import encode, is_stand_in, reference

MOST_SHAPED = 16 * 1024 * 1024
"""Bytes of a value that is put through the transforms of a wire again."""

MOST_MADE = 1024 * 1024
"""Bytes of what transforms make of it: that is kept nowhere, so it is told whole or not at all."""

STAND_IN_BYTES = 512 * 1024
"""What is told of a value in a worker at most."""

_PART = re.compile(r"(?P<id>[^\[\]/]+)(?:\[(?P<round>\d+)\])?")


@dataclass(slots=True)
class RecordedInputs:
    """Inputs by port, and why those in ``not_kept`` are not among them. An input that nothing came to is in neither."""

    inputs: dict[str, Any] = field(default_factory=dict)
    not_kept: dict[str, str] = field(default_factory=dict)


class _NotKept(Exception):
    """A value that cannot be told any more."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A run of a plan within the run: ``prefix`` is before its nodes' ids, ``owner`` the step that ran it."""

    plan: Plan
    prefix: str = ""
    outer: _Level | None = None
    owner: Step | None = None
    round: int | None = None

    @property
    def body(self) -> SubPlan | None:
        return None if self.owner is None else self.owner.body


class InputReader:
    """Finds the inputs of nodes of past runs, for those who may read the run."""

    def __init__(
        self, libraries: Libraries, children: ChildSpells, outputs: OutputStore, inline_bytes: int
    ) -> None:
        self._libraries = libraries
        self._children = children
        self._outputs = outputs
        self._inline = inline_bytes

    async def of(
        self, actor: Actor, record: RunRecord, node: str, insides: Insides
    ) -> RecordedInputs:
        """Return the inputs of the node at a path. Raises ValueNotFound where the run has no such node."""
        if insides.hides(node):
            raise _no_node(record, node)
        level, step = await self._find(actor, record, node)
        return await _Reading(record, self._outputs, self._inline, insides).inputs(level, step)

    async def _find(self, actor: Actor, record: RunRecord, node: str) -> tuple[_Level, Step]:
        parts = [_PART.fullmatch(part) for part in node.split("/")]
        matches = [part for part in parts if part is not None]
        if len(matches) < len(parts) or matches[-1]["round"] is not None:
            raise _no_node(record, node)
        spell = Spell.model_validate(record.spell)
        root = matches[0]["id"]
        if root not in spell.nodes:
            raise _no_node(record, node)
        found = await self._children.for_actor(spell, actor.user_id, actor)
        request = record.request or {}
        library = self._libraries.of(record.canvas_id)
        analysis = Analysis(spell, library, found.spells.get, root=record.canvas_id)
        try:
            plan = compile_spell(
                spell, library, inputs=request.get("inputs"), scope=[root], analysis=analysis
            )
        except (SpellInvalid, InvalidInput) as error:
            raise ValueNotFound(
                f"What {node!r} was given cannot be told: its node types are other ones now",
                code="not_kept",
                details={"run": record.id, "node": node},
            ) from error
        level = _Level(plan)
        for part in matches[:-1]:
            step = _step(plan, part["id"])
            if step is None or step.body is None:
                raise _no_node(record, node)
            if found.versions and found.versions != request.get("children"):
                raise ValueNotFound(
                    f"What {node!r} was given cannot be told: the canvas that ran there was edited since",
                    code="not_kept",
                    details={"run": record.id, "node": node},
                )
            place = None if part["round"] is None else int(part["round"])
            level = _Level(step.body.plan, f"{level.prefix}{part[0]}/", level, step, place)
            plan = step.body.plan
        last = matches[-1]["id"]
        if last not in plan:
            raise _no_node(record, node)
        return level, plan[last]


class _Reading:
    """One question for the inputs of a node."""

    def __init__(
        self, record: RunRecord, outputs: OutputStore, inline: int, insides: Insides
    ) -> None:
        self._record = record
        self._outputs = outputs
        self._inline = inline
        self._insides = insides
        result = record.result or {}
        self._errors: Mapping[str, Any] = result.get("errors") or {}
        self._skipped: Mapping[str, Any] = result.get("skipped") or {}

    async def inputs(self, level: _Level, step: Step) -> RecordedInputs:
        """Return the inputs of a step of a level."""
        found = RecordedInputs()
        triggers = triggers_of(step)
        for binding in step.bindings:
            if binding.port in triggers:
                continue
            try:
                value = await self._value(level, binding)
            except _NotKept as error:
                found.not_kept[binding.port] = str(error)
                continue
            if value is not UNSET:
                found.inputs[binding.port] = value
        return found

    async def _value(self, level: _Level, binding: Binding) -> Any:
        if not binding.wires:
            return UNSET if binding.value is UNSET else to_json(binding.value)
        brought = [await self._brought(level, binding.port, wire) for wire in binding.wires]
        if binding.many:
            return [value for value in brought if value is not UNSET]
        return brought[0]

    async def _brought(self, level: _Level, port: str, wire: Wire) -> Any:
        value = await self._left(level, wire.source, wire.output)
        if not wire.transform:
            return await self._told(value)
        if isinstance(value, OutputRef):
            if value.size > MOST_SHAPED:
                raise _NotKept(f"too large to be transformed again: {value.size:,} bytes")
            value = await self._whole(value)
        try:
            made = shaped(0, wire.edge or "", port, wire.transform).of([value], UNSET)
        except TransformFailed as error:
            raise _NotKept(f"the wire could not bring it: {error.message}") from error
        if made is not UNSET and encode(made).size > MOST_MADE:
            raise _NotKept("what the wire made of it is too large to be told")
        return made if made is UNSET else to_json(made)

    async def _left(self, level: _Level, index: int, output: str) -> Any:
        """Return where the value is that a step of the level left, the value itself, or UNSET where there was none."""
        step = level.plan.steps[index]
        ref = await self._outputs.ref_of_port(self._record.id, level.prefix + step.id, output)
        if ref is not None:
            return ref
        if level.body is not None and index < level.body.given:
            return await self._given(level, level.body, step, output)
        if not level.prefix:
            return self._without(step, output)
        raise _NotKept(f"{level.prefix}{step.id} left nothing that is kept")

    def _without(self, step: Step, output: str) -> Any:
        """Return what a node of the canvas brought that left no value."""
        if step.id in self._errors:
            if output != FAILURE_PORT.name:
                return UNSET
            error = self._insides.failure(self._errors[step.id])
            return {key: value for key, value in error.items() if key != "traceback"} | {
                "node": step.id
            }
        if step.id in self._skipped:
            return UNSET
        if step.stand == "muted":
            return UNSET
        if self._record.status in OPEN:
            raise _NotKept(f"{step.id} has left nothing yet")
        if step.id in ((self._record.result or {}).get("why") or {}):
            return UNSET  # it ran, and gave nothing there: as an "if" does on the way not taken
        raise _NotKept(f"{step.id} did not run then, or what it left is not kept any more")

    async def _given(self, level: _Level, body: SubPlan, step: Step, output: str) -> Any:
        """Return what a body was given: from outside, or as an input of its owner."""
        assert level.outer is not None
        assert level.owner is not None
        if (step.id, output) in body.captured:
            return await self._left(level.outer, level.outer.plan.index[step.id], output)
        slot = dict(body.plan.program.outputs[step.index]).get(output)
        name = next((entry.port.name for entry in body.entries if entry.slot == slot), None)
        plain = level.round is None or name in body.fanned
        binding = next((each for each in level.owner.bindings if each.port == name), None)
        if binding is None or not plain:
            raise _NotKept("what each round was given is not recorded")
        value = await self._value(level.outer, binding)
        if level.round is None or value is UNSET:
            return value
        if not isinstance(value, list) or level.round >= len(value):
            raise _NotKept("the list whose items were given is too large to be looked into")
        return value[level.round]

    async def _told(self, value: Any) -> Any:
        if not isinstance(value, OutputRef):
            return value
        if value.preview is not None and value.size > self._inline:
            return reference(value.hash, value.size, value.preview)
        return await self._whole(value)

    async def _whole(self, ref: OutputRef) -> Any:
        body = (await self._outputs.values([ref])).get(ref.hash)
        if body is None:
            raise _NotKept(f"what {ref.node} left is not kept any more")
        if is_stand_in(ref.hash, body) and len(body) > STAND_IN_BYTES:
            raise _NotKept(f"what {ref.node} left stays in its worker")
        return msgspec.json.decode(body)


def _step(plan: Plan, node: str) -> Step | None:
    place = plan.index.get(node)
    return None if place is None else plan.steps[place]


def _no_node(record: RunRecord, node: str) -> ValueNotFound:
    return ValueNotFound(
        f"Run {record.id} has no node {node!r} that you may see",
        details={"run": record.id, "node": node},
    )
