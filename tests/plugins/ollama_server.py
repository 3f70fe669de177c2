"""A small server that speaks Ollama's documented API in front of the real model of the tests.

It has ``/api/version``, ``/api/tags``, ``/api/pull``, ``/api/generate``, ``/api/chat`` and
``/api/embed``, answers in lines of JSON as Ollama does, and refuses as it does.
What the model says comes from ``llama_server``; nothing is made up here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from aiohttp import web

DIGEST = "sha256:" + "0" * 64
SIZE = 91_727_872
SYSTEM = "You are a helpful assistant."
"""This model needs a system message; a real server takes it from the model's template."""

MODELS_IN_STORE = ("smollm2:135m", "smollm2:latest")


class OllamaServer:
    """The server's state. ``open_streams`` are answers under way; ``requests`` what was asked."""

    def __init__(self, model_url: str, models: tuple[str, ...] = ("smollm2:135m",)) -> None:
        self.models = list(models)
        self.open_streams = 0
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._model = httpx.AsyncClient(base_url=model_url, timeout=60, trust_env=False)

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/version", self.version),
                web.get("/api/tags", self.tags),
                web.post("/api/pull", self.pull),
                web.post("/api/generate", self.generate),
                web.post("/api/chat", self.chat),
                web.post("/api/embed", self.embed),
            ]
        )
        app.on_cleanup.append(self._close)
        return app

    async def _close(self, app: web.Application) -> None:
        await self._model.aclose()

    async def version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "0.12.0"})

    async def tags(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        details = {
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "135M",
            "quantization_level": "Q4_1",
        }
        models = [
            {
                "name": name,
                "model": name,
                "modified_at": "2026-01-02T03:04:05Z",
                "size": SIZE,
                "digest": DIGEST,
                "details": details,
            }
            for name in self.models
        ]
        return web.json_response({"models": models})

    async def pull(self, request: web.Request) -> web.StreamResponse:
        name = (await self._read(request)).get("model", "")

        async def lines() -> AsyncIterator[dict[str, Any]]:
            yield {"status": "pulling manifest"}
            if name not in MODELS_IN_STORE:
                yield {"error": "pull model manifest: file does not exist"}
                return
            for part in range(5):
                yield {
                    "status": f"pulling {DIGEST[7:19]}",
                    "digest": DIGEST,
                    "total": SIZE,
                    "completed": SIZE * part // 4,
                }
            yield {"status": "verifying sha256 digest"}
            self.models.append(name)
            yield {"status": "success"}

        return await self._stream(request, lines())

    async def generate(self, request: web.Request) -> web.StreamResponse:
        body = await self._read(request)
        if (missing := self._missing(body)) is not None:
            return missing
        messages = [
            {"role": "system", "content": body.get("system") or SYSTEM},
            {"role": "user", "content": body.get("prompt", "")},
        ]
        pieces = self._pieces(messages, body.get("options") or {})

        async def lines() -> AsyncIterator[dict[str, Any]]:
            count = 0
            async for piece in pieces:
                count += 1
                yield {
                    "model": body["model"],
                    "created_at": "2026-01-02T03:04:05Z",
                    "response": piece,
                    "done": False,
                }
            yield {
                "model": body["model"],
                "created_at": "2026-01-02T03:04:05Z",
                "response": "",
                "done": True,
                "done_reason": "stop",
                "eval_count": count,
            }

        return await self._stream(request, lines())

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await self._read(request)
        if (missing := self._missing(body)) is not None:
            return missing
        messages = body.get("messages", [])
        if not any(message["role"] == "system" for message in messages):
            messages = [{"role": "system", "content": SYSTEM}, *messages]
        pieces = self._pieces(messages, body.get("options") or {})

        async def lines() -> AsyncIterator[dict[str, Any]]:
            async for piece in pieces:
                yield {
                    "model": body["model"],
                    "created_at": "2026-01-02T03:04:05Z",
                    "message": {"role": "assistant", "content": piece},
                    "done": False,
                }
            yield {
                "model": body["model"],
                "created_at": "2026-01-02T03:04:05Z",
                "message": {"role": "assistant", "content": ""},
                "done": True,
            }

        return await self._stream(request, lines())

    async def embed(self, request: web.Request) -> web.Response:
        body = await self._read(request)
        if (missing := self._missing(body)) is not None:
            return missing
        answer = await self._model.post("/v1/embeddings", json={"input": body["input"]})
        vectors = [row["embedding"] for row in answer.json()["data"]]
        return web.json_response({"model": body["model"], "embeddings": vectors})

    async def _read(self, request: web.Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.requests.append(body)
        return body

    def _missing(self, body: dict[str, Any]) -> web.Response | None:
        if body.get("model") in self.models:
            return None
        return web.json_response(
            {"error": f'model "{body.get("model")}" not found, try pulling it first'}, status=404
        )

    async def _pieces(
        self, messages: list[dict[str, str]], options: dict[str, Any]
    ) -> AsyncIterator[str]:
        """Yield what the model says, piece by piece."""
        body = {
            "messages": messages,
            "stream": True,
            "temperature": options.get("temperature", 0),
            "max_tokens": options.get("num_predict", 64),
            "seed": options.get("seed", 1),
        }
        async with self._model.stream("POST", "/v1/chat/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                data = line.removeprefix("data:").strip()
                if not data or data == "[DONE]":
                    continue
                for choice in json.loads(data).get("choices", []):
                    if piece := choice["delta"].get("content"):
                        yield piece

    async def _stream(
        self, request: web.Request, lines: AsyncIterator[dict[str, Any]]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        self.open_streams += 1
        try:
            async for line in lines:
                await response.write(json.dumps(line).encode() + b"\n")
        finally:
            self.open_streams -= 1
        return response
