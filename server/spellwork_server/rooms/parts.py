"""The document's things as the spell's parts, read one by one.

Reading all of a large canvas takes long; so the parts are kept, and after an
edit only those that it touched are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText
from pydantic import TypeAdapter, ValidationError

from spellwork.findings import findings
from spellwork.requirements import PackageName, Specifier
from spellwork.spell import SCHEMA, Edge, Group, Id, Node, Note, Part, Spell
from spellwork.spell_test import SpellTest

from .errors import SchemaViolation
from .replica import Kind, Replica

MODELS: Mapping[Kind, type[Part | Edge]] = {
    "nodes": Node,
    "edges": Edge,
    "groups": Group,
    "notes": Note,
    "tests": SpellTest,
}

SHARED: Mapping[Kind, Mapping[str, type]] = {
    "nodes": {"inputs": Map, "settings": Map, "code": Text},
    "notes": {"text": Text},
    "tests": {"inputs": Map, "record": Map, "expect": Map},
}
"""Fields that are shared types of their own, so that people can edit inside them at once."""

SHARED_NAMES = frozenset(name for fields in SHARED.values() for name in fields)

Check = Callable[[Map[Any], Mapping[str, type]], None]
"""Raises where a thing's shared types, given by name, are others than they should be."""

SHARED_TYPES = (Map, Text, Array, XmlElement, XmlFragment, XmlText, Doc)
"""Everything that is not a plain value."""

EMPTY = Spell()
MAX_ERRORS = 10

_ID: TypeAdapter[str] = TypeAdapter(Id)
_REQUIREMENT: TypeAdapter[tuple[str, str]] = TypeAdapter(tuple[PackageName, Specifier])
_ALL: Mapping[Kind, TypeAdapter[dict[str, Any]]] = {
    kind: TypeAdapter(dict[Id, model])  # type: ignore[valid-type] # the models are values here
    for kind, model in MODELS.items()
}

_sorted = msgspec.json.Encoder(order="deterministic")

Changes = dict[tuple[Kind, str], Any]
"""What became of things: by root and id, the new part, or None where it is gone.
For ``meta`` and ``requirements`` the plain value of the key."""


class _MisshapenError(Exception):
    """A thing is not of the shared type, or not among the keys, that a canvas has."""


@dataclass(slots=True)
class Parts:
    """All parts of one canvas, by id."""

    meta: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    requirements: dict[str, str] = field(default_factory=dict)
    tests: dict[str, SpellTest] = field(default_factory=dict)

    def copy(self) -> Parts:
        """Return parts that change apart from these."""
        return Parts(
            dict(self.meta),
            dict(self.nodes),
            dict(self.edges),
            dict(self.groups),
            dict(self.notes),
            dict(self.requirements),
            dict(self.tests),
        )

    def of(self, kind: Kind) -> dict[str, Any]:
        """Return the things of one root."""
        things: dict[str, Any] = getattr(self, kind)
        return things

    def update(self, changes: Changes) -> None:
        """Take over what became of things."""
        for (kind, key), part in changes.items():
            if part is None:
                self.of(kind).pop(key, None)
            else:
                self.of(kind)[key] = part

    def replace(self, other: Parts) -> None:
        """Become what ``other`` is."""
        for kind in (*MODELS, "meta", "requirements"):
            setattr(self, kind, dict(getattr(other, kind)))

    def spell(self) -> Spell:
        """Return the spell, its things in the order of their ids (the CRDT keeps none)."""
        return EMPTY.model_copy(
            update={
                "name": self.meta.get("name", EMPTY.name),
                "nodes": dict(sorted(self.nodes.items())),
                "edges": dict(sorted(self.edges.items())),
                "groups": dict(sorted(self.groups.items())),
                "notes": dict(sorted(self.notes.items())),
                "requirements": dict(sorted(self.requirements.items())),
                "tests": dict(sorted(self.tests.items())),
            }
        )

    def has_surrogates(self) -> bool:
        """Tell whether any shared text has a character that JavaScript counts as two."""
        texts = [node.code for node in self.nodes.values() if node.code]
        texts += [note.text for note in self.notes.values()]
        return any(not text.isascii() and max(text) > "\uffff" for text in texts)

    def dangling(self, changes: Changes) -> list[str]:
        """Return the edges that, after ``changes``, hang on a node that is not there."""
        gone = {key for (kind, key), part in changes.items() if kind == "nodes" and part is None}
        fresh = {key for (kind, key), part in changes.items() if kind == "edges" and part}
        suspects = {key for key in fresh if key in self.edges}
        if gone:
            suspects |= {
                key
                for key, edge in self.edges.items()
                if edge.source in gone or edge.target in gone
            }
        return sorted(
            key
            for key in suspects
            if self.edges[key].source not in self.nodes or self.edges[key].target not in self.nodes
        )


def read_all(replica: Replica) -> Parts:
    """Read every part of a document that was stored by us. Raises SchemaViolation.

    Each root is read as one, and its shared types are not looked at again:
    they were before they were stored.
    """
    parts = Parts()
    errors: list[dict[str, Any]] = []
    with replica.reading():
        for kind in _PLAIN:
            root = replica.root(kind)
            for key in root.keys():  # noqa: SIM118 - a Y.Map is no dict
                try:
                    parts.of(kind)[key] = _PLAIN[kind](key, root[key])
                except _MisshapenError as error:
                    errors.append({"field": f"{kind}.{key}", "message": str(error)})
        for kind, model in _ALL.items():
            try:
                things = model.validate_json(_in_order(kind, str(replica.root(kind))), strict=True)
            except ValidationError as error:
                errors.extend(_errors(kind, error))
            else:
                parts.of(kind).update(things)
    _refuse(errors)
    return parts


