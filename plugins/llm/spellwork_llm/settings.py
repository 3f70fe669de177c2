"""Inputs that all model nodes share, and the choice of a model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .errors import ModelNotFound
from .providers import Provider
from .providers.provider import Kind

ProviderKind = Annotated[Kind, Field(description="The interface that the server speaks")]

BaseUrl = Annotated[
    str,
    Field(
        description="The server's address; the one the operator has set up when it is empty. It gets no key"
    ),
]

Model = Annotated[str, Field(description="The model's name; the server's first when it is empty")]

Temperature = Annotated[
    float | None, Field(ge=0, le=2, description="0 is steady, 1 and above is daring")
]

MaxTokens = Annotated[
    int | None, Field(ge=1, le=1_000_000, description="How long the answer may be")
]

Seed = Annotated[
    int | None,
    Field(description="The same seed gives the same answer, where the server supports it"),
]


async def chosen_model(provider: Provider, model: str) -> str:
    """Return the model to use: the one that is named, else the first that the server has.

    Raises:
        ModelNotFound: none is named, and the server has none.
    """
    if model.strip():
        return model.strip()
    models = await provider.list_models()
    if not models:
        raise ModelNotFound(provider.url, "", [], "Pull one with the node llm.pull")
    return models[0].name
