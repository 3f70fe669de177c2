"""The spell: a graph of nodes as people draw it, before anything is compiled.

A spell is kept as maps of id to thing, never as lists, so that two people's
edits merge without doubling anything. The JSON form and the shared document
have the same shape; see ``spells/SPEC.md``.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Self, TypeVar

import msgspec
from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    model_validator,
)
from pydantic_core import core_schema
from typing_extensions import TypedDict  # the one of typing does for pydantic from Python 3.12 on

from .collector import collector_paused
from .part import Id as Id  # noqa: PLC0414 - others take it from here, as all that a spell has
from .part import Part as Part  # noqa: PLC0414
from .part import PortName as PortName  # noqa: PLC0414
from .pieces import pieces
from .requirements import MAX_REQUIREMENTS, PackageName, Specifier
from .spell_test import MAX_TESTS, SpellTest

SCHEMA = 1
"""The version of the spell's own format, written as ``schema``."""

QueueName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
]
"""The name of a queue: letters, digits, ``-``, ``_`` and ``.``."""

Position = tuple[float, float]
"""``[x, y]`` in canvas units (CSS pixels at zoom 1), y downwards."""


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
    queue: QueueName | None = Field(
        default=None, description="It runs in a process that listens to this queue."
    )

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


class EdgeFields(TypedDict):
    """A wire from an output of ``source`` to an input of ``target``. ``transform`` is applied in order."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Edge")  # type: ignore[misc] # pydantic reads it here

    source: Id
    output: PortName
    target: Id
    input: PortName
    transform: NotRequired[Annotated[tuple[Transform, ...], Field(default=(), max_length=20)]]


EdgeFields.__name__ = EdgeFields.__qualname__ = "Edge"  # as it is called in JSON Schema
_TRANSFORMS: TypeAdapter[tuple[Transform, ...]] = TypeAdapter(
    Annotated[tuple[Transform, ...], Field(max_length=20)]
)

if TYPE_CHECKING:
    Transforms = tuple[Transform, ...]
else:
    Transforms = tuple  # msgspec reads a wire's, pydantic what is in it

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_PortName = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Edge(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A wire from an output of ``source`` to an input of ``target``. ``transform`` is applied in order.

    Of all parts of a spell there are most of these; so they are structs, and no
    models, but read and written as models are.
    """

    source: _Id
    output: _PortName
    target: _Id
    input: _PortName
    transform: Transforms = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        fields = handler.generate_schema(EdgeFields)

        def take(value: Any, validate: Callable[[Any], dict[str, Any]]) -> Edge:
            return value if isinstance(value, cls) else cls(**validate(value))

        return core_schema.json_or_python_schema(
            core_schema.no_info_after_validator_function(lambda given: cls(**given), fields),
            core_schema.no_info_wrap_validator_function(take, fields),
            serialization=core_schema.plain_serializer_function_ser_schema(
                msgspec.structs.asdict, return_schema=fields
            ),
        )

    @classmethod
    def model_validate(cls, value: Any) -> Edge:
        """Return the edge of its fields; raises pydantic's ValidationError."""
        return _EDGE.validate_python(value)

    @classmethod
    def model_validate_json(cls, data: str | bytes, *, strict: bool | None = None) -> Edge:
        """Return the edge in JSON; raises pydantic's ValidationError."""
        return _EDGE.validate_json(data, strict=strict)

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """Return the fields, as a model's method of that name does."""
        fields: dict[str, Any] = _EDGE.dump_python(self, **how)
        return fields

    def model_copy(self, update: Mapping[str, Any]) -> Edge:
        """Return the edge with other fields, which are not checked."""
        return msgspec.structs.replace(self, **update)


_EDGE = TypeAdapter(Edge)


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
    """A graph of nodes, groups and notes, and the tests that it must pass.

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
    requirements: dict[PackageName, Specifier] = Field(
        default_factory=dict,
        max_length=MAX_REQUIREMENTS,
        description="Packages that its code needs, by name: ``>=2,<4``, ``[extra]``, empty for any version.",
    )
    tests: dict[Id, SpellTest] = Field(
        default_factory=dict, max_length=MAX_TESTS, description="No part of what a run sees."
    )

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """Return the spell in JSON; raises ValidationError. Its edges, of which there are most, are read apart."""
        read = super().model_validate_json
        spell = None if how else _quickly_read(json_data, read)
        return read(json_data, **how) if spell is None else spell

    def without_tests(self) -> Self:
        """Return what a run sees of the spell; the same object where it has no tests."""
        return self.model_copy(update={"tests": {}}) if self.tests else self

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


class _Rest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All of a spell in JSON but its edges, as it is."""

    schema: msgspec.Raw = msgspec.Raw()
    name: msgspec.Raw = msgspec.Raw()
    nodes: msgspec.Raw = msgspec.Raw()
    groups: msgspec.Raw = msgspec.Raw()
    notes: msgspec.Raw = msgspec.Raw()
    requirements: msgspec.Raw = msgspec.Raw()
    tests: msgspec.Raw = msgspec.Raw()


