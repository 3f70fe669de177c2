"""Which model servers the operator has configured, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .provider import Kind

OLLAMA_URL = "SPELLWORK_OLLAMA_URL"
OPENAI_URL = "SPELLWORK_OPENAI_BASE_URL"
OPENAI_KEY = "SPELLWORK_OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The operator's servers, and the key that is sent to ``openai_url`` and nowhere else."""

    ollama_url: str = "http://127.0.0.1:11434"
    openai_url: str = "https://api.openai.com/v1"
    openai_key: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Configuration:
        """Return what the environment tells, defaults for the rest."""
        return cls(
            ollama_url=(environment.get(OLLAMA_URL) or cls().ollama_url).rstrip("/"),
            openai_url=(environment.get(OPENAI_URL) or cls().openai_url).rstrip("/"),
            openai_key=environment.get(OPENAI_KEY) or None,
        )

    def url(self, kind: Kind) -> str:
        """Return the base URL of the operator's server of that kind."""
        return self.ollama_url if kind == "ollama" else self.openai_url

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"Configuration(ollama_url={self.ollama_url!r}, openai_url={self.openai_url!r})"
