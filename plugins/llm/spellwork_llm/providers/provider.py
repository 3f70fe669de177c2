"""What a model server can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypedDict

from spellwork_llm.usage import Usage

Kind = Literal["ollama", "openai"]
"""The two interfaces that model servers speak."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a server has; what the server does not tell is None. ``size`` is bytes."""

    name: str
    size: int | None = None
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a download is, in bytes; None when the server does not tell."""

    status: str
    completed: int | None = None
    total: int | None = None

    @property
    def fraction(self) -> float | None:
        """How far it is, 0 to 1."""
        return self.completed / self.total if self.total and self.completed is not None else None


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer; None leaves it to the server."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, by our names."""
        found = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {name: value for name, value in found.items() if value is not None}


class Provider(Protocol):
    """A model server. Closing an iterator early closes the server's stream.

    ``usage`` is what its answers took so far, None while it has not said so.
    Every method raises ``ModelError``; see ``errors.py``.
    """

    kind: Kind
    url: str
    usage: Usage | None

    async def list_models(self) -> list[ModelInfo]:
        """Return the models that the server has."""

    def pull(self, name: str) -> AsyncIterator[PullProgress]:
        """Have the server download a model, and yield how far it is."""

    def generate(
        self, model: str, prompt: str, system: str, options: Options
    ) -> AsyncIterator[str]:
        """Yield the answer to a prompt, piece by piece."""

    def chat(self, model: str, messages: Sequence[Message], options: Options) -> AsyncIterator[str]:
        """Yield the next turn of a conversation, piece by piece."""

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
