"""Every pack that ships keeps to the rules for packs."""

from __future__ import annotations

import pytest

import spellwork_code
import spellwork_core
import spellwork_http
import spellwork_llm
import spellwork_people
from spellwork import Library, Pack, Port, node
from spellwork.testing import check_pack, faults, import_effects

PACKS = [
    spellwork_core.pack,
    spellwork_code.pack,
    spellwork_http.pack,
    spellwork_llm.pack,
    spellwork_people.pack,
]
STAYING = {
    "core.value": (["value"], ["value"]),
    "core.template": (["template"], ["text"]),
    "core.delay": (["value", "seconds"], ["value"]),
    "core.fail": (["message"], None),
    "code.python": ([], ["result"]),
    "http.request": (["url", "method", "headers"], ["status", "headers", "body", "json"]),
    "llm.generate": (["prompt", "model"], ["text", "usage"]),
    "llm.chat": (["messages", "prompt", "model"], ["text", "usage"]),
    "people.approval": (["value", "title", "text"], ["approved", "rejected", "by", "comment"]),
    "people.form": (["fields", "title", "text"], ["all", "by"]),
    "people.choice": (["options", "title", "text"], ["choice", "by"]),
    "llm.embed": (["text", "model"], ["vectors", "usage"]),
}


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_pack_keeps_to_the_rules(pack: Pack) -> None:
    check_pack(pack)


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_importing_a_pack_does_nothing_else(pack: Pack) -> None:
    assert import_effects(f"spellwork_{pack.name}") == []


def test_all_packs_are_found_by_their_entry_points() -> None:
    library = Library.installed()
    assert library.problems == {}
    assert {pack.name for pack in library.packs} >= {"core", "code", "http", "llm", "people"}


@pytest.mark.parametrize("id", STAYING)
def test_names_that_outside_programs_rely_on_hold_still(id: str) -> None:
    node_type = Library(PACKS).get(id)
    assert node_type is not None
    inputs, outputs = STAYING[id]
    assert set(inputs) <= {port.name for port in node_type.inputs}
    if outputs is not None:
        assert [port.name for port in node_type.outputs] == outputs


def test_a_broken_pack_is_told_all_its_faults() -> None:
    @node(
        "other.thing",
        outputs=(Port("a", {"type": "sting"}), Port("a")),
        returns="ports",
        example={"b": 1},
    )
    async def thing(number: int = "x") -> dict[str, int]:  # type: ignore[assignment]
        """Short."""
        return {}

    said = "\n".join(faults(Pack("broken", "1", "Broken", (thing,))))
    for fault in (
        "does not begin with 'broken'",
        "docstring",
        "sting",
        "share a name",
        "default 'x'",
        "'b'",
    ):
        assert fault in said


def test_an_import_that_opens_a_socket_is_noticed() -> None:
    assert any(
        "socket" in effect
        for effect in import_effects("socket; socket.socket().bind(('127.0.0.1', 0))")
    )
