"""The inputs that a function's parameters are."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any

from spellwork.ports import Port

from .literals import NotLiteralError, key, literal
from .patterns import field
from .syntax import Source
from .types import ANYTHING, Meaning, Types

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(slots=True)
class Parameters:
    """A function's parameters: the inputs they are, and how a worker puts them in their places.

    ``places`` has one entry for each parameter: ``{"name": input}``, ``{"rest": input}``
    for one that takes the items of a list, ``{"fields": [input, ...], "extra": bool}``
    for an object whose fields are inputs.
    """

    ports: dict[str, Port] = attribute(default_factory=dict)
    forms: dict[str, Any] = attribute(default_factory=dict)
    places: list[dict[str, Any]] = attribute(default_factory=list)
    extra: bool = False
    """Whether an object takes fields of any name."""


def parameters_of(source: Source, function: Node, types: Types) -> Parameters:
    """Return the parameters of a function.

    Raises:
        CellError: two inputs would have one name.
    """
    reading = _Reading(source, types)
    single = field(function, "parameter")
    if single is not None:
        reading.named(single, ANYTHING, stream=False, optional=False, default=None)
    parameters = field(function, "parameters")
    for each in parameters.named_children if parameters is not None else ():
        if each.type in ("required_parameter", "optional_parameter"):
            reading.parameter(each)
    return reading.found


class _Reading:
    def __init__(self, source: Source, types: Types) -> None:
        self._source = source
        self._types = types
        self.found = Parameters()

    def parameter(self, node: Node) -> None:
        """Read one parameter."""
        pattern, default = field(node, "pattern"), field(node, "value")
        annotation = field(node, "type")
        if pattern is None or pattern.type == "this":
            return
        if pattern.type == "rest_pattern":
            self._rest(pattern, self._types.of(annotation))
        elif pattern.type == "object_pattern":
            self._object(pattern, self._types.of(annotation))
        else:
            stream = self._types.is_stream(annotation)
            meaning = self._types.whole(annotation) if stream else self._types.of(annotation)
            optional = node.type == "optional_parameter"
            self.named(pattern, meaning, stream=stream, optional=optional, default=default)

    def named(
        self, pattern: Node, meaning: Meaning, *, stream: bool, optional: bool, default: Node | None
    ) -> None:
        """Add an input for a parameter with a name; a pattern of a list's items is known by its place."""
        name = (
            self._source.text(pattern)
            if pattern.type == "identifier"
            else f"argument{len(self.found.places) + 1}"
        )
        self._add(name, pattern, meaning, stream=stream, optional=optional, default=default)
        self.found.places.append({"name": name})

    def _rest(self, pattern: Node, meaning: Meaning) -> None:
        name = next((each for each in pattern.named_children if each.type == "identifier"), None)
        text = "items" if name is None else self._source.text(name)
        listed = meaning if meaning.schema.get("type") == "array" else Meaning({"type": "array"})
        self._add(text, pattern, listed, stream=False, optional=True, default=None)
        self.found.places.append({"rest": text})

    def _object(self, pattern: Node, meaning: Meaning) -> None:
        """Add an input for each field; the pattern's own default is the function's to apply."""
        schemas = meaning.schema.get("properties", {})
        required = meaning.schema.get("required", [])
        forms = (
            meaning.form[1]
            if isinstance(meaning.form, list) and meaning.form[0] == "fields"
            else {}
        )
        place: dict[str, Any] = {"fields": [], "extra": False}
        for part in pattern.named_children:
            if part.type == "rest_pattern":
                place["extra"] = self.found.extra = True
                continue
            read = self._field(part)
            if read is None:
                continue
            name, default = read
            known = name in schemas
            inner = Meaning(schemas.get(name, {}), forms.get(name))
            optional = known and name not in required
            self._add(name, part, inner, stream=False, optional=optional, default=default)
            place["fields"].append(name)
        self.found.places.append(place)

    def _field(self, part: Node) -> tuple[str, Node | None] | None:
        """Return the name and default of ``a``, ``a = 1``, ``a: b`` and ``a: b = 1``."""
        if part.type == "shorthand_property_identifier_pattern":
            return self._source.text(part), None
        if part.type == "object_assignment_pattern":
            left = field(part, "left")
            return None if left is None else (self._source.text(left), field(part, "right"))
        if part.type != "pair_pattern":
            return None
        value = field(part, "value")
        default = (
            field(value, "right")
            if value is not None and value.type == "assignment_pattern"
            else None
        )
        try:
            return key(self._source, field(part, "key")), default
        except NotLiteralError:
            return None

    def _add(
        self,
        name: str,
        node: Node,
        meaning: Meaning,
        *,
        stream: bool,
        optional: bool,
        default: Node | None,
    ) -> None:
        if name in self.found.ports:
            raise self._source.error(f"two inputs are named {name!r}", node)
        value = None
        if default is not None:
            try:
                value = literal(self._source, default)
            except NotLiteralError:
                value = None  # the function computes it
        self.found.ports[name] = Port(
            name,
            meaning.schema,
            required=not optional and not meaning.optional and default is None,
            default=value,
            stream=stream,
            place=self._source.place(node),
        )
        if meaning.form is not None:
            self.found.forms[name] = meaning.form
