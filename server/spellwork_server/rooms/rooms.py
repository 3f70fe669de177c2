"""All open canvases of this server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from spellwork.library import Libraries
from spellwork_server.errors import Unavailable
from spellwork_server.settings import Settings
from spellwork_server.storage.update_log import UpdateLog

from .archive import load
from .committed import Committed
from .inspector import Children, Inspector, NoChildren
from .intake import Limits
from .room import Publishes, Room

logger = logging.getLogger(__name__)

Watcher = Callable[[Room, Committed], None]


@dataclass(slots=True)
class _Place:
    """A room with the number of those who hold it. ``timer`` goes while nobody does."""

    room: Room
    writer: asyncio.Task[None]
    inspector: asyncio.Task[None]
    users: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Door:
    """Lets one task at a time open or close a canvas."""

    lock: asyncio.Lock
    waiting: int = 0


class Rooms:
    """Rooms by canvas, as an async context manager; leaving it writes what waits.

    A room stays for ``settings.grace`` seconds after the last who held it.
    """

    def __init__(
        self,
        settings: Settings,
        log: UpdateLog,
        channels: Publishes,
        libraries: Libraries,
        children: Children | None = None,
    ) -> None:
        self._settings = settings
        self._log = log
        self._channels = channels
        self._libraries = libraries
        self._children = children or NoChildren()
        self._limits = Limits(
            settings.max_update_bytes, settings.max_spell_nodes, settings.max_canvas_bytes
        )
        self._places: dict[str, _Place] = {}
        self._doors: dict[str, _Door] = {}
        self._tasks = asyncio.TaskGroup()
        self._stopping = False
        self._watchers: list[Watcher] = []
        self._greeters: list[Callable[[Room], None]] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Refuse edits, write and acknowledge those that wait, close."""
        self._stopping = True
        for canvas_id in list(self._places):
            async with self._alone(canvas_id):
                await self._free(canvas_id)
        await self._tasks.__aexit__(None, None, None)

    async def open(self, canvas_id: str) -> Room:
        """Return the canvas's room, loading it first; call ``release`` once for each call.

        Raises NotFound or CanvasQuarantined.
        """
        async with self._alone(canvas_id):
            if self._stopping:
                raise Unavailable("The server is stopping and opens no more canvases")
            place = self._places.get(canvas_id) or await self._load(canvas_id)
            place.users += 1
            if place.timer is not None:
                place.timer.cancel()
                place.timer = None
            return place.room

    async def release(self, canvas_id: str) -> None:
        """Give a room back; after the last one, and a grace, it is closed."""
        place = self._places.get(canvas_id)
        if place is None:
            return
        place.users -= 1
        if place.users == 0:
            place.timer = asyncio.get_running_loop().call_later(
                self._settings.grace, self._expire, canvas_id, place
            )

    @asynccontextmanager
    async def visit(self, canvas_id: str) -> AsyncIterator[Room]:
        """Open a canvas's room for the time of the block."""
        room = await self.open(canvas_id)
        try:
            yield room
        finally:
            await self.release(canvas_id)

    def find(self, canvas_id: str) -> Room | None:
        """Return the room of a canvas that is open now."""
        place = self._places.get(canvas_id)
        return place.room if place else None

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher`` with every batch that is committed on any canvas, as ``Room.follow`` does.

        Canvases that are open already are left out: it is for the start of the server.
        """
        self._watchers.append(watcher)

    def greet(self, greeter: Callable[[Room], None]) -> None:
        """Call ``greeter`` with every room that was just loaded, before anybody edits in it."""
        self._greeters.append(greeter)

    @property
    def faults(self) -> dict[str, str]:
        """Why open canvases take no edits now, by canvas; for the health report."""
        return {
            canvas_id: place.room.fault
            for canvas_id, place in self._places.items()
            if place.room.fault is not None
        }

    async def _load(self, canvas_id: str) -> _Place:
        loaded = load(canvas_id, await self._log.load(canvas_id))
        room = Room(canvas_id, loaded, self._log, self._channels, self._limits)
        for watcher in self._watchers:
            room.follow(partial(watcher, room))
        inspector = Inspector(room, self._libraries, self._channels, self._children)
        await inspector.inspect_safely()
        place = _Place(
            room,
            self._tasks.create_task(self._write(room), name=f"room-{canvas_id}"),
            self._tasks.create_task(inspector.run(), name=f"inspector-{canvas_id}"),
        )
        self._places[canvas_id] = place
        for greeter in self._greeters:
            greeter(room)
        return place

    async def _write(self, room: Room) -> None:
        try:
            await room.run()
        except Exception as error:  # the edge of one room: other canvases go on
            logger.exception("fault in the room of canvas %s", room.canvas_id)
            room.give_up(error)

    def _expire(self, canvas_id: str, place: _Place) -> None:
        if place.users == 0 and self._places.get(canvas_id) is place and not self._stopping:
            self._tasks.create_task(self._free_unused(canvas_id))

    async def _free_unused(self, canvas_id: str) -> None:
        try:
            async with self._alone(canvas_id):
                place = self._places.get(canvas_id)
                if place is not None and place.users == 0:
                    await self._free(canvas_id)
        except Exception:  # the edge of one room: other canvases go on
            logger.exception("could not free the room of canvas %s", canvas_id)

    async def _free(self, canvas_id: str) -> None:
        place = self._places.get(canvas_id)
        if place is None:
            return
        if place.timer is not None:
            place.timer.cancel()
        place.room.close()
        await asyncio.wait([place.writer])
        place.inspector.cancel()
        place.room.free()
        self._places.pop(canvas_id, None)

    @asynccontextmanager
    async def _alone(self, canvas_id: str) -> AsyncIterator[None]:
        door = self._doors.setdefault(canvas_id, _Door(asyncio.Lock()))
        door.waiting += 1
        try:
            async with door.lock:
                yield
        finally:
            door.waiting -= 1
            if door.waiting == 0:
                del self._doors[canvas_id]
