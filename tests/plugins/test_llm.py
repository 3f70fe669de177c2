"""Model nodes against a real model, behind Ollama's interface and OpenAI's."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import spellwork
from spellwork import Event, Execution, Library
from spellwork_llm.providers import Configuration, open_provider

from .conftest import RunNode
from .ollama_server import OllamaServer

pytestmark = pytest.mark.anyio

QUESTION = "What is the capital of France?"
STEADY = {"temperature": 0, "max_tokens": 24}


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)


async def test_ollama_generates_and_its_tokens_stream(
    ollama: OllamaServer, run_node: RunNode, events: list[Event]
) -> None:
    result = await run_node(
        "llm.generate", prompt=QUESTION, system="You are a helpful assistant.", **STEADY
    )
    assert result.errors == {}
    text = result.outputs["n"]["text"]
    assert "Paris" in text
    chunks = [event.value for event in events if event.kind == "node.chunk"]
    assert len(chunks) > 3
    assert "".join(chunks) == text
    usage = result.outputs["n"]["usage"]
    assert (usage["provider"], usage["model"]) == ("ollama", "smollm2:135m")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 3
    assert ollama.requests[0]["model"] == "smollm2:135m"
    assert ollama.requests[0]["system"] == "You are a helpful assistant."
    assert ollama.requests[0]["options"] == {"temperature": 0, "num_predict": 24}


async def test_ollama_chats_with_turns_so_far(ollama: OllamaServer, run_node: RunNode) -> None:
    turns = [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello! How can I help?"},
    ]
    result = await run_node("llm.chat", messages=turns, prompt=QUESTION, **STEADY)
    assert result.errors == {}
    assert "Paris" in result.outputs["n"]["text"]
    assert [turn["role"] for turn in ollama.requests[0]["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize("provider", ["ollama", "openai"])
async def test_texts_become_vectors_and_like_texts_like_vectors(
    ollama: OllamaServer, openai: str, run_node: RunNode, provider: str
) -> None:
    texts = [
        "The cat sleeps on the sofa.",
        "A cat is sleeping on a couch.",
        "Quarterly tax revenue rose by 3 percent.",
    ]
    result = await run_node("llm.embed", text=texts, model="smollm2:135m", provider=provider)
    assert result.errors == {}
    first, second, third = result.outputs["n"]["vectors"]
    assert len(first) == len(second) == len(third) > 100
    assert cosine(first, second) > cosine(first, third)


async def test_one_text_becomes_one_vector(ollama: OllamaServer, run_node: RunNode) -> None:
    result = await run_node("llm.embed", text="alone")
    assert len(result.outputs["n"]["vectors"]) == 1


async def test_openai_compatible_servers_generate_and_chat(
    openai: str, run_node: RunNode, events: list[Event]
) -> None:
    result = await run_node(
        "llm.generate",
        prompt=QUESTION,
        system="You are a helpful assistant.",
        provider="openai",
        **STEADY,
    )
    assert result.errors == {}
    assert "Paris" in result.outputs["n"]["text"]
    assert len([event for event in events if event.kind == "node.chunk"]) > 3
    chat = await run_node(
        "llm.chat",
        prompt=QUESTION,
        system="You are a helpful assistant.",
        provider="openai",
        **STEADY,
    )
    assert chat.outputs["n"]["text"] == result.outputs["n"]["text"]


async def test_models_are_listed_as_a_table(ollama: OllamaServer, run_node: RunNode) -> None:
    result = await run_node("llm.models")
    assert result.outputs["n"]["models"] == [
        {
            "name": "smollm2:135m",
            "size": 91_727_872,
            "family": "llama",
            "parameters": "135M",
            "quantization": "Q4_1",
            "modified": "2026-01-02T03:04:05+00:00",
        }
    ]


async def test_pulling_a_model_tells_its_progress(
    ollama: OllamaServer, run_node: RunNode, events: list[Event]
) -> None:
    result = await run_node("llm.pull", model="smollm2:latest")
    assert result.outputs["n"]["model"] == "smollm2:latest"
    assert ollama.models == ["smollm2:135m", "smollm2:latest"]
    fractions = [
        event.value for event in events if event.kind == "node.progress" and event.value is not None
    ]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


async def test_pulling_what_does_not_exist_fails_with_the_servers_words(
    ollama: OllamaServer, run_node: RunNode
) -> None:
    result = await run_node("llm.pull", model="nothing:like-it")
    assert result.errors["n"].code == "model_failed"
    assert "file does not exist" in result.errors["n"].message


async def test_a_missing_model_is_told_with_those_there_and_how_to_get_it(
    ollama: OllamaServer, run_node: RunNode
) -> None:
    result = await run_node("llm.generate", prompt="Hi", model="llama9")
    failure = result.errors["n"]
    assert failure.code == "model_not_found"
    assert "'llama9'" in failure.message
    assert "smollm2:135m" in failure.message
    assert "pull" in failure.message
    assert failure.details["models"] == ["smollm2:135m"]


async def test_a_server_without_models_says_so(ollama: OllamaServer, run_node: RunNode) -> None:
    ollama.models.clear()
    result = await run_node("llm.generate", prompt="Hi")
    assert result.errors["n"].code == "model_not_found"
    assert "it has no models" in result.errors["n"].message


@pytest.mark.parametrize("provider", ["ollama", "openai"])
@pytest.mark.parametrize("model", ["", "some"])
async def test_an_unreachable_server_is_told_by_its_url(
    run_node: RunNode, monkeypatch: pytest.MonkeyPatch, provider: str, model: str
) -> None:
    monkeypatch.setenv("SPELLWORK_OLLAMA_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SPELLWORK_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = await run_node("llm.generate", prompt="Hi", provider=provider, model=model)
    assert result.errors["n"].code == "model_unreachable"
    assert "http://127.0.0.1:9" in result.errors["n"].message
    assert result.errors["n"].attempts == 2


async def test_cancelling_a_run_closes_the_servers_stream_within_a_second(
    ollama: OllamaServer, library: Library
) -> None:
    spell = spellwork.Spell.model_validate(
        {
            "schema": 1,
            "nodes": {
                "n": {
                    "type": "llm.generate",
                    "inputs": {"prompt": "Count from 1 to 500.", "max_tokens": 2000},
                }
            },
        }
    )
    events: list[Event] = []
    execution = Execution(spellwork.compile(spell, library), sink=events.append)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(execution.run())
        await until(lambda: any(event.kind == "node.chunk" for event in events))
        assert ollama.open_streams == 1
        start = time.monotonic()
        execution.cancel()
        await until(lambda: ollama.open_streams == 0, seconds=20)
    assert time.monotonic() - start < 20
    assert run.result().status == "cancelled"


async def test_a_url_from_a_spell_gets_no_key_and_must_be_allowed(
    monkeypatch: pytest.MonkeyPatch, run_node: RunNode
) -> None:
    seen: list[str | None] = []

    async def models(request: web.Request) -> web.Response:
        seen.append(request.headers.get("authorization"))
        return web.json_response({"data": [], "models": []})

    app = web.Application()
    app.add_routes([web.get("/v1/models", models), web.get("/api/tags", models)])
    monkeypatch.setenv("SPELLWORK_OPENAI_API_KEY", "the operator's")
    monkeypatch.setenv("OLLAMA_API_KEY", "the operator's")
    monkeypatch.delenv("SPELLWORK_HTTP_ALLOW", raising=False)
    async with TestServer(app, host="127.0.0.1") as served:
        base = str(served.make_url("")).rstrip("/")
        for provider, url in (("openai", f"{base}/v1"), ("ollama", base)):
            denied = await run_node("llm.models", provider=provider, base_url=url)
            assert denied.errors["n"].code == "address_denied"
        assert seen == []
        monkeypatch.setenv("SPELLWORK_HTTP_ALLOW", "127.0.0.1")
        for provider, url in (("openai", f"{base}/v1"), ("ollama", base)):
            allowed = await run_node("llm.models", provider=provider, base_url=url)
            assert allowed.errors == {}
        assert seen == [None, None]
        monkeypatch.setenv("SPELLWORK_OPENAI_BASE_URL", f"{base}/v1/")
        await run_node("llm.models", provider="openai")
        assert seen[-1] == "Bearer the operator's"


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, "model_refused", "Incorrect API key"),
        (
            404,
            {"error": {"message": "no such model", "code": "model_not_found"}},
            "model_not_found",
            "'m'",
        ),
        (500, {"error": {"message": "out of memory"}}, "model_failed", "out of memory"),
        (400, {"error": "bad temperature"}, "model_failed", "bad temperature"),
        (429, {"error": {"message": "slow down"}}, "model_busy", "slow down"),
    ],
)
async def test_what_an_openai_compatible_server_refuses_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch, run_node: RunNode, status: int, body: Any, code: str, said: str
) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", refuse)])
    async with TestServer(app, host="127.0.0.1") as served:
        monkeypatch.setenv("SPELLWORK_OPENAI_BASE_URL", str(served.make_url("/v1")))
        result = await run_node("llm.generate", prompt="Hi", model="m", provider="openai")
    assert result.errors["n"].code == code
    assert said in result.errors["n"].message


@pytest.mark.parametrize("knows", [True, False])
async def test_tokens_are_those_that_the_server_tells_and_nothing_where_it_tells_none(
    monkeypatch: pytest.MonkeyPatch, run_node: RunNode, knows: bool
) -> None:
    asked: list[dict[str, Any]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked.append(body)
        if "stream_options" in body and not knows:
            error = {"error": {"message": "unknown field: stream_options"}}
            return web.json_response(error, status=400)
        events: list[Any] = [{"choices": [{"delta": {"content": "Paris"}}]}]
        if knows:
            events.append({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in [*map(json.dumps, events), "[DONE]"]:
            await response.write(f"data: {event}\n\n".encode())
        return response

    async def embed(request: web.Request) -> web.Response:
        rows = [{"index": 0, "embedding": [0.5]}]
        usage = {"usage": {"prompt_tokens": 4, "total_tokens": 4}} if knows else {}
        return web.json_response({"data": rows, **usage})

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", answer), web.post("/v1/embeddings", embed)])
    async with TestServer(app, host="127.0.0.1") as served:
        monkeypatch.setenv("SPELLWORK_OPENAI_BASE_URL", str(served.make_url("/v1")))
        where = {"model": "m", "provider": "openai"}
        text = (await run_node("llm.generate", prompt="Hi", **where)).outputs["n"]
        vectors = (await run_node("llm.embed", text="Hi", **where)).outputs["n"]
    assert (text["text"], vectors["vectors"]) == ("Paris", [[0.5]])
    took = [each and each["total_tokens"] for each in (text["usage"], vectors["usage"])]
    assert took == ([10, 4] if knows else [None, None])
    assert len(asked) == (1 if knows else 2)


async def test_providers_serve_the_servers_own_list_of_models(ollama: OllamaServer) -> None:
    async with open_provider("ollama") as provider:
        assert [model.name for model in await provider.list_models()] == ["smollm2:135m"]
        seen = [progress.status async for progress in provider.pull("smollm2:latest")]
    assert seen[-1] == "success"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"messages": [{"role": "boss", "content": "x"}]}, "invalid_input"),
        ({"messages": [{"role": "user"}]}, "invalid_input"),
        ({}, "missing_input"),
        ({"system": "x"}, "missing_input"),
    ],
)
async def test_a_conversation_that_is_none_is_refused(
    run_node: RunNode, inputs: dict[str, Any], code: str
) -> None:
    assert (await run_node("llm.chat", **inputs)).errors["n"].code == code


def test_the_key_is_never_shown() -> None:
    assert "secret" not in repr(Configuration(openai_key="secret"))


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True)) / (
        math.hypot(*left) * math.hypot(*right)
    )


@pytest.mark.rule("14.9", "14.10")
def test_all_that_ask_a_model_count_for_one_provider(library: Library) -> None:
    asking = ("llm.generate", "llm.chat", "llm.embed")
    found = {type: library.get(type) for type in asking}
    assert {type: node and node.limiter for type, node in found.items()} == dict.fromkeys(
        asking, "llm"
    )
