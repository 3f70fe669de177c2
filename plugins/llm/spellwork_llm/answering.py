"""Nodes that answer: ``llm.generate`` and ``llm.chat``. Their text streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, cast

from pydantic import Field

from spellwork import Context, NodeError, Port, node

from .providers import Message, Options, Provider, open_provider
from .settings import BaseUrl, MaxTokens, Model, ProviderKind, Seed, Temperature, chosen_model
from .usage import USAGE, told

TEXT = Port("text", {"type": "string"}, stream=True)

_ROLES = ("system", "user", "assistant", "tool")
_LONG = {"format": "multiline"}


@node(
    "llm.generate",
    title="Generate text",
    category="Language models",
    outputs=(TEXT, USAGE),
    cache="none",
    retries=1,
    limiter="llm",
    keywords=("prompt", "completion", "ollama", "openai", "gpt", "llama", "ai", "ask"),
)
async def generate(
    ctx: Context,
    prompt: Annotated[str, Field(json_schema_extra=_LONG)],
    *,
    system: Annotated[
        str, Field(description="Who the model should be", json_schema_extra=_LONG)
    ] = "",
    model: Model = "",
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    provider: ProviderKind = "ollama",
    base_url: BaseUrl = "",
) -> dict[str, Any]:
    """A language model's answer to a prompt, as it is written."""
    async with open_provider(provider, base_url) as server:
        name = await chosen_model(server, model)
        ctx.progress(None, f"{name} at {server.url}")
        options = Options(temperature, max_tokens, seed)
        return await _written(ctx, server, name, server.generate(name, prompt, system, options))


@node(
    "llm.chat",
    title="Chat",
    category="Language models",
    outputs=(TEXT, USAGE),
    cache="none",
    retries=1,
    limiter="llm",
    keywords=("conversation", "messages", "assistant", "ollama", "openai", "ai"),
)
async def chat(
    ctx: Context,
    *,
    messages: Annotated[
        list[dict[str, Any]] | None, Field(description="Turns so far: {role, content} each")
    ] = None,
    prompt: Annotated[str, Field(description="The user's next turn", json_schema_extra=_LONG)] = "",
    system: Annotated[
        str, Field(description="Who the model should be", json_schema_extra=_LONG)
    ] = "",
    model: Model = "",
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    seed: Seed = None,
    provider: ProviderKind = "ollama",
    base_url: BaseUrl = "",
) -> dict[str, Any]:
    """A language model's next turn in a conversation, as it is written."""
    turns = conversation(messages or [], prompt, system)
    async with open_provider(provider, base_url) as server:
        name = await chosen_model(server, model)
        ctx.progress(None, f"{name} at {server.url}")
        options = Options(temperature, max_tokens, seed)
        return await _written(ctx, server, name, server.chat(name, turns, options))


def conversation(messages: list[dict[str, Any]], prompt: str, system: str) -> list[Message]:
    """Return the turns to send: the system's first, then those given, then the prompt.

    Raises:
        NodeError: a turn is none, or there is nothing to answer.
    """
    turns: list[Message] = [{"role": "system", "content": system}] if system else []
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES or not isinstance(content, str):
            raise NodeError(
                f"turn {place} is no turn: it needs a role ({', '.join(_ROLES)}) and a content of text",
                code="invalid_input",
                port="messages",
                retryable=False,
            )
        turns.append({"role": role, "content": content})
    if prompt:
        turns.append({"role": "user", "content": prompt})
    if not any(turn["role"] != "system" for turn in turns):
        raise NodeError(
            "there is nothing to answer: give messages, or a prompt",
            code="missing_input",
            port="prompt",
            retryable=False,
        )
    return turns


async def _written(
    ctx: Context, server: Provider, model: str, answer: AsyncIterator[str]
) -> dict[str, Any]:
    """Send an answer on as it comes; return it whole, with what it took."""
    text: list[str] = []
    # What a provider yields is a generator, closed in time.
    async with aclosing(cast("AsyncGenerator[str, None]", answer)) as pieces:
        async for piece in pieces:
            text.append(piece)
            await ctx.send(TEXT.name, piece)
    return {TEXT.name: "".join(text), USAGE.name: told(server.usage, server.kind, model)}
