"""Which columns an input may name: those of the table on another input."""

from __future__ import annotations

from typing import Any

from spellwork import Node

MOST_ROWS = 200
"""Rows that are looked at: further columns are rare."""


def column_names(table: list[dict[str, Any]]) -> list[str]:
    """Return the names of all fields of a table, in order of appearance."""
    return list(dict.fromkeys(name for row in table for name in row))


def columns_of_table(node: Node) -> list[str]:
    """Return the columns of the table that is typed into ``table``; none when there is none."""
    table = node.inputs.get("table")
    rows = table[:MOST_ROWS] if isinstance(table, list) else []
    return column_names([row for row in rows if isinstance(row, dict)])
