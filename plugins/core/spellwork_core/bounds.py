"""What nodes may make of what they are given: small inputs must not grow without bound."""

from __future__ import annotations

from spellwork import NodeError

MAX_CHARACTERS = 16_000_000
"""Characters of a text that a node makes."""


def check_length(characters: int, port: str) -> None:
    """Raise NodeError ``too_large`` for a text of more than MAX_CHARACTERS; called before it is made."""
    if characters > MAX_CHARACTERS:
        raise NodeError(
            f"the text would have {characters:,} characters; at most {MAX_CHARACTERS:,} are allowed",
            code="too_large",
            port=port,
            details={"size": characters, "limit": MAX_CHARACTERS},
            retryable=False,
        )