class _Small(_Rest, kw_only=True):
    edges: dict[_Id, Edge]


class _Large(_Rest, kw_only=True):
    edges: msgspec.Raw


_small = msgspec.json.Decoder(_Small)
_large = msgspec.json.Decoder(_Large)
_edges = msgspec.json.Decoder(dict[_Id, Edge])

LARGE = 500_000
"""Length of JSON from which on it is worth the time to share what is equal, and to read piece by piece."""

_S = TypeVar("_S", bound="Spell")


@collector_paused()
def _quickly_read(data: str | bytes | bytearray, read: Callable[[bytes], _S]) -> _S | None:
    """Return the spell in JSON, or None where anything about it is to be said; ``read`` reads all but edges."""
    try:
        if len(data) < LARGE:
            small = _small.decode(data)
            edges = _checked(small.edges)
            spell = read(_rest(small))
        else:
            large = _large.decode(data)
            spell = read(_rest(large, nodes=b"{}"))
            given: dict[tuple[str, ...], set[str]] = {}
            for piece in pieces(large.nodes) if bytes(large.nodes) else ():
                nodes = read(b'{"nodes":%b}' % piece).nodes
                _share_given(nodes.values(), given)
                spell.nodes.update(nodes)
            edges = _many_edges(large.edges, spell.nodes)
    except ValueError:  # both libraries' errors are; pydantic finds the words
        return None
    object.__setattr__(spell, "edges", edges)
    spell.model_fields_set.add("edges")
    return spell


def _rest(parts: _Rest, **instead: bytes) -> bytes:
    """Return the JSON of all but the edges, of parts that are given some ``instead``."""
    given = [
        b'"%b":%b' % (name.encode(), instead.get(name, raw))
        for name in _Rest.__struct_fields__
        if (raw := bytes(getattr(parts, name)))
    ]
    return b"{%b}" % b",".join(given)


_source, _target = attrgetter("source"), attrgetter("target")
_ID_LETTERS = (string.ascii_letters + string.digits + "_-").encode()


def _checked(edges: dict[str, Edge]) -> dict[str, Edge]:
    """Return edges whose transforms are read; raises ValueError for what is wrong with them, and for wrong ids."""
    for id in [id for id, edge in edges.items() if edge.transform]:
        shaped = _TRANSFORMS.validate_python(edges[id].transform)
        edges[id] = msgspec.structs.replace(edges[id], transform=shaped)
    ids = (*edges, *map(_source, edges.values()), *map(_target, edges.values()))
    if "".join(ids).encode().translate(None, _ID_LETTERS):
        raise ValueError("an id has letters that it may not have")
    return edges


def _many_edges(raw: msgspec.Raw, nodes: Iterable[str]) -> dict[str, Edge]:
    """Return edges with each text once in memory, of ``nodes`` the very ids.

    That is most of what they take, even for a moment.
    """
    edges: dict[str, Edge] = {}
    once = {id: id for id in nodes}.setdefault
    target = output = port = ""  # many are those of the edge before
    for piece in pieces(raw):
        for id, edge in _checked(_edges.decode(piece)).items():
            if edge.target != target:
                target = once(edge.target, edge.target)
            if edge.output != output:
                output = once(edge.output, edge.output)
            if edge.input != port:
                port = once(edge.input, edge.input)
            source = once(edge.source, edge.source)
            edges[id] = Edge(source, output, target, port, edge.transform)
    return edges


def _share_given(nodes: Iterable[Node], known: dict[tuple[str, ...], set[str]]) -> None:
    """Let nodes of which the same fields were given share that set, which nobody changes."""
    for node in nodes:
        given = node.__pydantic_fields_set__
        same = known.setdefault(tuple(given), given)
        object.__setattr__(node, "__pydantic_fields_set__", same)


def _short(number: float) -> float:
    return int(number) if float(number).is_integer() else number
