"""An Ollama server, through the ``ollama`` package, which is imported when first used (0.5 s)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import httpx

from spellwork import NodeError
from spellwork_llm.errors import (
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
)
from spellwork_llm.usage import Usage

from .provider import Kind, Message, ModelInfo, Options, PullProgress
from .timeouts import TIMEOUT

if TYPE_CHECKING:
    import ollama

_OPTIONS = {"temperature": "temperature", "max_tokens": "num_predict", "seed": "seed"}
"""Our names of options, and Ollama's."""


@asynccontextmanager
async def open_ollama(
    url: str, transport: httpx.AsyncBaseTransport, *, trusted: bool
) -> AsyncIterator[OllamaProvider]:
    """Open the Ollama server at a URL; one that is not trusted gets no key from the environment."""
    package = await asyncio.to_thread(_package)
    hooks = {} if trusted else {"request": [_without_key]}
    client = package.AsyncClient(host=url, transport=transport, timeout=TIMEOUT, event_hooks=hooks)
    try:
        yield OllamaProvider(url, client, package.ResponseError)
    finally:
        await client.close()


def _package() -> ModuleType:
    """Import the package when a server is first opened, off the loop."""
    import ollama  # noqa: PLC0415 - importing it takes half a second

    return ollama


async def _without_key(request: httpx.Request) -> None:
    request.headers.pop("authorization", None)


class OllamaProvider:
    """The models of an Ollama server."""

    kind: Kind = "ollama"

    def __init__(
        self, url: str, client: ollama.AsyncClient, error: type[ollama.ResponseError]
    ) -> None:
        self.url = url
        self._client = client
        self._error = error
        self.usage: Usage | None = None

    async def list_models(self) -> list[ModelInfo]:
        """Return the models that the server has."""
        try:
            found = await self._client.list()
        except NodeError:
            raise
        except Exception as error:
            raise await self._named(error, "") from error
        return [_info(model) for model in found.models]

    async def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Have the server download a model, and yield how far it is."""
        async with aclosing(self._parts(name, self._client.pull(name, stream=True))) as parts:
            async for part in parts:
                yield PullProgress(part.status or "", part.completed, part.total)

    async def generate(
        self, model: str, prompt: str, system: str, options: Options
    ) -> AsyncGenerator[str, None]:
        """Yield the answer to a prompt, piece by piece."""
        answer = self._client.generate(
            model, prompt, system=system, stream=True, options=_options(options)
        )
        async with aclosing(self._parts(model, answer)) as parts:
            async for part in parts:
                self._count(part)
                if part.response:
                    yield part.response

    async def chat(
        self, model: str, messages: Sequence[Message], options: Options
    ) -> AsyncGenerator[str, None]:
        """Yield the next turn of a conversation, piece by piece."""
        answer = self._client.chat(model, list(messages), stream=True, options=_options(options))
        async with aclosing(self._parts(model, answer)) as parts:
            async for part in parts:
                self._count(part)
                if part.message.content:
                    yield part.message.content

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        try:
            found = await self._client.embed(model, list(texts))
        except NodeError:
            raise
        except Exception as error:
            raise await self._named(error, model) from error
        self._count(found)
        return [list(vector) for vector in found.embeddings]

    def _count(self, part: Any) -> None:
        """Take what a part of an answer says that all of it took: the last one does."""
        usage = Usage.of(part.get("prompt_eval_count"), part.get("eval_count"))
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage

    async def _parts(self, model: str, answer: Any) -> AsyncGenerator[Any, None]:
        """Yield the parts of a streamed answer; the server's stream closes with this one."""
        try:
            async with aclosing(cast("AsyncGenerator[Any, None]", await answer)) as parts:
                async for part in parts:
                    yield part
        except NodeError:
            raise
        except Exception as error:
            raise await self._named(error, model) from error

    async def _named(self, error: Exception, model: str) -> ModelError:
        """Return the package's error as one of ours."""
        if isinstance(error, (ConnectionError, httpx.TransportError)):
            return ModelUnreachable(self.url, "Ollama", str(error) or type(error).__name__)
        if not isinstance(error, self._error):
            return ModelFailed(
                f"the server at {self.url} gave no usable answer: {error}", url=self.url
            )
        if error.status_code == 404 and model:
            return await self._missing(model)
        if error.status_code in (401, 403):
            return ModelRefused(f"the server at {self.url} refuses: {error.error}", url=self.url)
        if error.status_code in (429, 503):
            return ModelBusy(f"the server at {self.url} is busy: {error.error}", url=self.url)
        return ModelFailed(f"the server at {self.url} failed: {error.error}", url=self.url)

    async def _missing(self, model: str) -> ModelNotFound:
        try:
            models = [found.name for found in await self.list_models()]
        except Exception:  # noqa: BLE001 - the list only helps; the model is missing all the same
            models = []
        return ModelNotFound(
            self.url, model, models, f"Pull it with the node llm.pull, or `ollama pull {model}`"
        )


def _info(model: Any) -> ModelInfo:
    details = model.details
    return ModelInfo(
        name=model.model or "",
        size=int(model.size) if model.size is not None else None,
        family=details.family if details else None,
        parameters=details.parameter_size if details else None,
        quantization=details.quantization_level if details else None,
        modified=model.modified_at.isoformat() if model.modified_at else None,
    )


def _options(options: Options) -> dict[str, Any]:
    return {_OPTIONS[name]: value for name, value in options.chosen().items()}
