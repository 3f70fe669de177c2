"""Comparisons that nodes offer by name: nothing typed in on the canvas is ever evaluated."""

from __future__ import annotations

from typing import Any, Literal

Operator = Literal[
    "equals",
    "does not equal",
    "is greater than",
    "is at least",
    "is less than",
    "is at most",
    "contains",
    "is one of",
    "is empty",
    "is not empty",
]


def holds(left: Any, operator: Operator, right: Any) -> bool:
    """Say whether a comparison holds. Values of different kinds are neither greater nor less."""
    if operator == "is empty":
        return _empty(left)
    if operator == "is not empty":
        return not _empty(left)
    if operator == "equals":
        return bool(left == right)
    if operator == "does not equal":
        return bool(left != right)
    if operator == "contains":
        return _contains(left, right)
    if operator == "is one of":
        return _contains(right, left)
    return _ordered(left, operator, right)


def sort_key(value: Any) -> tuple[int, Any] | None:
    """Return what orders values of mixed kinds: numbers, then texts; None for what has no order."""
    if isinstance(value, (bool, int, float)):
        return (0, value)
    return (1, value) if isinstance(value, str) else None


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    return isinstance(whole, (list, dict)) and part in whole


def _ordered(left: Any, operator: Operator, right: Any) -> bool:
    first, second = sort_key(left), sort_key(right)
    if first is None or second is None or first[0] != second[0]:
        return False
    return {
        "is greater than": first > second,
        "is at least": first >= second,
        "is less than": first < second,
        "is at most": first <= second,
    }[operator]
