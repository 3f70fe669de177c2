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
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from typing_extensions import is_typeddict

from .context import Context
from .errors import NodeTypeInvalid
from .node_type import CachePolicy, Form, Isolation, NodeType, Returns, Waits
from .ports import Port, Ports
from .spell import Node

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
    waits: Waits = "all",
    cache: CachePolicy = "deterministic",
    ttl: float | None = None,
    isolation: Isolation | None = None,
    side_effects: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    backoff: float = 0.5,
    language: str | None = None,
    resolve: Callable[[Node], Ports] | None = None,
    secrets: tuple[str, ...] = (),
    keywords: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
    expose_in_library: bool = True,
) -> Callable[[Callable[..., Any]], NodeType]:
    """Make a node type of the function below; it stays callable as a function.

    Inputs are the parameters: JSON Schema by pydantic (``Annotated[..., Field(...)]``
    is honoured), a default makes one optional, ``**inputs`` takes any further
    name. A first parameter annotated ``Context`` gets the run's side of things.
    The return type gives the outputs: a TypedDict or NamedTuple one port per
    field, a generator a stream of the type it yields, anything else the one
    port ``output``. ``outputs`` or ``returns="ports"`` with ``resolve`` says it
    by hand: the function then returns ``{port: value}``.

    Args:
        id: ``pack.name`` in lower case; it is what spells refer to, so it stays.
        many: Names of list inputs on which several wires may end.
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
        form = _form_of(function)
        signature = _Signature(id, function, many)
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
            timeout=timeout,
            retries=retries,
            backoff=backoff,
            language=language,
            resolve=resolve,
            secrets=secrets,
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

    def _read(self, id: str, parameter: inspect.Parameter, hint: Any, many: bool) -> None:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            self.extra_inputs = True
            return
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            raise NodeTypeInvalid(
                f"node type {id!r}: parameter {parameter.name!r} cannot be given by name"
            )
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
