"""Short ways to write a spell down, and to run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spellwork import Event, Execution, Plan, RunResult, Spell, compile
from spellwork.events import started_and

from .nodes import library


def edges_of(wires: Iterable[str]) -> dict[str, Any]:
    """Return the edges of wires drawn as ``"a.out -> b.in"``."""
    edges = {}
    for index, wire in enumerate(wires):
        left, right = wire.split(" -> ")
        source, output = left.split(".")
        target, port = right.split(".")
        edges[f"e{index:03}"] = {
            "source": source,
            "output": output,
            "target": target,
            "input": port,
        }
    return edges


def draw(nodes: Mapping[str, Any], *wires: str, **parts: Any) -> Spell:
    """Return a spell. A node is ``"type"`` or ``("type", {inputs})`` or a dict; a wire ``"a.out -> b.in"``."""
    return Spell.model_validate(
        {
            "nodes": {id: _node(each) for id, each in nodes.items()},
            "edges": edges_of(wires),
            **parts,
        }
    )


def _node(node: Any) -> dict[str, Any]:
    if isinstance(node, str):
        return {"type": f"t.{node}"}
    if isinstance(node, tuple):
        return {"type": f"t.{node[0]}", "inputs": node[1]}
    return {**node, "type": f"t.{node['type']}"}


def plan_of(nodes: Mapping[str, Any], *wires: str, **options: Any) -> Plan:
    """Return the plan of a drawn spell."""
    return compile(draw(nodes, *wires), library, **options)


async def run_plan(plan: Plan, **options: Any) -> tuple[RunResult, list[Event]]:
    """Run a plan and return the result and every event."""
    events: list[Event] = []
    result = await Execution(plan, sink=events.append, **options).run()
    return result, events


def kinds(events: list[Event], node: str) -> list[str]:
    """Return the kinds of the events of one node."""
    return [event.kind for event in events if event.node == node]


class Watching:
    """A watcher that notes what it takes, and of what came together that it did."""

    is_full = False

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ran: list[str] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def take_ran(self, event: Event) -> None:
        assert event.node is not None
        self.ran.append(event.node)
        self.events += started_and(event)

    def take_chunks(self, node: str, port: str, chunks: list[Any]) -> None:
        raise AssertionError("no node here has a stream")

    async def room(self) -> None:
        raise AssertionError("it is never full")
