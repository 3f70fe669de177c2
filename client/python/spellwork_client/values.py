"""Values that are too large for an event come by reference; here they are fetched."""

from __future__ import annotations

from typing import Any

from .session import Session


def is_reference(value: Any) -> bool:
    """Say whether a value stands for a larger one: ``{"$ref": hash, "size": bytes, "preview": head}``."""
    return isinstance(value, dict) and isinstance(value.get("$ref"), str) and "size" in value


async def resolve(session: Session, value: Any) -> Any:
    """Return the value itself where ``value`` is a reference to it, put together from its pages."""
    if not is_reference(value):
        return value
    whole: Any = None
    offset, more = 0, True
    while more:
        page = await session.request("cache.value", {"hash": value["$ref"], "offset": offset})
        part, more = page["value"], bool(page["more"])
        match page["kind"]:
            case "list" | "text":
                whole = part if whole is None else whole + part
            case "object":
                whole = part if whole is None else whole | part
            case _:
                return part
        offset += len(part)
    return whole
