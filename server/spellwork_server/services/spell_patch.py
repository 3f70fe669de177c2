"""A change of a spell by its things: JSON Merge Patch (RFC 7396) down to nodes, wires, groups, notes, requirements and tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from spellwork.requirements import MAX_REQUIREMENTS, PackageName, Specifier
from spellwork.spell import Edge, Group, Id, Node, Note, Part, Spell
from spellwork.spell_test import MAX_TESTS, SpellTest
from spellwork_server.errors import BadRequest

from .service import Request


class SpellPatch(Request):
    """What is given by id is put whole, what is given as null is removed, and the rest stays."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )

    schema_: Literal[1] = Field(default=1, alias="schema")
    name: str | None = Field(default=None, min_length=1, max_length=200)
    nodes: dict[Id, Node | None] = Field(default_factory=dict)
    edges: dict[Id, Edge | None] = Field(default_factory=dict)
    groups: dict[Id, Group | None] = Field(default_factory=dict)
    notes: dict[Id, Note | None] = Field(default_factory=dict)
    requirements: dict[PackageName, Specifier | None] = Field(
        default_factory=dict, max_length=2 * MAX_REQUIREMENTS
    )
    tests: dict[Id, SpellTest | None] = Field(default_factory=dict, max_length=2 * MAX_TESTS)


def patched(spell: Spell, patch: SpellPatch) -> Spell:
    """Return ``spell`` changed; things that the patch does not name are the same objects.

    With a node go its wires; what lay in a removed group lies in none. Raises
    BadRequest for a wire that is put and would hang on nothing.
    """
    nodes = _merged(spell.nodes, patch.nodes)
    groups = _merged(spell.groups, patch.groups)
    gone = spell.groups.keys() - groups.keys()
    return spell.model_copy(
        update={
            "name": patch.name or spell.name,
            "nodes": _outside(nodes, gone),
            "edges": _edges(spell, patch, nodes),
            "groups": _outside(groups, gone),
            "notes": _outside(_merged(spell.notes, patch.notes), gone),
            "requirements": _merged(spell.requirements, patch.requirements),
            "tests": _merged(spell.tests, patch.tests),
        }
    )


def _merged(things: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = things | changes
    return {key: thing for key, thing in merged.items() if thing is not None}


def _outside(things: dict[str, Any], gone: set[str]) -> dict[str, Part]:
    if not gone:
        return things
    return {
        key: thing.model_copy(update={"group": None}) if thing.group in gone else thing
        for key, thing in things.items()
    }


def _edges(spell: Spell, patch: SpellPatch, nodes: dict[str, Any]) -> dict[str, Edge]:
    edges: dict[str, Edge] = _merged(spell.edges, patch.edges)
    for key, edge in patch.edges.items():
        for end, node in () if edge is None else (("source", edge.source), ("target", edge.target)):
            if node not in nodes:
                raise BadRequest.field(f"edges.{key}.{end}", f"there would be no node {node!r}")
    return {
        key: edge for key, edge in edges.items() if edge.source in nodes and edge.target in nodes
    }
