"""What a version changed, in a few words: counts by kind, and the names of some things."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spellwork.difference import KINDS, Change, Kind, What

MAX_THINGS = 6
"""Things that a summary names."""

MAX_FIELDS = 4
"""Fields that it names of each."""

MAX_NAME = 80


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Counts(_Frozen):
    """How many things of one kind were added, removed, changed, or only moved."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    moved: int = 0


class Touched(_Frozen):
    """A thing by name."""

    kind: Kind
    id: str
    what: What
    name: str | None = None
    type: str | None = None
    fields: list[str] = Field(
        default_factory=list, description="Of what was changed: some of them."
    )


class Summary(_Frozen):
    """What is different from the version before."""

    renamed: bool = False
    nodes: Counts = Counts()
    edges: Counts = Counts()
    groups: Counts = Counts()
    notes: Counts = Counts()
    requirements: Counts = Counts()
    tests: Counts = Counts()
    things: list[Touched] = Field(
        default_factory=list, description="The first of them: nodes before others, wires never."
    )


def summarize(changes: Iterable[Change], *, renamed: bool = False) -> dict[str, Any]:
    """Return the summary of what differs as JSON, for a row of ``versions``."""
    counts: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    first: list[Change] = []
    for change in changes:
        of_kind = counts[change.kind]
        of_kind[change.what] = of_kind.get(change.what, 0) + 1
        if change.kind == "edges" or change.what == "moved":
            continue
        if len(first) < MAX_THINGS or _weight(change) < _weight(first[-1]):
            first = sorted([*first, change], key=_weight)[:MAX_THINGS]
    summary = Summary(
        renamed=renamed,
        things=[_touched(each) for each in first],
        **{kind: Counts(**each) for kind, each in counts.items()},
    )
    return summary.model_dump(mode="json", exclude_defaults=True)


def _weight(change: Change) -> int:
    """Put what people look for first: code that changed, then what is new, what went, and the rest."""
    if any(field.field == "code" for field in change.fields):
        return 0
    return 1 + KINDS.index(change.kind)


def _touched(change: Change) -> Touched:
    return Touched(
        kind=change.kind,
        id=change.id,
        what=change.what,
        name=change.name[:MAX_NAME] if change.name else None,
        type=change.type,
        fields=[field.field for field in change.fields[:MAX_FIELDS]],
    )
