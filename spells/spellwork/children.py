"""The spells that a spell runs inside it: each read once, recursion found by its path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import SpellUnreadable
from .problems import FAULTS, Code
from .spell import Node, Spell

if TYPE_CHECKING:
    from .analysis import Analysis

Spells = Callable[[str], Spell | None]
"""Finds a spell by what ``settings.body.spell`` says; None where there is none that may be read."""

MAX_NESTED = 32
"""How deep bodies may nest."""

MAX_NODES_NESTED = 10_000
"""Nodes that the spells which a spell runs may have together."""

ONLY = "body"
"""The id of the only node where a node type is the body."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a body cannot be run."""

    code: Code
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class Children:
    """Analyses of children, shared by a spell and all that it runs."""

    def __init__(
        self,
        analyse: Callable[[Spell, Children], Analysis],
        spells: Spells | None,
        root: str | None = None,
    ) -> None:
        self._analyse = analyse
        self._spells = spells
        self._path = [] if root is None else [root]
        self._known: dict[str, Analysis | Fault] = {}
        self._types: dict[str, Analysis | Fault] = {}
        self._nodes = 0
        self.read: set[str] = set()
        """The spells that were asked for, found or not."""

    def spell(self, id: str) -> Analysis | Fault:
        """Return what is known of a child, or why it cannot be run."""
        if id in self._path:
            path = [*self._path[self._path.index(id) :], id]
            return Fault(
                "recursive_spell", f"spells run each other: {' -> '.join(path)}", {"path": path}
            )
        if id not in self._known:
            self._known[id] = self._read(id)
        return self._known[id]

    def type(self, id: str) -> Analysis | Fault:
        """Return what is known of a spell of one node (``ONLY``) of a type, of which nothing is wired."""
        if id not in self._types:
            node = Node.model_construct(type=id)
            analysis = self._analyse(
                Spell.model_construct(nodes={ONLY: node}, edges={}, groups={}), self
            )
            part = analysis.parts.get(ONLY)
            if part is None:
                first = analysis.problems[0]
                fault = Fault("invalid_body", first.message.partition(": ")[2], first.details)
                self._types[id] = fault
            else:
                self._types[id] = analysis
        return self._types[id]

    def _read(self, id: str) -> Analysis | Fault:
        self.read.add(id)
        if len(self._path) > MAX_NESTED:
            return Fault("invalid_body", f"bodies nest more than {MAX_NESTED} deep")
        try:
            spell = self._spells(id) if self._spells is not None else None
        except SpellUnreadable as error:
            return Fault("unknown_spell", error.message, {"spell": id})
        if spell is None:
            return Fault(
                "unknown_spell", f"there is no spell {id!r} here that may be read", {"spell": id}
            )
        self._nodes += len(spell.nodes)
        if self._nodes > MAX_NODES_NESTED:
            return Fault(
                "invalid_body",
                f"the spells that are run inside have more than {MAX_NODES_NESTED:,} nodes together",
            )
        self._path.append(id)
        try:
            analysis = self._analyse(spell, self)
        finally:
            self._path.pop()
        return fatal(analysis, spell.name) or analysis


def fatal(analysis: Analysis, name: str) -> Fault | None:
    """Return why a spell cannot be run at all, if so; nodes that would merely fail are let be."""
    problems = [
        problem
        for problem in analysis.problems
        if problem.severity == "error" and problem.code not in FAULTS
    ]
    if not problems:
        return None
    recursive = [problem for problem in problems if problem.code == "recursive_spell"]
    if recursive:
        return Fault("recursive_spell", recursive[0].message, recursive[0].details)
    told = {"problems": [problem.to_json() for problem in problems[:20]]}
    unknown = [each for each in problems if each.code == "unknown_node_type"]
    types = sorted({each.details["type"] for each in unknown if "type" in each.details})
    if types:
        words = (
            f"the spell {name!r} cannot be run: the packs of this one, with which it runs here,"
            f" have no node type {', '.join(map(repr, types[:20]))}"
        )
        return Fault("invalid_body", words, {"types": types[:20]} | told)
    return Fault("invalid_body", f"the spell {name!r} cannot be run: {problems[0].message}", told)
