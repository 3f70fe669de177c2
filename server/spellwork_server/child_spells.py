"""The canvases that a spell runs inside itself: who may read them, what they are now, and when they change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from spellwork import Spell

from .errors import NotFound, ServerError
from .identity import Actor, CanvasAccess, allowed
from .rooms.archive import load
from .rooms.committed import Committed
from .rooms.room import Room
from .storage.update_log import UpdateLog

MAX_CHILDREN = 100
"""Canvases that one spell may run, those that its children run included; further ones are not found."""

KEPT = 64
"""Spells of canvases that are not open which are kept in memory."""

Access = Callable[[str], Awaitable[CanvasAccess]]


class Kept(Protocol):
    """What is needed of a room."""

    seq: int

    def spell(self) -> Spell:
        """Return the canvas as it is now."""


@dataclass(frozen=True, slots=True)
class Found:
    """The children of a spell. ``wanted`` are all that were asked for, those that may not be read included."""

    spells: dict[str, Spell] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """By canvas, the number of the last edit in it."""
    wanted: frozenset[str] = frozenset()


NONE = Found()


class ChildSpells:
    """Finds children, and tells who watches them that they changed.

    ``committed`` is a watcher of ``Rooms``, ``members_changed`` one of the canvas records.
    """

    def __init__(self, log: UpdateLog, access: Access) -> None:
        self._log = log
        self._access = access
        self._find: Callable[[str], Kept | None] = lambda _canvas: None
        self._known: OrderedDict[str, tuple[Spell, int]] = OrderedDict()
        self._changes = 0
        self._watchers: dict[str, dict[object, Callable[[], None]]] = {}

    def attach(self, find: Callable[[str], Kept | None]) -> None:
        """Take what finds the rooms of canvases that are open."""
        self._find = find

    async def for_actor(self, spell: Spell, user: str, actor: Actor | None) -> Found:
        """Return the children that a user may read; ``actor`` is that user, where they are at hand."""

        def may_read(access: CanvasAccess) -> bool:
            if actor is not None:
                return allowed(actor, "canvas.read", access)
            return access.roles.get(user) is not None

        return await self._gather(spell, may_read)

    async def for_canvas(self, spell: Spell, canvas: str) -> Found:
        """Return the children that everybody may read who may edit the canvas: what is shown to all is no secret of one."""
        if not children_of(spell):
            return NONE
        try:
            roles = (await self._access(canvas)).roles
        except NotFound:
            return NONE
        editors = [user for user, role in roles.items() if role in ("editor", "owner")]
        return await self._gather(
            spell, lambda access: all(access.roles.get(user) is not None for user in editors)
        )

    async def are_for_all(self, children: Iterable[str], canvas: str) -> bool:
        """Say whether everybody who may read the canvas may read these, too."""
        try:
            users = (await self._access(canvas)).roles.keys()
            return all([users <= (await self._access(child)).roles.keys() for child in children])
        except NotFound:
            return False

    async def _gather(self, spell: Spell, may_read: Callable[[CanvasAccess], bool]) -> Found:
        waiting = sorted(children_of(spell))
        if not waiting:
            return NONE
        found = Found()
        wanted: set[str] = set()
        while waiting and len(wanted) < MAX_CHILDREN:
            canvas = waiting.pop(0)
            if canvas in wanted:
                continue
            wanted.add(canvas)
            child = await self._read(canvas, may_read)
            if child is not None:
                found.spells[canvas], found.versions[canvas] = child
                waiting.extend(sorted(children_of(child[0]) - wanted))
        return Found(found.spells, found.versions, frozenset(wanted))

    async def _read(
        self, canvas: str, may_read: Callable[[CanvasAccess], bool]
    ) -> tuple[Spell, int] | None:
        try:
            if not may_read(await self._access(canvas)):
                return None
            room = self._find(canvas)
            if room is not None:
                return room.spell(), room.seq
            return self._known.get(canvas) or await self._load(canvas)
        except ServerError:  # gone, or it cannot be read now: it is not found
            return None

    async def _load(self, canvas: str) -> tuple[Spell, int]:
        changes = self._changes
        loaded = load(canvas, await self._log.load(canvas))
        child = (loaded.parts.spell(), loaded.seq)
        loaded.replica.close()
        if changes == self._changes:  # what changed meanwhile is read anew the next time
            self._known[canvas] = child
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return child

    # Changes

    def subscribe(
        self, canvases: Iterable[str], callback: Callable[[], None]
    ) -> Callable[[], None]:
        """Call back after each change of one of these canvases, or of who may read it; return what ends that."""
        key = object()
        names = list(canvases)
        for canvas in names:
            self._watchers.setdefault(canvas, {})[key] = callback

        def leave() -> None:
            for canvas in names:
                watchers = self._watchers.get(canvas, {})
                watchers.pop(key, None)
                if not watchers:
                    self._watchers.pop(canvas, None)

        return leave

    def committed(self, room: Room, _committed: Committed) -> None:
        """Learn that a canvas was edited."""
        self.members_changed(room.canvas_id)

    def members_changed(self, canvas: str) -> None:
        """Learn that other people may read a canvas, or that it is gone."""
        self._changes += 1
        self._known.pop(canvas, None)
        for callback in list(self._watchers.get(canvas, {}).values()):
            callback()


def children_of(spell: Spell) -> set[str]:
    """Return what the nodes of a spell run that are spells themselves, as their settings name it."""
    return {
        node.settings.body.spell
        for node in spell.nodes.values()
        if node.settings.body is not None and node.settings.body.spell is not None
    }
