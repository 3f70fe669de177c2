"""A copy of a canvas's shared document that says what each update touched."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from pycrdt import Doc, Map, Subscription, TransactionEvent, get_state
from pycrdt._pycrdt import Map as SharedMap

from .errors import UpdateInvalid
from .update_parser import parse_state_vector

Kind = Literal["meta", "nodes", "edges", "groups", "notes", "requirements", "tests"]

KINDS: tuple[Kind, ...] = ("meta", "nodes", "edges", "groups", "notes", "requirements", "tests")
"""The document's root maps. ``meta`` and ``requirements`` hold plain values, the others things by id."""


class DocumentBroken(Exception):
    """The CRDT library panicked: the replica is not to be used after that."""


@contextmanager
def unpanicked() -> Iterator[None]:
    """Raise DocumentBroken for a panic of the library, which is no Exception and would end the server."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DocumentBroken(f"The document broke: {error}") from error


def clients_that_begin(update: bytes) -> Iterable[int]:
    """Return the clients whose first edit is in an update that was checked before.

    The library reads it twenty times faster than ``parse_update``. The state
    vector of an update names just those clients whose clocks begin at 0 in it.
    """
    try:
        with unpanicked():
            return parse_state_vector(get_state(update)).keys()
    except ValueError as error:
        raise UpdateInvalid(f"Not a valid update: {error}") from error


@dataclass(slots=True)
class Change:
    """What one update or edit changed. ``update`` is empty when it changed nothing."""

    update: bytes = b""
    touched: set[tuple[Kind, str]] = field(default_factory=set)
    """The things that were made, changed or removed, by root map and id (or key of ``meta``)."""
    fields: set[str] = field(default_factory=set)
    """Names of the fields of things that were put or removed; not those that changed inside."""


class Replica:
    """A pycrdt document with the roots of a canvas.

    Text positions in it are UTF-8 bytes; numbers that came from JavaScript are
    floats. One that is not ``watched`` takes updates faster, and tells nothing
    of what they changed. Not thread-safe: a replica stays on the thread that made it.

    Raises UpdateInvalid where the library refuses an update or panics at it,
    and DocumentBroken where it panics otherwise; the replica is not to be used
    after that.
    """

    def __init__(self, updates: Iterable[bytes] = (), *, watched: bool = True) -> None:
        # 32 bits as Yjs takes them; fresh for each replica, because a client id
        # that wrote edits which were then thrown away must never write again.
        self._doc: Doc[Any] = Doc(client_id=secrets.randbits(32))
        self._roots: dict[Kind, Map[Any]] = {kind: self._doc.get(kind, type=Map) for kind in KINDS}
        self._change = Change()
        self._apply(updates)
        self._whole: Subscription | None = None
        self._subscriptions: list[Subscription] = []
        if watched:
            self._whole = self._doc.observe(self._on_transaction)
            for kind, root in self._roots.items():
                # The library's own ``Map.observe_deep`` reads all that each event could tell: it takes
                # three times as long as the update itself, and here only where it was is asked.
                watching = root.integrated.observe_deep(self._on_events(kind))
                self._subscriptions.append(watching)

    @property
    def client_id(self) -> int:
        """The client id that edits made here carry."""
        return self._doc.client_id

    def root(self, kind: Kind) -> Map[Any]:
        """Return a root map. Use it only inside ``edit`` to write."""
        return self._roots[kind]

    def apply(self, *updates: bytes) -> Change:
        """Apply somebody's updates as one transaction and return what they changed."""
        self._change = Change()
        self._apply(updates)
        return self._change

    def edit(self, write: Callable[[], None]) -> Change:
        """Run ``write`` as one transaction and return what it changed."""
        self._change = Change()
        with unpanicked(), self._doc.transaction():
            write()
        return self._change

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Give a block in which many reads share one transaction, which makes them cheap."""
        with unpanicked(), self._doc.transaction():
            yield

    def json(self, kind: Kind, key: str) -> str | None:
        """Return a thing as JSON, inside ``reading``: integral floats as integers, shared texts as strings.

        None where there is none of that id, and where it is no shared map.
        Past the library's own classes, which take five times as long: after
        each commit all that it touched is read.
        """
        with self._doc.transaction() as within:
            raw = within._txn  # noqa: SLF001 - as the library's own classes do
            assert raw is not None
            try:
                thing = self._roots[kind].integrated.get(raw, key)
            except ValueError:
                return None
            return thing.to_json(raw) if type(thing) is SharedMap else None

    def state_vector(self) -> bytes:
        """Return which edits are known here."""
        with unpanicked():
            return self._doc.get_state()

    def clients(self) -> Iterable[int]:
        """Return the clients that edits are known of here."""
        return parse_state_vector(self.state_vector()).keys()

    def diff(self, state_vector: bytes | None = None) -> bytes:
        """Return, as an update, what somebody who knows ``state_vector`` lacks."""
        with unpanicked():
            return self._doc.get_update(state_vector)

    def close(self) -> None:
        """Let go of the callbacks, so that the document's memory comes back."""
        if self._whole is not None:
            self._doc.unobserve(self._whole)
            self._whole = None
        for subscription in self._subscriptions:
            subscription.drop()
        self._subscriptions.clear()

    def _apply(self, updates: Iterable[bytes]) -> None:
        try:
            with unpanicked(), self._doc.transaction():
                for update in updates:
                    self._doc.apply_update(update)
        except DocumentBroken as error:
            raise UpdateInvalid("Not a valid update: the document cannot take it") from error
        except Exception as error:  # the edge to the CRDT library, whose errors have no common type
            raise UpdateInvalid(f"Not a valid update: {error}") from error

    def _on_transaction(self, event: TransactionEvent) -> None:
        self._change.update = event.update

    def _on_events(self, kind: Kind) -> Callable[[list[Any]], None]:
        def collect(events: list[Any]) -> None:
            for event in events:
                path = event.path
                if not path:
                    self._change.touched.update((kind, key) for key in event.keys)
                    continue
                self._change.touched.add((kind, str(path[0])))
                if len(path) == 1:
                    self._change.fields.update(getattr(event, "keys", ()))  # a text has none

        return collect
