"""Finds what is wrong with the spell on a canvas, a moment after it changes, and tells everybody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from spellwork import Library, validate
from spellwork.spell import Spell

from .room import Publishes, Room

logger = logging.getLogger(__name__)

DEBOUNCE = 0.05
"""Seconds that changes are gathered before the spell is looked at."""

SMALL = 50
"""Spells of up to this many nodes are looked at at once, larger ones in a thread."""

Report = tuple[list[dict[str, Any]], dict[str, Any]]


class Inspector:
    """Publishes ``canvas.problems`` for one room, when they are others than before.

    Moving things about changes nothing that a run would see, so it is not a
    reason to look.
    """

    def __init__(self, room: Room, library: Library, channels: Publishes) -> None:
        self._room = room
        self._library = library
        self._channels = channels
        self._changed = asyncio.Event()
        self._seen: Spell | None = None
        self._unsubscribe: Callable[[], None] = room.subscribe(self._changed.set)

    async def inspect(self) -> None:
        """Look at the spell now, and note what is wrong with it on the room."""
        spell = self._room.spell()
        if len(spell.nodes) > SMALL:
            report = await asyncio.to_thread(inspect, spell, self._library)
        else:
            report = inspect(spell, self._library)
        self._seen = spell
        problems, ports = report
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

    async def inspect_safely(self) -> None:
        """Look at the spell now; a fault of the checks themselves is logged, and the canvas goes on."""
        try:
            await self.inspect()
        except Exception:  # a fault here must not end the room
            logger.exception("fault while looking at canvas %s", self._room.canvas_id)

    def _is_worth_it(self) -> bool:
        return (
            self._seen is None
            or self._room.fault is not None
            or any(problem["code"] == "store_unavailable" for problem in self._room.problems)
            or not _runs_alike(self._seen, self._room.spell())
        )


def inspect(spell: Spell, library: Library) -> Report:
    """Return a spell's problems, and the ports of nodes whose ports depend on their content."""
    problems = [problem.to_json() for problem in validate(spell, library)]
    ports: dict[str, Any] = {}
    for key, node in spell.nodes.items():
        node_type = library.get(node.type, node.version)
        if node_type is not None and node_type.resolve is not None:
            found = library.ports(node)
            if found is not None:
                ports[key] = found.describe()
    return problems, ports


def _runs_alike(one: Spell, other: Spell) -> bool:
    """Tell whether two spells differ only in what a run does not see."""
    return (
        one.edges == other.edges
        and one.nodes.keys() == other.nodes.keys()
        and all(
            node is other.nodes[key]
            or (node.type, node.version, node.name, node.inputs, node.code, node.settings)
            == (
                other.nodes[key].type,
                other.nodes[key].version,
                other.nodes[key].name,
                other.nodes[key].inputs,
                other.nodes[key].code,
                other.nodes[key].settings,
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
