"""What a cell may import: modules that need neither files nor the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .literals import unquoted
from .patterns import field
from .syntax import Source

if TYPE_CHECKING:
    from tree_sitter import Node

MODULES = frozenset(
    {
        "assert",
        "async_hooks",
        "buffer",
        "console",
        "crypto",
        "diagnostics_channel",
        "events",
        "path",
        "path/posix",
        "path/win32",
        "perf_hooks",
        "punycode",
        "querystring",
        "stream",
        "stream/consumers",
        "stream/promises",
        "stream/web",
        "string_decoder",
        "timers",
        "timers/promises",
        "url",
        "util",
        "util/types",
        "zlib",
    }
)
"""Modules of Node's library that Deno has and that only compute."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: where from, and whether anything of it is left at run time."""

    node: Node
    source: Node
    module: str
    types_only: bool


def imports_of(source: Source) -> Iterator[Import]:
    """Yield the cell's static imports."""
    for statement in source.root.named_children:
        where = field(statement, "source")
        if statement.type == "import_statement" and where is not None:
            types_only = any(child.type == "type" for child in statement.children)
            yield Import(statement, where, unquoted(source.text(where)), types_only)


def check_imports(source: Source) -> None:
    """See that the cell imports only what it may; a worker would refuse the rest, less clearly.

    Raises:
        CellError: it does not.
    """
    for each in imports_of(source):
        name = each.module.removeprefix("node:")
        if each.types_only or each.module.startswith("data:") or name in MODULES:
            continue
        shown = each.module if len(each.module) <= 60 else each.module[:60] + "…"
        raise source.error(
            f"a cell cannot import {shown!r}: it reaches neither packages, nor files, nor the network;"
            " it may import modules that only compute, such as 'node:crypto', and data: URLs",
            each.source,
        )
