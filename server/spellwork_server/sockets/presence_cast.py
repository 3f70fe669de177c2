"""Sends presence: at most 20 times a second for each canvas, everybody's changes in one packet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from spellwork_server.rooms import Room

from .channels import Channels

INTERVAL = 0.05
"""Seconds between two packets of presence to one canvas."""


Listener = Callable[[Room, bytes], None]


class PresenceCast:
    """Gathers what changed on a canvas since the last packet; the first change after a pause goes at once."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._sent: WeakKeyDictionary[Room, float] = WeakKeyDictionary()
        self._due: set[Room] = set()
        self._listeners: list[Listener] = []

    def watch(self, listener: Listener) -> None:
        """Call ``listener(room, update)`` with every awareness update that is sent."""
        self._listeners.append(listener)

    def soon(self, room: Room) -> None:
        """Send what changed in the room's presence, now or as soon as it is time."""
        if room in self._due:
            return
        loop = asyncio.get_running_loop()
        wait = self._sent.get(room, 0.0) + INTERVAL - loop.time()
        if wait <= 0:
            self._send(room)
        else:
            self._due.add(room)
            loop.call_later(wait, self._send, room)

    def _send(self, room: Room) -> None:
        self._due.discard(room)
        update = room.presence.take_changes()
        if update is None:
            return
        self._sent[room] = asyncio.get_running_loop().time()
        self._channels.publish(
            room.channel,
            "canvas.awareness",
            {"canvas": room.canvas_id, "update": update},
            lossy=True,
        )
        for listener in self._listeners:
            listener(room, update)
