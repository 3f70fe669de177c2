"""Presence says of people only what the server knows of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spellwork_server.errors import BadRequest
from spellwork_server.identity import Actor
from spellwork_server.rooms.presence import (
    COLORS,
    MAX_TOLD,
    Person,
    Presence,
    encode_states,
    parse_states,
)

ADA = Actor("u-ada", "ada@example.org", "Ada", "member")
BOB = Actor("u-bob", "bob@example.org", "Bob", "member")


def nested(depth: int) -> dict:
    """A state whose values nest so deep."""
    state: dict = {}
    for _ in range(depth - 1):
        state = {"a": state}
    return state


def said(clock: int, state: dict | None, client: int = 1) -> bytes:
    return encode_states({client: (clock, state)})


@pytest.mark.rule("C9")
def test_the_server_says_who_somebody_is() -> None:
    presence = Presence()
    presence.enter(1, ADA, "socket")
    assert presence.set(1, said(1, {"cursor": [1, 2], "user": {"name": "Root", "id": "u-bob"}}))
    person = Person.of(ADA)
    assert parse_states(presence.everybody() or b"")[1] == (
        1,
        {
            "cursor": [1, 2],
            "user": {"id": "u-ada", "name": "Ada", "color": person.color},
        },
    )


@pytest.mark.rule("C9")
def test_somebody_who_is_called_otherwise_now_is_told_by_the_new_name() -> None:
    presence = Presence()
    presence.enter(1, ADA, "socket")
    presence.set(1, said(1, {}), ADA)
    presence.set(1, said(2, {}), replace(ADA, name="Ada L."))
    _, state = parse_states(presence.everybody() or b"")[1]
    assert state is not None
    assert state["user"] == {"id": "u-ada", "name": "Ada L.", "color": Person.of(ADA).color}


def test_people_on_one_canvas_have_colours_of_their_own_and_each_person_one() -> None:
    presence = Presence()
    people = [Actor(f"u-{n}", f"p{n}@example.org", f"P{n}", "member") for n in range(len(COLORS))]
    for client, actor in enumerate([*people, *people]):
        presence.enter(client, actor, "s")
        presence.set(client, said(1, {}, client=client))
    states = parse_states(presence.everybody() or b"")
    colours = [state["user"]["color"] for _, state in states.values() if state]
    assert len(set(colours)) == len(COLORS)
    assert colours[: len(people)] == colours[len(people) :]


def test_when_there_are_more_people_than_colours_everybody_still_has_one() -> None:
    presence = Presence()
    for client in range(3 * len(COLORS)):
        assert presence.enter(client, Actor(f"u-{client}", "", f"P{client}", "member"), "s")
    assert {person.color for person in presence.people()} == set(COLORS)


@pytest.mark.rule("C9")
def test_nobody_speaks_for_another_client() -> None:
    presence = Presence()
    presence.enter(1, ADA, "a")
    presence.enter(2, BOB, "b")
    assert not presence.set(1, said(5, {"cursor": None}, client=2))
    assert presence.everybody() is None


@pytest.mark.rule("C5")
def test_another_person_cannot_take_a_seat_but_the_same_can() -> None:
    presence = Presence()
    presence.enter(1, ADA, "old")
    presence.set(1, said(3, {"n": 1}))
    assert not presence.enter(1, BOB, "other")
    assert presence.enter(1, ADA, "new")
    presence.leave(1, "old")
    assert presence.everybody() is not None
    presence.leave(1, "new")
    assert presence.everybody() is None


@pytest.mark.rule("C10")
def test_the_latest_state_wins_and_is_sent_once() -> None:
    presence = Presence()
    presence.enter(1, ADA, "s")
    assert presence.set(1, said(2, {"n": 2}))
    assert not presence.set(1, said(1, {"n": 1}))
    assert not presence.set(1, said(2, {"n": 3}))
    assert presence.set(1, said(3, {"n": 4}))
    assert parse_states(presence.take_changes() or b"")[1][1]["n"] == 4  # type: ignore[index]
    assert presence.take_changes() is None


@pytest.mark.rule("C10")
def test_leaving_is_told_with_the_last_clock() -> None:
    presence = Presence()
    presence.enter(1, ADA, "s")
    presence.set(1, said(7, {"n": 1}))
    presence.take_changes()
    presence.leave(1, "s")
    assert parse_states(presence.take_changes() or b"") == {1: (7, None)}


@pytest.mark.rule("C9")
@pytest.mark.parametrize(
    "update",
    [
        b"",
        b"\x01",
        b"\x01\x01\x01\x02{}trailing",
        b"\x01\x01\x01\x03[1]",
        b"\x01\x01\x01\x02{]",
        b"\xff\xff\xff\xff\x0f",
        said(1, {"big": "x" * 10_000}),
        b"\x01\x01\x01\x8a\x08" + b'{"a":' * 173 + b"1" * 169,
        said(1, nested(66)),
        encode_states({client: (1, {}) for client in range(MAX_TOLD + 1)}),
    ],
)
def test_what_is_no_awareness_update_is_refused(update: bytes) -> None:
    presence = Presence()
    presence.enter(1, ADA, "s")
    with pytest.raises(BadRequest):
        presence.set(1, update)


@pytest.mark.rule("C9")
def test_a_state_that_was_taken_can_be_told_from_anywhere() -> None:
    """However deep the stack is of those who write it again: it would fail for all who enter."""
    presence = Presence()
    presence.enter(1, ADA, "s")
    assert presence.set(1, said(1, nested(64)))

    def told(frames: int) -> bytes | None:
        return presence.everybody() if frames == 0 else told(frames - 1)

    assert told(500)


def test_people_with_names_beyond_ascii_are_encoded_whole() -> None:
    presence = Presence()
    presence.enter(1, Actor("u", "z@example.org", "Zoë 😀", "member"), "s")
    presence.set(1, said(1, {}))
    assert parse_states(presence.everybody() or b"")[1][1]["user"]["name"] == "Zoë 😀"  # type: ignore[index]


@pytest.mark.rule("C10")
def test_whoever_says_goodbye_and_leaves_at_once_is_gone_for_those_who_saw_them() -> None:
    presence = Presence()
    presence.enter(1, ADA, "socket")
    presence.set(1, said(4, {}))
    presence.take_changes()
    presence.set(1, said(4, None))
    presence.leave(1, "socket")
    assert parse_states(presence.take_changes() or b"") == {1: (4, None)}
