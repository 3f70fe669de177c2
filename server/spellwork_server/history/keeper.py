"""Writes versions: when a spell of editing ends, when somebody saves, and around a restore."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self
from weakref import WeakValueDictionary

from spellwork.spell import Spell
from spellwork_server.errors import NotFound, ServerError
from spellwork_server.identity import Actor
from spellwork_server.rooms import Committed, Room
from spellwork_server.settings import Settings
from spellwork_server.storage.versions import NewVersion, Thinning, VersionRecord, VersionRecords

from .body import NOTHING, Drawing, compare, readable
from .summary import summarize
from .thinning import heirs, thin

logger = logging.getLogger(__name__)

LOOK = 5.0
"""Seconds between two looks at what is being edited, at most."""

AT_ONCE = 16
"""Versions of different canvases that are written at the same time."""

THIN_EVERY = 8
"""Old versions are thinned out with each so many new ones."""


class FindsRooms(Protocol):
    """The part of ``rooms.Rooms`` that the keeper needs."""

    def find(self, canvas_id: str) -> Room | None:
        """Return the room of a canvas that is open now."""


@dataclass(slots=True)
class _Sitting:
    """Editing on one canvas that no version has yet. Times are the loop's, but ``at`` is Unix seconds."""

    room: Room
    began: float
    last: float
    at: float
    authors: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Present:
    """A canvas as it is drawn up to edit ``seq``, and who is known to have edited since the last version."""

    canvas_id: str
    spell: Spell
    seq: int
    at: float | None = None
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Packed:
    """A present canvas next to the newest version of it."""

    present: _Present
    newest: VersionRecord | None
    body: bytes
    changes: dict[str, Any]
    equal: bool
    """Whether the newest version has just this (or there is none, and nothing drawn)."""


