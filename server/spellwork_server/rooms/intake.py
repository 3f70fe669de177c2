"""The rules an edit must pass before it is written: read strictly, tried on a shadow, checked as a spell.

The shadow is the live document. While a batch is being committed it is ahead
of what is durable by that batch. An edit that is refused leaves it spoilt; it
is then built anew, from what is durable and the edits of the batch so far.

Consecutive edits of one user are tried as one, and become one row of the log.
When they do not pass together they are taken one by one, so that only those
are refused which must be.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from spellwork.requirements import MAX_REQUIREMENTS
from spellwork.spell import Spell
from spellwork.spell_test import MAX_TESTS
from spellwork_server.errors import ServerError, internal

from .difference import write_spell
from .durable import Durable
from .edits import Asked, Batch, Edit
from .errors import (
    CanvasTooLarge,
    SchemaViolation,
    UpdateGap,
    UpdateInvalid,
    UpdateTooLarge,
    taken,
)
from .lib0 import MAX_DEPTH
from .parts import MODELS, Parts, read
from .replica import KINDS, Change, Kind, Replica
from .surrogates import Surrogates, second_units
from .update_parser import Outline, check_dependencies, parse_state_vector, parse_update

SERVER = ""
"""The owner of the client ids that the server's own edits carry."""

OTHERS_PER_NODE = 4
"""How many times as many wires, groups or notes as nodes a canvas may hold."""

MOST: Mapping[Kind, int] = {"requirements": MAX_REQUIREMENTS, "tests": MAX_TESTS}
"""How many of a kind it may hold, whatever it holds besides."""

PARSE_APART_BYTES = 64 * 1024
"""Updates over this size are read in a thread."""

PATIENCE = 0.02
"""Seconds after which edits that are taken one by one are left for the next batch: others wait too."""


class Limits(NamedTuple):
    """What one canvas may hold."""

    update_bytes: int
    nodes: int
    canvas_bytes: int


