"""JSON: read it, write it, pick from it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from spellwork import NodeError, node
from spellwork.paths import PathError, pick, read_path

from .bounds import check_length


@node(
    "core.json_parse",
    title="Read JSON",
    category="JSON",
    output="value",
    keywords=("parse", "decode", "load"),
)
def json_parse(text: str) -> Any:
    """The value that a JSON text stands for."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NodeError(f"the text is not JSON: {error}", port="text", retryable=False) from error


@node(
    "core.json_format",
    title="Write JSON",
    category="JSON",
    output="text",
    keywords=("stringify", "encode", "dump"),
)
def json_format(
    value: Any, indent: Annotated[int, Field(ge=0, le=8)] = 2, sort_keys: bool = False
) -> str:
    """A value as JSON text; on one line when ``indent`` is 0."""
    encoder = json.JSONEncoder(ensure_ascii=False, indent=indent or None, sort_keys=sort_keys)
    if not indent:
        return encoder.encode(value)
    parts: list[str] = []
    size = 0
    for part in encoder.iterencode(value):
        parts.append(part)
        size += len(part)
        check_length(size, "value")
    return "".join(parts)


@node(
    "core.json_pick",
    title="Pick from JSON",
    category="JSON",
    output="value",
    keywords=("path", "get", "field", "extract", "jsonpath"),
    example={"path": "a.b[0]"},
)
def json_pick(
    value: Any,
    path: Annotated[str, Field(description='Such as a.b[0], [-1], ["two words"] or rows[*].name')],
    default: Any = None,
    strict: bool = True,
) -> Any:
    """What lies at a path in a value; ``default`` when there is nothing and ``strict`` is off."""
    try:
        return pick(value, read_path(path))
    except PathError as error:
        if not strict:
            return default
        raise NodeError(f"{path}: {error}", port="path", retryable=False) from error
