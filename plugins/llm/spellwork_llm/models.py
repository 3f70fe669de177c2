"""Which models there are, and getting more: ``llm.models`` and ``llm.pull``."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from pydantic import Field

from spellwork import Context, node

from .providers import open_provider
from .settings import BaseUrl, ProviderKind

Table = Annotated[list[dict[str, Any]], Field(json_schema_extra={"format": "table"})]


@node(
    "llm.models",
    title="List models",
    category="Language models",
    output="models",
    cache="none",
    keywords=("ollama", "openai", "available", "installed"),
)
async def models(*, provider: ProviderKind = "ollama", base_url: BaseUrl = "") -> Table:
    """The models that a server has."""
    async with open_provider(provider, base_url) as server:
        return [dataclasses.asdict(model) for model in await server.list_models()]


@node(
    "llm.pull",
    title="Download a model",
    category="Language models",
    output="model",
    cache="none",
    side_effects=True,
    keywords=("ollama", "pull", "install", "get"),
)
async def pull(
    ctx: Context,
    model: Annotated[str, Field(min_length=1, description="Such as llama3.2 or smollm2:135m")],
    *,
    base_url: BaseUrl = "",
) -> str:
    """Have an Ollama server download a model; gives the model's name when it is there."""
    said = ""
    async with open_provider("ollama", base_url) as server:
        async for progress in server.pull(model):
            ctx.progress(progress.fraction, progress.status)
            if progress.status != said:
                said = progress.status
                ctx.log(said, "debug")
    return model