class Intake:
    """Tries edits on the shadow and gathers those that pass into a batch, until ``begin_anew``."""

    def __init__(
        self,
        shadow: Replica,
        durable: Durable,
        parts: Parts,
        owners: dict[int, str],
        limits: Limits,
    ) -> None:
        self._durable = durable
        self._durable_parts = parts
        self._owners = owners
        self._limits = limits
        self._batch = Batch()
        self._seq = 0
        self._spoilt = False
        self._use(shadow)

    @property
    def shadow(self) -> Replica:
        """The live document: the durable one, and the batch that is being made or committed.

        Building it anew when it was asleep takes some milliseconds for a large one.
        """
        if self._asleep:
            self.rebuild()
        return self._shadow

    @property
    def is_asleep(self) -> bool:
        """Whether there is no live document, which takes the most memory, until it is asked for."""
        return self._asleep

    def sleep(self) -> None:
        """Let the live document go, while there is no batch."""
        self._let_go()
        del self._shadow
        self._asleep = True

    @property
    def parts(self) -> Parts:
        """The spell's parts as they will be once all that passed is committed."""
        return self._parts

    async def parse(self, update: bytes) -> Outline:
        """Read an update's bytes, long ones in a thread; raise UpdateTooLarge or UpdateInvalid."""
        if PARSE_APART_BYTES < len(update) <= self._limits.update_bytes:
            return await asyncio.to_thread(parse_update, update)
        return self.parse_now(update)

    def parse_now(self, update: bytes) -> Outline:
        """Read an update's bytes; raise UpdateTooLarge or UpdateInvalid."""
        limit = self._limits.update_bytes
        if len(update) > limit:
            raise UpdateTooLarge(
                f"An edit may have {limit} bytes; this one has {len(update)}",
                details={"limit": limit, "size": len(update)},
            )
        return parse_update(update)

    def take(self, waiting: Sequence[Asked], seq: int) -> tuple[Batch, int]:
        """Try what waits, in order; return the batch, and how many of those are in it.

        ``seq`` is the number of the last durable edit. Whatever is refused
        changes nothing. Raises DocumentBroken or UpdateInvalid when not even
        the durable document can be built any more.
        """
        self._seq = seq
        if self._asleep:
            self.rebuild()
        began = time.monotonic()
        count = 0
        for run in _runs(waiting):
            if self._take_run(run):
                count += len(run)
                continue
            for asked in run:
                if count and time.monotonic() - began > PATIENCE:
                    return self._batch, count
                self._take_run([asked])
                count += 1
        return self._batch, count

    def begin_anew(self, *, committed: bool) -> None:
        """Let the batch go: it is durable now, and ``parts`` too, or it was given up."""
        self._batch = Batch()
        if not committed:
            self.rebuild()

    def replace(self, spell: Spell, user_id: str | None) -> None:
        """Add the edit that turns the canvas into ``spell``, unless it is that already."""
        self._check_size(spell)
        self._edit(lambda: write_spell(self._shadow, self._parts, spell), user_id)

    def rename(self, name: str, user_id: str | None) -> None:
        """Add the edit that names the spell, unless that is its name already."""

        def write() -> None:
            if self._parts.meta.get("name") != name:
                self._shadow.root("meta")["name"] = name

        self._edit(write, user_id)

    def rebuild(self) -> None:
        """Build the shadow anew from what is durable and the batch so far."""
        if not self._asleep:
            self._let_go()
        edits = self._batch.edits
        self._use(Replica([*self._durable.updates, *(edit.update for edit in edits)]))
        for edit in edits:
            self._parts.update(edit.changes)

    def close(self) -> None:
        """Let go of the shadow."""
        if not self._asleep:
            self._shadow.close()

    def _let_go(self) -> None:
        unused = self._shadow.client_id
        self._shadow.close()
        if unused not in self._known:
            self._owners.pop(unused, None)

    def _use(self, shadow: Replica) -> None:
        self._shadow = shadow
        self._asleep = False
        self._parts = self._durable_parts.copy()
        self._known = parse_state_vector(shadow.state_vector())
        # Reading a whole document takes long; few hold what is looked for, and the parts tell.
        durable = self._durable.updates if self._parts.has_surrogates() else ()
        self._surrogates = Surrogates((*durable, *(edit.update for edit in self._batch.edits)))
        self._owners[shadow.client_id] = SERVER

    def _take_run(self, run: Sequence[Asked]) -> bool:
        """Try edits as one. False when they do not pass together; nothing is changed then."""
        edits, seq = len(self._batch.edits), self._seq
        self._spoilt = False
        refused: dict[Asked, Exception] = {}
        try:
            if run[0].write is None:
                refused = self._try(run)
            else:
                run[0].write()
        except Exception as error:  # noqa: BLE001 - whatever it was, whoever asked is told
            del self._batch.edits[edits:]
            self._seq = seq
            if self._spoilt:
                self.rebuild()
            if len(run) > 1:
                return False
            refused = {run[0]: _told(run[0], error)}
        self._batch.outcomes += [(asked, refused.get(asked, self._seq)) for asked in run]
        return True

    def _try(self, run: Sequence[Asked]) -> dict[Asked, Exception]:
        """Try one user's updates as one; return those that do not fit what is known, with the reason.

        Raises UpdateInvalid, UpdateGap or SchemaViolation when the others do
        not pass; the shadow is spoilt then.
        """
        fitting, refused = self._sort_out(run)
        if not fitting:
            return refused
        clients: set[int] = set()
        origins: dict[int, Any] = {}
        new_types = several = False
        for asked in fitting:
            outline = asked.outline
            clients.update(outline.spans)
            origins[id(asked.origin)] = asked.origin
            new_types = new_types or outline.new_types
            several = several or len(outline.spans) > 1
        self._spoilt = True
        change = self._shadow.apply(*[asked.update for asked in fitting])
        if several:
            self._check_taken_whole()
        if not change.update:
            return refused
        user_id = fitting[0].user_id
        self._add(change, user_id, tuple(origins.values()), new_types=new_types)
        if user_id is not None:
            for client in clients:
                self._owners.setdefault(client, user_id)
        return refused

    def _sort_out(self, run: Sequence[Asked]) -> tuple[list[Asked], dict[Asked, Exception]]:
        """Tell those that fit what is known from those that do not, with the reason."""
        known = self._known
        room = self._room_left()
        fitting: list[Asked] = []
        refused: dict[Asked, Exception] = {}
        for asked in run:
            try:
                outline, update = asked.outline, asked.update
                if outline.roots:
                    _check_roots(outline)
                self._check_owners(outline, asked.user_id)
                check_dependencies(outline, known)
                seconds = self._surrogates.check(update, known)
                if len(update) > room and outline.spans:
                    raise self._too_large()
            except ServerError as error:
                refused[asked] = error
                continue
            for client, (_, end) in outline.spans.items():
                if end > known.get(client, 0):
                    known[client] = end
            if seconds:
                self._surrogates.add(seconds)
            room -= len(update)
            fitting.append(asked)
        return fitting, refused

    def _room_left(self) -> int:
        """Return how many bytes the document may still grow by."""
        waiting = sum(len(edit.update) for edit in self._batch.edits)
        return self._limits.canvas_bytes - self._durable.size - waiting

    def _too_large(self) -> CanvasTooLarge:
        limit = self._limits.canvas_bytes
        return CanvasTooLarge(
            f"The canvas holds the {limit} bytes that it may, with all that was ever drawn on it;"
            " remove what is not needed, or go on on a new one",
            details={"limit": limit},
        )

    def _add(
        self,
        change: Change,
        user_id: str | None,
        origins: tuple[Any, ...],
        *,
        new_types: bool = True,
    ) -> None:
        """Add a change of the shadow to the batch, with its repairs, if what it leaves is a spell."""
        edit = Edit(change.update, user_id, origins)
        edit.changes = read(self._shadow, change.touched, change.fields, new_types=new_types)
        self._check_counts(edit)
        self._parts.update(edit.changes)
        self._seq += 1
        edit.seq = self._seq
        self._batch.edits.append(edit)
        self._repair(edit)

    def _check_size(self, spell: Spell) -> None:
        """Refuse a spell that no canvas may hold before any of it is drawn: drawing takes its time."""
        for kind in MODELS:
            count = len(getattr(spell, kind))
            if count > len(self._parts.of(kind)):
                self._check_count(kind, count)
        if any(
            _is_deeper(value, MAX_DEPTH)
            for values in (
                *(node.inputs for node in spell.nodes.values()),
                *(test.to_json() for test in spell.tests.values()),
            )
            for value in values.values()
        ):
            raise SchemaViolation(
                f"A value on a canvas may nest {MAX_DEPTH} deep", details={"limit": MAX_DEPTH}
            )

    def _check_count(self, kind: Kind, count: int) -> None:
        limit = self._limits.nodes * (1 if kind == "nodes" else OTHERS_PER_NODE)
        limit = MOST.get(kind, limit)
        if count > limit:
            raise SchemaViolation(f"A canvas may hold {limit} {kind}", details={"limit": limit})

    def _edit(self, write: Callable[[], None], user_id: str | None) -> None:
        room = self._room_left()
        self._spoilt = True
        change = self._shadow.edit(write)
        if len(change.update) > room and parse_update(change.update).spans:
            raise self._too_large()
        if change.update:
            self._known = parse_state_vector(self._shadow.state_vector())
            self._surrogates.add(second_units(change.update))
            self._add(change, user_id, (None,))

    def _check_counts(self, edit: Edit) -> None:
        grown = Counter(
            kind
            for (kind, key), part in edit.changes.items()
            if part is not None and key not in self._parts.of(kind)
        )
        for kind, count in grown.items():
            self._check_count(kind, len(self._parts.of(kind)) + count)

    def _repair(self, edit: Edit) -> None:
        """Remove the wires that the edit, or its merging with another, left hanging."""
        dangling = self._parts.dangling(edit.changes)
        if not dangling:
            return

        def remove() -> None:
            edges = self._shadow.root("edges")
            for key in dangling:
                del edges[key]

        self._edit(remove, None)

    def _check_owners(self, outline: Outline, user_id: str | None) -> None:
        for client in outline.spans:
            owner = self._owners.get(client, user_id)
            if owner != user_id:
                raise taken(client)

    def _check_taken_whole(self) -> None:
        """See that the CRDT integrated every edit, and kept none waiting.

        Only edits of several clients can wait for each other: what builds on
        its own future, or on what is not known, was refused before.
        """
        known = parse_state_vector(self._shadow.state_vector())
        for client, end in self._known.items():
            if known.get(client, 0) < end:
                raise UpdateGap(
                    f"Edits of client {client} build on each other in a circle",
                    details=_gap_details(client, known, end),
                )
        if known != self._known:
            raise UpdateInvalid("The update brings edits of clients that it does not name")


def _check_roots(outline: Outline) -> None:
    """Refuse what no reader of a canvas would ever see, and everybody would keep."""
    for root in outline.roots.difference(KINDS):
        raise UpdateInvalid(f"A canvas has no root {root[:64]!r}", details={"allowed": list(KINDS)})


def _runs(waiting: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Group consecutive updates of one user; what is written in its turn stands alone."""
    for (user_id, write), run in groupby(waiting, key=lambda each: (each.user_id, each.write)):
        del user_id
        if write is None:
            yield list(run)
        else:
            yield from ([each] for each in run)


def _told(asked: Asked, error: Exception) -> Exception:
    """Return the error as whoever asked for an edit gets it."""
    if isinstance(error, ServerError) or asked.write is not None:
        return error
    return internal("an edit", error)


def _gap_details(client: int, known: Mapping[int, int], needed: int) -> dict[str, int]:
    return {"client": client, "known": known.get(client, 0), "needed": needed}


def _is_deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_is_deeper(item, limit - 1) for item in items)
