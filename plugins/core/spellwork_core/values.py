"""Values typed in on the canvas, and values that a spell hands out."""

from __future__ import annotations

from typing import Any

from spellwork import node

from .types import DataUrl, LongText, Markdown


@node(
    "core.value",
    preview=True,
    title="Value",
    category="Values",
    output="value",
    keywords=("constant", "json", "literal", "input"),
    example={"value": 42},
)
async def value(value: Any = None) -> Any:
    """Any JSON value, passed on as it is."""
    return value


@node(
    "core.number",
    preview=True,
    title="Number",
    category="Values",
    output="value",
    keywords=("constant", "integer", "float"),
    example={"value": 42},
)
async def number(value: float = 0) -> float:
    """A number, whole or with a fraction."""
    return int(value) if value == int(value) and abs(value) < 2**53 else value


@node(
    "core.text",
    preview=True,
    title="Text",
    category="Values",
    output="text",
    keywords=("string", "constant", "prompt"),
    example={"text": "Hello"},
)
async def text(text: LongText = "") -> str:
    """A piece of text."""
    return text


@node(
    "core.boolean",
    preview=True,
    title="Yes or no",
    category="Values",
    output="value",
    keywords=("boolean", "switch", "true", "false"),
)
async def boolean(value: bool = False) -> bool:
    """Yes (true) or no (false)."""
    return value


@node(
    "core.markdown",
    title="Markdown",
    category="Show",
    output="markdown",
    keywords=("text", "format", "document"),
    example={"text": "# Hello"},
)
async def markdown(text: Markdown = "") -> Markdown:
    """Text shown as Markdown."""
    return text


@node("core.image", title="Image", category="Show", output="image", keywords=("picture", "photo"))
async def image(image: DataUrl) -> DataUrl:
    """A picture as a data: URL, shown on the node."""
    if not image.startswith("data:image/"):
        raise ValueError(f"an image is a data:image/... URL; this begins with {image[:24]!r}")
    return image
