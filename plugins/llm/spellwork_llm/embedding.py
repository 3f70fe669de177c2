"""``llm.embed``: texts as vectors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from spellwork import Port, node

from .providers import open_provider
from .settings import BaseUrl, Model, ProviderKind, chosen_model
from .usage import USAGE, told

VECTORS = Port(
    "vectors",
    {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
)

BATCH = 64
"""Texts that go to the server at once."""


@node(
    "llm.embed",
    title="Embed text",
    category="Language models",
    outputs=(VECTORS, USAGE),
    cache="private",
    retries=1,
    limiter="llm",
    keywords=("embedding", "vector", "similarity", "search", "rag"),
)
async def embed(
    text: Annotated[str | list[str], Field(description="One text, or a list of them")],
    *,
    model: Model = "",
    provider: ProviderKind = "ollama",
    base_url: BaseUrl = "",
) -> dict[str, Any]:
    """A vector for each text; texts of like meaning have like vectors."""
    texts = [text] if isinstance(text, str) else text
    vectors: list[list[float]] = []
    async with open_provider(provider, base_url) as server:
        name = await chosen_model(server, model)
        for start in range(0, len(texts), BATCH):
            vectors += await server.embed(name, texts[start : start + BATCH])
        usage = told(server.usage, server.kind, name)
    return {VECTORS.name: vectors, USAGE.name: usage}
