"""Models: which the operator's model servers have, and getting another.

The server knows no model server by name: a pack brings the function that opens
one, under the entry point group ``spellwork.model_servers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

from pydantic import Field

from spellwork.errors import SpellworkError
from spellwork_server.errors import BadGateway, Unavailable
from spellwork_server.identity import require

from .registry import Registry
from .service import Call, EventStream, Nothing, Request, ServerSentEvent, Service, View, operation

GROUP = "spellwork.model_servers"
LIST_SECONDS = 5.0
"""How long a model server may take to say which models it has."""

Kind = Literal["ollama", "openai"]


class Model(Protocol):
    """A model as a model server tells it; what it does not tell is None."""

    @property
    def name(self) -> str:
        """What to call it by."""

    @property
    def size(self) -> int | None:
        """Bytes."""

    @property
    def family(self) -> str | None:
        """What it descends from."""

    @property
    def parameters(self) -> str | None:
        """How many parameters, as the server writes it."""

    @property
    def quantization(self) -> str | None:
        """How it is compressed."""


class Progress(Protocol):
    """How far a download is, in bytes."""

    @property
    def status(self) -> str:
        """What the model server does now."""

    @property
    def completed(self) -> int | None:
        """Bytes that are there."""

    @property
    def total(self) -> int | None:
        """Bytes in all."""

    @property
    def fraction(self) -> float | None:
        """0 to 1."""


class ModelServer(Protocol):
    """The part of a model server that this service needs."""

    @property
    def url(self) -> str:
        """Its base URL."""

    async def list_models(self) -> Any:
        """Return a list of Model."""

    def pull(self, name: str) -> AsyncIterator[Any]:
        """Download a model; yield Progress."""


class Opens(Protocol):
    """Opens the operator's model server of a kind."""

    def __call__(self, kind: Kind) -> AbstractAsyncContextManager[Any]:
        """Return a context that gives a ModelServer."""


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that this service needs."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class ModelView(View):
    """A model."""

    name: str
    size: int | None = Field(default=None, description="Bytes.")
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None


class ProviderView(View):
    """A model server: whether it answers, and what it has."""

    kind: Kind
    url: str
    reachable: bool
    error: dict[str, Any] | None = None
    models: list[ModelView]


class ProviderList(View):
    """The operator's model servers."""

    items: list[ProviderView]


class PullModel(Request):
    """The model to download, as its server names it."""

    model: str = Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._:/-]+$")
    kind: Kind = "ollama"


class PullProgress(View):
    """How far a download is, in bytes; ``done`` in the last one."""

    model: str
    kind: Kind
    status: str
    completed: int | None = None
    total: int | None = None
    fraction: float | None = None
    done: bool = False


class ModelService(Service):
    """The operator's model servers."""

    name = "models"

    def __init__(
        self, open_server: Opens | None, channels: Publishes, kinds: tuple[Kind, ...]
    ) -> None:
        self._open_server = open_server
        self._channels = channels
        self._kinds = kinds

    @operation(summary="List model servers and their models", rest=("GET", "/v1/models"))
    async def find(self, call: Call, _request: Nothing) -> ProviderList:
        """Ask each of the operator's model servers what it has; one that does not answer says why."""
        require(call.actor, "models.read")
        if self._open_server is None:
            return ProviderList(items=[])
        return ProviderList(items=await asyncio.gather(*map(self._provider, self._kinds)))

    @operation(
        summary="Download a model",
        rest=("POST", "/v1/models/pull"),
        errors=("model_unreachable", "model_not_found"),
    )
    async def pull(self, call: Call, request: PullModel) -> PullProgress | EventStream:
        """Have a model server download a model; answers when it is there. For administrators.

        The caller's sockets get ``models.progress`` meanwhile; over REST,
        ``Accept: text/event-stream`` gets it as a stream.
        """
        actor = require(call.actor, "models.pull")
        progress = self._pull(request, f"user:{actor.user_id}")
        if call.request is not None and "text/event-stream" in call.request.headers.get(
            "Accept", ""
        ):
            return EventStream(_as_events(progress))
        told = [each async for each in progress]
        return told[-1]

    async def _provider(self, kind: Kind) -> ProviderView:
        assert self._open_server is not None
        url = ""
        try:
            async with asyncio.timeout(LIST_SECONDS), self._open_server(kind) as server:
                url = server.url
                found = await server.list_models()
        except SpellworkError as error:
            problem = {"code": error.code, "message": error.message, "details": error.details}
            url = url or str(error.details.get("url", ""))
            return ProviderView(kind=kind, url=url, reachable=False, error=problem, models=[])
        except TimeoutError:
            message = f"The model server at {url} did not answer within {LIST_SECONDS:g} s"
            problem = {"code": "model_unreachable", "message": message, "details": {"url": url}}
            return ProviderView(kind=kind, url=url, reachable=False, error=problem, models=[])
        return ProviderView(
            kind=kind, url=url, reachable=True, models=[_model(each) for each in found]
        )

    async def _pull(self, request: PullModel, channel: str) -> AsyncIterator[PullProgress]:
        """Yield how far it is, and tell the caller's sockets; the last one is done."""
        if self._open_server is None:
            raise Unavailable("No pack that speaks to model servers is installed")
        try:
            async with self._open_server(request.kind) as server:
                async for each in server.pull(request.model):
                    yield self._tell(channel, _progress(request, each))
        except SpellworkError as error:
            raise BadGateway(error.message, code=error.code, details=error.details) from error
        yield self._tell(
            channel,
            PullProgress(
                model=request.model, kind=request.kind, status="done", fraction=1, done=True
            ),
        )

    def _tell(self, channel: str, progress: PullProgress) -> PullProgress:
        self._channels.publish(channel, "models.progress", progress.model_dump(mode="json"))
        return progress


def announce_models(registry: Registry) -> None:
    """Document the events that this service sends to sockets."""
    registry.announce("models.progress", PullProgress, "How far a download that you asked for is")


def installed_model_servers() -> Opens | None:
    """Return what opens model servers here: the first that a pack brings, by name; None without one."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        opens: Opens = point.load()
        return opens
    return None


async def _as_events(progress: AsyncIterator[PullProgress]) -> AsyncIterator[ServerSentEvent]:
    try:
        async for each in progress:
            yield ServerSentEvent(each.model_dump(mode="json"), event="models.progress")
    except BadGateway as error:
        yield ServerSentEvent(error.to_json(), event="error")


def _model(model: Model) -> ModelView:
    return ModelView(
        name=model.name,
        size=model.size,
        family=model.family,
        parameters=model.parameters,
        quantization=model.quantization,
    )


def _progress(request: PullModel, progress: Progress) -> PullProgress:
    return PullProgress(
        model=request.model,
        kind=request.kind,
        status=progress.status,
        completed=progress.completed,
        total=progress.total,
        fraction=progress.fraction,
    )
