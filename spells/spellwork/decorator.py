"""``@node``: make a node type of a function, its ports read from the type hints."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from typing_extensions import is_typeddict

from .context import Context
from .errors import NodeTypeInvalid
from .migration import Migration
from .node_type import BodyPorts, CachePolicy, Form, Isolation, NodeType, Provider, Returns, Waits
from .ports import Place, Port, Ports
from .spell import Node
from .stream_hints import whole_of

_ID = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_STREAMS = (AsyncIterator, AsyncGenerator, AsyncIterable, Iterator, Generator, Iterable)


def node(
    id: str,
    *,
    title: str | None = None,
    category: str = "Other",
    version: int = 1,
    output: str = "result",
    returns: Returns | None = None,
    outputs: tuple[Port, ...] | None = None,
    many: tuple[str, ...] = (),
    triggers: tuple[str, ...] = (),
    choices: Mapping[str, Callable[[Node], Sequence[Any]]] | None = None,
    waits: Waits = "all",
    cache: CachePolicy = "deterministic",
    ttl: float | None = None,
    isolation: Isolation | None = None,
    side_effects: bool = False,
    committed: bool | None = None,
    timeout: float | None = None,
    retries: int = 0,
    backoff: float = 0.5,
    takes_handles: Sequence[str] = (),
    language: str | None = None,
    resolve: Callable[[Node], Ports] | None = None,
    unit: Callable[[Node], dict[str, Any]] | None = None,
    places: Callable[[str, str], Sequence[Place]] | None = None,
    body_ports: BodyPorts | None = None,
    fans_out: bool = False,
    marks: Literal["input", "output"] | None = None,
    secrets: tuple[str, ...] = (),
    preview: bool = False,
    limiter: Provider | None = None,
    migrate: Mapping[int, Migration] | None = None,
    keywords: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
    expose_in_library: bool = True,
) -> Callable[[Callable[..., Any]], NodeType]:
    """Make a node type of the function below; it stays callable as a function.

    Inputs are the parameters: JSON Schema by pydantic (``Annotated[..., Field(...)]``
    is honoured), a default makes one optional, ``**inputs`` takes any further
    name. ``AsyncIterator[T]`` (of a function that is no coroutine: ``Iterator[T]``)
    takes a stream while it still comes.
    A first parameter annotated ``Context`` gets the run's side of things.
    The return type gives the outputs: a TypedDict or NamedTuple one port per
    field, a generator a stream of the type it yields, anything else the one
    port ``output``. ``outputs`` or ``returns="ports"`` with ``resolve`` says it
    by hand: the function then returns ``{port: value}``.

    Args:
        id: ``pack.name`` in lower case; it is what spells refer to, so it stays.
        many: Names of list inputs on which several wires may end.
        triggers: Names of inputs whose wires only say when; the function gets the default.
        choices: By input, what lists the values it (of a list: its items) may have,
            for a node as it is: pure and quick, and empty where any value may do.
        places: For a node with code: every place in which code speaks of a port.
        unit: For a node with code that a worker cannot read itself: what it needs to run it.
        takes_handles: Names of inputs that it hands on without looking at them; what stays
            in a worker's process stays there.
        body_ports: For a node that may run a body (``ctx.body``): the node's ports, from the
            body's and from which of its inputs get a list's items one by one; pure.
        fans_out: A list on an input of the body that takes none is such.
        marks: Its nodes are an input or output of the spell or group they are in.
        migrate: By version, what makes a node of the next version of one of that
            version; pure. It gives a Node, or a Migrated where ports have other names.
        committed: Whether durable runs see to it that the journal has what was told before
            and after each call. By default so for side effects, for what is never cached, and
            for what asks a provider; not for what runs a body.
        preview: Cheap enough to run while somebody types.
        limiter: The provider whose limits its calls count against, or what tells it by the inputs.
        isolation: "inline" (default of ``async def``) never blocks the loop;
            "thread" (default of ``def``) may; "worker" is called in a worker process.

    Raises:
        NodeTypeInvalid: when the function cannot be a node, naming why.
    """

    def decorate(function: Callable[..., Any]) -> NodeType:
        if not _ID.match(id):
            raise NodeTypeInvalid(
                f"node type id {id!r} is not of the form 'pack.name' in lower case"
            )
        if cache == "ttl" and ttl is None:
            raise NodeTypeInvalid(f"node type {id!r} has cache='ttl' but no ttl (seconds)")
        if unknown := set(migrate or {}) - set(range(1, version)):
            raise NodeTypeInvalid(
                f"node type {id!r} is of version {version}; it cannot migrate from {sorted(unknown)}"
            )
        form = _form_of(function)
        signature = _Signature(id, function, many)
        signature.mark(id, triggers, choices or {})
        if isolation == "inline" and form in ("sync", "generator") and signature.streams:
            raise NodeTypeInvalid(
                f"node type {id!r}: {signature.streams[0]!r} is a stream, for which a function in place cannot wait"
            )
        returned = _Returned(id, signature.returns, form, output) if outputs is None else None
        text = inspect.getdoc(function) or ""
        return NodeType(
            id=id,
            call=function,
            version=version,
            title=title or id.rpartition(".")[2].replace("_", " ").capitalize(),
            category=category,
            description=text.partition("\n")[0],
            keywords=keywords,
            inputs=tuple(signature.inputs),
            outputs=outputs if returned is None else returned.outputs,  # type: ignore[arg-type]
            extra_inputs=signature.extra_inputs,
            form=form,
            wants_context=signature.wants_context,
            returns=returns or ("ports" if returned is None else returned.returns),
            waits=waits,
            cache=cache,
            ttl=ttl,
            isolation=isolation or ("inline" if form in ("async", "async generator") else "thread"),
            side_effects=side_effects,
            committed=committed,
            timeout=timeout,
            retries=retries,
            backoff=backoff,
            takes_handles=frozenset(takes_handles),
            language=language,
            resolve=resolve,
            unit=unit,
            places=places,
            body_ports=body_ports,
            fans_out=fans_out,
            marks=marks,
            secrets=secrets,
            preview=preview,
            limiter=limiter,
            migrate=dict(migrate or {}),
            choices=dict(choices or {}),
            expose_in_library=expose_in_library,
            example=dict(example or {}),
            adapters=signature.adapters,
            plain_inputs=frozenset(signature.plain),
        )

    return decorate


def _form_of(function: Callable[..., Any]) -> Form:
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "async" if inspect.iscoroutinefunction(function) else "sync"


class _Signature:
    """The parameters of a node function, read once."""

    def __init__(self, id: str, function: Callable[..., Any], many: tuple[str, ...]) -> None:
        try:
            hints = typing.get_type_hints(function, include_extras=True)
        except NameError as error:
            raise NodeTypeInvalid(
                f"node type {id!r}: its type hints do not resolve: {error}"
            ) from error
        self.inputs: list[Port] = []
        self._form = _form_of(function)
        self.adapters: dict[str, TypeAdapter[Any]] = {}
        self.plain: set[str] = set()
        self.extra_inputs = False
        self.wants_context = False
        self.returns: Any = hints.get("return", Any)
        parameters = list(inspect.signature(function).parameters.values())
        if parameters and hints.get(parameters[0].name) is Context:
            self.wants_context = True
            parameters = parameters[1:]
        for parameter in parameters:
            self._read(id, parameter, hints.get(parameter.name, Any), parameter.name in many)
        unknown = set(many) - {port.name for port in self.inputs}
        if unknown:
            raise NodeTypeInvalid(
                f"node type {id!r}: many names {sorted(unknown)}, which are not inputs"
            )

    @property
    def streams(self) -> list[str]:
        """The names of inputs that are streams."""
        return [port.name for port in self.inputs if port.stream]

    def mark(self, id: str, triggers: Collection[str], choices: Collection[str]) -> None:
        """Mark the inputs that are triggers and those that have choices. Raises NodeTypeInvalid for others."""
        names = {port.name for port in self.inputs}
        for word, marked in (("triggers", triggers), ("choices", choices)):
            if unknown := set(marked) - names:
                raise NodeTypeInvalid(
                    f"node type {id!r}: {word} names {sorted(unknown)}, which are not inputs"
                )
        if needed := [port.name for port in self.inputs if port.required and port.name in triggers]:
            raise NodeTypeInvalid(
                f"node type {id!r}: the trigger {needed[0]!r} needs a default, for it brings no value"
            )
        self.inputs = [
            replace(
                port,
                trigger=port.name in triggers,
                choices=port.name if port.name in choices else None,
            )
            for port in self.inputs
        ]

    def _read(self, id: str, parameter: inspect.Parameter, hint: Any, many: bool) -> None:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            self.extra_inputs = True
            return
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            raise NodeTypeInvalid(
                f"node type {id!r}: parameter {parameter.name!r} cannot be given by name"
            )
        whole = whole_of(id, parameter.name, hint, self._form, many=many)
        hint = hint if whole is None else whole
        adapter, schema = _adapt(id, parameter.name, hint)
        description = schema.pop("description", "")
        required = parameter.default is inspect.Parameter.empty
        self.inputs.append(
            Port(
                name=parameter.name,
                schema=schema,
                required=required,
                default=None if required else parameter.default,
                description=description,
                many=many,
                stream=whole is not None,
            )
        )
        if schema:
            self.adapters[parameter.name] = adapter
        if is_plain(hint):
            self.plain.add(parameter.name)


class _Returned:
    """The output ports that a return annotation stands for."""

    def __init__(self, id: str, hint: Any, form: Form, output: str) -> None:
        self.returns: Returns = "value"
        streams = form in ("generator", "async generator")
        if streams:
            hint = _yielded(id, hint)
        if fields := _fields(hint):
            if streams:
                raise NodeTypeInvalid(
                    f"node type {id!r}: a generator yields the chunks of one output, not fields"
                )
            self.returns = "ports"
            self.outputs = tuple(_output(id, name, part) for name, part in fields.items())
        elif streams:
            self.outputs = (_stream(id, output, hint),)
        else:
            self.outputs = () if hint in (None, NoneType) else (_output(id, output, hint),)


def _yielded(id: str, hint: Any) -> Any:
    if hint is Any:
        return Any
    if get_origin(hint) not in _STREAMS:
        raise NodeTypeInvalid(
            f"node type {id!r}: a generator is annotated AsyncIterator[...] or Iterator[...]"
        )
    return (get_args(hint) or (Any,))[0]


def _fields(hint: Any) -> dict[str, Any]:
    named_tuple = inspect.isclass(hint) and issubclass(hint, tuple) and hasattr(hint, "_fields")
    if not (named_tuple or is_typeddict(hint)):
        return {}
    return typing.get_type_hints(hint, include_extras=True)


def _output(id: str, name: str, hint: Any) -> Port:
    _, schema = _adapt(id, name, hint, mode="serialization")
    return Port(name=name, schema=schema, description=schema.pop("description", ""))


def _stream(id: str, name: str, hint: Any) -> Port:
    _, schema = _adapt(id, name, hint, mode="serialization")
    description = schema.pop("description", "")
    whole = (
        schema
        if schema.get("type") == "string"
        else {"type": "array", "items": schema}
        if schema
        else {}
    )
    return Port(name=name, schema=whole, description=description, stream=True)


def _adapt(
    id: str, name: str, hint: Any, mode: Literal["validation", "serialization"] = "validation"
) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        schema = adapter.json_schema(mode=mode)
    except PydanticUserError as error:
        raise NodeTypeInvalid(f"node type {id!r}: {name!r} has no JSON Schema: {error}") from error
    schema.pop("title", None)
    return adapter, schema


def is_plain(hint: Any) -> bool:
    """Say whether values of this Python type are plain JSON values already."""
    origin = get_origin(hint)
    if origin is None:
        return hint in (Any, int, float, str, bool, None, NoneType, list, dict)
    if origin is Annotated:
        return is_plain(get_args(hint)[0])
    if origin is Literal:
        return True
    return origin in (list, dict, Union, UnionType) and all(
        is_plain(part) for part in get_args(hint)
    )
