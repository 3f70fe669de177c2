"""Tells those who have a canvas open that its library has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from spellwork_server.services.registry import Registry
from spellwork_server.services.service import View


class LibraryChanged(View):
    """The library of a canvas is another one: ask for it anew (``nodes.find``)."""

    canvas: str


class Publishes(Protocol):
    """The part of ``sockets.Channels`` that is needed here."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""


class Looks(Protocol):
    """The part of a room that is needed here."""

    def look_again(self) -> None:
        """Look at the spell again, for what it means may have changed."""


def tells(channels: Publishes, find: Callable[[str], Looks | None]) -> Callable[[str], None]:
    """Return what tells of a canvas: its tabs, and the room, which finds problems anew and wakes live mode."""

    def tell(canvas: str) -> None:
        room = find(canvas)
        if room is not None:
            room.look_again()
        channels.publish(f"canvas:{canvas}", "library.changed", {"canvas": canvas})

    return tell


def announce_libraries(registry: Registry) -> None:
    """Document the event."""
    registry.announce(
        "library.changed", LibraryChanged, "A canvas that you have open has other node types now"
    )
