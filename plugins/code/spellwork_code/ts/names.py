"""Finds which names a TypeScript cell reads from outside and which it binds.

What is declared is known in its whole scope, as in the language: ``const rows =
rows.filter(f)`` reads no input. A name that is only assigned is declared nowhere:
``rows = rows.filter(f)`` takes ``rows`` in and gives ``rows`` out, and ``y = 2``
gives ``y`` out. Types read nothing. Nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from spellwork.ports import Place

from .known import KNOWN
from .patterns import (
    CLASSES,
    FUNCTIONS,
    TYPES_ONLY,
    VARIABLES,
    declaration_of,
    declarators,
    field,
    hoisted,
    is_loop_head,
    loop_kind,
    names_declared,
    names_imported,
    names_in,
)
from .syntax import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_TYPES = TYPES_ONLY | {
    "type_annotation",
    "type_arguments",
    "type_parameters",
    "implements_clause",
    "extends_type_clause",
    "asserts_annotation",
    "type_predicate_annotation",
    "omitting_type_annotation",
    "opting_type_annotation",
    "adding_type_annotation",
    "index_signature",
    "method_signature",
    "abstract_method_signature",
    "property_identifier",
    "private_property_identifier",
    "statement_identifier",
    "type_identifier",
    "import_statement",
    "meta_property",
    "string",
    "number",
    "regex",
}
"""What reads no name."""

_SCOPES = frozenset({"statement_block", "switch_body", "class_static_block"})


@dataclass(slots=True)
class Names:
    """The names of a cell, each with the place of its first appearance, in that order.

    ``read``: taken from outside. ``bound``: values that the top level keeps. ``implied``:
    those of ``bound`` that are assigned and declared nowhere. ``annotated``: the types
    of ``declare const name: type`` lines, which say what an input should be. ``mentions``:
    every place of a name of the top level, parameters of the cell's function among them.
    """

    read: dict[str, Place]
    bound: dict[str, Place]
    implied: list[str]
    annotated: dict[str, Node]
    mentions: dict[str, list[Place]]


@dataclass(slots=True)
class _Scope:
    names: set[str]
    around: _Scope | None = None
    top: bool = False
    """Whether its statements run while the cell's top level runs, and not when a function is called."""
    public: bool = False
    """Whether its names are ports: it is the top level, or the cell's function."""

    def owner(self, name: str) -> _Scope | None:
        """Return the scope that binds a name."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope
            scope = scope.around
        return None


@dataclass(slots=True)
class _Books:
    read: dict[str, Place] = attribute(default_factory=dict)
    later: dict[str, Place] = attribute(default_factory=dict)
    assigned: dict[str, Place] = attribute(default_factory=dict)
    mentions: dict[str, list[Place]] = attribute(default_factory=dict)


def names_of(source: Source, entry: Node | None = None) -> Names:
    """Return the names that the cell reads and binds; ``entry`` is the function that it is, if any.

    Raises:
        CellError: a name is declared twice.
    """
    declared, annotated = _declared(source)
    reader = _Reader(source, entry)
    top = _Scope(set(declared) | _imported(source), top=True, public=True)
    top.names.update(reader.text(name) for name in hoisted(source.root))
    for statement in source.root.named_children:
        for name in names_declared(declaration_of(statement)):
            reader.mention(name)
        reader.visit(statement, top)
    books = reader.books
    implied = [name for name in books.assigned if name not in books.read]
    read = books.read | {
        name: place
        for name, place in books.later.items()
        if name not in books.read and name not in implied
    }
    bound = declared | books.assigned
    return Names(
        read=_in_order(read),
        bound=_in_order({name: at for name, at in bound.items() if not name.startswith("_")}),
        implied=implied,
        annotated=annotated,
        mentions=books.mentions,
    )


def _in_order(places: dict[str, Place]) -> dict[str, Place]:
    return dict(sorted(places.items(), key=lambda item: (item[1].line, item[1].column)))


def _imported(source: Source) -> set[str]:
    return {
        source.text(name)
        for statement in source.root.named_children
        if statement.type == "import_statement"
        for name in names_imported(statement)
    }


def _declared(source: Source) -> tuple[dict[str, Place], dict[str, Node]]:
    """Return what the top level declares, and the types of its ``declare`` lines."""
    found: dict[str, Place] = {}
    fixed: set[str] = set()
    annotated: dict[str, Node] = {}
    for statement in source.root.named_children:
        if statement.type == "import_statement":
            fixed.update(source.text(name) for name in names_imported(statement))
            continue
        if statement.type == "ambient_declaration":
            annotated |= _ambient(source, statement)
            continue
        declaration = declaration_of(statement)
        for name in names_declared(declaration):
            text = source.text(name)
            loose = declaration.type == "variable_declaration"
            if text in fixed or (text in found and not loose):
                raise source.error(f"`{text}` is declared twice", name)
            if not loose:
                fixed.add(text)
            found.setdefault(text, source.place(name))
    for name in hoisted(source.root):
        if not is_loop_head(name):
            found.setdefault(source.text(name), source.place(name))
    return found, annotated


def _ambient(source: Source, statement: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for declaration in statement.named_children:
        for declarator in declarators(declaration) if declaration.type in VARIABLES else ():
            name, type_ = field(declarator, "name"), field(declarator, "type")
            if name is not None and type_ is not None:
                found[source.text(name)] = type_
    return found


class _Reader:
    """Walks a cell and keeps the books of what its scopes lack."""

    def __init__(self, source: Source, entry: Node | None) -> None:
        self.source = source
        self.text = source.text
        self.books = _Books()
        self._entry = entry

    def visit(self, node: Node, scope: _Scope) -> None:
        """Read a node in a scope."""
        kind = node.type
        if kind in _TYPES:
            return
        if kind in ("identifier", "shorthand_property_identifier"):
            self._read(node, scope)
        elif kind in FUNCTIONS:
            self._function(node, scope)
        elif kind in CLASSES:
            self._class(node, scope)
        elif kind in _SCOPES:
            self._block(node, scope)
        else:
            method = _SPECIAL.get(kind)
            if method is None:
                self._each(node.named_children, scope)
            else:
                method(self, node, scope)

    def _each(self, nodes: Iterable[Node], scope: _Scope) -> None:
        for node in nodes:
            self.visit(node, scope)

    def _field(self, node: Node, name: str, scope: _Scope) -> None:
        child = field(node, name)
        if child is not None:
            self.visit(child, scope)

    # Reading and assigning

    def _read(self, node: Node, scope: _Scope) -> None:
        name = self.text(node)
        if self._is_bound(name, node, scope):
            return
        if not scope.top:
            self.books.later.setdefault(name, self.source.place(node))
        elif name not in self.books.assigned:
            self.books.read.setdefault(name, self.source.place(node))

    def _is_bound(self, name: str, node: Node, scope: _Scope) -> bool:
        owner = scope.owner(name)
        if owner is None and name in KNOWN:
            return True
        if owner is None or owner.public:
            self.mention(node)
        return owner is not None

    def mention(self, name: Node) -> None:
        """Note a place of a name of the top level."""
        self.books.mentions.setdefault(self.text(name), []).append(self.source.place(name))

    def _assign(self, node: Node, scope: _Scope) -> None:
        name = self.text(node)
        if self._is_bound(name, node, scope):
            return
        books = self.books.assigned if scope.top else self.books.later
        books.setdefault(name, self.source.place(node))

    def _target(self, target: Node, scope: _Scope) -> None:
        """Read what an assignment's target needs, and assign the names in it."""
        kind = target.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            self._assign(target, scope)
        elif kind in (
            "object_pattern",
            "array_pattern",
            "rest_pattern",
            "parenthesized_expression",
        ):
            for child in target.named_children:
                self._target(child, scope)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            self._field(target, "right", scope)
            if (left := field(target, "left")) is not None:
                self._target(left, scope)
        elif kind == "pair_pattern":
            self._computed(field(target, "key"), scope)
            if (value := field(target, "value")) is not None:
                self._target(value, scope)
        elif kind == "non_null_expression":
            self._target(target.named_children[0], scope)
        else:
            self.visit(target, scope)

    def assignment(self, node: Node, scope: _Scope) -> None:
        """Read the value before the target is assigned."""
        self._field(node, "right", scope)
        if (left := field(node, "left")) is not None:
            self._target(left, scope)

    def counting(self, node: Node, scope: _Scope) -> None:
        """Read the target as well: ``n += 1`` and ``n++`` need an ``n``."""
        target = field(node, "left") or field(node, "argument")
        if target is not None:
            self.visit(target, scope)
        self._field(node, "right", scope)
        if target is not None and target.type == "identifier":
            self._assign(target, scope)

    # Patterns that declare

    def _pattern(self, pattern: Node | None, scope: _Scope) -> None:
        """Read the defaults and computed keys of a pattern; its names are in the scope already."""
        for child in pattern.named_children if pattern is not None else ():
            if child.type in ("assignment_pattern", "object_assignment_pattern"):
                self._pattern_part(child, scope)
            elif child.type == "pair_pattern":
                self._computed(field(child, "key"), scope)
                value = field(child, "value")
                if value is not None and value.type == "assignment_pattern":
                    self._pattern_part(value, scope)
                else:
                    self._pattern(value, scope)
            elif child.type in ("object_pattern", "array_pattern", "rest_pattern"):
                self._pattern(child, scope)

    def _pattern_part(self, node: Node, scope: _Scope) -> None:
        self._pattern(field(node, "left"), scope)
        self._field(node, "right", scope)

    def _computed(self, key: Node | None, scope: _Scope) -> None:
        if key is not None and key.type == "computed_property_name":
            self._each(key.named_children, scope)

    def declarator(self, node: Node, scope: _Scope) -> None:
        """Read the value and the defaults of ``const {a = b} = c``."""
        self._pattern(field(node, "name"), scope)
        self._field(node, "value", scope)

    # Scopes

    def _names(self, block: Node) -> set[str]:
        return {
            self.text(name)
            for statement in block.named_children
            for name in names_declared(declaration_of(statement))
            if statement.type != "variable_declaration"
        }

    def _block(self, node: Node, scope: _Scope) -> None:
        names = self._names(node)
        if node.type == "switch_body":
            for case in node.named_children:
                names |= self._names(case)
        inner = _Scope(names, scope, top=scope.top) if names else scope
        self._each(node.named_children, inner)

    def _function(self, node: Node, scope: _Scope) -> None:
        if node.type == "method_definition":
            self._computed(field(node, "name"), scope)
        inner = _Scope(set(), scope, public=node == self._entry)
        name = field(node, "name")
        if node.type in ("function_expression", "generator_function") and name is not None:
            inner.names.add(self.text(name))
        parameters = field(node, "parameters")
        single = field(node, "parameter")
        patterns = [field(each, "pattern") for each in _parameters(parameters)] + [single]
        for bound in (name for each in patterns for name in names_in(each)):
            inner.names.add(self.text(bound))
            if inner.public:
                self.mention(bound)
        body = field(node, "body")
        if body is not None:
            inner.names.update(self.text(name) for name in hoisted(body))
        for each in _parameters(parameters):
            self._each((part for part in each.named_children if part.type == "decorator"), scope)
            self._pattern(field(each, "pattern"), inner)
            self._field(each, "value", inner)
        if body is not None:
            self.visit(body, inner)

    def _class(self, node: Node, scope: _Scope) -> None:
        name = field(node, "name")
        inner = _Scope({self.text(name)} if name is not None else set(), scope, top=scope.top)
        later = _Scope(set(), inner)
        for part in node.named_children:
            if part.type == "class_heritage":
                for clause in part.named_children:
                    if clause.type == "extends_clause":
                        self._field(clause, "value", inner)
            elif part.type == "class_body":
                for member in part.named_children:
                    if member.type == "public_field_definition":
                        self._computed(field(member, "name"), inner)
                        self._field(member, "value", later)
                    else:
                        self.visit(member, inner)
            elif part.type == "decorator":
                self.visit(part, scope)

    def enum(self, node: Node, scope: _Scope) -> None:
        """Read the values of an enum's members, which know the members before them."""
        body = field(node, "body")
        members = body.named_children if body is not None else []
        names = {self.text(field(each, "name") or each) for each in members}
        inner = _Scope(names, scope, top=scope.top)
        for member in members:
            if member.type == "enum_assignment":
                self._field(member, "value", inner)

    def catch(self, node: Node, scope: _Scope) -> None:
        """Bind ``catch (error)`` for the handler only."""
        parameter = field(node, "parameter")
        names = {self.text(name) for name in names_in(parameter)}
        inner = _Scope(names, scope, top=scope.top)
        self._pattern(parameter, inner)
        self._field(node, "body", inner)

    def loop(self, node: Node, scope: _Scope) -> None:
        """Bind the loop's variables for the loop only."""
        start = field(node, "initializer")
        names = (
            {self.text(name) for name in names_declared(start)}
            if start is not None and start.type == "lexical_declaration"
            else set()
        )
        self._each(node.named_children, _Scope(names, scope, top=scope.top))

    def loop_over(self, node: Node, scope: _Scope) -> None:
        """Read what is looped over, and bind or assign the loop's variable."""
        left = field(node, "left")
        inner = scope
        if left is not None and loop_kind(node):
            names = {self.text(name) for name in names_in(left)}
            inner = _Scope(names, scope, top=scope.top)
            self._field(node, "right", inner)
            self._pattern(left, inner)
        elif left is not None:
            self._field(node, "right", scope)
            self._target(left, scope)
        self._field(node, "body", inner)

    # Parts of which only some are values

    def first(self, node: Node, scope: _Scope) -> None:
        """Read ``x`` of ``x as T`` and ``x satisfies T``."""
        self.visit(node.named_children[0], scope)

    def asserted(self, node: Node, scope: _Scope) -> None:
        """Read ``x`` of ``<T>x``."""
        self.visit(node.named_children[-1], scope)

    def pair(self, node: Node, scope: _Scope) -> None:
        """Read an object's key where it is computed, and its value."""
        self._computed(field(node, "key"), scope)
        self._field(node, "value", scope)

    def member(self, node: Node, scope: _Scope) -> None:
        """Read the object of ``object.name``."""
        self._field(node, "object", scope)

    def labeled(self, node: Node, scope: _Scope) -> None:
        """Read a statement behind its label."""
        self._field(node, "body", scope)

    def refuse_namespace(self, node: Node, scope: _Scope) -> None:
        """Refuse what has no place in a cell."""
        raise self.source.error("a cell has no namespaces: put what is in it beside it", node)


def _parameters(parameters: Node | None) -> list[Node]:
    if parameters is None:
        return []
    return [
        each
        for each in parameters.named_children
        if each.type in ("required_parameter", "optional_parameter")
    ]


_SPECIAL = {
    "assignment_expression": _Reader.assignment,
    "augmented_assignment_expression": _Reader.counting,
    "update_expression": _Reader.counting,
    "variable_declarator": _Reader.declarator,
    "enum_declaration": _Reader.enum,
    "catch_clause": _Reader.catch,
    "for_statement": _Reader.loop,
    "for_in_statement": _Reader.loop_over,
    "as_expression": _Reader.first,
    "satisfies_expression": _Reader.first,
    "type_assertion": _Reader.asserted,
    "pair": _Reader.pair,
    "member_expression": _Reader.member,
    "labeled_statement": _Reader.labeled,
    "internal_module": _Reader.refuse_namespace,
    "module": _Reader.refuse_namespace,
}
