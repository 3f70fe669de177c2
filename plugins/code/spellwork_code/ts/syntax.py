"""Parses TypeScript with tree-sitter, and says where the text cannot be read."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from spellwork.ports import Place
from spellwork_worker.cells import MAX_CODE, CellError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

PARSE_SECONDS = 2.0
"""Seconds after which a text that parses slowly is given up."""

_PIECE = 65_536
_LONE_RETURN = re.compile(r"\r(?!\n)")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset("([{")
_DOTS = frozenset((".", "?."))
_STATEMENTS = frozenset(
    (
        "async",
        "await",
        "break",
        "class",
        "const",
        "continue",
        "declare",
        "do",
        "enum",
        "export",
        "for",
        "function",
        "if",
        "import",
        "interface",
        "let",
        "return",
        "switch",
        "throw",
        "try",
        "type",
        "var",
        "while",
    )
)
"""Words with which a line begins that goes on with nothing: behind a dot they are names, too."""

_BROKEN = "the syntax cannot be read"
_lock = threading.Lock()  # a parser parses one text at a time


class Source:
    """A cell's text with its syntax tree. Places count characters from 1, as people do.

    Raises:
        CellError: it is not TypeScript, or it is too long.
    """

    def __init__(self, code: str) -> None:
        if len(code) > MAX_CODE:
            raise CellError(
                f"the cell has {len(code):,} characters; at most {MAX_CODE:,} are allowed"
            )
        if "\0" in code:
            raise CellError("the cell has a null byte")
        try:
            self.data = _LONE_RETURN.sub("\n", code).encode()
        except UnicodeEncodeError as error:
            raise CellError("the cell has half a character (a lone surrogate)") from error
        self.root = _parse(self.data)
        self._lines = self.data.split(b"\n")
        if self.root.has_error:
            raise self._explain()

    def text(self, node: Node) -> str:
        """Return the text of a node."""
        return self.data[node.start_byte : node.end_byte].decode()

    def place(self, node: Node) -> Place:
        """Return where a node's first line stands."""
        row, start = node.start_point
        end = node.end_point.column if node.end_point.row == row else len(self._lines[row])
        return Place(row + 1, self._column(row, start), self._column(row, end))

    def error(self, message: str, node: Node) -> CellError:
        """Return an error that points to a node."""
        place = self.place(node)
        return CellError(message, place.line, place.column, place.end_column)

    def _column(self, row: int, column: int) -> int:
        return len(self._lines[row][:column].decode("utf-8", "replace")) + 1

    def _explain(self) -> CellError:
        """Return what is wrong: a bracket without its other one, else what was not expected."""
        opened: list[Node] = []
        dot: Node | None = None  # the one before this leaf
        unfinished: Node | None = None
        for leaf in _leaves(self.root):
            if leaf.is_missing or leaf.type == "comment":
                continue
            if dot is not None and self._begins_anew(dot, leaf):
                unfinished = unfinished or dot
            dot = leaf if leaf.type in _DOTS else None
            if leaf.type in _OPENING:
                opened.append(leaf)
            elif leaf.type in _PAIRS:
                if not opened or opened[-1].type != _PAIRS[leaf.type]:
                    return self.error(f"{_BROKEN}: `{leaf.type}` closes nothing", leaf)
                opened.pop()
        if opened:
            return self.error(f"{_BROKEN}: `{opened[-1].type}` is never closed", opened[-1])
        unfinished = unfinished or dot
        if unfinished is not None:
            return self.error(
                f"{_BROKEN}: a name is missing behind `{unfinished.type}`", unfinished
            )
        wrong = next(node for node in _all(self.root) if node.is_error or node.is_missing)
        if wrong.is_missing:
            what = (
                f"{wrong.type!r} is missing" if not wrong.is_named else f"{wrong.type} is missing"
            )
            return self.error(f"{_BROKEN}: {what}", wrong)
        words = " ".join(self.text(wrong).split())
        return self.error(f"{_BROKEN} at `{words[:40]}{'…' if len(words) > 40 else ''}`", wrong)

    def _begins_anew(self, dot: Node, leaf: Node) -> bool:
        """Say whether what follows a dot is the next line, which only looks like a name behind it."""
        return leaf.start_point.row > dot.end_point.row and self.text(leaf) in _STATEMENTS


def _parse(data: bytes) -> Node:
    until = time.monotonic() + PARSE_SECONDS

    def read(offset: int, _point: object) -> bytes:
        return data[offset : offset + _PIECE]

    def goes_on(_offset: int, _has_error: bool) -> bool:
        return time.monotonic() > until  # tree-sitter stops when it is told True

    try:
        with _lock:
            tree = _parser().parse(read, progress_callback=goes_on)
    except ValueError as error:  # what the parser says of a text that it gave up
        raise CellError("the code is too tangled to be read") from error
    return tree.root_node


@cache
def _parser() -> Parser:
    import tree_sitter_typescript  # noqa: PLC0415 - a server without TypeScript cells needs none
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_typescript.language_typescript()))


def _all(root: Node) -> Iterator[Node]:
    """Yield a tree's nodes, each before what it holds."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _leaves(root: Node) -> Iterator[Node]:
    return (node for node in _all(root) if not node.child_count)
