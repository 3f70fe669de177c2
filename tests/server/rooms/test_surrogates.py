"""No edit cuts a character in two."""

from __future__ import annotations

from pathlib import Path

import pytest

from spellwork_server.rooms.errors import UpdateInvalid
from spellwork_server.rooms.lib0 import write_bytes, write_uint
from spellwork_server.rooms.surrogates import Surrogates
from spellwork_server.rooms.update_parser import parse_update
from tests.server.rooms.house import house
from tests.server.rooms.tab import Tab

pytestmark = pytest.mark.anyio

ME, OTHER = 5, 9
TEXT = "ab😀cd"
FIRST = 0
"""The clock of the text's first unit, in `written`; the emoji is at 2 and 3."""


def section(client: int, clock: int, *structs: bytes) -> bytes:
    return (
        b"\x01"
        + write_uint(len(structs))
        + write_uint(client)
        + write_uint(clock)
        + b"".join(structs)
    )


def place(client: int, clock: int) -> bytes:
    return write_uint(client) + write_uint(clock)


def written() -> bytes:
    """A root text of one struct."""
    return section(ME, FIRST, b"\x04\x01" + write_bytes(b"t") + write_bytes(TEXT.encode())) + b"\0"


def inserted(at: int, *, origin: bool = True, right: bool = True) -> bytes:
    """Another client writes between two units: after the one before ``at``."""
    info = 4 | (0x80 if origin else 0) | (0x40 if right else 0)
    left = place(ME, FIRST + at - 1) if origin else b""
    after = place(ME, FIRST + at) if right else b""
    return section(OTHER, 0, bytes((info,)) + left + after + write_bytes(b"x")) + b"\0"


def deleted(start: int, length: int) -> bytes:
    return b"\0\x01" + write_uint(ME) + b"\x01" + place(FIRST + start, length)


CUTS = {
    "after the first half": inserted(3, right=False),
    "before the second half": inserted(3, origin=False),
    "between": inserted(3),
    "deleting the first half": deleted(0, 3),
    "deleting the second half": deleted(3, 2),
}
FINE = {
    "before it": inserted(2),
    "after it": inserted(4),
    "deleting it": deleted(2, 2),
    "deleting beside it": deleted(0, 2),
}


@pytest.mark.rule("U7")
@pytest.mark.parametrize("update", CUTS.values(), ids=CUTS)
def test_an_edit_through_a_character_is_refused(update: bytes) -> None:
    parse_update(update)
    with pytest.raises(UpdateInvalid, match="cuts a character"):
        Surrogates([written()]).check(update, {ME: 6})


@pytest.mark.rule("U7")
@pytest.mark.parametrize("update", FINE.values(), ids=FINE)
def test_an_edit_beside_a_character_is_fine(update: bytes) -> None:
    parse_update(update)
    Surrogates([written()]).check(update, {ME: 6})
    Surrogates().check(update, {ME: 6})


@pytest.mark.rule("U7")
def test_a_character_that_the_update_itself_brings_is_not_cut_either() -> None:
    text = b"\x04\x01" + write_bytes(b"t") + write_bytes(TEXT.encode())
    inside = b"\xc4" + place(ME, 2) + place(ME, 3) + write_bytes(b"x")
    update = section(ME, 0, text, inside) + b"\0"
    parse_update(update)
    with pytest.raises(UpdateInvalid, match="cuts a character"):
        Surrogates().check(update, {})


@pytest.mark.rule("U7")
def test_an_update_that_is_known_up_to_the_middle_of_a_character_is_refused() -> None:
    with pytest.raises(UpdateInvalid, match="cuts a character"):
        Surrogates().check(written(), {ME: 3})
    Surrogates().check(written(), {ME: 4})


@pytest.mark.rule("U7")
async def test_a_room_refuses_it_before_and_after_a_start(tmp_path: Path) -> None:
    drawn = Tab(client_id=ME).code("n", TEXT)
    ((_, second),) = Surrogates([drawn]).seconds()
    cut = section(OTHER, 0, b"\x84" + place(ME, second - 1) + write_bytes(b"x")) + b"\0"
    async with house(tmp_path) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            await room.apply_update(h.ada, drawn)
            whole = room.diff()
            with pytest.raises(UpdateInvalid, match="cuts a character"):
                await room.apply_update(h.bob, cut)
            assert room.diff() == whole
    async with house(tmp_path, canvas) as h, h.rooms.visit(canvas) as room:
        with pytest.raises(UpdateInvalid, match="cuts a character"):
            await room.apply_update(h.bob, cut)
        assert room.spell().nodes["n"].code == TEXT
