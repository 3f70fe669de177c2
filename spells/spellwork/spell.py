"""The spell: a graph of nodes as people draw it, before anything is compiled.

A spell is kept as maps of id to thing, never as lists, so that two people's
edits merge without doubling anything. The JSON form and the shared document
have the same shape; see ``spells/SPEC.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

SCHEMA = 1
"""The version of the spell's own format, written as ``schema``."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""The id of a node, edge, group or note: letters, digits, ``_`` and ``-``."""

PortName = Annotated[str, StringConstraints(min_length=1, max_length=128)]

Position = tuple[float, float]
"""``[x, y]`` in canvas units (CSS pixels at zoom 1), y downwards."""


class Part(BaseModel):
    """A part of a spell: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeSettings(Part):
    """How one node is run, where it differs from what its type declares.

    ``timeout`` and ``backoff`` are seconds; ``backoff`` doubles with each retry.
    """

    timeout: float | None = Field(default=None, gt=0, le=86_400)
    retries: int | None = Field(default=None, ge=0, le=20)
    backoff: float | None = Field(default=None, ge=0, le=3_600)
    cache: Literal["deterministic", "private", "none", "ttl"] | None = None
    ttl: float | None = Field(
        default=None, gt=0, description="Seconds an output stays valid; with cache='ttl'."
    )


class Node(Part):
    """A box on the canvas: a node type, and the values typed into it."""

    type: str = Field(min_length=1, max_length=200)
    version: int | None = Field(
        default=None, ge=1, description="Version of the node type; None is the newest."
    )
    name: str | None = Field(default=None, max_length=200)
    inputs: dict[PortName, JsonValue] = Field(default_factory=dict)
    code: str | None = Field(default=None, max_length=1_000_000)
    settings: NodeSettings = NodeSettings()
    position: Position = (0, 0)
    size: tuple[float, float] | None = None
    group: Id | None = None


class Edge(Part):
    """A wire from an output of ``source`` to an input of ``target``."""

    source: Id
    output: PortName
    target: Id
    input: PortName


class Group(Part):
    """A named frame around nodes (those whose ``group`` is its id)."""

    name: str = Field(default="", max_length=200)
    position: Position = (0, 0)
    size: tuple[float, float] = (400, 300)
    color: str | None = Field(default=None, max_length=32)
    group: Id | None = Field(default=None, description="The group around this group.")


class Note(Part):
    """A text on the canvas, in Markdown."""

    text: str = Field(default="", max_length=100_000)
    position: Position = (0, 0)
    size: tuple[float, float] = (240, 160)
    color: str | None = Field(default=None, max_length=32)
    group: Id | None = None


class Spell(Part):
    """A graph of nodes, groups and notes.

    As JSON::

        {"schema": 1, "name": "Hello",
         "nodes": {"a": {"type": "core.value", "inputs": {"value": 2}},
                   "b": {"type": "code.python", "code": "x * 21"}},
         "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}}}

    A Spell is well-formed, not yet valid: edges may dangle, types may be
    unknown. ``spellwork.validate`` says what is wrong, node by node.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True
    )

    schema_: Literal[1] = Field(default=1, alias="schema")
    name: str = Field(default="Untitled", max_length=200)
    nodes: dict[Id, Node] = Field(default_factory=dict)
    edges: dict[Id, Edge] = Field(default_factory=dict)
    groups: dict[Id, Group] = Field(default_factory=dict)
    notes: dict[Id, Note] = Field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the spell as plain JSON values.

        Of defaults only ``schema``, ``name`` and the positions that were given
        are written: what was read is what is written.
        """
        body = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for kind in ("nodes", "groups", "notes"):
            for id, fields in body.get(kind, {}).items():
                part = getattr(self, kind)[id]
                if "position" in part.model_fields_set:
                    fields["position"] = [_short(each) for each in part.position]
        return {"schema": self.schema_, "name": self.name, "nodes": {}, "edges": {}} | body


def _short(number: float) -> float:
    return int(number) if float(number).is_integer() else number
