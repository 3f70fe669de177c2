"""Makes port schemas of TypeScript types, by reading them and never evaluating them.

Beside its JSON Schema a type may have a *form*: what a worker makes of the plain
value that comes, where the type says more than JSON can.

==========================  =========================================================
form                        the value that the cell gets
==========================  =========================================================
``"date"``                  a ``Date`` of the text
``"bytes"``                 a ``Uint8Array`` of the ``data:`` URL
``"bigint"``                a ``bigint``
``["list", form]``          a list of such
``["set", form | None]``    a ``Set``
``["map", form | None]``    a ``Map`` of the object's pairs
``["record", form]``        an object whose values are such
``["fields", {name: form}]``  an object with these fields
==========================  =========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any

from .literals import NotLiteralError, key, literal
from .patterns import declaration_of, field
from .syntax import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_DEPTH = 12
"""How deep types are followed: what lies deeper may be anything."""

_STEPS = 2_000
"""Types that are read of one cell before the rest may be anything."""

_PLAIN: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "object": {"type": "object"},
}
BYTES = {"type": "string", "format": "data-url"}
_BYTES = frozenset(
    {"Uint8Array", "Uint8ClampedArray", "ArrayBuffer", "Int8Array", "Blob", "Buffer", "DataView"}
)
_NUMBERS = frozenset(
    f"{kind}Array"
    for kind in ("Int16", "Int32", "Uint16", "Uint32", "Float16", "Float32", "Float64")
)
_STREAMS = frozenset(
    {
        "AsyncIterable",
        "AsyncIterator",
        "AsyncGenerator",
        "AsyncIterableIterator",
        "AsyncIteratorObject",
        "ReadableStream",
    }
)
_GENERATORS = _STREAMS | {"Iterable", "Iterator", "Generator", "IterableIterator", "IteratorObject"}
_LISTS = frozenset(
    {"Array", "ReadonlyArray", "Iterable", "Iterator", "Generator", "IterableIterator", "ArrayLike"}
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a type says: a schema, a form (see the module), whether the value may be missing."""

    schema: dict[str, Any] = attribute(default_factory=dict)
    form: Any = None
    optional: bool = False


ANYTHING = Meaning()
_NOTHING = Meaning({"not": {}}, optional=True)


