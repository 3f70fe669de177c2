"""Draw a spell call by call: nodes, wires, groups, and the shapes that are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from spellwork.children import Spells
from spellwork.errors import WorkflowInvalid
from spellwork.library import Library
from spellwork.node_type import NodeType
from spellwork.spell import Edge, Group, Node, Note, Part, Spell
from spellwork.spell_test import SpellTest

from .control import Control
from .handles import End, GroupHandle, Parallel, Step
from .wiring import Wiring

T = TypeVar("T")
P = TypeVar("P", Spell, Node, Edge, Group, Note, SpellTest)

_WIRE = "e{:05}"
_NUMBERED = re.compile(r"e[0-9]{5,18}")
"""Ids of wires in the order of their numbers, as far as those have five digits."""


class Sketch(Control, Wiring):
    """A spell that grows. Ids that are not given are made from what is there: the same calls give the same spell.

    ``name`` may be left out, and is then not set on the spell. ``library``
    (all installed packs, if not given) is asked only where ports must be
    known: to wire what fits. ``spells`` finds other spells by name, for those
    that nodes run inside. ``guard`` is called before anything is added, and may
    raise to end it.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        library: Library | None = None,
        spells: Spells | None = None,
    ) -> None:
        self._name = name
        self._library = library
        self._spells = spells
        self._nodes: dict[str, Node] = {}
        self._edges: dict[str, Edge] = {}
        self._groups: dict[str, Group] = {}
        self._notes: dict[str, Note] = {}
        self._requirements: dict[str, str] = {}
        self._tests: dict[str, SpellTest] = {}
        self._fed: dict[str, set[str]] = {}
        self._numbers: dict[str, int] = {}
        self._within: list[str] = []
        self.guard: Callable[[], None] = _nothing

    def to_spell(self) -> Spell:
        """Return what is drawn. Raises WorkflowInvalid for a name that no spell may have."""
        parts = {
            "nodes": dict(self._nodes),
            "edges": dict(self._edges),
            "groups": dict(self._groups),
            "notes": dict(self._notes),
            "requirements": dict(self._requirements),
            "tests": dict(self._tests),
        }
        named = {} if self._name is None else {"name": self._name}
        return _made(Spell, named | {key: part for key, part in parts.items() if part})

    def take(self, spell: Spell) -> None:
        """Draw ``spell`` instead of what is drawn, part for part."""
        self._name = spell.name if "name" in spell.model_fields_set else None
        self._nodes, self._edges = dict(spell.nodes), dict(spell.edges)
        self._groups, self._notes = dict(spell.groups), dict(spell.notes)
        self._requirements, self._tests = dict(spell.requirements), dict(spell.tests)
        last = max((int(id[1:]) for id in self._edges if _NUMBERED.fullmatch(id)), default=0)
        self._numbers = {_WIRE: last + 1}
        self._read_fed()

    @overload
    def node(
        self,
        type: str | NodeType,
        inputs: Mapping[str, Any] | None = ...,
        *,
        gives: type[T],
        **fields: Any,
    ) -> Step[T]: ...

    @overload
    def node(
        self, type: str | NodeType, inputs: Mapping[str, Any] | None = ..., **fields: Any
    ) -> Step[Any]: ...

    def node(
        self,
        type: str | NodeType,
        inputs: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        group: str | GroupHandle | None = None,
        gives: Any = None,
        **fields: Any,
    ) -> Step[Any]:
        """Add a node, and return it as a step.

        ``inputs`` by port: a value is typed in; a step or one of its ends is
        wired. ``fields`` are the node's own: ``version``, ``name``, ``code``,
        ``settings``, ``position``, ``size``. ``gives`` is the type of the main
        output, for type checkers. The id is the type's last word, numbered
        where it is taken.

        Raises:
            WorkflowInvalid: for a field that is wrong, or an id that is taken.
        """
        del gives
        name = type.id if isinstance(type, NodeType) else type
        key = self._claim(self._nodes, "node", id, str(name).rpartition(".")[2])
        body: dict[str, Any] = {"type": name} | _given(fields, Node)
        wired = {port: value for port, value in (inputs or {}).items() if _is_wirable(value)}
        if typed := {port: value for port, value in (inputs or {}).items() if port not in wired}:
            body["inputs"] = typed
        self._nodes[key] = _made(Node, body | self._placed(group))
        step: Step[Any] = Step(self, key)
        for port, source in wired.items():
            self.join(source, step[port])
        return step

    def value(self, value: T, **fields: Any) -> Step[T]:
        """Add a node ``core.value`` that gives ``value``."""
        return self.node("core.value", {"value": value}, **fields)

    def step(self, id: str) -> Step[Any]:
        """Return the node of that id as a step. Raises WorkflowInvalid when there is none."""
        if id not in self._nodes:
            raise WorkflowInvalid(f"there is no node {id!r}; there are {_few(self._nodes)}")
        return Step(self, id)

    def group(
        self,
        name: str | None = None,
        *,
        id: str | None = None,
        group: str | GroupHandle | None = None,
        **fields: Any,
    ) -> GroupHandle:
        """Add a group; ``fields`` are ``position``, ``size``, ``color``, ``collapsed``."""
        key = self._claim(self._groups, "group", id, "group")
        named = {} if name is None else {"name": name}
        body = named | _given(fields, Group) | self._placed(group)
        self._groups[key] = _made(Group, body)
        return GroupHandle(self, key)

    def note(
        self,
        text: str = "",
        *,
        id: str | None = None,
        group: str | GroupHandle | None = None,
        **fields: Any,
    ) -> None:
        """Add a note in Markdown; ``fields`` are ``position``, ``size``, ``color``."""
        key = self._claim(self._notes, "note", id, "note")
        body = {"text": text} | _given(fields, Note) | self._placed(group)
        self._notes[key] = _made(Note, body)

    def require(self, package: str, version: str = "") -> None:
        """Have code run where a package is installed; ``version`` as ``>=2,<4``, or ``[extra]>=1``."""
        self.guard()
        if package in self._requirements:
            raise WorkflowInvalid(f"there is a requirement {package!r} already")
        _made(Spell, {"requirements": {package: version}})
        self._requirements[package] = version

    def test(self, name: str | None = None, *, id: str | None = None, **fields: Any) -> None:
        """Add a test: it is kept with the spell, and run by ``spellwork test``.

        ``fields`` are ``inputs``, ``record``, ``expect``, ``timeout`` and ``live``, as plain values (see
        ``SpellTest``); nodes are named by id.

        Raises:
            WorkflowInvalid: for a field that is wrong, or an id that is taken.
        """
        key = self._claim(self._tests, "test", id, "test")
        named = {} if name is None else {"name": name}
        self._tests[key] = _made(SpellTest, named | _given(fields, SpellTest))

    def wire(
        self,
        source: End | tuple[str, str],
        target: End | tuple[str, str],
        *,
        id: str | None = None,
        transform: Sequence[Any] = (),
    ) -> None:
        """Add a wire from an output to an input; an end may also be ``(node id, port)``, and need not be there.

        Wires that are not named are numbered, so that an input that takes
        several gets them in the order of these calls.
        """
        (node, output), (other, port) = _end(source), _end(target)
        body = {"source": node, "output": output, "target": other, "input": port}
        given = {"transform": transform} if transform else {}
        key = self._claim(self._edges, "wire", id, None)
        self._edges[key] = edge = _made(Edge, body | given)
        self._fed.setdefault(edge.target, set()).add(edge.input)

    def pop(self) -> Node:
        """Remove the node that was added last, and its wires; return it. Raises WorkflowInvalid when there is none."""
        if not self._nodes:
            raise WorkflowInvalid("there is no node to pop")
        key, node = self._nodes.popitem()
        self._edges = {
            id: edge for id, edge in self._edges.items() if key not in (edge.source, edge.target)
        }
        self._read_fed()
        return node

    def reset(self) -> None:
        """Remove everything but the name."""
        for things in (self._nodes, self._edges, self._groups, self._notes):
            things.clear()
        self._requirements.clear()
        self._tests.clear()
        for known in (self._fed, self._numbers, self._within):
            known.clear()

    def enter(self, group: str) -> None:
        """Put what is made from now on into a group."""
        self._within.append(group)

    def leave(self) -> None:
        """Leave the group that was entered last."""
        self._within.pop()

    def _placed(self, group: str | GroupHandle | None) -> dict[str, Any]:
        if isinstance(group, GroupHandle):
            return {"group": group.id}
        if group is None and self._within:
            return {"group": self._within[-1]}
        return {} if group is None else {"group": group}

    def _claim(self, things: Mapping[str, Any], kind: str, id: str | None, base: str | None) -> str:
        """Return an id that is free: the one that is wanted, else one from ``base``, else a wire's number."""
        self.guard()
        if id is not None:
            if id in things:
                raise WorkflowInvalid(f"there is a {kind} {id!r} already")
            return _checked(id)
        if base is None:
            return self._numbered(things, _WIRE, 1)
        base = re.sub(r"[^A-Za-z0-9_-]", "_", base)[:48] or kind
        if base not in things:
            return base
        return self._numbered(things, f"{base}_{{}}", 2)

    def _numbered(self, things: Mapping[str, Any], pattern: str, first: int) -> str:
        """Return the next id of a pattern. A number that was given once is not given again."""
        number = self._numbers.get(pattern, first)
        while (id := pattern.format(number)) in things:
            number += 1
        self._numbers[pattern] = number + 1
        return id

    def _read_fed(self) -> None:
        self._fed.clear()
        for edge in self._edges.values():
            self._fed.setdefault(edge.target, set()).add(edge.input)


