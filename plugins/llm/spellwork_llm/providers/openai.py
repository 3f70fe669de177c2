"""A server that speaks OpenAI's interface: chat completions, embeddings, models. Over httpx."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from spellwork_llm.errors import (
    ModelBusy,
    ModelError,
    ModelFailed,
    ModelNotFound,
    ModelRefused,
    ModelUnreachable,
    NotSupported,
)
from spellwork_llm.usage import Usage

from .provider import Kind, Message, ModelInfo, Options, PullProgress
from .timeouts import TIMEOUT

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that is no stream."""

_DATA = "data:"
_END = "[DONE]"


@asynccontextmanager
async def open_openai(
    url: str, transport: httpx.AsyncBaseTransport, key: str | None
) -> AsyncIterator[OpenAIProvider]:
    """Open the server at a base URL such as ``https://host/v1``; the key goes there and nowhere else."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(transport=transport, headers=headers, timeout=TIMEOUT) as client:
        yield OpenAIProvider(url, client)


class OpenAIProvider:
    """The models of an OpenAI-compatible server."""

    kind: Kind = "openai"

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client
        self.usage: Usage | None = None

    async def list_models(self) -> list[ModelInfo]:
        """Return the models that the server has."""
        found = await self._ask("GET", "/models", None, "")
        return [ModelInfo(str(model["id"])) for model in found.get("data", []) if "id" in model]

    def pull(self, name: str) -> AsyncGenerator[PullProgress, None]:
        """Refuse: this interface has no download."""
        raise NotSupported(
            f"{self.url} cannot download {name!r}: only Ollama servers can", url=self.url
        )

    async def generate(
        self, model: str, prompt: str, system: str, options: Options
    ) -> AsyncGenerator[str, None]:
        """Yield the answer to a prompt, piece by piece."""
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        async with aclosing(self.chat(model, messages, options)) as pieces:
            async for piece in pieces:
                yield piece

    async def chat(
        self, model: str, messages: Sequence[Message], options: Options
    ) -> AsyncGenerator[str, None]:
        """Yield the next turn of a conversation, piece by piece."""
        body = {"model": model, "messages": list(messages), "stream": True, **options.chosen()}
        async with aclosing(self._counted("/chat/completions", body, model)) as events:
            async for event in events:
                self._count(event)
                for choice in event.get("choices", [])[:1]:
                    piece = (choice.get("delta") or {}).get("content")
                    if piece:
                        yield piece

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        found = await self._ask(
            "POST", "/embeddings", {"model": model, "input": list(texts)}, model
        )
        self._count(found)
        rows = sorted(found.get("data", []), key=lambda row: row.get("index", 0))
        return [list(row["embedding"]) for row in rows]

    def _count(self, answer: dict[str, Any]) -> None:
        """Take what an answer, or the last event of one, says that it took."""
        said = answer.get("usage")
        if isinstance(said, dict):
            usage = Usage.of(said.get("prompt_tokens"), said.get("completion_tokens"))
            if usage is not None:
                self.usage = usage if self.usage is None else self.usage + usage

    async def _counted(
        self, path: str, body: dict[str, Any], model: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Stream, and ask for the count of tokens at its end; without that where the server knows no such option."""
        try:
            asking = body | {"stream_options": {"include_usage": True}}
            async with aclosing(self._stream(path, asking, model)) as events:
                async for event in events:
                    yield event
        except ModelFailed as error:
            if "stream_options" not in str(error) or error.details.get("status") not in (400, 422):
                raise
        else:
            return
        async with aclosing(self._stream(path, body, model)) as events:
            async for event in events:
                yield event

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, model: str
    ) -> dict[str, Any]:
        try:
            response = await self._client.request(method, self.url + path, json=body)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise await self._named(response.status_code, response.headers, response.text, model)
        if len(response.content) > MAX_ANSWER:
            raise ModelFailed(f"{self.url} answered more than {MAX_ANSWER:,} bytes", url=self.url)
        try:
            found = response.json()
        except ValueError as error:
            raise ModelFailed(f"{self.url}{path} did not answer JSON", url=self.url) from error
        return found if isinstance(found, dict) else {}

    async def _stream(
        self, path: str, body: dict[str, Any], model: str
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the server-sent events of an answer; closing this closes the server's stream."""
        try:
            async with self._client.stream("POST", self.url + path, json=body) as response:
                if response.is_error:
                    text = (await response.aread()).decode("utf-8", "replace")
                    raise await self._named(response.status_code, response.headers, text, model)
                async for line in response.aiter_lines():
                    if not line.startswith(_DATA):
                        continue
                    data = line.removeprefix(_DATA).strip()
                    if data == _END:
                        return
                    yield self._event(data)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _event(self, data: str) -> dict[str, Any]:
        try:
            event = json.loads(data)
        except ValueError as error:
            raise ModelFailed(
                f"{self.url} sent what is no JSON: {data[:100]!r}", url=self.url
            ) from error
        if not isinstance(event, dict):
            return {}
        if event.get("error"):
            raise ModelFailed(f"{self.url} failed: {_message(event)}", url=self.url)
        return event

    def _unreachable(self, error: httpx.TransportError) -> ModelUnreachable:
        return ModelUnreachable(self.url, "OpenAI-compatible", str(error) or type(error).__name__)

    async def _named(
        self, status: int, headers: httpx.Headers, text: str, model: str
    ) -> ModelError:
        """Return an answer of 400 or above as one of our errors."""
        try:
            said = _message(json.loads(text))
        except ValueError:
            said = text[:300]
        if model and (status == 404 or "model_not_found" in text):
            return await self._missing(model)
        if status in (401, 403):
            return ModelRefused(f"the server at {self.url} refuses: {said}", url=self.url)
        if status in (429, 503):
            seconds = headers.get("retry-after", "")
            wait = float(seconds) if seconds.isdigit() else None
            return ModelBusy(
                f"the server at {self.url} is busy: {said}", url=self.url, retry_after=wait
            )
        failed = ModelFailed(
            f"the server at {self.url} answered {status}: {said}", url=self.url, status=status
        )
        failed.retryable = status >= 500
        return failed

    async def _missing(self, model: str) -> ModelNotFound:
        try:
            models = [found.name for found in await self.list_models()]
        except ModelError:
            models = []
        return ModelNotFound(self.url, model, models)


def _message(body: Any) -> str:
    """Return the words in an error's body."""
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)[:300]
