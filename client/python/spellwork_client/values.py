"""Values that are too large for an event come by reference; here they are fetched."""

from __future__ import annotations

from typing import Any

from .session import Session


def is_reference(value: Any) -> bool:
    """Say whether a value stands for a larger one: ``{"$ref": hash, "size": bytes, "preview": head}``."""
    return isinstance(value, dict) and isinstance(value.get("$ref"), str) and "size" in value


async def resolve(session: Session, value: Any) -> Any:
    """Return the value itself where ``value`` is a reference to it."""
    if not is_reference(value):
        return value
    answer = await session.request("cache.value", {"hash": value["$ref"]})
    return answer["value"]
