"""The rules an edit must pass before it is written: read strictly, tried on a shadow, checked as a spell.

The shadow is a copy of the document that is ahead of it by the edits which
wait for their commit. An edit that is refused leaves the shadow spoilt; it is
then built anew, from the document and the edits that wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spellwork.spell import Spell

from .difference import write_spell
from .errors import (
    ClientIdTaken,
    SchemaViolation,
    UpdateGap,
    UpdateInvalid,
    UpdateTooLarge,
)
from .lib0 import MAX_DEPTH
from .parts import MODELS, Changes, Parts, read
from .replica import Change, Kind, Replica
from .update_parser import Outline, check_dependencies, parse_state_vector, parse_update

SERVER = ""
"""The owner of the client ids that the server's own edits carry."""

OTHERS_PER_NODE = 4
"""How many times as many wires, groups or notes as nodes a canvas may hold."""

PARSE_APART_BYTES = 64 * 1024
"""Updates over this size are read in a thread."""


@dataclass(eq=False, slots=True)
class Edit:
    """An edit that passed, on its way to the log."""

    update: bytes
    user_id: str | None
    origin: Any = None
    """The session that made it, which needs no copy; None for the server's own edits."""
    changes: Changes = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    seq: int = 0
    done: asyncio.Future[int] | None = None
    """Gives the edit's number once it is durable."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one canvas may hold."""

    update_bytes: int
    nodes: int


