"""Plots: a table as a Vega-Lite specification, data inside, so that any page can draw it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import Context, NodeError, node

from .columns import column_names, columns_of_table
from .tables import is_number
from .types import Plot, Row, Table

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the form of the specification; nothing is fetched from it."""

MAX_POINTS = 5_000
"""Rows a plot holds; of a longer table it shows that many, evenly taken."""

Kind = Literal["bar", "line", "scatter", "area", "histogram"]
_MARKS: dict[str, Any] = {
    "bar": "bar",
    "line": {"type": "line", "point": True},
    "scatter": {"type": "point", "filled": True},
    "area": "area",
    "histogram": "bar",
}


@node(
    "core.plot",
    title="Plot",
    category="Show",
    output="plot",
    keywords=("chart", "graph", "bar", "line", "scatter", "vega"),
    choices={"x": columns_of_table, "y": columns_of_table, "color": columns_of_table},
)
def plot(
    ctx: Context,
    table: Table,
    *,
    kind: Kind = "bar",
    x: Annotated[
        str, Field(description="The column along the bottom; the first when it is empty")
    ] = "",
    y: Annotated[
        str, Field(description="The column up the side; the first of numbers when it is empty")
    ] = "",
    color: Annotated[str, Field(description="The column that colours tell apart")] = "",
    title: str = "",
) -> Plot:
    """A table as bars, a line, points, an area or a histogram."""
    if len(table) > MAX_POINTS:
        ctx.log(f"the plot shows {MAX_POINTS:,} of {len(table):,} rows, evenly taken", "warning")
    return specification(table, kind, x=x, y=y, color=color, title=title)


def specification(
    table: list[Row], kind: Kind, *, x: str, y: str, color: str, title: str
) -> dict[str, Any]:
    """Return the Vega-Lite specification; NodeError names a column that the table lacks."""
    known = column_names(table)
    x = x or (known[0] if known else "")
    if kind != "histogram" and not y:
        y = next(
            (name for name in known if name != x and _kind_of(table, name) == "quantitative"), ""
        )
    chosen = {"x": x, "y": y if kind != "histogram" else "", "color": color}
    for port, name in chosen.items():
        if name and table and name not in known:
            raise NodeError(
                f"the table has no column {name!r}; it has {', '.join(known)}",
                port=port,
                retryable=False,
            )
    encoding: dict[str, Any] = {
        port: _channel(table, name, port, kind) for port, name in chosen.items() if name
    }
    if kind == "histogram" or "y" not in encoding:
        encoding["y"] = {"aggregate": "count", "title": "count"}
    used = [name for name in dict.fromkeys(chosen.values()) if name]
    encoding["tooltip"] = [
        {"field": _escaped(name), "type": _kind_of(table, name)} for name in used
    ]
    step = max(1, -(-len(table) // MAX_POINTS))
    spec: dict[str, Any] = {
        "$schema": SCHEMA,
        "width": "container",
        "height": 220,
        "data": {"values": [{name: row.get(name) for name in used} for row in table[::step]]},
        "mark": _MARKS[kind],
        "encoding": encoding,
    }
    return spec | {"title": title} if title else spec


def _channel(table: list[Row], name: str, port: str, kind: Kind) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "field": _escaped(name),
        "type": _kind_of(table, name),
        "title": name,
    }
    if kind == "histogram" and port == "x" and channel["type"] == "quantitative":
        channel["bin"] = {"maxbins": 30}
    if kind == "bar" and port == "x" and channel["type"] == "quantitative":
        channel["type"] = "ordinal"
    if kind == "scatter" and channel["type"] == "quantitative" and port in ("x", "y"):
        channel["scale"] = {"zero": False}
    return channel


def _kind_of(table: list[Row], name: str) -> str:
    """Return how Vega-Lite should read a column."""
    values = [row[name] for row in table if row.get(name) is not None]
    if values and all(is_number(value) for value in values):
        return "quantitative"
    return "temporal" if values and all(_is_date(value) for value in values) else "nominal"


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or len(value) < 8:
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _escaped(name: str) -> str:
    """Return a field's name so that Vega-Lite does not read it as a path."""
    return "".join(f"\\{letter}" if letter in ".[]\\" else letter for letter in name)
