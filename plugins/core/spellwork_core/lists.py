"""Lists: measure, cut, sort, filter, join."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import NodeError, node
from spellwork.paths import PathError, pick, read_path

from .compare import Operator, holds, sort_key

MAX_RANGE = 1_000_000
"""Numbers a range may have."""


@node("core.length", title="Length", category="Lists", output="length", keywords=("count", "size"))
async def length(value: list[Any] | dict[str, Any] | str) -> int:
    """How many items a list, entries an object or characters a text has."""
    return len(value)


@node(
    "core.item",
    title="Item",
    category="Lists",
    output="item",
    keywords=("index", "first", "last", "get"),
)
async def item(items: list[Any], index: int = 0) -> Any:
    """The item at a place: 0 is the first, -1 the last."""
    if not -len(items) <= index < len(items):
        raise NodeError(
            f"there is no item {index} in a list of {len(items)}", port="index", retryable=False
        )
    return items[index]


@node(
    "core.slice",
    title="Part of a list",
    category="Lists",
    output="items",
    keywords=("slice", "head", "take", "skip"),
)
def part(items: list[Any], start: int = 0, end: int | None = None) -> list[Any]:
    """The items from ``start`` to before ``end``; negative places count from the end."""
    return items[start:end]


@node("core.sort", title="Sort", category="Lists", output="items", keywords=("order", "rank"))
def sort(items: list[Any], by: str = "", descending: bool = False) -> list[Any]:
    """The items in order; ``by`` is a path in each, such as size or a.b. What lacks it comes last."""
    keyed = [(sort_key(_at(item, by)), item) for item in items]
    known = [(key, item) for key, item in keyed if key is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _, item in known] + [item for key, item in keyed if key is None]


@node(
    "core.filter",
    title="Filter",
    category="Lists",
    output="items",
    keywords=("where", "select", "keep"),
)
def keep(
    items: list[Any], field: str = "", operator: Operator = "is not empty", value: Any = None
) -> list[Any]:
    """The items whose field (a path; the item itself when empty) compares as asked."""
    return [item for item in items if holds(_at(item, field), operator, value)]


@node(
    "core.unique",
    title="Unique",
    category="Lists",
    output="items",
    keywords=("distinct", "duplicates"),
)
def unique(items: list[Any], by: str = "") -> list[Any]:
    """Each item once, the first of its kind; ``by`` is a path in each that tells the kind."""
    first: dict[str, Any] = {}
    for item in items:
        first.setdefault(json.dumps(_at(item, by), sort_keys=True, default=str), item)
    return list(first.values())


@node(
    "core.range",
    title="Range",
    category="Lists",
    output="items",
    keywords=("numbers", "sequence", "count"),
)
def numbers(
    end: int, start: int = 0, step: Annotated[int, Field(description="Not 0")] = 1
) -> list[int]:
    """The whole numbers from ``start`` to before ``end``."""
    if step == 0:
        raise NodeError("step must not be 0", port="step", retryable=False)
    found = range(start, end, step)
    if len(found) > MAX_RANGE:
        raise NodeError(
            f"{len(found):,} numbers; at most {MAX_RANGE:,} are allowed",
            port="end",
            retryable=False,
        )
    return list(found)


@node(
    "core.concat",
    title="Join lists",
    category="Lists",
    output="items",
    many=("lists",),
    keywords=("concatenate", "append", "merge", "collect"),
)
def concat(lists: list[Any]) -> list[Any]:
    """All that comes by its wires in one list; lists are opened, other values are items."""
    joined: list[Any] = []
    for one in lists:
        joined.extend(one if isinstance(one, list) else [one])
    return joined


@node(
    "core.aggregate",
    title="Aggregate",
    category="Lists",
    output="value",
    keywords=("sum", "mean", "reduce", "min", "max"),
)
def aggregate(
    items: list[Any], how: Literal["sum", "mean", "min", "max", "count"] = "sum", field: str = ""
) -> Any:
    """One number of many: their sum, mean, least, greatest or count. Empty fields do not count."""
    values = [found for item in items if (found := _at(item, field)) is not None]
    if how == "count":
        return len(values)
    wrong = [
        found for found in values if isinstance(found, bool) or not isinstance(found, (int, float))
    ]
    if wrong:
        raise NodeError(f"{wrong[0]!r} is not a number", port="items", retryable=False)
    if not values:
        return 0 if how == "sum" else None
    try:
        return _MEASURES[how](values)
    except OverflowError as error:
        raise NodeError("the numbers are too large", port="items", retryable=False) from error


_MEASURES: dict[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "mean": statistics.fmean,
    "min": min,
    "max": max,
}


def _at(item: Any, path: str) -> Any:
    """Return what lies at a path in an item, None when nothing does."""
    if not path:
        return item
    if isinstance(item, dict) and path in item:
        return item[path]
    try:
        return pick(item, read_path(path))
    except PathError:
        return None
