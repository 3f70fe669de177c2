"""Where two JSON values differ first, in the order in which people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[^.\[\]\"\s*$]+")


class Absent:
    """Stands for what is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Differing:
    """A place (``$.rows[2].name``, ``$`` is all of it) and what is there on either side."""

    path: str
    expected: Any
    actual: Any


def first_difference(
    expected: Any, actual: Any, tolerance: float | None = None
) -> Differing | None:
    """Return where two values differ first, or None where they are equal as JSON is: 1 is 1.0, and no true.

    The order of fields says nothing; a number that is not a number equals itself.
    """
    waiting: list[tuple[str, Any, Any]] = [("$", expected, actual)]
    while waiting:
        path, one, other = waiting.pop()
        inner = _within(path, one, other)
        if inner is not None:
            waiting.extend(reversed(list(inner)))
        elif not _is_same(one, other, tolerance):
            return Differing(path, one, other)
    return None


def equal(one: Any, other: Any) -> bool:
    """Say whether two values are equal as JSON is."""
    return first_difference(one, other) is None


def step(path: str, part: str | int) -> str:
    """Return the path of what lies in something."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if _PLAIN.fullmatch(part):
        return f"{path}.{part}"
    return f'{path}["{part}"]'


def _within(path: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]] | None:
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        return (
            (step(path, str(name)), one.get(name, ABSENT), other.get(name, ABSENT))
            for name in names
        )
    if isinstance(one, list) and isinstance(other, list):
        most = max(len(one), len(other))
        return (
            (
                step(path, place),
                one[place] if place < len(one) else ABSENT,
                other[place] if place < len(other) else ABSENT,
            )
            for place in range(most)
        )
    return None


def _is_same(one: Any, other: Any, tolerance: float | None) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or not _are_numbers(one, other):
        return type(one) is type(other) and bool(one == other)
    if one == other or (one != one and other != other):  # noqa: PLR0124 - that is how NaN is told
        return True
    return (
        tolerance is not None
        and math.isfinite(one)
        and math.isfinite(other)
        and abs(one - other) <= tolerance
    )


def _are_numbers(one: Any, other: Any) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float)
