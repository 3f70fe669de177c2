"""Paths into JSON values: ``a.b[0]``, ``rows[-1]["two words"]``, ``rows[*].name``.

``client/src/engine/paths.ts`` reads the same language; ``tests/cases/transforms.json`` holds for both.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

_PART = re.compile(r'\.?([^.\[\]"]+)|\[(-?[0-9]{1,15})\]|\["([^"]*)"\]|\[(\*)\]')

_PLACE = re.compile(r"-?[0-9]{1,15}")

EVERY = object()
"""The part ``[*]``: every item of a list."""


class PathError(ValueError):
    """A path that cannot be read, or that leads nowhere in a value."""


def read_path(path: str) -> list[Any]:
    """Return the path's parts: a name, a place in a list, or EVERY. A leading ``$`` is allowed."""
    rest = path.strip().removeprefix("$")
    parts: list[Any] = []
    while rest:
        match = _PART.match(rest)
        if match is None:
            raise PathError(
                f"the path {path!r} cannot be read at {rest[:12]!r}; write it like a.b[0]"
            )
        name, place, quoted, every = match.groups()
        parts.append(
            EVERY
            if every
            else int(place)
            if place is not None
            else quoted
            if quoted is not None
            else name
        )
        rest = rest[match.end() :]
    return parts


def pick(value: Any, parts: list[Any]) -> Any:
    """Return what lies at the path; PathError says where it ends and what there is instead."""
    for index, part in enumerate(parts):
        if part is EVERY:
            if not isinstance(value, list):
                raise PathError(f"[*] needs a list, and there is {_kind(value)}")
            return [pick(item, parts[index + 1 :]) for item in value]
        value = _step(value, part)
    return value


def _step(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        if str(part) in value:
            return value[str(part)]
        raise PathError(
            f"there is no {part!r}; there is {', '.join(map(repr, list(islice(value, 10)))) or 'nothing'}"
        )
    if isinstance(value, list) and _PLACE.fullmatch(str(part)):
        place = int(part)
        if -len(value) <= place < len(value):
            return value[place]
        raise PathError(f"there is no item {place} in a list of {len(value)}")
    raise PathError(f"{part!r} leads nowhere in {_kind(value)}")


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")
