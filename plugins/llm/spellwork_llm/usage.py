"""What a call took of its provider: tokens, as the provider counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spellwork import Port

USAGE = Port(
    "usage",
    {"type": ["object", "null"]},
    description="What it took, where the server tells it: {provider, model, prompt_tokens, completion_tokens, total_tokens}",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of what went in, and of what came out."""

    prompt: int
    completion: int

    @classmethod
    def of(cls, prompt: Any, completion: Any) -> Usage | None:
        """Return what a server told; None where it told neither."""
        counts = [_count(prompt), _count(completion)]
        if counts == [None, None]:
            return None
        return cls(counts[0] or 0, counts[1] or 0)

    def __add__(self, other: Usage) -> Usage:
        """Return both together."""
        return Usage(self.prompt + other.prompt, self.completion + other.completion)


def told(usage: Usage | None, provider: str, model: str) -> dict[str, Any] | None:
    """Return the output ``usage``; None where nothing is known."""
    if usage is None:
        return None
    return {
        "provider": provider,
        "model": model,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }


def _count(value: Any) -> int | None:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and value >= 0 else None
