"""Tables: get them, choose columns and rows, group them, describe them."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from importlib.resources import files
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field

from spellwork import NodeError, node

from .columns import column_names, columns_of_table
from .compare import sort_key
from .csv_tables import read_csv, text_of
from .types import LongText, Row, Table

DataSet = Literal["penguins"]
"""The data sets that ship with this pack; ``data/README.md`` names their sources and licences."""

_ABOUT = {
    "penguins": (
        "Dr. Kristen Gorman and the Palmer Station, Antarctica LTER; palmerpenguins by Horst, Hill and Gorman",
        "CC0 1.0",
    )
}
How = Literal["mean", "sum", "min", "max", "median"]
_HOW: dict[str, Callable[[list[Any]], Any]] = {
    "mean": statistics.fmean,
    "sum": sum,
    "min": min,
    "max": max,
    "median": statistics.median,
}


class Data(TypedDict):
    """A data set, with where it comes from."""

    table: Table
    source: str
    licence: str


@node(
    "core.dataset",
    title="Data set",
    category="Tables",
    keywords=("sample", "example", "penguins", "table"),
)
def dataset(name: DataSet = "penguins") -> Data:
    """A small public data set that ships with Spellwork, as a table."""
    text = (files(__package__) / "data" / f"{name}.csv").read_text(encoding="utf-8")
    source, licence = _ABOUT[name]
    return {"table": read_csv(text), "source": source, "licence": licence}


@node(
    "core.csv",
    title="Table from CSV",
    category="Tables",
    output="table",
    keywords=("csv", "import", "parse", "file", "excel"),
)
def table_from_csv(
    text: Annotated[LongText, Field(description="CSV text, or a file as a data: URL")],
    delimiter: Annotated[str, Field(max_length=1, description="Found when it is empty")] = "",
    header: Annotated[bool, Field(description="The first line names the columns")] = True,
    types: Annotated[
        bool, Field(description="Turn columns of numbers and of true and false into such")
    ] = True,
) -> Table:
    """A table from CSV text: delimiter found, numbers recognised, missing values null."""
    try:
        return read_csv(text_of(text), delimiter, header=header, types=types)
    except ValueError as error:
        raise NodeError(str(error), port="text", retryable=False) from error


@node(
    "core.select",
    title="Select columns",
    category="Tables",
    output="table",
    keywords=("columns", "project", "rename"),
    choices={"columns": columns_of_table},
)
def select(table: Table, columns: list[str], limit: Annotated[int, Field(ge=0)] = 0) -> Table:
    """The named columns of a table, in that order; the first ``limit`` rows unless 0."""
    _check(table, columns, "columns")
    rows = table[:limit] if limit else table
    return [{column: row.get(column) for column in columns} for row in rows]


@node(
    "core.group",
    title="Group",
    category="Tables",
    output="table",
    keywords=("aggregate", "pivot", "count", "sum", "mean", "group by"),
    example={"by": ["species"], "columns": ["body_mass_g"]},
    choices={"by": columns_of_table, "columns": columns_of_table},
)
def group(
    table: Table, by: list[str], columns: list[str] | None = None, how: How = "mean"
) -> Table:
    """A row per group of rows: how many they are, and a number for each column (all of numbers if none is named)."""
    _check(table, by, "by")
    measured = _measured(table, by, columns)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in table:
        groups.setdefault(tuple(str(row.get(name)) for name in by), []).append(row)
    found = [
        {name: rows[0].get(name) for name in by}
        | {"count": len(rows)}
        | {f"{how}_{column}": _number(rows, column, _HOW[how]) for column in measured}
        for rows in groups.values()
    ]
    return sorted(found, key=lambda row: [sort_key(row[name]) or (2, "") for name in by])


@node(
    "core.describe",
    title="Describe a table",
    category="Tables",
    output="summary",
    keywords=("summary", "statistics", "profile"),
)
def describe(table: Table) -> Table:
    """A row per column: its kind, what is missing, and its mean, spread and most common value."""
    return [_described(table, column) for column in column_names(table)]


def is_number(value: Any) -> bool:
    """Whether a value is a number, and not a truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _described(table: list[Row], column: str) -> Row:
    values = [row.get(column) for row in table]
    present = [value for value in values if value is not None]
    kinds = {"number" if is_number(value) else type(value).__name__ for value in present}
    names = {"str": "text", "bool": "boolean", "list": "list", "dict": "object"}
    numbers = [value for value in present if is_number(value)]
    unique = {str(value) for value in present}
    return {
        "column": column,
        "kind": names.get(kind := next(iter(kinds)), kind)
        if len(kinds) == 1
        else "mixed"
        if kinds
        else "empty",
        "values": len(present),
        "missing": len(values) - len(present),
        "unique": len(unique),
        "min": min(numbers, default=None),
        "mean": _rounded(statistics.fmean(numbers)) if numbers else None,
        "max": max(numbers, default=None),
        "deviation": _rounded(statistics.stdev(numbers)) if len(numbers) > 1 else None,
        "most_common": statistics.mode(present) if present and len(unique) < len(present) else None,
    }


def _measured(table: list[Row], by: list[str], columns: list[str] | None) -> list[str]:
    """Return the columns to measure: those named, else all numbers that do not group."""
    if columns:
        _check(table, columns, "columns")
        return columns
    return [
        name
        for name in column_names(table)
        if name not in by
        and all(row.get(name) is None or is_number(row[name]) for row in table)
        and any(row.get(name) is not None for row in table)
    ]


def _number(rows: list[Row], column: str, measure: Callable[[list[Any]], Any]) -> Any:
    values = [row[column] for row in rows if is_number(row.get(column))]
    return _rounded(measure(values)) if values else None


def _rounded(value: float) -> float:
    """Return a number with the digits that people read: six significant ones."""
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _check(table: list[Row], names: list[str], port: str) -> None:
    known = column_names(table)
    for name in names:
        if table and name not in known:
            raise NodeError(
                f"the table has no column {name!r}; it has {', '.join(known)}",
                port=port,
                retryable=False,
            )
