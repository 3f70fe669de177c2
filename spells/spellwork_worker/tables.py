"""Tables of any library, by what they offer: pandas, Polars, PyArrow, and what exports Arrow."""

from __future__ import annotations

import importlib
from typing import Any


def length_of(table: Any) -> int:
    """Return the number of rows."""
    for name in ("height", "num_rows"):  # Polars, PyArrow
        if isinstance(found := getattr(table, name, None), int):
            return found
    return len(table)


def columns_of(table: Any) -> list[dict[str, str]]:
    """Return the columns: ``{name, type}`` each."""
    schema = getattr(table, "schema", None)
    if schema is not None and hasattr(schema, "names") and hasattr(schema, "types"):
        names, kinds = (
            (schema.names, schema.types) if not callable(schema.names) else _items(schema)
        )
    else:
        names, kinds = list(table.columns), list(table.dtypes)
    return [{"name": str(n), "type": str(k)} for n, k in zip(names, kinds, strict=True)]


def _items(schema: Any) -> tuple[list[Any], list[Any]]:
    return list(schema.names()), list(schema.dtypes())  # Polars: a mapping of names to types


def part_of(table: Any, start: int, stop: int) -> Any:
    """Return rows of a table, as a table."""
    if hasattr(table, "iloc"):  # pandas
        return table.iloc[start:stop]
    if hasattr(table, "slice"):  # Polars, PyArrow
        return table.slice(start, max(0, stop - start))
    return importlib.import_module("pyarrow").table(table).slice(start, max(0, stop - start))


def records(table: Any, start: int, stop: int) -> list[dict[str, Any]]:
    """Return rows as objects by the columns' names."""
    part = part_of(table, start, stop)
    if hasattr(part, "to_dicts"):  # Polars
        rows = part.to_dicts()
    elif hasattr(part, "to_pylist"):  # PyArrow
        rows = part.to_pylist()
    else:
        rows = part.to_dict("records")
    return [{str(name): cell for name, cell in row.items()} for row in rows]


def ordered(table: Any, by: str | None, text: str | None, *, descending: bool) -> list[int]:
    """Return the numbers of the rows that have ``text`` in a cell, sorted by a column.

    Only that column, or for a filter all of them, is looked at. Raises KeyError for a column it has not.
    """
    rows = list(range(length_of(table)))
    if text is not None:
        wanted = text.casefold()
        columns = [
            [str(cell).casefold() for cell in _cells(table, column["name"])]
            for column in columns_of(table)
        ]
        rows = [row for row in rows if any(wanted in column[row] for column in columns)]
    if by is not None:
        cells = _cells(table, by)
        rows.sort(key=lambda row: sort_key(cells[row]), reverse=descending)
    return rows


def _cells(table: Any, name: str) -> list[Any]:
    names = [column["name"] for column in columns_of(table)]
    if name not in names:
        raise KeyError(name)
    place = names.index(name)
    column = table.iloc[:, place] if hasattr(table, "iloc") else table[names[place]]
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method):
            found: list[Any] = getattr(column, method)()
            return found
    return list(column)


def sort_key(cell: Any) -> tuple[int, Any]:
    """Return what a cell is sorted by: numbers, then texts, then the rest, then what is missing."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return (3, "")
    if isinstance(cell, (bool, int, float)):
        return (0, cell)
    if isinstance(cell, str):
        return (1, cell)
    return (2, str(cell))
