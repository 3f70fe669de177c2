"""The names that declarations bind, patterns included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
    }
)
CLASSES = frozenset({"class_declaration", "abstract_class_declaration", "class"})
DECLARING = frozenset(
    {
        "function_declaration",
        "generator_function_declaration",
        "class_declaration",
        "abstract_class_declaration",
        "enum_declaration",
    }
)
"""What declares the one name in its field ``name``."""

VARIABLES = frozenset({"lexical_declaration", "variable_declaration"})
TYPES_ONLY = frozenset(
    {
        "interface_declaration",
        "type_alias_declaration",
        "ambient_declaration",
        "function_signature",
        "empty_statement",
        "comment",
        "hash_bang_line",
    }
)
"""Statements of which nothing is left at run time."""


def field(node: Node, name: str) -> Node | None:
    """Return the child in a field."""
    return node.child_by_field_name(name)


def declaration_of(statement: Node) -> Node:
    """Return what a statement declares or computes: the statement itself, or what it exports."""
    if statement.type != "export_statement":
        return statement
    return field(statement, "declaration") or field(statement, "value") or statement


def declarators(declaration: Node) -> list[Node]:
    """Return the parts of ``const a = 1, b = 2``."""
    return [node for node in declaration.named_children if node.type == "variable_declarator"]


def names_in(pattern: Node | None) -> Iterator[Node]:
    """Yield the identifiers that a pattern binds."""
    if pattern is None:
        return
    kind = pattern.type
    if kind in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
    elif kind in ("object_assignment_pattern", "assignment_pattern"):
        yield from names_in(field(pattern, "left"))
    elif kind == "pair_pattern":
        yield from names_in(field(pattern, "value"))
    elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
        for child in pattern.named_children:
            yield from names_in(child)


def names_declared(statement: Node) -> Iterator[Node]:
    """Yield the identifiers that a statement declares in the scope that it stands in."""
    if statement.type in VARIABLES:
        for declarator in declarators(statement):
            yield from names_in(field(declarator, "name"))
    elif statement.type in DECLARING and (name := field(statement, "name")) is not None:
        yield name


def names_imported(statement: Node) -> Iterator[Node]:
    """Yield the identifiers that an import binds, types too."""
    clause = next((each for each in statement.named_children if each.type == "import_clause"), None)
    for part in clause.named_children if clause is not None else ():
        if part.type == "identifier":
            yield part
        elif part.type == "namespace_import":
            yield from (each for each in part.named_children if each.type == "identifier")
        else:
            for each in part.named_children:
                if each.type == "import_specifier":
                    name = field(each, "alias") or field(each, "name")
                    if name is not None:
                        yield name


def hoisted(body: Node) -> Iterator[Node]:
    """Yield the identifiers that ``var`` binds anywhere in a function's body, loop heads apart."""
    waiting = list(reversed(body.named_children))
    while waiting:
        node = waiting.pop()
        if node.type in FUNCTIONS or node.type in CLASSES or node.type in TYPES_ONLY:
            continue
        if node.type == "variable_declaration":
            yield from names_declared(node)
        elif node.type == "for_in_statement" and _kind(node) == "var":
            yield from names_in(field(node, "left"))
        waiting.extend(reversed(node.named_children))


def is_loop_head(name: Node) -> bool:
    """Whether a name is declared in the head of a loop: it is no value to keep."""
    node: Node | None = name.parent
    while node is not None and node.type not in ("program", "statement_block"):
        if node.type == "for_in_statement" or (
            node.type == "variable_declaration"
            and node.parent is not None
            and node.parent.type == "for_statement"
        ):
            return True
        node = node.parent
    return False


def loop_kind(loop: Node) -> str:
    """Return ``const``, ``let`` or ``var`` of ``for (const x of y)``; empty when it assigns."""
    return _kind(loop)


def _kind(loop: Node) -> str:
    kind = field(loop, "kind")
    return "" if kind is None else kind.type
