"""Who is on a canvas, where their cursor is and what they have selected.

The wire form is that of https://github.com/yjs/y-protocols/blob/master/awareness.js:
a count, then for each client its id, a clock and a state as JSON (``null``
when it left). A state's ``user`` is always what the server knows of the
person, whatever a client wrote there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from spellwork_server.errors import BadRequest
from spellwork_server.identity import Actor

from .lib0 import MAX_DEPTH, Reader, write_bytes, write_uint

MAX_STATE_BYTES = 8 * 1024
"""A cursor, a selection and a viewport fit many times over."""

MAX_TOLD = 100
"""Clients that one update of a client may tell of; each takes its time to read, and only one counts."""

COLORS = (
    "#0b6bcb",
    "#a8348a",
    "#b04a00",
    "#5b4fc4",
    "#8a6100",
    "#b3262e",
    "#2f7a3d",
    "#0e7490",
    "#7a4b9d",
    "#6b5d52",
)
"""Colours told apart on light and dark ground, each dark enough for white letters.

The client has the same list in ``person_colour.ts``, for people who are not here."""


@dataclass(frozen=True, slots=True)
class Person:
    """What everybody on a canvas may know of somebody."""

    id: str
    name: str
    color: str

    @classmethod
    def of(cls, actor: Actor, others: Iterable[Person] = ()) -> Person:
        """Return the person an actor is among ``others``: in one colour in all tabs, and nobody else's."""
        taken: set[str] = set()
        own: str | None = None
        for other in others:
            if other.id == actor.user_id:
                own = other.color
            else:
                taken.add(other.color)
        return cls(actor.user_id, actor.name or actor.email, own or color_of(actor.user_id, taken))


def color_of(user_id: str, taken: set[str]) -> str:
    """Return a user's own colour, or the next that is free; their own again when none is."""
    place = 7
    for character in user_id:
        place = (place * 31 + ord(character)) % 2**32
    for step in range(len(COLORS)):
        color = COLORS[(place + step) % len(COLORS)]
        if color not in taken:
            return color
    return COLORS[place % len(COLORS)]


@dataclass(slots=True)
class _Seat:
    person: Person
    holder: object
    clock: int = 0
    state: dict[str, Any] | None = None


class Presence:
    """The states of all clients on one canvas; the latest of each wins."""

    def __init__(self) -> None:
        self._seats: dict[int, _Seat] = {}
        self._changed: set[int] = set()
        self._left: dict[int, int] = {}

    def enter(self, client: int, actor: Actor, holder: object) -> bool:
        """Seat a client; False when somebody else's client sits there under that id.

        The same person may take their seat over from a connection that is
        about to die; ``holder`` is then the new one.
        """
        seat = self._seats.get(client)
        if seat is not None and seat.person.id != actor.user_id:
            return False
        clock = seat.clock if seat else self._left.pop(client, 0)
        state = seat.state if seat else None
        person = Person.of(actor, (each.person for each in self._seats.values()))
        self._seats[client] = _Seat(person, holder, clock, state)
        return True

    def leave(self, client: int, holder: object) -> None:
        """Free the client's seat, unless another connection has taken it over."""
        seat = self._seats.get(client)
        if seat is None or seat.holder is not holder:
            return
        del self._seats[client]
        if seat.state is not None or client in self._changed:  # gone, and perhaps not told yet
            self._left[client] = seat.clock
            self._changed.add(client)

    def is_anothers(self, client: int, user_id: str) -> bool:
        """Tell whether somebody else is on the canvas under a client's id."""
        seat = self._seats.get(client)
        return seat is not None and seat.person.id != user_id

    def set(self, client: int, update: bytes, actor: Actor | None = None) -> bool:
        """Take over what a client says of itself; False when that is nothing new.

        ``actor`` is who says it, as they are now: they may be called otherwise than when they came.

        What it says of others is ignored: clients repeat and time out each
        other's states, and only the server knows who is there. Raises
        BadRequest when the bytes are no awareness update.
        """
        own = parse_states(update, MAX_TOLD).get(client)
        seat = self._seats.get(client)
        if own is None or seat is None:
            return False
        clock, state = own
        leaves_or_returns = state is None or seat.state is None
        if clock < seat.clock or (clock == seat.clock and not leaves_or_returns):
            return False
        if actor is not None and actor.name and actor.name != seat.person.name:
            seat.person = replace(seat.person, name=actor.name)
        seat.clock = clock
        seat.state = None if state is None else state | {"user": _user(seat.person)}
        self._changed.add(client)
        return True

    def take_changes(self) -> bytes | None:
        """Return what changed since the last call, to be sent to everybody; None when nothing did."""
        if not self._changed:
            return None
        changed, self._changed = self._changed, set()
        states: dict[int, tuple[int, dict[str, Any] | None]] = {}
        for client in sorted(changed):
            seat = self._seats.get(client)
            states[client] = (seat.clock, seat.state) if seat else (self._left.pop(client, 0), None)
        return encode_states(states)

    def everybody(self) -> bytes | None:
        """Return all states, for somebody who enters; None on an empty canvas."""
        states = {
            client: (seat.clock, seat.state)
            for client, seat in sorted(self._seats.items())
            if seat.state is not None
        }
        return encode_states(states) if states else None

    def people(self) -> list[Person]:
        """Return who is on the canvas, each once."""
        return sorted({seat.person for seat in self._seats.values()}, key=lambda each: each.id)


def _user(person: Person) -> dict[str, str]:
    return {"id": person.id, "name": person.name, "color": person.color}


def parse_states(
    update: bytes, most: int | None = None
) -> dict[int, tuple[int, dict[str, Any] | None]]:
    """Read an awareness update of at most ``most`` clients: client -> clock and state. Raises BadRequest."""
    reader = Reader(update)
    try:
        count = reader.count(3)
        if most is not None and count > most:
            raise reader.wrong(f"it tells of {count} clients; at most {most}")
        states = {reader.client(): (reader.uint(), _state(reader.string())) for _ in range(count)}
        if not reader.at_end:
            raise reader.wrong("bytes follow its end")
    except (ValueError, IndexError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise BadRequest.field("update", f"not an awareness update: {error}") from error
    return states


def _state(text: str) -> dict[str, Any] | None:
    if len(text) > MAX_STATE_BYTES:
        raise BadRequest.field(
            "update", f"a state has {len(text)} characters", {"max": MAX_STATE_BYTES}
        )
    state = msgspec.json.decode(text)
    if state is not None and not isinstance(state, dict):
        raise BadRequest.field("update", "a state must be an object or null")
    # Reading goes as deep as the stack lets it. Whoever writes it again may stand deeper, and would fail for all.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(state, MAX_DEPTH):
        raise BadRequest.field("update", "a state nests too deep", {"max": MAX_DEPTH})
    return state


def _is_deeper(value: Any, limit: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return limit == 0 or any(_is_deeper(item, limit - 1) for item in items)


def encode_states(states: Mapping[int, tuple[int, dict[str, Any] | None]]) -> bytes:
    """Write an awareness update."""
    parts = [write_uint(len(states))]
    for client, (clock, state) in states.items():
        parts += [write_uint(client), write_uint(clock), write_bytes(msgspec.json.encode(state))]
    return b"".join(parts)