def read(
    replica: Replica,
    touched: Iterable[tuple[Kind, str]],
    fields: AbstractSet[str] = frozenset(),
    *,
    new_types: bool = True,
) -> Changes:
    """Read the touched things anew; raise SchemaViolation naming each that is not what a spell has.

    Where no shared type is new (``new_types`` is false) none can be where a plain value belongs, and
    only one of the ``fields`` that were put can have lost its own.
    """
    check = _check_shared if new_types else _check_kept if fields & SHARED_NAMES else _check_nothing
    changes: Changes = {}
    errors: list[dict[str, Any]] = []
    with replica.reading():
        for kind, key in sorted(touched):
            try:
                known = (
                    replica.json(kind, key) if check is _check_nothing and kind in MODELS else None
                )
                if known is None:
                    changes[kind, key] = _read_thing(kind, key, replica.root(kind), check)
                else:
                    changes[kind, key] = _read_json(kind, key, known)
            except ValidationError as error:
                errors.extend(_errors(f"{kind}.{key}", error))
            except _MisshapenError as error:
                errors.append({"field": f"{kind}.{key}", "message": str(error)})
    _refuse(errors)
    return changes


def _refuse(errors: list[dict[str, Any]]) -> None:
    if errors:
        raise SchemaViolation(
            f"The edit would break the spell: {errors[0]['field']}: {errors[0]['message']}",
            details={"errors": errors[:MAX_ERRORS]},
        )


def _read_thing(kind: Kind, key: str, root: Map[Any], check: Check) -> Any:
    try:
        thing = root[key]
    except KeyError:
        return None
    plain = _PLAIN.get(kind)
    return _read_part(kind, key, thing, check) if plain is None else plain(key, thing)


def _read_meta(key: str, value: Any) -> Any:
    match key:
        case "name":
            if not isinstance(value, str) or len(value) > 200:
                raise _MisshapenError("the name must be a text of at most 200 characters")
            return value
        case "schema":
            if value != SCHEMA or isinstance(value, bool):
                raise _MisshapenError(f"the schema must be {SCHEMA}")
            return SCHEMA
        case _:
            raise _MisshapenError("meta holds only name and schema")


def _read_requirement(key: str, value: Any) -> str:
    try:
        return _REQUIREMENT.validate_python((key, value), strict=True)[1]
    except ValidationError as error:
        raise _MisshapenError(findings(error, context=False)[0]["msg"]) from error


_PLAIN: Mapping[Kind, Callable[[str, Any], Any]] = {
    "meta": _read_meta,
    "requirements": _read_requirement,
}
"""What reads a key's plain value, by the root."""


def _read_part(kind: Kind, key: str, thing: Any, check: Check) -> Part | Edge:
    if not isinstance(thing, Map):
        _ID.validate_python(key)
        raise _MisshapenError("must be a Y.Map")
    check(thing, SHARED.get(kind, {}))
    return _read_json(kind, key, str(thing))


def _read_json(kind: Kind, key: str, text: str) -> Part | Edge:
    _ID.validate_python(key)
    return MODELS[kind].model_validate_json(_in_order(kind, text), strict=True)


def _in_order(kind: Kind, text: str) -> str | bytes:
    """Return the JSON of things of a kind the same in every process."""
    if kind in ("nodes", "tests"):
        # Rust keeps no order of keys, and literal objects have them.
        return _sorted.encode(msgspec.json.decode(text))
    return text


def _check_shared(thing: Map[Any], shared: Mapping[str, type]) -> None:
    for name, value in thing.items():
        wanted = shared.get(name)
        if wanted is None:
            if isinstance(value, SHARED_TYPES):
                raise _MisshapenError(
                    f"{name} must be a plain value, not a Y.{type(value).__name__}"
                )
        elif value is not None and not isinstance(value, wanted):
            raise _MisshapenError(f"{name} must be a Y.{wanted.__name__}")
        elif isinstance(value, Map):
            for inner, content in value.items():
                if isinstance(content, SHARED_TYPES):
                    raise _MisshapenError(
                        f"{name}.{inner} must be a plain value, not a Y.{type(content).__name__}"
                    )


def _check_kept(thing: Map[Any], shared: Mapping[str, type]) -> None:
    """Do what ``_check_shared`` does where no shared type is new: one may be gone for a plain value."""
    for name, wanted in shared.items():
        value = thing.get(name)
        if value is not None and not isinstance(value, wanted):
            raise _MisshapenError(f"{name} must be a Y.{wanted.__name__}")


def _check_nothing(_thing: Map[Any], _shared: Mapping[str, type]) -> None:
    """Do what ``_check_shared`` does where nothing can be wrong."""


def _errors(where: str, error: ValidationError) -> list[dict[str, Any]]:
    return [
        {"field": ".".join([where, *map(str, each["loc"])]), "message": each["msg"]}
        for each in findings(error, context=False)[:MAX_ERRORS]
    ]
