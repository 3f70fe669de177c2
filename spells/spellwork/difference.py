"""What differs between two spells: thing by thing, field by field, and texts line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .spell import Spell

Kind = Literal["nodes", "edges", "groups", "notes", "requirements", "tests"]

KINDS: tuple[Kind, ...] = ("nodes", "edges", "groups", "notes", "requirements", "tests")

What = Literal["added", "removed", "changed", "moved"]
"""``moved`` is a thing of which only position or size differ."""

PLACES = frozenset({"position", "size"})

TEXTS: Mapping[Kind, str] = {"nodes": "code", "notes": "text"}
"""The field of each kind that is compared line by line."""

INNER: Mapping[Kind, tuple[str, ...]] = {
    "nodes": ("inputs", "settings"),
    "tests": ("inputs", "record", "expect"),
}
"""Fields of a kind that are compared name by name."""

CONTEXT = 3
"""Equal lines shown around those that differ."""

MAX_CELLS = 2_000_000
"""Of the texts of one comparison, so many pairs of lines are searched for what they share; a text whose
differing middle would exceed what is left of them counts as wholly other. Whoever wrote the texts chose
how long it takes."""

COMMON_LINES = 10
"""A line that is there more often is no place to begin from: each search would try all of them."""

MAX_LINES = 2_000
"""Lines of one text that are listed."""

MAX_LISTED = 50_000
"""Lines of all texts of one comparison that are listed."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Line(_Frozen):
    """A line of a text, with its numbers (from 1) in the text before and in the one after."""

    op: Literal["same", "removed", "added"]
    text: str
    before: int | None = None
    after: int | None = None


_Place = tuple[Literal["same", "removed", "added"], str, int | None, int | None]
"""A line, before it is told: most of very many are only counted."""


class FieldChange(_Frozen):
    """A field that differs. ``before`` or ``after`` is None where it was not there.

    A text has ``lines`` in their place: those that differ, with CONTEXT equal
    ones around them; where the numbers jump, equal lines are left out.
    """

    field: str = Field(description="``code``, ``inputs.NAME``, ``settings.NAME``, ``position`` ...")
    before: JsonValue = None
    after: JsonValue = None
    lines: list[Line] | None = None
    cut: int = Field(default=0, description="Further lines that are not listed.")


class Change(_Frozen):
    """A thing that is not the same in both spells, with what it is called in the one that has it."""

    kind: Kind
    id: str
    what: What
    name: str | None = Field(
        default=None, description="Of an edge ``source.output -> target.input``."
    )
    type: str | None = Field(default=None, description="The node type, of a node.")
    fields: list[FieldChange] = Field(
        default_factory=list, description="Of what was changed or moved."
    )


class Difference(_Frozen):
    """All that differs, in the order of kinds and ids.

    As JSON::

    {"name": {"field": "name", "before": "Draft", "after": "Report"},
     "changes": [
       {"kind": "nodes", "id": "a", "what": "added", "name": "Total", "type": "core.value"},
       {"kind": "nodes", "id": "b", "what": "changed", "type": "code.python", "fields": [
          {"field": "code", "lines": [
             {"op": "removed", "text": "x * 2", "before": 1},
             {"op": "added", "text": "x * 3", "after": 1}]},
          {"field": "inputs.x", "before": 1, "after": 4}]}]}
    """

    name: FieldChange | None = None
    changes: list[Change] = Field(default_factory=list)

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return self.name is not None or bool(self.changes)


class Effort:
    """What one comparison may still spend on searching and listing texts."""

    def __init__(self) -> None:
        self._cells = MAX_CELLS
        self._listed = MAX_LISTED

    def affords(self, cells: int) -> bool:
        """Spend ``cells``, if there are so many left."""
        if cells > self._cells:
            return False
        self._cells -= cells
        return True

    def list(self, lines: Iterator[_Place]) -> tuple[list[Line], int]:
        """Return the first of some lines, and how many more there are."""
        most = min(MAX_LINES, self._listed)
        listed = [_line(each) for each in islice(lines, most)]
        self._listed -= len(listed)
        return listed, sum(1 for _ in lines)


SpellJson = Spell | Mapping[str, Any]


def difference(before: SpellJson, after: SpellJson) -> Difference:
    """Return what must be done to ``before`` to get ``after``.

    Both may be spells or their JSON form, which need not be valid: node types
    nobody knows, fields of another schema and wires that hang are compared
    like any other. The order of keys says nothing.
    """
    old, new = _json(before), _json(after)
    name, effort = None, Effort()
    if old.get("name") != new.get("name"):
        name = FieldChange(field="name", before=old.get("name"), after=new.get("name"))
    return Difference(
        name=name,
        changes=[
            change
            for kind in KINDS
            for change in changes(kind, old.get(kind) or {}, new.get(kind) or {}, effort)
        ],
    )