class Types:
    """The types of one cell: those that it declares, and those of the language."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._left = _STEPS
        self._open: set[str] = set()
        self._declared: dict[str, list[Node]] = {}
        for statement in source.root.named_children:
            declaration = declaration_of(statement)
            if declaration.type == "ambient_declaration" and declaration.named_children:
                declaration = declaration.named_children[0]
            name = field(declaration, "name")
            if name is not None and declaration.type in _READ_DECLARED:
                self._declared.setdefault(source.text(name), []).append(declaration)

    def of(self, annotation: Node | None) -> Meaning:
        """Return what an annotation (``: T``) or a type says; anything where it says nothing."""
        found = ANYTHING if annotation is None else self._read(_bare(annotation), _DEPTH)
        return Meaning(optional=True) if found.schema == _NOTHING.schema else found

    def whole(self, annotation: Node | None) -> Meaning:
        """Return what the items of a stream's type add up to: texts to a text, bytes to bytes."""
        node = None if annotation is None else self._promised(_bare(annotation))
        if node is None or node.type != "generic_type" or self._name(node) not in _GENERATORS:
            return ANYTHING
        arguments = _arguments(node)
        if not arguments:
            return ANYTHING
        item = self._read(arguments[0], _DEPTH)
        if item.form == "bytes":
            return Meaning({"type": "string", "format": "binary"}, "bytes")
        if not item.schema or item.schema == _PLAIN["string"]:
            return item
        return Meaning({"type": "array", "items": item.schema}, item.form)

    def is_stream(self, annotation: Node | None) -> bool:
        """Whether a type gives chunks as they come: ``AsyncIterable<T>``, ``ReadableStream<T>``."""
        if annotation is None:
            return False
        node = self._promised(_bare(annotation))
        return self._name(node) in _STREAMS and self._name(node) not in self._declared

    # Types by their kind

    def _read(self, node: Node, depth: int) -> Meaning:
        self._left -= 1
        if depth <= 0 or self._left <= 0:
            return ANYTHING
        reader = _KINDS.get(node.type)
        return ANYTHING if reader is None else reader(self, node, depth - 1)

    def inside(self, node: Node, depth: int) -> Meaning:
        """Read ``(T)``, ``readonly T`` and ``T`` of a literal."""
        return self._read(node.named_children[-1], depth)

    def predefined(self, node: Node, depth: int) -> Meaning:
        """Read ``string`` and the like."""
        word = self._source.text(node)
        return _NOTHING if word == "void" else Meaning(dict(_PLAIN.get(word, {})))

    def literal(self, node: Node, depth: int) -> Meaning:
        """Read a literal as a type."""
        part = node.named_children[0]
        if part.type == "undefined":
            return _NOTHING
        if part.type == "null":
            return Meaning({"type": "null"})
        try:
            return Meaning({"enum": [literal(self._source, part)]})
        except NotLiteralError:
            return ANYTHING

    def text(self, node: Node, depth: int) -> Meaning:
        """Read a template of texts."""
        return Meaning({"type": "string"})

    def named(self, node: Node, depth: int) -> Meaning:
        """Read a name: one of the cell's own types first."""
        name = self._source.text(node)
        return self._own(name, depth) if name in self._declared else self._known(name, [], depth)

    def generic(self, node: Node, depth: int) -> Meaning:
        """Read ``Name<T>``; of the cell's own generic types the parameters may be anything."""
        name = self._name(node)
        if name in self._declared:
            return self._own(name, depth)
        return self._known(name, _arguments(node), depth)

    def array(self, node: Node, depth: int) -> Meaning:
        """Read ``T[]``."""
        return _list(self._read(node.named_children[0], depth))

    def tuple(self, node: Node, depth: int) -> Meaning:
        """Read ``[A, B]``: a list whose items are one of these."""
        parts = [each for each in node.named_children if each.type != "comment"]
        items = [self._read(_item_of(each), depth) for each in parts]
        rests = [_is_rest(each) for each in parts]
        least = sum(
            not rest and each.type not in ("optional_type", "optional_parameter")
            for each, rest in zip(parts, rests, strict=True)
        )
        schema = {"type": "array", "items": self._either(items).schema, "minItems": least}
        if not schema["items"]:
            del schema["items"]
        if not any(rests):
            schema["maxItems"] = len(parts)
        return Meaning(schema)

    def union(self, node: Node, depth: int) -> Meaning:
        """Read ``A | B``."""
        options: list[Meaning] = []
        waiting = [node]
        while waiting:
            each = waiting.pop()
            if each.type == "union_type":
                waiting.extend(reversed(each.named_children))
            else:
                options.append(self._read(each, depth))
        return self._either(options)

    def intersection(self, node: Node, depth: int) -> Meaning:
        """Read ``A & B``: of objects all their fields, else the first that says something."""
        return self._merged([self._read(each, depth) for each in node.named_children])

    def fields(self, node: Node, depth: int) -> Meaning:
        """Read ``{a: A; b?: B}`` and the body of an interface."""
        schema: dict[str, Any] = {"type": "object"}
        properties: dict[str, Any] = {}
        required: list[str] = []
        forms: dict[str, Any] = {}
        for member in node.named_children:
            if member.type == "index_signature":
                values = self.of(field(member, "type")).schema
                if values:
                    schema["additionalProperties"] = values
            if member.type != "property_signature":
                continue
            try:
                name = key(self._source, field(member, "name"))
            except NotLiteralError:
                continue
            type_ = field(member, "type")
            meaning = ANYTHING if type_ is None else self._read(_bare(type_), depth)
            properties[name] = meaning.schema
            if meaning.form is not None:
                forms[name] = meaning.form
            if not meaning.optional and all(each.type != "?" for each in member.children):
                required.append(name)
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = required
        return Meaning(schema, ["fields", forms] if forms else None)

    # Declared types

    def _own(self, name: str, depth: int) -> Meaning:
        """Read one of the cell's types; within itself it may be anything."""
        if name in self._open:
            return ANYTHING
        self._open.add(name)
        try:
            return self._merged([self._declaration(each, depth) for each in self._declared[name]])
        finally:
            self._open.discard(name)

    def _declaration(self, node: Node, depth: int) -> Meaning:
        if depth <= 0:
            return ANYTHING
        if node.type == "type_alias_declaration":
            value = field(node, "value")
            return ANYTHING if value is None else self._read(value, depth - 1)
        body = field(node, "body")
        if body is None:
            return ANYTHING
        if node.type == "enum_declaration":
            return self._enum(body)
        parts = [
            self._read(each, depth - 1)
            for clause in node.named_children
            if clause.type == "extends_type_clause"
            for each in clause.named_children
        ]
        return self._merged([*parts, self.fields(body, depth - 1)])

    def _enum(self, body: Node) -> Meaning:
        values: list[Any] = []
        following: int | float | None = 0
        for member in body.named_children:
            if member.type == "enum_assignment":
                try:
                    value = literal(self._source, field(member, "value") or member)
                except NotLiteralError:
                    return ANYTHING
            elif member.type == "comment":
                continue
            elif following is None:
                return ANYTHING
            else:
                value = following
            values.append(value)
            following = value + 1 if isinstance(value, (int, float)) else None
        return Meaning({"enum": values}) if values else ANYTHING

    # The language's own types

    def _known(self, name: str, arguments: list[Node], depth: int) -> Meaning:
        if name in _BYTES:
            return Meaning(dict(BYTES), "bytes" if name in ("Uint8Array", "Buffer") else None)
        if name in _NUMBERS:
            return Meaning({"type": "array", "items": {"type": "number"}})
        if name in _LISTS:
            return _list(self._argument(arguments, 0, depth))
        known = _KNOWN.get(name)
        return ANYTHING if known is None else known(self, arguments, depth)

    def _argument(self, arguments: list[Node], place: int, depth: int) -> Meaning:
        return self._read(arguments[place], depth) if place < len(arguments) else ANYTHING

    def known_date(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Date``."""
        return Meaning({"type": "string", "format": "date-time"}, "date")

    def known_bigint(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``bigint``."""
        return Meaning({"type": "integer"}, "bigint")

    def known_record(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Record<K, V>``."""
        values = self._argument(arguments, 1, depth)
        names = self._argument(arguments, 0, depth).schema.get("enum")
        if names and all(isinstance(name, str) for name in names):
            schema = {
                "type": "object",
                "properties": dict.fromkeys(names, values.schema),
                "required": list(names),
            }
        else:
            schema = _object_of(values)
        return Meaning(schema, None if values.form is None else ["record", values.form])

    def known_map(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Map<K, V>``."""
        values = self._argument(arguments, 1, depth)
        return Meaning(_object_of(values), ["map", values.form])

    def known_set(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Set<T>``."""
        item = self._argument(arguments, 0, depth)
        return replace(_list(item), form=["set", item.form])

    def known_inside(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Promise<T>`` and ``Readonly<T>``."""
        return self._argument(arguments, 0, depth)

    def known_partial(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Partial<T>``."""
        inner = self._argument(arguments, 0, depth)
        return replace(inner, schema={k: v for k, v in inner.schema.items() if k != "required"})

    def known_required(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Required<T>``."""
        inner = self._argument(arguments, 0, depth)
        if "properties" not in inner.schema:
            return inner
        return replace(inner, schema=inner.schema | {"required": list(inner.schema["properties"])})

    def known_pick(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Pick<T, K>``."""
        return self._chosen(arguments, depth, keep=True)

    def known_omit(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``Omit<T, K>``."""
        return self._chosen(arguments, depth, keep=False)

    def known_present(self, arguments: list[Node], depth: int) -> Meaning:
        """Read ``NonNullable<T>``."""
        inner = self._argument(arguments, 0, depth)
        options = [each for each in inner.schema.get("anyOf", []) if each != {"type": "null"}]
        schema = (
            inner.schema if not options else options[0] if len(options) == 1 else {"anyOf": options}
        )
        return Meaning(schema, inner.form)

    def _chosen(self, arguments: list[Node], depth: int, *, keep: bool) -> Meaning:
        inner = self._argument(arguments, 0, depth)
        names = self._argument(arguments, 1, depth).schema.get("enum", [])
        if "properties" not in inner.schema or not names:
            return Meaning({"type": "object"})
        schema = dict(inner.schema)
        schema["properties"] = {
            name: each for name, each in schema["properties"].items() if (name in names) == keep
        }
        schema["required"] = [
            name for name in schema.get("required", []) if (name in names) == keep
        ]
        return Meaning(schema, inner.form)

    # Putting together

    def _either(self, options: list[Meaning]) -> Meaning:
        present = [each for each in options if each.schema != _NOTHING.schema]
        optional = len(present) < len(options) or any(each.optional for each in present)
        if not present:
            return _NOTHING if options else ANYTHING
        forms = [each.form for each in present if each.form is not None]
        form = forms[0] if len(forms) == 1 else None
        if not all(each.schema for each in present):
            return Meaning({}, None, optional)
        literals: list[Any] = []
        others: list[dict[str, Any]] = []
        for each in present:
            if set(each.schema) == {"enum"}:
                literals += [value for value in each.schema["enum"] if value not in literals]
            else:
                flat = each.schema["anyOf"] if set(each.schema) == {"anyOf"} else [each.schema]
                others += [schema for schema in flat if schema not in others]
        if literals:
            others.insert(0, {"enum": literals})
        return Meaning(others[0] if len(others) == 1 else {"anyOf": others}, form, optional)

    def _merged(self, parts: list[Meaning]) -> Meaning:
        """Return what is all of these at once."""
        objects = [each for each in parts if each.schema.get("type") == "object"]
        if len(objects) < 2:
            return next((each for each in parts if each.schema), ANYTHING)
        schema: dict[str, Any] = {}
        forms: dict[str, Any] = {}
        for each in objects:
            properties = schema.get("properties", {}) | each.schema.get("properties", {})
            required = [*schema.get("required", []), *each.schema.get("required", [])]
            schema = schema | each.schema
            if properties:
                schema["properties"] = properties
            if required:
                schema["required"] = list(dict.fromkeys(required))
            if isinstance(each.form, list) and each.form[0] == "fields":
                forms |= each.form[1]
        return Meaning(schema, ["fields", forms] if forms else None)

    def _name(self, node: Node) -> str:
        name = field(node, "name") if node.type == "generic_type" else node
        return "" if name is None else self._source.text(name).rpartition(".")[2]

    def _promised(self, node: Node) -> Node:
        """Return ``T`` of ``Promise<T>``."""
        arguments = _arguments(node) if self._name(node) == "Promise" else []
        return arguments[0] if arguments else node


def _bare(annotation: Node) -> Node:
    """Return the type of an annotation."""
    if annotation.type == "type_annotation" and annotation.named_children:
        return annotation.named_children[-1]
    return annotation


def _arguments(node: Node) -> list[Node]:
    found = field(node, "type_arguments") if node.type == "generic_type" else None
    return (
        [] if found is None else [each for each in found.named_children if each.type != "comment"]
    )


def _is_rest(part: Node) -> bool:
    return part.type == "rest_type" or any(each.type == "rest_pattern" for each in part.children)


def _item_of(part: Node) -> Node:
    """Return the type of a tuple's part, its name and marks left out."""
    if part.type in ("required_parameter", "optional_parameter"):
        type_ = field(part, "type")
        if type_ is None:
            return part
        inner = _bare(type_)
        return inner.named_children[0] if _is_rest(part) and inner.type == "array_type" else inner
    if part.type == "rest_type":
        inner = part.named_children[-1]
        return inner.named_children[0] if inner.type == "array_type" else inner
    return part.named_children[0] if part.type == "optional_type" else part


def _list(item: Meaning) -> Meaning:
    schema: dict[str, Any] = {"type": "array"}
    if item.schema:
        schema["items"] = item.schema
    return Meaning(schema, None if item.form is None else ["list", item.form])


def _object_of(values: Meaning) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    return schema | {"additionalProperties": values.schema} if values.schema else schema


_Kind = Callable[[Types, "Node", int], Meaning]
_KINDS: Mapping[str, _Kind] = {
    "predefined_type": Types.predefined,
    "literal_type": Types.literal,
    "template_literal_type": Types.text,
    "type_identifier": Types.named,
    "nested_type_identifier": Types.named,
    "generic_type": Types.generic,
    "array_type": Types.array,
    "tuple_type": Types.tuple,
    "union_type": Types.union,
    "intersection_type": Types.intersection,
    "object_type": Types.fields,
    "parenthesized_type": Types.inside,
    "readonly_type": Types.inside,
}
_Known = Callable[[Types, "list[Node]", int], Meaning]
_KNOWN: Mapping[str, _Known] = {
    "Date": Types.known_date,
    "bigint": Types.known_bigint,
    "Record": Types.known_record,
    "Map": Types.known_map,
    "ReadonlyMap": Types.known_map,
    "Set": Types.known_set,
    "ReadonlySet": Types.known_set,
    "Promise": Types.known_inside,
    "Awaited": Types.known_inside,
    "Readonly": Types.known_inside,
    "Partial": Types.known_partial,
    "Required": Types.known_required,
    "Pick": Types.known_pick,
    "Omit": Types.known_omit,
    "NonNullable": Types.known_present,
}
_READ_DECLARED = frozenset({"interface_declaration", "type_alias_declaration", "enum_declaration"})
