"""The spell: a graph of nodes as people draw it, before anything is compiled.

A spell is kept as maps of id to thing, never as lists, so that two people's
edits merge without doubling anything. The JSON form and the shared document
have the same shape; see ``spells/SPEC.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

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


class NodeLimits(Part):
    """How often a node may be called; all that are given hold together. Times are seconds.

    ``concurrency`` calls at once; ``rate`` calls within ``per``; ``spacing``
    between the starts of two calls; ``delay`` before each.
    """

    concurrency: int | None = Field(default=None, ge=1, le=10_000)
    rate: int | None = Field(default=None, ge=1, le=1_000_000)
    per: float = Field(default=1.0, gt=0, le=86_400)
    spacing: float | None = Field(default=None, gt=0, le=3_600)
    delay: float | None = Field(default=None, gt=0, le=3_600)


class Body(Part):
    """What a node runs inside itself: the nodes of a group, another spell, or a node type. One is given."""

    group: Id | None = None
    spell: str | None = Field(
        default=None, min_length=1, max_length=200, description="The id of a canvas, or a file."
    )
    type: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one(self) -> Body:
        if sum(each is not None for each in (self.group, self.spell, self.type)) != 1:
            raise ValueError("give one of group, spell, type")
        return self


class NodeSettings(Part):
    """How one node is run, where it differs from what its type declares.

    ``timeout`` and ``backoff`` are seconds; ``backoff`` doubles with each retry.
    """

    mode: Literal["mute", "bypass"] | None = Field(
        default=None,
        description="mute: nothing leaves it; bypass: what comes in leaves by outputs that take it.",
    )
    pins: dict[PortName, JsonValue] = Field(
        default_factory=dict,
        description="Outputs given by hand; where all that are wired are, the node is not run.",
    )
    debounce: float | None = Field(
        default=None,
        ge=0,
        le=60,
        description="Live: seconds of quiet before a change starts the node.",
    )
    quiet: tuple[PortName, ...] = Field(
        default=(), description="Live: inputs whose change does not start the node."
    )
    limits: NodeLimits | None = None
    body: Body | None = None

    timeout: float | None = Field(default=None, gt=0, le=86_400)
    retries: int | None = Field(default=None, ge=0, le=20)
    backoff: float | None = Field(default=None, ge=0, le=3_600)
    cache: Literal["deterministic", "private", "none", "ttl"] | None = None
    ttl: float | None = Field(
        default=None, gt=0, description="Seconds an output stays valid; with cache='ttl'."
    )


AS_DECLARED = NodeSettings()
"""What differs in nothing; one for all nodes, for as a plain default it would be copied deep for each."""


class Node(Part):
    """A box on the canvas: a node type, and the values typed into it."""

    type: str = Field(min_length=1, max_length=200)
    version: int | None = Field(
        default=None, ge=1, description="Version of the node type; None is the newest."
    )
    name: str | None = Field(default=None, max_length=200)
    inputs: dict[PortName, JsonValue] = Field(default_factory=dict)
    code: str | None = Field(default=None, max_length=1_000_000)
    settings: NodeSettings = Field(default_factory=lambda: AS_DECLARED)
    position: Position = (0, 0)
    size: tuple[float, float] | None = None
    group: Id | None = None


class Pick(Part):
    """Take a part of an object or list, by a path like ``rows[0].name``."""

    op: Literal["pick"]
    path: str = Field(min_length=1, max_length=1_000)


class Index(Part):
    """Take one item of a list; negative counts from its end."""

    op: Literal["index"]
    index: int


class Default(Part):
    """Put ``value`` in the place of null, and of nothing."""

    op: Literal["default"]
    value: JsonValue = None


class Cast(Part):
    """Make another type of a value."""

    op: Literal["cast"]
    to: Literal["string", "number", "integer", "boolean", "list", "object"]


class Date(Part):
    """Read a date or time; ``format`` as ``strptime`` has it, ISO 8601 without. It gives ISO 8601."""

    op: Literal["date"]
    format: str | None = Field(default=None, min_length=1, max_length=100)


Transform = Annotated[Pick | Index | Default | Cast | Date, Field(discriminator="op")]
"""What a wire does to a value on its way."""


class Edge(Part):
    """A wire from an output of ``source`` to an input of ``target``. ``transform`` is applied in order."""

    source: Id
    output: PortName
    target: Id
    input: PortName
    transform: tuple[Transform, ...] = Field(default=(), max_length=20)


class Group(Part):
    """A named frame around nodes (those whose ``group`` is its id)."""

    name: str = Field(default="", max_length=200)
    position: Position = (0, 0)
    size: tuple[float, float] = (400, 300)
    color: str | None = Field(default=None, max_length=32)
    group: Id | None = Field(default=None, description="The group around this group.")
    collapsed: bool = Field(default=False, description="Drawn as one box.")


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