class VersionKeeper:
    """Keeps the versions of all canvases, as an async context manager.

    Enter it before the rooms and leave it after them: then it has seen the
    last edit. ``committed`` is for ``Rooms.watch``, ``opened`` for
    ``Rooms.greet``. ``told`` is called with every version that is new or changed.
    """

    def __init__(
        self,
        settings: Settings,
        records: VersionRecords,
        rooms: FindsRooms,
        told: Callable[[VersionRecord], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._quiet = settings.version_quiet
        self._longest = settings.version_longest
        self._most = settings.versions_kept
        self._records = records
        self._rooms = rooms
        self._told = told
        self._clock = clock
        self._sittings: dict[str, _Sitting] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._edited = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._watcher: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._watcher = self._tasks.create_task(self._watch(), name="versions")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the versions of what was still being edited."""
        if self._watcher is not None:
            self._watcher.cancel()
        await self._tasks.__aexit__(None, None, None)
        for canvas_id in list(self._sittings):
            await self._end(canvas_id)

    # What the rooms tell

    def committed(self, room: Room, committed: Committed) -> None:
        """Note that a canvas was edited."""
        now = asyncio.get_running_loop().time()
        sitting = self._sittings.get(room.canvas_id)
        if sitting is None:
            sitting = self._sittings[room.canvas_id] = _Sitting(room, now, now, committed.at)
            self._edited.set()
        sitting.room, sitting.last, sitting.at = room, now, committed.at
        sitting.authors.update((author, None) for author in committed.authors if author)

    def opened(self, room: Room) -> None:
        """Make the version that a crash left out, now that its canvas is opened again."""
        sitting = self._sittings.get(room.canvas_id)
        if sitting is not None:  # everybody left and somebody came back: it goes on
            sitting.room = room
            return
        found = _Present(room.canvas_id, room.spell(), room.seq)
        self._tasks.create_task(self._catch_up(found))

    # What people ask

    async def save(self, room: Room, actor: Actor, name: str) -> VersionRecord:
        """Name the canvas as it is now; an equal newest version without a name gets it."""
        async with self._alone(room.canvas_id), self._present(room) as present:
            packed = await self._pack(present)
            newest = packed.newest
            if packed.equal and newest is not None and newest.name is None:
                saved = await self._records.save(room.canvas_id, newest.id, name, actor.user_id)
                await self._tell(saved)
                return saved
            return await self._add(packed, name=name, reason="saved", created_by=actor.user_id)

    async def rename(self, canvas_id: str, version: str, name: str | None) -> VersionRecord:
        """Give a version a name, or take it away. Raises NotFound and Conflict."""
        record = await self._records.rename(canvas_id, version, name)
        await self._tell(record)
        return record

    async def restore(
        self, room: Room, actor: Actor, version: VersionRecord
    ) -> tuple[VersionRecord, VersionRecord]:
        """Draw a version again, by the least edits of the live document.

        Returns the versions from before and after it; the one before is always
        kept. The canvas keeps its name and its epoch. Raises Conflict for a
        version that cannot be drawn any more, and what ``Room.change_spell`` raises.
        """
        body = await self._records.body(room.canvas_id, version.id)
        spell = await asyncio.to_thread(readable, body)
        async with self._alone(room.canvas_id):
            before = await self._redraw(room, actor, spell)
            async with self._present(room) as present:
                packed = await self._pack(present)
                if packed.equal:
                    return before, before
                after = await self._add(
                    packed, reason="restored", source=version.id, created_by=actor.user_id
                )
        return before, after

    async def thin(self, canvas_id: str) -> None:
        """Forget versions that are too old, each after the next one took over what it tells."""
        versions = await self._records.find(canvas_id)
        gone = thin(versions, self._clock(), self._most)
        if not gone:
            return
        passed: dict[str, tuple[tuple[str, ...], Any]] = {}
        for heir, (previous, authors) in heirs(versions, gone).items():
            before = await self._records.body(canvas_id, previous.id) if previous else None
            after = await self._records.body(canvas_id, heir)
            passed[heir] = authors, await asyncio.to_thread(_changes, before, after)
        await self._records.thin(Thinning(tuple(each.id for each in gone), passed))

    # Watching

    async def _watch(self) -> None:
        pause = min(LOOK, max(0.01, min(self._quiet, self._longest) / 4))
        while True:
            await self._edited.wait()
            await asyncio.sleep(pause)
            due = self._due()
            for start in range(0, len(due), AT_ONCE):
                async with asyncio.TaskGroup() as tasks:
                    for canvas_id in due[start : start + AT_ONCE]:
                        tasks.create_task(self._end(canvas_id))
            if not self._sittings:
                self._edited.clear()

    def _due(self) -> list[str]:
        """Return the canvases that nobody edits just now, or has open, or that were edited for long."""
        now = asyncio.get_running_loop().time()
        return [
            canvas_id
            for canvas_id, sitting in self._sittings.items()
            if now - sitting.last >= self._quiet
            or now - sitting.began >= self._longest
            or self._rooms.find(canvas_id) is not sitting.room
        ]

    async def _end(self, canvas_id: str) -> None:
        """End a sitting: write its version. One that cannot be written is tried again."""
        try:
            async with self._alone(canvas_id):
                sitting = self._sittings.get(canvas_id)
                if sitting is not None:
                    async with self._present(sitting.room) as present:
                        await self._write(present)
        except NotFound:
            self._sittings.pop(canvas_id, None)  # the canvas was deleted
        except ServerError as error:
            logger.warning("no version of canvas %s was written: %s", canvas_id, error.message)
        except Exception:  # the edge of one canvas: the others get their versions
            self._sittings.pop(canvas_id, None)
            logger.exception("no version of canvas %s was written", canvas_id)

    async def _catch_up(self, found: _Present) -> None:
        try:
            async with self._alone(found.canvas_id):
                newest = await self._records.newest(found.canvas_id)
                if found.seq > (newest.seq if newest else 0):
                    await self._write(found)
        except ServerError as error:
            logger.warning(
                "no version of canvas %s was written: %s", found.canvas_id, error.message
            )
        except Exception:  # the edge of one canvas: others open
            logger.exception("no version of canvas %s was written", found.canvas_id)

    # Writing

    @asynccontextmanager
    async def _alone(self, canvas_id: str) -> AsyncIterator[None]:
        """Let one task at a time write versions of a canvas."""
        lock = self._locks.setdefault(canvas_id, asyncio.Lock())
        async with lock:
            yield

    @asynccontextmanager
    async def _present(self, room: Room) -> AsyncIterator[_Present]:
        """Give a canvas as it is now; the sitting ends with the block, unless that fails."""
        sitting = self._sittings.pop(room.canvas_id, None)
        try:
            yield _Present(
                room.canvas_id,
                room.spell(),
                room.seq,
                sitting.at if sitting else None,
                tuple(sitting.authors) if sitting else (),
            )
        except BaseException:
            if sitting is not None:
                self._go_on(sitting)
            raise

    def _go_on(self, sitting: _Sitting) -> None:
        later = self._sittings.setdefault(sitting.room.canvas_id, sitting)
        later.began = sitting.began
        later.authors = sitting.authors | later.authors
        self._edited.set()

    async def _redraw(self, room: Room, actor: Actor, spell: Spell) -> VersionRecord:
        """Draw ``spell`` on a canvas; return the version of what it replaced, which stays.

        That version is written first. Where somebody edited between the two,
        it is another that stays: of what was replaced indeed.
        """
        replaced: list[Spell] = []

        def redrawn(now: Spell) -> Spell:
            replaced.append(now)
            return spell.model_copy(update={"name": now.name})

        async with self._present(room) as present:
            record, stayed = await self._keep(present)
        seq = await room.change_spell(actor, redrawn)
        if replaced[-1] == present.spell:
            return record
        if not stayed:
            await self._records.keep(room.canvas_id, record.id, kept=False)
        async with self._present(room):
            record, _ = await self._keep(_Present(room.canvas_id, replaced[-1], seq - 1))
        return record

    async def _keep(self, present: _Present) -> tuple[VersionRecord, bool]:
        """Return a version of a present that stays, and whether it did before."""
        packed = await self._pack(present)
        newest = packed.newest
        if newest is not None and packed.equal:
            return await self._records.keep(present.canvas_id, newest.id), newest.kept
        return await self._add(packed, kept=True), False

    async def _write(self, present: _Present) -> None:
        packed = await self._pack(present)
        if not packed.equal:
            await self._add(packed)
        elif packed.newest is not None and packed.newest.seq < present.seq:
            await self._records.stretch(packed.newest.id, present.seq)

    async def _pack(self, present: _Present) -> _Packed:
        newest = await self._records.newest(present.canvas_id)
        before = await self._records.body(present.canvas_id, newest.id) if newest else None
        body, changes = await asyncio.to_thread(_pack, present.spell, before)
        return _Packed(present, newest, body, changes, equal=not changes)

    async def _add(self, packed: _Packed, **how: Any) -> VersionRecord:
        present, newest = packed.present, packed.newest
        logged = await self._records.editing(
            present.canvas_id, newest.seq if newest else 0, present.seq
        )
        record = await self._records.add(
            NewVersion(
                canvas_id=present.canvas_id,
                seq=present.seq,
                created_at=present.at or logged.last or self._clock(),
                body=packed.body,
                changes=packed.changes,
                authors=tuple(dict.fromkeys((*logged.authors, *present.authors))),
                **how,
            )
        )
        await self._tell(record)
        if record.number % THIN_EVERY == 0:
            await self.thin(record.canvas_id)
        return record

    async def _tell(self, record: VersionRecord) -> None:
        try:
            await self._told(record)
        except Exception:  # the version is written; who was not told finds it in the list
            logger.exception("version %s was not told of", record.id)


def _pack(spell: Spell, before: bytes | None) -> tuple[bytes, dict[str, Any]]:
    """Return a spell's body, and what is different from the body before; in a thread, as spells are large."""
    drawing = Drawing.of(spell)
    body = drawing.pack()
    return body, {} if body == before else _summary(before, drawing)


def _changes(before: bytes | None, after: bytes) -> dict[str, Any]:
    return _summary(before, Drawing.unpack(after))


def _summary(before: bytes | None, after: Drawing) -> dict[str, Any]:
    """Return what is different; of a first version, what was drawn."""
    old = Drawing.unpack(before) if before else NOTHING
    return summarize(compare(old, after), renamed=before is not None and old.name != after.name)
