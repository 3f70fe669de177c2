"""Code that is being written seldom parses: what it would take in is read from what is there of it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from spellwork import CodeError, Node, NodeType

from .typescript_words import KEYWORDS

_WORD = re.compile(r"(?<![\w.$])[^\W\d]\w*")
_BEGUN = re.compile(r"""(\??\.[\w$]*|\[\s*["'][^"']*)$""")


def being_written(declared: NodeType, node: Node, code: str, line: int, column: int) -> Node:
    """Return the node with code that parses, as near as may be to what is being written at a place."""
    assert declared.resolve is not None
    for attempt in _attempts(code, line, column):
        nearest = node.model_copy(update={"code": attempt})
        try:
            declared.resolve(nearest)
        except CodeError:
            continue
        return nearest
    return node


def _attempts(code: str, line: int, column: int) -> Iterator[str]:
    """Yield the code; without what is begun at the place; with that line's words only; without the line."""
    yield code
    lines = code.split("\n")
    if not 0 < line <= len(lines):
        return
    text = lines[line - 1]
    indent = text[: len(text) - len(text.lstrip())]
    words = [word for word in _WORD.findall(text) if not _is_keyword(word)]
    for changed in (
        _BEGUN.sub("", text[:column]) + text[column:],
        indent + "; ".join(words),
        indent + "; ".join(word for word in words[-1:]),
        indent,
    ):
        yield "\n".join([*lines[: line - 1], changed, *lines[line:]])


def _is_keyword(word: str) -> bool:
    return keyword.iskeyword(word) or word in KEYWORDS