def compare_lines(before: str, after: str) -> list[Line]:
    """Return the lines that differ, in order, with CONTEXT equal ones around them."""
    return [_line(each) for each in _differing(before, after, Effort())]


def _line(place: _Place) -> Line:
    op, text, before, after = place
    return Line(op=op, text=text, before=before, after=after)


def _differing(before: str, after: str, effort: Effort) -> Iterator[_Place]:
    """Give what ``compare_lines`` lists, one at a time: texts may have millions of lines."""
    old, new = before.splitlines(), after.splitlines()
    was = at = 0  # lines of old and new that are behind us
    for i1, i2, j1, j2 in _blocks(old, new, effort):
        yield from _context(new, range(at, j1), was - at, after_change=at + was > 0)
        yield from (("removed", old[i], i + 1, None) for i in range(i1, i2))
        yield from (("added", new[j], None, j + 1) for j in range(j1, j2))
        was, at = i2, j2
    if was + at:
        last = range(at, min(len(new), at + CONTEXT))
        yield from _context(new, last, was - at, after_change=True)


def _json(spell: SpellJson) -> Mapping[str, Any]:
    return spell.to_json() if isinstance(spell, Spell) else spell


def changes(
    kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any], effort: Effort
) -> Iterator[Change]:
    """Give what differs between two maps of things of one kind, in the order of ids.

    Each thing is read once, when its turn comes. ``effort`` is that of the
    whole comparison, of all kinds.
    """
    for id in sorted(before.keys() | after.keys()):
        if id not in after:
            yield _change(kind, id, "removed", _thing(before[id]))
            continue
        new = _thing(after[id])
        if id not in before:
            yield _change(kind, id, "added", new)
            continue
        old = _thing(before[id])
        if old is not new and not _same(old, new):
            fields = list(_compare_fields(kind, old, new, effort))
            moved = all(field.field in PLACES for field in fields)
            yield _change(kind, id, "moved" if moved else "changed", new, fields)


def _thing(value: Any) -> Mapping[str, Any]:
    """Return a thing's fields; a requirement is its version alone."""
    fields: Mapping[str, Any] = {"version": value} if isinstance(value, str) else value
    return fields


def _change(
    kind: Kind,
    id: str,
    what: What,
    thing: Mapping[str, Any],
    fields: list[FieldChange] | None = None,
) -> Change:
    name = thing.get("name")
    if kind == "edges":
        source, target = (thing.get(end) for end in ("source", "target"))
        name = f"{source}.{thing.get('output')} -> {target}.{thing.get('input')}"
    return Change(
        kind=kind,
        id=id,
        what=what,
        name=name or None,
        type=thing.get("type") if kind == "nodes" else None,
        fields=fields or [],
    )


def _compare_fields(
    kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any], effort: Effort
) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if name in before and name in after and _same(old, new):
            continue
        if name in INNER.get(kind, ()):
            yield from _compare_inner(name, old or {}, new or {})
        elif TEXTS.get(kind) == name:
            lines, cut = effort.list(_differing(str(old or ""), str(new or ""), effort))
            yield FieldChange(field=name, lines=lines, cut=cut)
        else:
            yield FieldChange(field=name, before=old, after=new)


def _compare_inner(
    field: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if name not in before or name not in after or not _same(old, new):
            yield FieldChange(field=f"{field}.{name}", before=old, after=new)


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: True is not 1, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return len(one) == len(other) and all(
            key in other and _same(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _blocks(old: list[str], new: list[str], effort: Effort) -> Iterator[tuple[int, int, int, int]]:
    """Give the stretches ``old[i1:i2]`` that became ``new[j1:j2]``."""
    head = _common(old, new)
    tail = min(_common(old[::-1], new[::-1]), min(len(old), len(new)) - head)
    ends = len(old) - tail, len(new) - tail
    olds, news = old[head : ends[0]], new[head : ends[1]]
    if not effort.affords(len(olds) * len(news)):
        yield head, ends[0], head, ends[1]
        return
    often = Counter(news)
    matcher = SequenceMatcher(lambda line: often[line] > COMMON_LINES, olds, news, autojunk=False)
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op != "equal":
            yield head + i1, head + i2, head + j1, head + j2


def _context(new: list[str], equal: range, shift: int, *, after_change: bool) -> Iterator[_Place]:
    """Give of a stretch of equal lines those next to a change. ``shift`` leads to their numbers before."""
    near = [
        j
        for j in equal
        if equal.stop - j <= CONTEXT or (after_change and j - equal.start < CONTEXT)
    ]
    for j in near:
        yield "same", new[j], j + shift + 1, j + 1


def _common(one: list[str], other: list[str]) -> int:
    """Return how many lines the two begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
