"""Finds what is wrong with the spell on a canvas, a moment after it changes, and tells everybody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from spellwork import Library
from spellwork.analysis import Analysis, Part
from spellwork.bodies import Spells
from spellwork.library import Libraries
from spellwork.ports import is_reserved
from spellwork.spell import Spell
from spellwork.spell_tests import test_problems

from .room import Publishes, Room

logger = logging.getLogger(__name__)

DEBOUNCE = 0.05
"""Seconds that changes are gathered before the spell is looked at."""

SMALL = 50
"""Spells of up to this many nodes are looked at at once, larger ones in a thread."""

MUCH_CODE = 20_000
"""Characters of code in a spell, above which it is looked at in a thread: reading code takes its time."""

Report = tuple[list[dict[str, Any]], dict[str, Any]]


class Found(Protocol):
    """The spells that a spell runs inside itself."""

    @property
    def spells(self) -> Mapping[str, Spell]:
        """Those that may be shown to all who see the canvas."""

    @property
    def wanted(self) -> frozenset[str]:
        """All that were asked for."""


class Children(Protocol):
    """What an inspector needs of ``ChildSpells``."""

    async def for_canvas(self, spell: Spell, canvas: str) -> Found:
        """Find the spells that a canvas runs inside itself."""

    def subscribe(
        self, canvases: Iterable[str], callback: Callable[[], None]
    ) -> Callable[[], None]:
        """Call back after each change of one of these; return what ends that."""


class NoChildren:
    """Where no canvas runs another."""

    spells: Mapping[str, Spell] = MappingProxyType({})
    wanted: frozenset[str] = frozenset()

    async def for_canvas(self, spell: Spell, canvas: str) -> Found:
        """Find nothing."""
        return self

    def subscribe(
        self, canvases: Iterable[str], callback: Callable[[], None]
    ) -> Callable[[], None]:
        """Never call back."""
        return lambda: None


class Inspector:
    """Publishes ``canvas.problems`` for one room, when they are others than before.

    Moving things about changes nothing that a run would see, so it is not a
    reason to look.
    """

    def __init__(
        self, room: Room, libraries: Libraries, channels: Publishes, children: Children
    ) -> None:
        self._room = room
        self._children = children
        self._watched: frozenset[str] = frozenset()
        self._unwatch: Callable[[], None] = lambda: None
        self._child_changed = False
        self._libraries = libraries
        self._library: Library | None = None
        self._channels = channels
        self._changed = asyncio.Event()
        self._seen: Spell | None = None
        self._further = room.further
        self._unsubscribe: Callable[[], None] = room.subscribe(self._changed.set)

    async def inspect(self) -> None:
        """Look at the spell now, and note what is wrong with it on the room."""
        spell = self._room.spell()
        self._library = library = self._libraries.of(self._room.canvas_id)
        self._child_changed = False
        found = await self._children.for_canvas(spell, self._room.canvas_id)
        self._watch(found.wanted)
        if _is_large((spell, *found.spells.values())):
            report = await asyncio.to_thread(
                inspect, spell, library, found.spells.get, self._room.canvas_id
            )
        else:
            report = inspect(spell, library, found.spells.get, self._room.canvas_id)
        self._seen = spell
        problems, ports = report
        self._further = self._room.further
        problems = [*problems, *(each for found in self._further.values() for each in found)]
        fault = self._room.fault
        if fault is not None:
            problems = [_store_problem(fault), *problems]
        if (problems, ports) != (self._room.problems, self._room.ports):
            self._room.problems, self._room.ports = problems, ports
            self._channels.publish(
                self._room.channel,
                "canvas.problems",
                {"canvas": self._room.canvas_id, "problems": problems, "ports": ports},
                source=self._room,
            )

    def _watch(self, wanted: frozenset[str]) -> None:
        """Look again when a child changes, for the ports of its node do."""
        if wanted != self._watched:
            self._unwatch()
            self._watched = wanted
            self._unwatch = self._children.subscribe(wanted, self._look_at_children)

    def _look_at_children(self) -> None:
        self._child_changed = True
        self._changed.set()

    async def run(self) -> None:
        """Look again after each change, until cancelled."""
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(DEBOUNCE)
                self._changed.clear()
                if self._is_worth_it():
                    await self.inspect_safely()
        finally:
            self._unsubscribe()
            self._unwatch()

    async def inspect_safely(self) -> None:
        """Look at the spell now; a fault of the checks themselves is logged, and the canvas goes on."""
        try:
            await self.inspect()
        except Exception:  # a fault here must not end the room
            logger.exception("fault while looking at canvas %s", self._room.canvas_id)

    def _is_worth_it(self) -> bool:
        return (
            self._seen is None
            or self._child_changed
            or self._library is not self._libraries.of(self._room.canvas_id)
            or self._further is not self._room.further
            or self._room.fault is not None
            or any(problem["code"] == "store_unavailable" for problem in self._room.problems)
            or not _runs_alike(self._seen, self._room.spell())
        )


def inspect(
    spell: Spell, library: Library, spells: Spells | None = None, canvas: str | None = None
) -> Report:
    """Return a spell's problems, and the ports of nodes that have others than their types declare.

    ``spells`` finds those that nodes run inside themselves; ``canvas`` is what the spell itself is found by.
    """
    analysis = Analysis(spell, library, spells, root=canvas)
    ports = {
        id: _described(part)
        for id, part in analysis.parts.items()
        if part.type.resolve is not None
        or part.type.body_ports is not None
        or any(map(is_reserved, part.ports.outputs))
    }
    problems = [*analysis.problems, *test_problems(analysis)]
    return [problem.to_json() for problem in problems], ports


def _is_large(spells: Iterable[Spell]) -> bool:
    nodes = [node for spell in spells for node in spell.nodes.values()]
    return len(nodes) > SMALL or sum(len(node.code or "") for node in nodes) > MUCH_CODE


def _described(part: Part) -> dict[str, Any]:
    """Return a node's ports as JSON; an input that code reads by name says of which node and output it is."""
    body = part.ports.describe()
    for port in body["inputs"]:
        links = part.links.get(port["name"])
        if links and links[0].edge is None:
            port["named"] = {"node": links[0].source, "output": links[0].output}
    return body


def _runs_alike(one: Spell, other: Spell) -> bool:
    """Tell whether two spells differ only in what neither a run nor a test sees."""
    return (
        one.edges == other.edges
        and one.requirements == other.requirements
        and one.tests == other.tests
        and one.groups.keys() == other.groups.keys()
        and all(group.group == other.groups[key].group for key, group in one.groups.items())
        and one.nodes.keys() == other.nodes.keys()
        and all(
            node is other.nodes[key]
            or (
                node.type,
                node.version,
                node.name,
                node.inputs,
                node.code,
                node.settings,
                node.group,
            )
            == (
                other.nodes[key].type,
                other.nodes[key].version,
                other.nodes[key].name,
                other.nodes[key].inputs,
                other.nodes[key].code,
                other.nodes[key].settings,
                other.nodes[key].group,
            )
            for key, node in one.nodes.items()
        )
    )


def _store_problem(fault: str) -> dict[str, Any]:
    return {
        "code": "store_unavailable",
        "message": f"The canvas is read-only: {fault}",
        "severity": "error",
        "details": {},
    }
