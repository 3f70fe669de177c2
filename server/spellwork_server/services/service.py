"""How a service is defined: a class whose operations are mounted on both transports.

::

    class CanvasService(Service):
        name = "canvases"

        @operation(summary="Make a canvas", rest=("POST", "/v1/canvases"), status=201)
        async def create(self, call: Call, request: CreateCanvas) -> CanvasView: ...

is the socket event ``canvases.create`` and the route ``POST /v1/canvases``,
with the same parsing, the same checks and the same errors.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from spellwork_server.identity.actor import Actor

if TYPE_CHECKING:
    from spellwork_server.sockets.session import Session

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[Any]]
Shortcut = Callable[["Session", Any, int | None, int], bool]
"""Takes a socket's event at once, without a task, a model or a future of its own: by session, payload,
number of the acknowledgement and bytes. It is asked when the event's turn comes. False leaves the
event to the operation; after True it answers by ``Session.acknowledge`` itself, in the same words."""
H = TypeVar("H", bound=Handler)

_MARK = "__spellwork_operation__"


class Request(BaseModel):
    """What an operation takes. Unknown fields are refused, and named."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Nothing(Request):
    """An operation that takes no fields."""


class View(BaseModel):
    """What an operation answers."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Done(View):
    """An answer with nothing to say."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream over REST; ``id`` is what a client resumes after."""

    data: Any
    event: str = "message"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class EventStream:
    """An answer that goes on: REST only, sent as ``text/event-stream``."""

    events: AsyncIterator[ServerSentEvent]


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is a file: over REST its bytes, to be saved under ``name``; on a socket ``view``."""

    content: bytes
    media_type: str
    name: str
    view: View


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and over which transport: exactly one of ``session`` and ``request`` is set."""

    actor: Actor | None
    session: Session | None = None
    request: web.Request | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Headers that the REST answer will carry; the operation may add to them."""
    cookies: list[Cookie] = field(default_factory=list)
    """Cookies that the REST answer will set; the operation may add to them."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set: httpOnly and SameSite=Strict always; ``max_age`` 0 deletes it."""

    name: str
    value: str
    path: str
    max_age: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a service does, and where it is mounted.

    ``binary`` answers may hold ``bytes`` (sockets only). ``public`` operations
    need no authentication; all others are refused without an actor before
    their payload is even parsed.
    """

    name: str
    summary: str
    request: type[BaseModel]
    response: type[BaseModel] | None
    streams: bool
    rest: tuple[Method, str] | None
    status: int
    socket: bool
    public: bool
    binary: bool
    description: str
    errors: tuple[str, ...]
    call: Handler
    cost: int = 1
    shortcut: Shortcut | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    summary: str
    rest: tuple[Method, str] | None
    status: int
    socket: bool
    public: bool
    binary: bool
    name: str | None
    errors: tuple[str, ...]
    shortcut: str | None
    cost: int


def operation(
    *,
    summary: str,
    rest: tuple[Method, str] | None = None,
    status: int = 200,
    socket: bool = True,
    public: bool = False,
    binary: bool = False,
    name: str | None = None,
    errors: tuple[str, ...] = (),
    shortcut: str | None = None,
    cost: int = 1,
) -> Callable[[H], H]:
    """Mark a method ``(self, call, request: Model) -> Model`` as an operation.

    Path parameters and the query of ``rest`` merge with the JSON body into the
    one request model. The socket event is ``SERVICE.METHOD`` unless ``name``
    says otherwise (a full event name). ``errors`` lists codes worth documenting
    beyond those any operation may answer. ``shortcut`` names a method that takes
    the common case from a socket (see Shortcut). ``cost`` is what the event
    takes of its socket's rate; 0 where it is held back in another way.
    """

    def mark(method: H) -> H:
        setattr(
            method,
            _MARK,
            _Mark(summary, rest, status, socket, public, binary, name, errors, shortcut, cost),
        )
        return method

    return mark


class Service:
    """A group of operations under one name."""

    name: ClassVar[str]

    def operations(self) -> list[Operation]:
        """Return the marked methods as operations, in the order they are written."""
        found = []
        for attribute in _in_order(type(self)):
            mark = getattr(getattr(type(self), attribute), _MARK, None)
            if mark is not None:
                found.append(_operation(self, attribute, mark))
        return found


def _in_order(kind: type) -> list[str]:
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        names |= dict.fromkeys(vars(base))
    return list(names)


def _operation(service: Service, attribute: str, mark: _Mark) -> Operation:
    method = getattr(service, attribute)
    request, response, streams = _models(method.__func__)
    return Operation(
        name=mark.name or f"{service.name}.{attribute}",
        summary=mark.summary,
        request=request,
        response=response,
        streams=streams,
        rest=mark.rest,
        status=mark.status,
        socket=mark.socket,
        public=mark.public,
        binary=mark.binary,
        description=inspect.getdoc(method) or "",
        errors=mark.errors,
        cost=mark.cost,
        call=method,
        shortcut=getattr(service, mark.shortcut) if mark.shortcut else None,
    )


@cache
def _models(method: Callable[..., Any]) -> tuple[type[BaseModel], type[BaseModel] | None, bool]:
    """Return the model of a method's requests, that of its answers, and whether these may be streams instead."""
    hints = get_type_hints(method)
    parameters = list(inspect.signature(method).parameters)
    if len(parameters) != 3:
        raise TypeError(f"{method.__qualname__} must take (self, call, request)")
    return hints[parameters[2]], *_response(hints.get("return"))


def _response(hint: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model in a return annotation, and whether it may be a stream instead."""
    options = getattr(hint, "__args__", None) or (hint,)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        options = (hint,)
    models = [
        option for option in options if isinstance(option, type) and issubclass(option, BaseModel)
    ]
    return (models[0] if models else None), EventStream in options
