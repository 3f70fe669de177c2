"""An update is read to its last byte before the CRDT sees it."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlFragment

from spellwork_server.rooms.errors import UpdateGap, UpdateInvalid
from spellwork_server.rooms.replica import Replica
from spellwork_server.rooms.update_parser import (
    check_dependencies,
    parse_state_vector,
    parse_update,
    read_strictly,
)
from tests.seeds import examples
from tests.server.rooms.tab import Tab


def drawing() -> list[bytes]:
    """Updates of many kinds, as one tab makes them."""
    tab = Tab()
    updates = [
        tab.add("a", inputs=Map({"value": {"deep": [1, 2.5, None, True, "é😀", {"k": []}]}})),
        tab.code("b", "x * 21é😀\n"),
        tab.wire("e", "a", "b"),
        tab.edit(lambda: tab["nodes"]["b"]["code"].insert(3, "yy😀")),
        tab.edit(lambda: tab["nodes"]["a"].update({"position": [3.0, 4.0]})),
        tab.put("a", "other", -7),
        tab.edit(lambda: tab["notes"].update({"n": Map({"text": Text("hi"), "position": [1, 2]})})),
        tab.remove("edges", "e"),
        tab.remove("nodes", "b"),
    ]
    return [*updates, tab.doc.get_update()]


@pytest.mark.rule("U2")
def test_everything_a_tab_writes_is_read() -> None:
    known: dict[int, int] = {}
    *updates, whole = drawing()
    for update in updates:
        outline = parse_update(update)
        check_dependencies(outline, known)
        known |= {client: end for client, (_, end) in outline.spans.items()}
    assert {client: end for client, (_, end) in parse_update(whole).spans.items()} == known
    assert parse_update(whole).roots <= {"nodes", "edges", "notes"}


def test_the_clocks_found_are_those_the_crdt_counts() -> None:
    tab = Tab(client_id=7)
    update = tab.code("b", "é😀 counts as three in JavaScript")
    assert parse_update(update).spans == {7: (0, parse_state_vector(tab.doc.get_state())[7])}


@pytest.mark.rule("U1")
@pytest.mark.parametrize("cut", [1, 2, 3, 10])
def test_a_truncated_update_is_refused(cut: int) -> None:
    update = drawing()[0]
    with pytest.raises(UpdateInvalid):
        parse_update(update[:-cut])


@pytest.mark.rule("U1")
def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(UpdateInvalid, match="follow its end"):
        parse_update(drawing()[0] + b"\x00")


def foreign(**roots: Any) -> bytes:
    doc: Doc[Any] = Doc()
    for name, value in roots.items():
        doc[name] = value
    return doc.get_update()


@pytest.mark.rule("U1", "U2")
@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (b"", "too early"),
        (b"\x01\x01\x05\x00\x28\x01\x01m\x01k\x01\x7a" + bytes(8) + b"\x00", "BigInt"),
        (b"\x01\x01\x05\x00\x28\x01\x01m\x01k\x01\x74\x01a\x00", "bytes inside"),
        (b"\x01\x01\x05\x00\x28\x01\x01m\x01k\x01\x7b\x7f\xf8" + bytes(6) + b"\x00", "not a JSON"),
        (b"\x01\x01\x05\x00\x28\x01\x01m\x01k\x01\x77\x02\xff\xfe\x00", "not UTF-8"),
        (b"\x01\x01\x05\x00\x28\x01\x01m\x01k\x01" + b"\x75\x01" * 100 + b"\x7e\x00", "deep"),
        (b"\x01\x01\x05\x00\x23\x01\x01m\x01k\x01a\x00", "binary content"),
        (b"\x01\x01\x05\x00\x29\x01\x01m\x01k\x01a\x7e\x00", "subdocument"),
        (b"\x01\x01\x05\x00\x27\x01\x01m\x01k\x00\x00", r"Y\.Array"),
        (b"\x01\x01\x05\x00\x0f\x01\x01m\x00", "unknown content kind 15"),
        (b"\x01\x01\x05\x00\x84\x05\x00\x01a\x00", "own future"),
        (b"\x01\x01\x05\xff\xff\xff\xff\x0f\x00\x01\x00", "over the limit"),
        (b"\x01\x01\x05\x00\x00\xff\xff\xff\xff\x07\x00\x01a", "clock|follow|many|early"),
        (b"\x01\xff\xff\xff\xff\x0f\x05\x00", "fewer can follow"),
        (b"\x02\x01\x05\x00\x00\x01\x01\x05\x01\x00\x01\x00", "two sections"),
        (b"\x00\x01\x05\x02\x04\x02\x02\x01", "overlap"),
        (b"\x81\x00\x00", "longer than it needs"),
        # the bytes hold a random clientID, so these are named
        pytest.param(foreign(x=Array([Map({})])), "ok or refused", id="a map in an array"),
        pytest.param(foreign(x=XmlFragment()), "ok or refused", id="XML"),
    ],
)
def test_what_no_tab_writes_is_refused_with_the_reason(update: bytes, reason: str) -> None:
    if reason == "ok or refused":
        parse_update(update)
        return
    with pytest.raises(UpdateInvalid, match=reason) as refusal:
        parse_update(update)
    assert refusal.value.code == "update_invalid"
    assert isinstance(refusal.value.details["at"], int)


@pytest.mark.rule("U3")
@pytest.mark.parametrize(
    ("known", "client"), [({}, 9), ({9: 1}, 9)], ids=["nothing known", "too little known"]
)
def test_a_clock_gap_is_refused_and_named(known: dict[int, int], client: int) -> None:
    tab = Tab(client_id=9)
    tab.add("a")
    later = tab.put("a", "value", 2)
    with pytest.raises(UpdateGap) as refusal:
        check_dependencies(parse_update(later), known)
    assert refusal.value.details["client"] == client


@pytest.mark.rule("U3")
def test_deleting_what_is_not_there_yet_is_a_gap() -> None:
    tab = Tab(client_id=9)
    tab.add("a")
    removal = tab.remove("nodes", "a")
    with pytest.raises(UpdateGap):
        check_dependencies(parse_update(removal), {9: 2})


@pytest.mark.rule("C1", "U1")
@pytest.mark.parametrize("vector", [b"\x01", b"\x01\x05", b"\x02\x05\x01\x05\x01", b"\x00\x00"])
def test_a_state_vector_is_read_strictly(vector: bytes) -> None:
    with pytest.raises(UpdateInvalid):
        parse_state_vector(vector)


def mutated(update: bytes, chance: random.Random) -> bytes:
    data = bytearray(update)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data)) if data else 0
        match chance.randrange(5):
            case 0 if data:
                data[at] = chance.randrange(256)
            case 1 if data:
                del data[at : at + chance.randint(1, 4)]
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 6))
            case 3 if data:
                data[at] ^= 1 << chance.randrange(8)
            case _:
                data[at:at] = b"\xff\xff\xff\xff\x0f"
    return bytes(data)


@pytest.mark.rule("U1")
@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(300), deadline=None)
def test_mutated_updates_are_refused_or_harmless(seed: int) -> None:
    """What the parser lets through, the CRDT takes without a panic, whole or not at all."""
    chance = random.Random(seed)
    for update in drawing()[:-1]:
        bad = mutated(update, chance)
        try:
            outline = parse_update(bad)
            check_dependencies(outline, {})
        except UpdateInvalid:
            continue
        replica = Replica()
        try:
            replica.apply(bad)
        except UpdateInvalid:
            continue
        parse_state_vector(replica.state_vector())


def common(chance: random.Random) -> bytes:
    """Return one of the updates that are read by a short cut, of a client with any id."""
    tab = Tab(client_id=chance.choice([1, 200, 2**32 - 1, 2**53 - 1, chance.getrandbits(31)]))
    tab.code("a", "x" * chance.choice([1, 200, 70_000]))
    value: Any = chance.choice(
        [1, -3, 2**40, 0.5, 1e300, True, None, "", "text", [1, 2.5], [0.1, -1e9]]
    )
    for _ in range(chance.randint(0, 3)):
        tab.put("a", "v", chance.random())
    tab.put("a", "v", value)
    if chance.random() < 0.3:
        return tab.edit(lambda: tab["nodes"]["a"]["code"].insert(1, "y"))
    return tab.put("a", "v", chance.choice([7, False, [3, 4], "abc", "é", "\x00\x01"]))


def read_by(read: Any, update: bytes) -> Any:
    with suppress(UpdateInvalid):
        return read(update)


@pytest.mark.rule("U1")
@given(seed=st.integers(0, 2**32), flips=st.integers(0, 3))
@settings(max_examples=examples(300), deadline=None)
def test_the_short_cut_reads_just_what_the_whole_reader_does(seed: int, flips: int) -> None:
    chance = random.Random(seed)
    update = bytearray(common(chance))
    for _ in range(flips):
        update[chance.randrange(len(update))] = chance.choice(
            [0, 1, 0x7F, 0x80, 0xFF, chance.getrandbits(8)]
        )
    if chance.random() < 0.1:
        update.append(chance.getrandbits(8))
    assert read_by(parse_update, bytes(update)) == read_by(read_strictly, bytes(update))


@pytest.mark.rule("U1")
@given(data=st.binary(max_size=200))
@settings(max_examples=examples(300), deadline=None)
def test_random_bytes_never_raise_anything_else(data: bytes) -> None:
    for read in (parse_update, parse_state_vector):
        with suppress(UpdateInvalid):
            read(data)


@pytest.mark.rule("U1")
@pytest.mark.parametrize(
    ("written", "is_read"),
    [
        (b"\x7d\x07", True),
        (b"\x7d\xbf\xff\xff\xff\xff\xff\xff\x1f", True),  # 2**53 - 1
        (b"\x7d\x80\x80\x80\x80\x80\x80\x80\x20", False),  # 2**53: it would be stored as a BigInt
        (b"\x7d\xff\xff\xff\xff\xff\xff\xff\x7f", False),
        (b"\x7d\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", False),
    ],
)
def test_an_integer_beyond_javascripts_is_refused(written: bytes, is_read: bool) -> None:
    tab = Tab()
    tab.code("a", "x")
    update = tab.put("a", "v", 7.5)
    number = b"\x7c\x40\xf0\x00\x00"
    assert number in update
    changed = update.replace(number, written)
    for read in (parse_update, read_strictly):
        if is_read:
            assert read(changed).spans
        else:
            with pytest.raises(UpdateInvalid, match="53 bits"):
                read(changed)
