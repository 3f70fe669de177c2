"""Two runs beside each other, node by node: what each did there, left there, and was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from spellwork.difference import Change, difference
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.run_records import OPEN, RunRecord

from .insides import Insides

State = Literal[
    "open",
    "done",
    "cached",
    "kept",
    "pinned",
    "muted",
    "bypassed",
    "failed",
    "skipped",
    "cancelled",
]
What = Literal["same", "changed", "before", "after"]
"""``before`` and ``after``: the node is in that run alone."""

STANDING = frozenset(("cached", "kept", "pinned", "muted", "bypassed"))


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, as somebody may see it. ``started``: how often its nodes were started, by id."""

    record: RunRecord
    left: Mapping[str, Mapping[str, OutputRef]]
    started: Mapping[str, int]
    insides: Insides

    @property
    def result(self) -> Mapping[str, Any]:
        """What the record keeps of the end."""
        found: Mapping[str, Any] = self.record.result or {}
        return found

    @property
    def order(self) -> Sequence[str]:
        """Its nodes in graph order, as far as that is known."""
        known: Sequence[str] = self.result.get("order") or sorted(self.left)
        return known


@dataclass(frozen=True, slots=True)
class NodeThere:
    """What a node did in one run. ``duration`` is in seconds; ``attempts`` is 0 where it was not called."""

    status: State
    why: str | None
    duration: float | None
    attempts: int
    error: dict[str, Any] | None
    skipped: str | None


@dataclass(frozen=True, slots=True)
class PortPair:
    """What both runs left on a port; None where one left nothing."""

    port: str
    before: OutputRef | None
    after: OutputRef | None

    @property
    def equal(self) -> bool:
        """Whether they left the same value."""
        if self.before is None or self.after is None:
            return self.before is self.after
        return self.before.hash == self.after.hash


@dataclass(frozen=True, slots=True)
class NodePair:
    """A node in both runs. ``inputs``: those that were given something else, or otherwise wired."""

    node: str
    name: str | None
    type: str | None
    what: What
    before: NodeThere | None
    after: NodeThere | None
    ports: list[PortPair]
    inputs: list[str]
    code: bool
    settings: bool


@dataclass(slots=True)
class Comparison:
    """All of it: nodes in graph order, and what differs between the spells."""

    nodes: list[NodePair] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def compare(before: Side, after: Side) -> Comparison:
    """Return what is the same in two runs and what is not."""
    old, new = before.record.spell or {}, after.record.spell or {}
    changes = [each for each in difference(old, new).changes if each.what != "moved"]
    edited = {each.id: each for each in changes if each.kind == "nodes"}
    rewired = _rewired(changes, old, new)
    feeds = _feeds(new)
    pairs = []
    for node in _merged(after.order, before.order):
        ports = _ports(before.left.get(node, {}), after.left.get(node, {}))
        there = _there(before, node), _there(after, node)
        fields = [each.field for each in edited[node].fields] if node in edited else []
        given = {name.removeprefix("inputs.") for name in fields if name.startswith("inputs.")}
        given |= _given(before, after, node)
        given |= {
            port
            for port, source, output in feeds.get(node, ())
            if _differs(before, after, source, output)
        }
        drawn = (new.get("nodes") or {}).get(node) or (old.get("nodes") or {}).get(node) or {}
        pairs.append(
            NodePair(
                node=node,
                name=drawn.get("name") or None,
                type=drawn.get("type"),
                what=_what(there, ports),
                before=there[0],
                after=there[1],
                ports=ports,
                inputs=sorted(given | rewired.get(node, set())),
                code="code" in fields,
                settings=any(name.startswith("settings.") for name in fields),
            )
        )
    return Comparison(pairs, changes)


def _there(side: Side, node: str) -> NodeThere | None:
    if node not in side.order and node not in side.left:
        return None
    result = side.result
    why = (result.get("why") or {}).get(node)
    error = (result.get("errors") or {}).get(node)
    skipped = (result.get("skipped") or {}).get(node)
    state: State = "done"
    if error is not None:
        state = "failed"
    elif why in STANDING:
        state = why
    elif skipped is not None:
        state = "skipped"
    elif node not in side.left and why is None:
        state = "open" if side.record.status in OPEN else "cancelled"
    return NodeThere(
        status=state,
        why=why,
        duration=(result.get("durations") or {}).get(node),
        attempts=max(side.started.get(node, 0), (error or {}).get("attempts", 0)),
        error=None if error is None else side.insides.failure(error),
        skipped=skipped,
    )


def _what(there: tuple[NodeThere | None, NodeThere | None], ports: Iterable[PortPair]) -> What:
    """Say whether the node came to the same end with the same values; how long it took does not matter."""
    before, after = there
    if before is None or after is None:
        return "after" if before is None else "before"
    same = _end(before) == _end(after) and all(port.equal for port in ports)
    return "same" if same else "changed"


def _end(there: NodeThere) -> tuple[str, Any, Any]:
    """Return how a node ended: from the cache or not is the same."""
    status = "done" if there.status in ("cached", "kept", "pinned", "bypassed") else there.status
    error = there.error or {}
    return status, error.get("code"), error.get("message")


def _ports(before: Mapping[str, OutputRef], after: Mapping[str, OutputRef]) -> list[PortPair]:
    names = dict.fromkeys([*after, *before])
    return [PortPair(name, before.get(name), after.get(name)) for name in names]


def _differs(before: Side, after: Side, node: str, output: str) -> bool:
    old = before.left.get(node, {}).get(output)
    new = after.left.get(node, {}).get(output)
    return (old and old.hash) != (new and new.hash)


def _feeds(spell: Mapping[str, Any]) -> dict[str, list[tuple[str, str, str]]]:
    """Return by node its wires: (input, source, output)."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for edge in (spell.get("edges") or {}).values():
        place = (edge["input"], edge["source"], edge["output"])
        found.setdefault(edge["target"], []).append(place)
    return found


def _rewired(
    changes: Iterable[Change], old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, set[str]]:
    """Return by node the inputs whose wires were drawn, cut or changed."""
    found: dict[str, set[str]] = {}
    for change in changes:
        if change.kind == "edges":
            for spell in (old, new):
                edge = (spell.get("edges") or {}).get(change.id)
                if edge is not None:
                    found.setdefault(edge["target"], set()).add(edge["input"])
    return found


def _given(before: Side, after: Side, node: str) -> set[str]:
    """Return the inputs that the runs themselves were given otherwise: ``NODE.PORT`` of their requests."""
    old = (before.record.request or {}).get("inputs") or {}
    new = (after.record.request or {}).get("inputs") or {}
    keys = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return {key.partition(".")[2] for key in keys if key.startswith(f"{node}.")}


def _merged(first: Sequence[str], second: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
