"""Edit a document until it holds a given spell, changing as little as can be.

What is equal is not touched, so that the edits of others at the same time, and
their cursors in a text, stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

import msgspec
from pycrdt import Map, Text

from spellwork.spell import SCHEMA, Edge, Node, NodeSettings, Part, Spell
from spellwork.spell_test import SpellTest

from .parts import MODELS, SHARED, Parts
from .replica import Kind, Replica

LASTING: Mapping[Kind, tuple[str, ...]] = {
    "nodes": ("type",),
    "edges": ("source", "output", "target", "input"),
}
"""What a thing must have, and has as long as it is there: where it changes the thing is another one.

Yjs does not undo a map's value where somebody else has set another since; a
thing that comes back by undo would lack a field that was set again meanwhile.
"""

DIFF_CHARACTERS = 400
"""Changed middle parts of texts up to this length are compared by character."""

DIFF_LINES = 1_000
"""Longer ones by line, up to this number; beyond it the middle is replaced whole."""

LARGEST_EXACT = 2**53 - 1
"""Larger integers would reach JavaScript as BigInt, which no JSON can hold."""


def write_spell(replica: Replica, parts: Parts, spell: Spell) -> None:
    """Turn the document, which now holds ``parts``, into ``spell``. Call it inside ``replica.edit``."""
    meta = replica.root("meta")
    for key, value in (("name", spell.name), ("schema", SCHEMA)):
        if parts.meta.get(key) != value:
            meta[key] = value
    _write_map(replica.root("requirements"), spell.requirements)
    for kind in MODELS:
        _write_things(kind, replica.root(kind), parts.of(kind), getattr(spell, kind))


def _write_things(
    kind: Kind, root: Map[Any], before: dict[str, Part | Edge], after: dict[str, Part | Edge]
) -> None:
    for key in sorted(before.keys() - after.keys()):
        del root[key]
    for key in sorted(after.keys() - before.keys()):
        root[key] = Map(_fields(kind, after[key]))
    for key in sorted(after.keys() & before.keys()):
        if before[key] is after[key]:
            continue
        old, new = _plain(before[key]), _plain(after[key])
        if any(old[name] != new[name] for name in LASTING.get(kind, ())):
            root[key] = Map(_fields(kind, after[key]))
        elif not _same(old, new):
            _write_fields(root[key], SHARED.get(kind, {}), old, new)


def _fields(kind: Kind, part: Part | Edge) -> dict[str, Any]:
    """Return a new thing's fields, the shared ones as shared types."""
    fields = _plain(part)
    for name, shared in SHARED.get(kind, {}).items():
        if name in fields:
            fields[name] = shared(fields[name])
    return fields


def _plain(part: Part | Edge) -> dict[str, Any]:
    """Return a part's fields as plain values, without those that are not set."""
    if isinstance(part, SpellTest):
        exact_test: dict[str, Any] = _exact(part.to_json())
        return exact_test
    fields: dict[str, Any] = part.model_dump(mode="json", exclude_none=True)
    if isinstance(part, Node):
        # None inside an input's value is a value; only the node's own fields lose theirs.
        fields["inputs"] = dict(part.inputs)
        fields["settings"] = _settings(part.settings)
    if isinstance(part, Edge):
        if not part.transform:
            del fields["transform"]
    elif "position" not in part.model_fields_set:
        fields.pop("position", None)
    exact: dict[str, Any] = _exact(fields)
    return exact


def _settings(settings: NodeSettings) -> dict[str, Any]:
    """Return the settings that are set: an empty list or map of them is none."""
    set_: dict[str, Any] = settings.model_dump(
        mode="json", exclude_none=True, exclude_defaults=True
    )
    if settings.pins:
        set_["pins"] = dict(settings.pins)
    return set_


def _write_fields(
    thing: Map[Any], shared: Mapping[str, type], before: dict[str, Any], after: dict[str, Any]
) -> None:
    for name in before.keys() - after.keys():
        del thing[name]
    for name, value in after.items():
        if name in before and _same(before[name], value) and name in thing:
            continue
        current = thing.get(name)
        if isinstance(current, Map) and isinstance(value, dict):
            _write_map(current, value)
        elif isinstance(current, Text) and isinstance(value, str):
            write_text(current, value)
        else:
            kind = shared.get(name)
            thing[name] = value if kind is None else kind(value)


def _write_map(current: Map[Any], values: dict[str, Any]) -> None:
    before = current.to_py() or {}
    for name in before.keys() - values.keys():
        del current[name]
    for name, value in values.items():
        if name not in before or not _same(before[name], value):
            current[name] = value


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: True is not 1, and the order of keys says nothing."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(_exact(value), order="deterministic")


def _exact(value: Any) -> Any:
    """Return the value with its numbers as JavaScript has them."""
    match value:
        case bool():
            return value
        case int() if abs(value) > LARGEST_EXACT:
            return float(value)
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT:
            return int(value)
        case dict():
            return {key: _exact(each) for key, each in value.items()}
        case list() | tuple():
            return [_exact(each) for each in value]
        case _:
            return value


def write_text(text: Text, after: str) -> None:
    """Edit a shared text into ``after`` by inserting and removing only what differs."""
    before = str(text)
    if before == after:
        return
    head = _common(before, after)
    limit = min(len(before), len(after)) - head
    tail = min(limit, _common(before[::-1], after[::-1]))
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    olds, news = _pieces(old, new)
    at = len(before[:head].encode())
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        removed, inserted = "".join(olds[i1:i2]), "".join(news[j1:j2])
        if tag == "equal":
            at += len(removed.encode())
            continue
        if removed:
            del text[at : at + len(removed.encode())]
        if inserted:
            text.insert(at, inserted)
            at += len(inserted.encode())


def _pieces(old: str, new: str) -> tuple[list[str], list[str]]:
    """Cut two texts into what is compared: the finer, the shorter they are."""
    if max(len(old), len(new)) <= DIFF_CHARACTERS:
        return list(old), list(new)
    lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if max(map(len, lines)) <= DIFF_LINES:
        return lines
    return [old], [new]


def _common(one: str, other: str) -> int:
    """Return how many characters the two begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