def _nothing() -> None:
    """Be the guard of a sketch that trusts who draws it."""


def _checked(id: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(id)):
        raise WorkflowInvalid(
            f"{id!r} is no id: those are letters, digits, _ and -, at most 64 of them"
        )
    return id


_ALSO: Mapping[type[Part], set[str]] = {Node: {"name"}, SpellTest: {"inputs"}}
"""Fields that other parts take by arguments of their own, and these among the rest."""


def _given(fields: Mapping[str, Any], model: type[Part]) -> dict[str, Any]:
    """Return the fields that are given; None is a field that is not."""
    taken = {"type", "inputs", "group", "name", "text"} - _ALSO.get(model, set())
    for name in fields:
        if name not in model.model_fields or name in taken:
            known = sorted(model.model_fields.keys() - taken)
            raise WorkflowInvalid(f"there is no {name!r} here; there are {', '.join(known)}")
    return {name: value for name, value in fields.items() if value is not None}


def _made(model: type[P], body: dict[str, Any]) -> P:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise WorkflowInvalid(
            f"{model.__name__.lower()}: {where}: {first['msg']}" if where else first["msg"]
        ) from error


def _is_wirable(value: Any) -> bool:
    return isinstance(value, (Step, End, Parallel))


def _end(end: Any) -> tuple[str, str]:
    if isinstance(end, End):
        return end.node, end.port
    if isinstance(end, (tuple, list)) and len(end) == 2:
        return end[0], end[1]
    raise WorkflowInvalid(f'a wire has ends like step["port"], not {type(end).__name__}')


def _few(things: Mapping[str, Any]) -> str:
    return ", ".join(sorted(things)[:20]) or "none"
