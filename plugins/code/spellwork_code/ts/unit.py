"""Writes what a worker runs of a TypeScript cell: its text, made the body of one function.

Lines stay where they are, one below; what is put into a line is told, so that a
worker can say in which line and column of the cell an error arose. Types are
left in: a worker takes them out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spellwork_worker.cells import RESULT

from .cells import Parsed
from .imports import Import, imports_of
from .patterns import TYPES_ONLY, field

if TYPE_CHECKING:
    from tree_sitter import Node

_ENTRY = "_spellwork_entry"


def unit_of(cell: Parsed) -> dict[str, Any]:
    """Return what a worker needs to run the cell, as plain values.

    ``text`` is an expression whose value is an async function that takes the ``free``
    names in their order. In the function forms it gives the function, to be called with
    ``parameters`` (see ``Parameters.places``); else an object of the ``outputs``.
    ``inserted`` has ``[line, column, length]`` for each piece put into a line of the text.
    ``forms`` are those of ``types``.
    """
    writing = _Writing(cell)
    text = writing.text()
    return {
        "text": text,
        "inserted": writing.inserted,
        "form": cell.form,
        "free": list(cell.free),
        "outputs": [port.name for port in cell.outputs],
        "parameters": None if cell.parameters is None else cell.parameters.places,
        "forms": cell.forms or {},
        "streams": cell.form.endswith("generator"),
    }


class _Writing:
    """Edits of a cell's text, made from the front to the back."""

    def __init__(self, cell: Parsed) -> None:
        self._cell = cell
        self._data = cell.source.data
        self._edits: list[tuple[int, int, bytes]] = []
        self.inserted: list[tuple[int, int, int]] = []

    def text(self) -> str:
        """Return the whole text, and note what was put in."""
        for each in imports_of(self._cell.source):
            self._replace(each.node, self._imported(each))
        self._drop_types()
        end = self._entry() if self._cell.entry is not None else self._result()
        own = f" let {', '.join(self._cell.implied)};" if self._cell.implied else ""
        head = f'(async function ({", ".join(self._cell.free)}) {{"use strict";{own}'
        return f"{head}\n{self._edited()}\n{end}}})"

    # Edits

    def _put(self, at: int, text: str) -> None:
        self._edits.append((at, at, text.encode()))

    def _blank(self, start: int, end: int) -> None:
        """Replace a piece by spaces, so that what follows stays where it is."""
        kept = "".join(mark if mark in "\r\n" else " " for mark in self._data[start:end].decode())
        self._edits.append((start, end, kept.encode()))

    def _replace(self, node: Node, text: str) -> None:
        """Replace a statement by another of as many lines."""
        breaks = self._data[node.start_byte : node.end_byte].count(b"\n")
        self._edits.append((node.start_byte, node.end_byte, (text + "\n" * breaks).encode()))

    def _edited(self) -> str:
        parts: list[str] = []
        at, line, column = 0, 2, 1

        def take(piece: str) -> None:
            nonlocal line, column
            parts.append(piece)
            breaks = piece.count("\n")
            line += breaks
            column = len(piece) - piece.rfind("\n") if breaks else column + len(piece)

        for start, end, text in sorted(self._edits):
            take(self._data[at:start].decode())
            new, old = text.decode(), self._data[start:end].decode()
            if "\n" not in new and "\n" not in old and len(new) != len(old):
                self.inserted.append((line, column, len(new) - len(old)))
            take(new)
            at = end
        take(self._data[at:].decode())
        return "".join(parts)

    # Parts of the cell

    def _drop_types(self) -> None:
        """Take out ``declare`` and ``export``, which have no place in a function."""
        for statement in self._cell.source.root.named_children:
            if statement.type == "ambient_declaration":
                self._blank(statement.start_byte, statement.end_byte)
            elif statement.type == "export_statement":
                inner = field(statement, "declaration") or field(statement, "value")
                if inner is not None and inner.type in TYPES_ONLY:
                    self._blank(statement.start_byte, statement.end_byte)
                elif inner is not None:
                    self._blank(statement.start_byte, inner.start_byte)

    def _imported(self, each: Import) -> str:
        """Return an import as a statement of a function's body."""
        if each.types_only:
            return ""
        attributes = next(
            (part for part in each.node.named_children if part.type == "import_attribute"), None
        )
        options = ""
        if attributes is not None and attributes.named_children:
            options = f", {{with: {self._cell.source.text(attributes.named_children[0])}}}"
        module = each.module if ":" in each.module else f"node:{each.module}"
        given = f"await import({json.dumps(module)}{options})"
        clause = next(
            (part for part in each.node.named_children if part.type == "import_clause"), None
        )
        if clause is None:
            return f"{given};"
        return "".join(f"const {name} = {given};" for name in self._bound(clause))

    def _bound(self, clause: Node) -> list[str]:
        text = self._cell.source.text
        names: list[str] = []
        for part in clause.named_children:
            if part.type == "identifier":
                names.append(f"{{default: {text(part)}}}")
            elif part.type == "namespace_import":
                names.append(text(part.named_children[-1]))
            else:
                fields = [self._specifier(each) for each in part.named_children]
                names.append(f"{{{', '.join(each for each in fields if each)}}}")
        return names

    def _specifier(self, part: Node) -> str:
        name, alias = field(part, "name"), field(part, "alias")
        if name is None or any(child.type == "type" for child in part.children):
            return ""
        text = self._cell.source.text
        return text(name) if alias is None else f"{text(name)}: {text(alias)}"

    def _entry(self) -> str:
        """Give the cell's function a name where it has none, and return what gives it."""
        entry = self._cell.entry
        assert entry is not None
        parent = entry.parent
        named = field(entry, "name")
        if entry.type.endswith("_declaration") and named is not None:
            return f"return {self._cell.source.text(named)}"
        if parent is not None and parent.type == "variable_declarator":
            declared = field(parent, "name")
            assert declared is not None
            return f"return {self._cell.source.text(declared)}"
        self._put(entry.start_byte, f"const {_ENTRY} = (")
        self._put(entry.end_byte, ")")
        return f"return {_ENTRY}"

    def _result(self) -> str:
        """Make the last expression part of what is returned, and return what follows the cell."""
        names = [
            port.name for port in self._cell.outputs if port.name != RESULT or not self._cell.last
        ]
        last = self._cell.last
        if last is None:
            return f"return {{__proto__: null, {', '.join(names)}}}"
        self._put(last.start_byte, f"return {{__proto__: null, {RESULT}: (")
        self._put(last.end_byte, "".join([")", *(f", {name}" for name in names), "}"]))
        return ""
