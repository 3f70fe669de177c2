"""Spells with bodies, for tests: the test nodes and those of packs together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from spellwork import Event, Execution, Library, RunResult, Spell, compile
from spellwork_code import pack as code
from spellwork_core import pack as core
from tests.spells.drawing import edges_of
from tests.spells.nodes import pack as small

library = Library([small, core, code])

Drawn = Mapping[str, Any]


def draw(nodes: Drawn, *wires: str, **parts: Any) -> Spell:
    """Return a spell. A node is a type, or (type, inputs), or (type, inputs, further fields)."""
    groups = {each["group"] for each in map(_node, nodes.values()) if "group" in each}
    return Spell.model_validate(
        {
            "nodes": {id: _node(each) for id, each in nodes.items()},
            "edges": edges_of(wires),
            "groups": {group: {} for group in sorted(groups)},
            **parts,
        }
    )


def _node(node: Any) -> dict[str, Any]:
    type, inputs, more = (*((node,) if isinstance(node, str) else node), {}, {})[:3]
    return {"type": type, "inputs": inputs, **more}


def in_group(group: str) -> dict[str, Any]:
    """Return the fields of a node in a group."""
    return {"group": group}


def runs(**body: str) -> dict[str, Any]:
    """Return the fields of a node that runs a body: ``group=``, ``spell=`` or ``type=``."""
    return {"settings": {"body": body}}


def run(
    spell: Spell, spells: Mapping[str, Spell] | None = None, *, told: bool = True, **options: Any
) -> tuple[RunResult, list[Event]]:
    """Run a spell and return the result and what was told; ``inputs`` and ``scope`` are those of ``compile``."""
    compiled = {name: options.pop(name) for name in ("inputs", "scope") if name in options}
    plan = compile(spell, library, spells=(spells or {}).get, **compiled)
    events: list[Event] = []
    sink = events.append if told else None
    return asyncio.run(Execution(plan, sink=sink, **options).run()), events
