"""Bring the nodes of a spell from older versions of their types to the newest, and say what was done.

A node type declares, by version, how a node of it becomes one of the next
(``@node(version=3, migrate={1: ..., 2: ...})``). Only a node that names its
version is old; one that names none is of the newest already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .spell import Edge, Node, Spell
from .spell_test import Expectation, Recorded, SpellTest

if TYPE_CHECKING:
    from .library import Library
    from .node_type import NodeType

R = TypeVar("R", Recorded, Expectation)


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration gives where ports have other names now: wires, typed-in values and tests follow ``{old: new}``."""

    node: Node
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


Migration = Callable[[Node], Node | Migrated]
"""Gives a node of the next version; pure."""


class NodeUpgrade(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one old node: it is of version ``newest`` now, or ``reason`` says why it is as it was.

    ``wires`` are the edges that end at or begin from ports with other names now.
    """

    node: str
    type: str
    version: int
    newest: int
    wires: tuple[str, ...] = ()
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON; fields that say nothing are left out."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body | {"wires": list(self.wires)} if self.wires else body


def upgrade(
    spell: Spell, library: Library, nodes: Collection[str] | None = None
) -> tuple[Spell, tuple[NodeUpgrade, ...]]:
    """Return the spell with its old nodes (or those of ``nodes``) upgraded, and a record of each, by id.

    A node that cannot be upgraded stays as it is, and its record says why.
    What was not old is the same object as before.
    """
    fresh, edges, tests = dict(spell.nodes), dict(spell.edges), dict(spell.tests)
    report = []
    for id in sorted(spell.nodes if nodes is None else set(nodes) & spell.nodes.keys()):
        node = spell.nodes[id]
        newest = library.newer(node)
        if newest is None or node.version is None:
            continue
        record = NodeUpgrade(id, node.type, node.version, newest.version)
        try:
            migrated = _migrated(node, node.version, newest)
        except MigrationFailed as error:
            report.append(msgspec.structs.replace(record, reason=str(error)))
            continue
        fresh[id] = _with_settings(migrated)
        moved = _moved(id, edges, migrated)
        edges |= moved
        tests |= _tested(id, node, tests, migrated)
        report.append(msgspec.structs.replace(record, wires=tuple(sorted(moved))))
    if not report:
        return spell, ()
    update = {"nodes": fresh, "edges": edges, "tests": tests}
    return spell.model_copy(update=update), tuple(report)


class MigrationFailed(ValueError):
    """A node that cannot be brought to the newest version; the message says why."""


def _migrated(node: Node, before: int, newest: NodeType) -> Migrated:
    """Return the node at the newest version, with all renamings on the way in one."""
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for version in range(before, newest.version):
        step = newest.migrate.get(version)
        if step is None:
            raise MigrationFailed(f"{newest.id!r} has no migration from version {version}")
        try:
            given = step(node)
        except Exception as error:
            raise MigrationFailed(
                f"the migration from version {version} failed: {type(error).__name__}: {error}"
            ) from error
        given = Migrated(given) if isinstance(given, Node) else given
        if type(given) is not Migrated or given.node.type != node.type:
            raise MigrationFailed(
                f"the migration from version {version} gave no node of type {newest.id!r}"
            )
        values = {given.inputs.get(port, port): each for port, each in given.node.inputs.items()}
        node = given.node.model_copy(update={"version": version + 1, "inputs": values})
        inputs, outputs = _then(inputs, given.inputs), _then(outputs, given.outputs)
    return Migrated(node, inputs, outputs)


def _with_settings(migrated: Migrated) -> Node:
    """Return the node with the ports that its settings name renamed, too."""
    settings = migrated.node.settings
    if not (settings.pins or settings.quiet):
        return migrated.node
    pins = {migrated.outputs.get(port, port): value for port, value in settings.pins.items()}
    quiet = tuple(migrated.inputs.get(port, port) for port in settings.quiet)
    changed = settings.model_copy(update={"pins": pins, "quiet": quiet})
    return migrated.node.model_copy(update={"settings": changed})


def _then(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return one renaming for two, one after the other."""
    both = {old: second.get(new, new) for old, new in first.items()}
    return {old: new for old, new in second.items() if old not in first.values()} | both


def _moved(id: str, edges: Mapping[str, Edge], migrated: Migrated) -> dict[str, Edge]:
    moved = {}
    for key, edge in edges.items():
        changes = {}
        if edge.target == id and edge.input in migrated.inputs:
            changes["input"] = migrated.inputs[edge.input]
        if edge.source == id and edge.output in migrated.outputs:
            changes["output"] = migrated.outputs[edge.output]
        if changes:
            moved[key] = edge.model_copy(update=changes)
    return moved


def _tested(
    id: str, node: Node, tests: Mapping[str, SpellTest], migrated: Migrated
) -> dict[str, SpellTest]:
    """Return the tests that speak of ports of the node which have other names now, with those."""
    if not (migrated.inputs or migrated.outputs):
        return {}
    keys = {
        f"{name}.{old}": f"{name}.{new}"
        for name in (id, node.name)
        if name is not None
        for old, new in migrated.inputs.items()
    }
    changed = {}
    for key, test in tests.items():
        inputs = {keys.get(each, each): value for each, value in test.inputs.items()}
        record = _renamed(id, test.record, migrated.outputs)
        expect = _renamed(id, test.expect, migrated.outputs)
        after = test.model_copy(update={"inputs": inputs, "record": record, "expect": expect})
        if after != test:
            changed[key] = after
    return changed


def _renamed(id: str, things: Mapping[str, R], names: Mapping[str, str]) -> dict[str, R]:
    """Return what a test records or expects, by node, with the outputs of one under other names."""
    here = things.get(id)
    if here is None or not here.outputs:
        return dict(things)
    outputs = {names.get(port, port): value for port, value in here.outputs.items()}
    return dict(things) | {id: here.model_copy(update={"outputs": outputs})}
