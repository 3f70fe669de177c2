"""The library of each canvas: the packs of the server, and what the workers of that canvas bring."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from spellwork import Library, Pack
from spellwork.errors import PackInvalid

KEPT = 256
"""Libraries that are kept in memory, besides the server's own; they share their node types."""

PlacesOf = Callable[[str], Sequence[str]]
"""Which places, by id, bring packs to a canvas, the nearest first."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What one place brings. ``problems``: by pack, why one is not in the library."""

    packs: tuple[Pack, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


class CanvasLibraries:
    """Libraries by canvas. Everything is in memory, and answers at once.

    A *place* is a worker of the server or an external one. Of two packs of one
    name the nearer place's counts, and one of the server's before all.
    """

    def __init__(self, base: Library) -> None:
        self.base = base
        self._brought: dict[str, Brought] = {}
        self._made: OrderedDict[tuple[str, ...], Library] = OrderedDict()
        self._sources: list[PlacesOf] = []
        self._watchers: list[Callable[[str], None]] = []

    def add_source(self, places_of: PlacesOf) -> None:
        """Ask ``places_of`` from now on, after those that were added before."""
        self._sources.append(places_of)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call ``watcher`` with each canvas whose library has changed."""
        self._watchers.append(watcher)

    def of(self, canvas: str | None) -> Library:
        """Return the library of a canvas; the same object until something changes. Without one, the server's own."""
        key = self._key(canvas)
        if not key:
            return self.base
        library = self._made.get(key)
        if library is None:
            library = self._made[key] = self._make(key)
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        else:
            self._made.move_to_end(key)
        return library

    def places(self, canvas: str) -> tuple[str, ...]:
        """Return the places that bring packs to a canvas, whether they have any or not."""
        found = dict.fromkeys(place for source in self._sources for place in source(canvas))
        return tuple(found)

    def bring(self, place: str, brought: Brought) -> None:
        """Note what a place brings from now on. ``tell`` says so to the canvases that it concerns."""
        if brought.packs or brought.problems:
            self._brought[place] = brought
        else:
            self._brought.pop(place, None)
        for key in [key for key in self._made if place in key]:
            del self._made[key]

    def brought(self, place: str) -> Brought:
        """Return what a place brings."""
        return self._brought.get(place, Brought())

    def tell(self, canvas: str) -> None:
        """Say that the library of a canvas has changed."""
        for watcher in self._watchers:
            watcher(canvas)

    def _key(self, canvas: str | None) -> tuple[str, ...]:
        if canvas is None or not self._brought:
            return ()
        return tuple(place for place in self.places(canvas) if place in self._brought)

    def _make(self, key: tuple[str, ...]) -> Library:
        library = self.base
        for place in key:
            brought = self._brought[place]
            library = library.extended((), brought.problems)
            for pack in brought.packs:
                try:
                    library = library.extended((pack,), {})
                except PackInvalid as error:
                    library = library.extended((), {pack.name: error.message})
        return library