class Intake:
    """Checks edits against the shadow. ``pending`` gives the edits that passed and are not committed yet."""

    def __init__(
        self,
        document: Replica,
        parts: Parts,
        owners: dict[int, str],
        limits: Limits,
        pending: Callable[[], Iterable[Edit]],
    ) -> None:
        self._document = document
        self._document_parts = parts
        self._owners = owners
        self._limits = limits
        self._pending = pending
        self._shadow: Replica
        self._parts: Parts
        self._known: dict[int, int]
        self._build()

    @property
    def parts(self) -> Parts:
        """The spell's parts as they will be once all that passed is committed."""
        return self._parts

    async def parse(self, update: bytes) -> Outline:
        """Read an update's bytes; raise UpdateTooLarge or UpdateInvalid."""
        limit = self._limits.update_bytes
        if len(update) > limit:
            raise UpdateTooLarge(
                f"An edit may have {limit} bytes; this one has {len(update)}",
                details={"limit": limit, "size": len(update)},
            )
        if len(update) > PARSE_APART_BYTES:
            return await asyncio.to_thread(parse_update, update)
        return parse_update(update)

    def take(self, outline: Outline, update: bytes, user_id: str, origin: Any) -> list[Edit]:
        """Try somebody's update; return the edits to log: it and repairs; none when it changes nothing.

        Raises UpdateInvalid, UpdateGap, ClientIdTaken or SchemaViolation; the
        document is then as it was.
        """
        self._check_owners(outline, user_id)
        check_dependencies(outline, self._known)
        try:
            change = self._shadow.apply(update)
            if not change.update:
                return []
            self._check_taken_whole(outline)
            edit = self._checked(change, Edit(update, user_id, origin))
        except BaseException:  # whatever happened, the shadow cannot be trusted any more
            self.rebuild()
            raise
        for client in outline.spans:
            self._owners.setdefault(client, user_id)
        return [edit, *self._repairs(edit)]

    def replace(self, spell: Spell, user_id: str | None) -> list[Edit]:
        """Return the edits that turn the canvas into ``spell``; none when it is that already."""
        self._check_size(spell)
        return self._edit(lambda: write_spell(self._shadow, self._parts, spell), user_id)

    def rename(self, name: str, user_id: str | None) -> list[Edit]:
        """Return the edit that names the spell; none when that is its name already."""

        def write() -> None:
            if self._parts.meta.get("name") != name:
                self._shadow.root("meta")["name"] = name

        return self._edit(write, user_id)

    def rebuild(self) -> None:
        """Build the shadow anew from the document and what waits for its commit."""
        unused = self._shadow.client_id
        self._shadow.close()
        self._build()
        if unused not in self._known:
            self._owners.pop(unused, None)

    def close(self) -> None:
        """Let go of the shadow."""
        self._shadow.close()

    def _build(self) -> None:
        waiting = list(self._pending())
        self._shadow = Replica([self._document.diff(), *(edit.update for edit in waiting)])
        self._parts = self._document_parts.copy()
        for edit in waiting:
            self._parts.update(edit.changes)
        self._known = parse_state_vector(self._shadow.state_vector())
        self._owners[self._shadow.client_id] = SERVER

    def _check_size(self, spell: Spell) -> None:
        """Refuse a spell that no canvas may hold before any of it is drawn: drawing takes its time."""
        for kind in MODELS:
            count = len(getattr(spell, kind))
            if count > len(self._parts.of(kind)):
                self._check_count(kind, count)
        if any(
            _is_deeper(value, MAX_DEPTH)
            for node in spell.nodes.values()
            for value in node.inputs.values()
        ):
            raise SchemaViolation(
                f"A value on a canvas may nest {MAX_DEPTH} deep", details={"limit": MAX_DEPTH}
            )

    def _check_count(self, kind: Kind, count: int) -> None:
        limit = self._limits.nodes * (1 if kind == "nodes" else OTHERS_PER_NODE)
        if count > limit:
            raise SchemaViolation(f"A canvas may hold {limit} {kind}", details={"limit": limit})

    def _edit(self, write: Callable[[], None], user_id: str | None) -> list[Edit]:
        try:
            change = self._shadow.edit(write)
            if not change.update:
                return []
            edit = self._checked(change, Edit(change.update, user_id))
        except BaseException:  # as in take
            self.rebuild()
            raise
        self._known = parse_state_vector(self._shadow.state_vector())
        return [edit, *self._repairs(edit)]

    def _checked(self, change: Change, edit: Edit) -> Edit:
        """Fill in what the edit changes, if what it leaves is a spell."""
        edit.changes = read(self._shadow, change.touched)
        edit.fields = change.fields
        grown = Counter(
            kind
            for (kind, key), part in edit.changes.items()
            if part is not None and key not in self._parts.of(kind)
        )
        for kind, count in grown.items():
            self._check_count(kind, len(self._parts.of(kind)) + count)
        self._parts.update(edit.changes)
        return edit

    def _repairs(self, edit: Edit) -> list[Edit]:
        """Remove the wires that the edit, or its merging with another, left hanging."""
        dangling = self._parts.dangling(edit.changes)
        if not dangling:
            return []

        def remove() -> None:
            edges = self._shadow.root("edges")
            for key in dangling:
                del edges[key]

        return self._edit(remove, None)

    def _check_owners(self, outline: Outline, user_id: str) -> None:
        for client in outline.spans:
            owner = self._owners.get(client, user_id)
            if owner != user_id:
                raise ClientIdTaken(
                    f"Client id {client} belongs to somebody else; take another",
                    details={"client": client},
                )

    def _check_taken_whole(self, outline: Outline) -> None:
        """See that the CRDT integrated every edit of the update, and kept none waiting."""
        known = parse_state_vector(self._shadow.state_vector())
        for client, (_, end) in outline.spans.items():
            if known.get(client, 0) < end:
                raise UpdateGap(
                    f"Edits of client {client} build on each other in a circle",
                    details=_gap_details(client, known, end),
                )
        if known.keys() - self._known.keys() - outline.spans.keys():
            raise UpdateInvalid("The update brings edits of clients that it does not name")
        self._known = known


def _gap_details(client: int, known: Mapping[int, int], needed: int) -> dict[str, int]:
    return {"client": client, "known": known.get(client, 0), "needed": needed}


def _is_deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_is_deeper(item, limit - 1) for item in items)
