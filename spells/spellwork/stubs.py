"""Node types of packs that are elsewhere: made of what is told of them, and nothing is believed that was not checked.

A stub has the ports of its type and says how it may be run; its function is in
a worker (``hosting``), and is never called here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

import msgspec
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, ValidationError

from .errors import PackInvalid
from .findings import findings
from .node_type import CachePolicy, Form, Isolation, NodeType, Returns, Waits
from .pack import Pack
from .ports import Port
from .sound_schemas import sound

MOST_NODES = 500
"""Node types of one pack."""

MOST_PORTS = 100
"""Inputs of one node type, and outputs."""

MOST_JSON = 10_000
"""Bytes of a default or an example, as JSON."""

MOST_CONFIG = 50_000
"""Bytes of the schema of an object's configuration, and of that, as JSON."""

PackName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_TypeId = Annotated[
    str, StringConstraints(max_length=128, pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
_Line = Annotated[str, StringConstraints(max_length=200)]
_Text = Annotated[str, StringConstraints(max_length=2_000)]
_Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToldInput(_Told):
    """An input as a declaration has it."""

    name: _Name
    schema_: dict[str, JsonValue] = Field(alias="schema")
    description: _Text = ""
    required: bool = False
    default: JsonValue = None
    many: bool = False
    stream: bool = False
    trigger: bool = False
    choices: _Name | None = None


class ToldOutput(_Told):
    """An output as a declaration has it."""

    name: _Name
    schema_: dict[str, JsonValue] = Field(alias="schema")
    description: _Text = ""
    stream: bool = False


class Declaration(_Told):
    """A node type as data (``declaring.declaration_of``)."""

    id: _TypeId
    version: int = Field(ge=1, le=1_000_000)
    title: _Line = ""
    category: _Line = "Other"
    description: _Text = ""
    keywords: tuple[_Line, ...] = Field(default=(), max_length=50)
    inputs: tuple[ToldInput, ...] = Field(default=(), max_length=MOST_PORTS)
    outputs: tuple[ToldOutput, ...] = Field(default=(), max_length=MOST_PORTS)
    extra_inputs: bool = False
    form: Form = "sync"
    wants_context: bool = False
    returns: Returns = "value"
    waits: Waits = "all"
    cache: CachePolicy = "none"
    ttl: _Seconds | None = None
    side_effects: bool = False
    committed: bool | None = None
    timeout: _Seconds | None = None
    retries: int = Field(default=0, ge=0, le=100)
    backoff: _Seconds = 0.5
    secrets: tuple[_Line, ...] = Field(default=(), max_length=20)
    preview: bool = False
    limiter: _Line | None = None
    expose_in_library: bool = True
    example: dict[str, JsonValue] = Field(default_factory=dict)


class ToldObject(_Told):
    """A class of objects whose methods are nodes, as a declaration has it."""

    name: PackName
    title: _Line
    schema_: dict[str, JsonValue] = Field(alias="schema")
    config: dict[str, JsonValue]
    secrets: tuple[_Line, ...] = Field(default=(), max_length=100)


class ToldPack(_Told):
    """A pack as data (``declaring.pack_declaration``)."""

    name: PackName
    version: _Line
    title: _Line
    nodes: tuple[Declaration, ...] = Field(default=(), max_length=MOST_NODES)
    left_out: dict[Annotated[str, StringConstraints(max_length=128)], _Text] = Field(
        default_factory=dict, max_length=MOST_NODES
    )
    objects: tuple[ToldObject, ...] = Field(default=(), max_length=20)

    def object_of(self, id: str) -> str | None:
        """Return the name of the object whose method a node type is; None of one that is a function."""
        parts = id.split(".")
        names = {each.name for each in self.objects}
        return parts[1] if len(parts) == 3 and parts[1] in names else None


def pack_of(
    told: Mapping[str, Any],
    *,
    target: str,
    isolation: Isolation = "worker",
    pin: str = "",
) -> tuple[Pack, dict[str, str]]:
    """Return the pack that is told of, made of stubs, and why some of its node types are left out.

    ``target`` is what a stub calls: ``{kind}`` in it is "types", or "objects" for a method of an
    object; ``{id}`` and ``{version}`` are the type's own.

    Raises:
        PackInvalid: when it is not a pack, with what is wrong.
    """
    pack = read_pack(told)
    stubs = tuple(
        _stub(
            each,
            isolation,
            target.format(
                kind="types" if pack.object_of(each.id) is None else "objects",
                id=each.id,
                version=each.version,
            ),
            pin,
        )
        for each in pack.nodes
    )
    return Pack(pack.name, pack.version, pack.title, stubs), dict(pack.left_out)


def read_pack(told: Mapping[str, Any]) -> ToldPack:
    """Return what is told of a pack, checked; raises PackInvalid."""
    try:
        pack = ToldPack.model_validate(told)
    except ValidationError as error:
        first = findings(error)[0]
        where = ".".join(map(str, first["loc"]))
        raise PackInvalid(f"what it says of itself is wrong: {where}: {first['msg']}") from error
    for each in pack.nodes:
        _check(pack.name, each)
    for told_object in pack.objects:
        size = len(msgspec.json.encode([told_object.schema_, told_object.config]))
        if size > MOST_CONFIG:
            raise PackInvalid(
                f"the configuration of {told_object.name!r} is over {MOST_CONFIG:,} bytes"
            )
    return pack


def _check(pack: str, told: Declaration) -> None:
    """Raise PackInvalid for what no field says by itself."""
    if told.id.partition(".")[0] != pack:
        raise PackInvalid(f"its node type {told.id!r} does not begin with {pack!r}")
    if told.cache == "ttl" and told.ttl is None:
        raise PackInvalid(f"its node type {told.id!r} has cache='ttl' but no ttl")
    for side, ports in (("input", told.inputs), ("output", told.outputs)):
        names = [port.name for port in ports]
        if len(set(names)) < len(names):
            raise PackInvalid(f"two {side}s of its node type {told.id!r} share a name")
    for what, value in [("example", told.example), *_defaults(told)]:
        if len(msgspec.json.encode(value)) > MOST_JSON:
            raise PackInvalid(
                f"the {what} of its node type {told.id!r} is over {MOST_JSON:,} bytes"
            )


def _defaults(told: Declaration) -> list[tuple[str, JsonValue]]:
    return [(f"default of {port.name!r}", port.default) for port in told.inputs]


def _stub(told: Declaration, isolation: Isolation, target: str, pin: str) -> NodeType:
    return NodeType(
        id=told.id,
        call=not_here,
        version=told.version,
        title=told.title or told.id.rpartition(".")[2].replace("_", " ").capitalize(),
        category=told.category or "Other",
        description=told.description,
        keywords=told.keywords,
        inputs=tuple(_input(port) for port in told.inputs),
        outputs=tuple(
            Port(each.name, sound(each.schema_), description=each.description, stream=each.stream)
            for each in told.outputs
        ),
        extra_inputs=told.extra_inputs,
        form=told.form,
        wants_context=told.wants_context,
        returns=told.returns,
        waits=told.waits,
        cache=told.cache,
        ttl=told.ttl,
        isolation=isolation,
        side_effects=told.side_effects,
        committed=told.committed,
        timeout=told.timeout or None,
        retries=told.retries,
        backoff=told.backoff,
        secrets=told.secrets,
        preview=told.preview,
        limiter=told.limiter,
        expose_in_library=told.expose_in_library,
        example=told.example,
        target=target,
        pin=pin,
    )


def _input(told: ToldInput) -> Port:
    return Port(
        name=told.name,
        schema=sound(told.schema_),
        required=told.required,
        default=told.default,
        description=told.description,
        many=told.many,
        stream=told.stream,
        trigger=told.trigger,
        choices=told.choices,
    )


def not_here(**_inputs: Any) -> NoReturn:
    """Stand for the function of a stub."""
    raise PackInvalid("the function of this node type is not here: a worker has it")
