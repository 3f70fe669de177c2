"""The kinds of value that core nodes pass, with what their ports' schemas say of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Row = dict[str, Any]
"""One record of a table."""

Table = Annotated[list[Row], Field(json_schema_extra={"format": "table"})]
"""A list of flat records, all with the same fields."""

Markdown = Annotated[str, Field(json_schema_extra={"format": "markdown"})]
"""Text in Markdown."""

LongText = Annotated[str, Field(json_schema_extra={"format": "multiline"})]
"""Text that a form gives several lines."""

DataUrl = Annotated[str, Field(json_schema_extra={"format": "data-url"})]
"""Bytes in a ``data:`` URL."""

Plot = Annotated[Row, Field(json_schema_extra={"format": "vega-lite"})]
"""A Vega-Lite specification with its data inside."""
