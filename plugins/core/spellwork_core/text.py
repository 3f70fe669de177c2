"""Text: split it, join it, search it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from spellwork import NodeError, node

from .bounds import check_length
from .templates import as_text

MAX_PATTERN = 1_000
"""Characters a regular expression may have."""

_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r"}
"""Separators that a field of one line cannot hold, as people write them."""

Flags = Annotated[
    str,
    Field(description="i ignores case, m lets ^ and $ match at lines, s lets . match line ends"),
]


def compile_pattern(pattern: str, flags: str) -> re.Pattern[str]:
    """Return the regular expression; NodeError says where it is wrong."""
    unknown = set(flags) - set("ims")
    if unknown:
        raise NodeError(
            f"unknown flags {''.join(sorted(unknown))!r}; allowed are i, m and s",
            port="flags",
            retryable=False,
        )
    if len(pattern) > MAX_PATTERN:
        raise NodeError(
            f"the pattern is longer than {MAX_PATTERN} characters", port="pattern", retryable=False
        )
    try:
        return re.compile(pattern, sum(getattr(re, flag.upper()) for flag in flags))
    except re.error as error:
        raise NodeError(
            f"{pattern!r} is no regular expression: {error}", port="pattern", retryable=False
        ) from error


@node(
    "core.split",
    preview=True,
    title="Split text",
    category="Text",
    output="parts",
    keywords=("lines", "separator", "words"),
)
def split(text: str, separator: str = "", limit: Annotated[int, Field(ge=0)] = 0) -> list[str]:
    """Text cut at a separator: at line ends when it is empty; at most ``limit`` cuts unless 0."""
    for written, meant in _ESCAPES.items():
        separator = separator.replace(written, meant)
    if not separator:
        return text.splitlines()
    return text.split(separator, limit or -1)


@node(
    "core.join",
    preview=True,
    title="Join text",
    category="Text",
    output="text",
    keywords=("concatenate", "lines"),
)
def join(items: list[Any], separator: str = "\n") -> str:
    """The items of a list as one text, with a separator between them."""
    texts = [as_text(item) for item in items]
    check_length(sum(map(len, texts)) + len(separator) * (len(texts) - 1), "separator")
    return separator.join(texts)


@node(
    "core.replace",
    preview=True,
    title="Replace text",
    category="Text",
    output="text",
    keywords=("substitute", "regex"),
)
def replace(text: str, find: str, by: str = "") -> str:
    """Text with every occurrence of one text replaced by another."""
    growth = len(by) - len(find)
    if growth > 0:
        check_length(len(text) + text.count(find) * growth, "by")
    return text.replace(find, by)


@node(
    "core.case",
    preview=True,
    title="Change case",
    category="Text",
    output="text",
    keywords=("upper", "lower", "trim", "title"),
)
def case(text: str, to: Literal["upper", "lower", "title", "trimmed"] = "lower") -> str:
    """Text in upper, lower or title case, or without the space around it."""
    return {"upper": text.upper, "lower": text.lower, "title": text.title, "trimmed": text.strip}[
        to
    ]()


@node(
    "core.regex",
    title="Find by pattern",
    category="Text",
    output="matches",
    isolation="worker",
    timeout=10,
    keywords=("regular expression", "extract", "search", "match"),
    example={"pattern": r"\d+"},
)
def regex(text: str, pattern: str, flags: Flags = "", first: bool = False) -> Any:
    """What a regular expression finds: texts, or maps of its named groups; only the first if asked for.

    It runs in a worker with a time limit: a bad pattern can take for ever.
    """
    found = [_match(match) for match in compile_pattern(pattern, flags).finditer(text)]
    if first:
        return found[0] if found else None
    return found


def _match(match: re.Match[str]) -> Any:
    if match.groupdict():
        return match.groupdict()
    groups = match.groups()
    return match[0] if not groups else groups[0] if len(groups) == 1 else list(groups)
