"""Handles: what stands in the engine for a value that stays in a worker's process.

Wires pass them on untouched, and a call in the same process gets the very object. Whoever
else needs the value gets it through a typed encoding, or learns why that cannot be. A
handle is the value's lease: when the last one is gone, the process lets go of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from msgspec import UNSET

if TYPE_CHECKING:
    from spellwork_worker.memory import Memory
    from spellwork_worker.parcels import Encoding, Kept, PageRead, Parcel, ReadPage

DEPTH = 6
"""How deep in lists and objects handles are looked for."""


class Holder(Protocol):
    """The process that holds values. Its methods may be used from the thread of its event loop."""

    process: str
    """Tells processes apart: 20 hexadecimal digits, never used twice."""

    @property
    def gone(self) -> str | None:
        """Why it holds nothing any more ("worker restarted"), or None."""
        ...

    def release(self, value: int) -> None:
        """Let go of a value, soon. May be called from any thread, and from a finalizer."""
        ...

    async def fetch(
        self, handle: Handle, encodings: Sequence[Encoding], limit: int = 0
    ) -> tuple[Parcel, Memory | None]:
        """Return the value in one of these encodings, its bytes in the parcel or in sealed memory.

        ``limit``: bytes it may have at most; 0 for any number. Raises as ``decoded`` does.
        """
        ...

    async def decoded(self, handle: Handle) -> Any:
        """Return the value as plain JSON values.

        Raises:
            NotTransferable: it has no such form.
            ValueGone: the process holds it no more.
        """
        ...

    async def page(self, handle: Handle, request: ReadPage) -> PageRead:
        """Return a page of the value. Raises as ``decoded`` does, and ``NodeError`` for a path that leads nowhere."""
        ...


class Handle:
    """A value that stays in the process that made it.

    ``node`` and ``port`` say what made it. Handles are equal only to themselves: each
    call that gives a value gives another one, though the object be the same.
    """

    __slots__ = (
        "__weakref__",
        "_lost",
        "encodings",
        "holder",
        "kind",
        "node",
        "plain",
        "port",
        "preview",
        "size",
        "value",
    )

    def __init__(self, holder: Holder, kept: Kept, node: str = "", port: str = "") -> None:
        self.holder = holder
        self.value = kept.value
        self.kind = kept.kind
        self.size = kept.size
        self.encodings: tuple[Encoding, ...] = tuple(kept.encodings)
        self.preview = kept.preview
        self.plain = kept.plain
        """The value as plain JSON where that is small, else UNSET."""
        self.node = node
        self.port = port
        self._lost: str | None = None
        _living[self.token] = self

    @property
    def token(self) -> str:
        """What it is known by outside: 32 hexadecimal digits."""
        return f"{self.holder.process}{self.value:012x}"

    @property
    def process(self) -> str:
        """The process that holds the value."""
        return self.holder.process

    @property
    def gone(self) -> str | None:
        """Why the value is there no more, as a step says why it runs again ("worker restarted"), or None."""
        return self._lost or self.holder.gone

    def lose(self, why: str) -> None:
        """Take it that the process let go of the value by itself."""
        self._lost = why

    @property
    def has_plain(self) -> bool:
        """Whether the plain form is at hand."""
        return self.plain is not UNSET

    def to_json(self) -> Any:
        """Return what stands for the value in events, results and files: its plain form, or what is told of it."""
        if self.plain is not UNSET:
            return self.plain
        return self.stand_in

    @property
    def stand_in(self) -> dict[str, Any]:
        """What is told of a value that is not there itself."""
        return {
            "$handle": self.token,
            "kind": self.kind,
            "size": self.size,
            "preview": self.preview,
            "encodings": list(self.encodings),
        }

    def __repr__(self) -> str:
        return f"<Handle {self.kind}, {self.size:,} bytes, of {self.node or 'a worker'}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Handle:
        return self

    def __del__(self) -> None:
        self.holder.release(self.value)


_living: WeakValueDictionary[str, Handle] = WeakValueDictionary()


def find_handle(token: str) -> Handle | None:
    """Return the handle known outside by ``token``, as long as anything in this process has it."""
    return _living.get(token)


def any_handles() -> bool:
    """Say whether there is any handle in this process: where none is, nobody need look for them."""
    return bool(_living)


Hears = Callable[[Sequence[Handle], str], None]
"""Told the handles whose values are gone, and why."""

_watchers: list[Hears] = []


def watch_gone(hears: Hears) -> Callable[[], None]:
    """Call ``hears``, on the thread of the loop, whenever values of handles are gone; return what ends that."""
    _watchers.append(hears)
    return lambda: _watchers.remove(hears)


def tell_gone(handles: Sequence[Handle], why: str) -> None:
    """Say that these values are gone: their process ended, or let go of them by itself."""
    if handles:
        for hears in tuple(_watchers):  # one may stop meanwhile
            hears(handles, why)


def handles_in(value: Any, depth: int = DEPTH) -> Iterator[tuple[list[str | int], Handle]]:
    """Yield the handles in a value, and the path to each: keys of objects and numbers in lists."""
    kind = type(value)
    if kind is Handle:
        yield [], value
    elif depth and kind is dict:
        for key, part in value.items():
            for path, handle in handles_in(part, depth - 1):
                yield [key, *path], handle
    elif depth and (kind is list or kind is tuple):
        if len(value) > _SAMPLE and not _may_have(value):
            return
        for place, part in enumerate(value):
            if type(part) in _LEAVES:
                continue
            for path, handle in handles_in(part, depth - 1):
                yield [place, *path], handle


_SAMPLE = 1_000


def _may_have(items: Sequence[Any]) -> bool:
    """Say whether a long list may have handles in it: as its items, or in the first of them."""
    if Handle in set(map(type, items)):
        return True
    return any(True for item in items[:_SAMPLE] for _ in handles_in(item, 2))


_LEAVES = frozenset((int, float, str, bool, type(None), bytes))


def gone_of(outputs: Mapping[str, Any]) -> str | None:
    """Return why one of these outputs is there no more, or None where all are."""
    for value in outputs.values():
        for _, handle in handles_in(value):
            if (why := handle.gone) is not None:
                return why
    return None


def replaced(value: Any, path: Sequence[str | int], part: Any) -> Any:
    """Return ``value`` with ``part`` at ``path``; what lies on the way is copied, the rest is shared."""
    if not path:
        return part
    first, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = replaced(copy[first], rest, part)
    return copy
