"""What this process does with values that stay: keeps them, gives them to calls, encodes and shows them."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import msgspec

from .encoders import EncodingTooLargeError, decode, encode, encodings_of, is_table
from .frames import encode as frame_of
from .keeping import PLAIN, SMALL, Gone, NotPlain, Store, kind_of, plain_size, size_of
from .memory import Memory, Untrusted
from .pages import NoSuchPart, read_page
from .parcels import Drop, Fetch, Fetched, Given, Kept, Let, Parcel, ReadPage, Refused, Shown
from .pipe import Pipe
from .previews import preview_of
from .tables import columns_of, length_of
from .values import NotTransferableError, to_plain

LET_GO = "value dropped"
"""Why a value is gone that went to make room: what a step says when it runs again for it."""

_FEW = 4_000
"""Cells of a table or array that is told of as a whole."""

_WAITING = 100
"""Values without a preview that are shown when nothing else is to be done."""


class Holding:
    """The store, and what is asked of it. ``budget``: bytes that values may take, about."""

    def __init__(self, pipe: Pipe, budget: int) -> None:
        self._pipe = pipe
        self._store = Store(budget)
        self._unshown: dict[int, None] = {}

    # Calls

    def kept(self, value: Any, *, previews: bool) -> Kept | None:
        """Keep a value that is large or not plain, and return what is told of it; None for any other."""
        try:
            if plain_size(value) <= PLAIN:
                return None
        except (NotPlain, RecursionError):
            pass
        size = size_of(value)
        number = self._store.keep(value, size)
        plain = _small_form(value, size)
        preview = None
        if previews and plain is msgspec.UNSET:
            if self._pipe.is_waited_for:
                self._show_later(number)
            else:
                preview = preview_of(value)
        return Kept(number, kind_of(value), size, encodings_of(value), preview, plain)

    def fill(self, inputs: MutableMapping[Any, Any], given: Sequence[Given]) -> None:
        """Put values at their places in the inputs of a call.

        Raises:
            NotTransferableError: one that came cannot be read here, or is here no more.
        """
        for each in given:
            value = self._given(each)
            place: Any = inputs
            for step in each.path[:-1]:
                place = place[step]
            place[each.path[-1]] = value

    def _given(self, each: Given) -> Any:
        if each.parcel is not None:
            return self.opened(each.parcel)
        try:
            return self._store.get(each.value or 0)
        except Gone as error:
            raise NotTransferableError(
                "value", f"the input {each.path[0]!r}", "it is gone"
            ) from error

    def opened(self, parcel: Parcel) -> Any:
        """Return the value in a parcel that came."""
        memory = None
        if parcel.data is None:
            if self._pipe.channel is None:
                raise NotTransferableError(parcel.kind, "the value", "its memory cannot come here")
            try:
                memory = self._pipe.channel.take(parcel.memory, parcel.size)
            except Untrusted as error:
                raise NotTransferableError(parcel.kind, "the value", str(error)) from error
        return decode(parcel, memory)

    def tell(self) -> None:
        """Tell of the values that went to make room."""
        if self._store.let:
            self._pipe.send(frame_of(Let(self._store.let, LET_GO)))
            self._store.let = []

    # Between calls

    def do(self, task: Drop | Fetch | ReadPage) -> None:
        """Do what is asked about values; whatever goes wrong is an answer."""
        if isinstance(task, Drop):
            for number in task.values:
                self._unshown.pop(number, None)
            self._store.drop(task.values)
            return
        try:
            memory = self._lent(task) if isinstance(task, Fetch) else None
            value = self._store.get(task.value)
            if isinstance(task, Fetch):
                self._fetch(task, value, memory)
            else:
                self._pipe.send(frame_of(read_page(value, task)))
        except Gone:
            self._refuse(task.number, "value_gone", "the value is gone")
        except NoSuchPart as error:
            self._refuse(task.number, "value_not_found", f"the value has nothing at {error}")
        except NotTransferableError as error:
            self._refuse(task.number, "not_transferable", str(error))
        except EncodingTooLargeError as error:
            self._refuse(task.number, "output_too_large", str(error))
        except Exception as error:  # noqa: BLE001 - a foreign object's own methods may do anything
            self._refuse(task.number, "not_transferable", f"{type(error).__name__}: {error}")

    def _fetch(self, task: Fetch, value: Any, memory: Memory | None) -> None:
        self._pipe.send(
            frame_of(Fetched(task.number, encode(value, task.encodings, task.limit, memory)))
        )

    def _lent(self, task: Fetch) -> Memory | None:
        """Take the memory that came with a question, whatever becomes of it."""
        if not task.memory or self._pipe.channel is None:
            return None
        return self._pipe.channel.take(task.memory)

    def _refuse(self, number: int, code: str, message: str) -> None:
        text = message.encode("utf-8", "backslashreplace").decode()
        self._pipe.send(frame_of(Refused(number, code, text[:2_000])))

    def _show_later(self, number: int) -> None:
        self._unshown[number] = None
        if len(self._unshown) > _WAITING:
            del self._unshown[next(iter(self._unshown))]

    def show_waiting(self) -> None:
        """Make previews that calls had no time for, until something else is to be done."""
        while self._unshown and not self._pipe.is_waited_for:
            number = next(iter(self._unshown))
            del self._unshown[number]
            try:
                value = self._store.get(number)
            except Gone:
                continue
            self._pipe.send(frame_of(Shown(number, preview_of(value))))


def _small_form(value: Any, size: int) -> Any:
    """Return the plain form of a value that is small in it, else UNSET."""
    if size > SMALL or not _is_small(value):
        return msgspec.UNSET
    try:
        plain = to_plain(value)
        return plain if plain_size(plain, SMALL) <= SMALL else msgspec.UNSET
    except Exception:  # noqa: BLE001 - it has no plain form, or a foreign object's methods fail
        return msgspec.UNSET


def _is_small(value: Any) -> bool:
    """Say whether the plain form of a value is made in no time."""
    if "json" not in encodings_of(value):
        return False
    if is_table(value):
        return length_of(value) * max(1, len(columns_of(value))) <= _FEW
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        cells = 1
        for side in shape:
            cells *= int(side)
        return cells <= _FEW
    return True
