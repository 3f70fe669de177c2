"""Cursors: from where a list that is read by page goes on."""

from __future__ import annotations

from spellwork_server.errors import BadRequest


def write_cursor(at: float, last: str) -> str:
    """Return the cursor after the item ``last``, made at ``at``."""
    return f"{at!r}:{last}"


def read_cursor(cursor: str) -> tuple[float, str]:
    """Return time and id of the item that a cursor stands after. Raises BadRequest for what is none."""
    at, _, last = cursor.partition(":")
    try:
        return float(at), last
    except ValueError as error:
        raise BadRequest.field("after", "is not the `next` of an answer") from error
