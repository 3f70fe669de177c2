"""Node types have versions: an old node says so, and becomes one of the newest by its type's migrations."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import (
    Execution,
    Library,
    Migrated,
    Node,
    NodeTypeInvalid,
    Pack,
    compile,
    node,
    validate,
)
from tests.spells.drawing import draw

pytestmark = pytest.mark.anyio


@node("v.greet", output="text")
async def greet_1(who: str = "you") -> str:
    """Greet, as version 1."""
    return f"Hi {who}"


def rename(old: Node) -> Migrated:
    return Migrated(old, inputs={"who": "name"})


def polite(old: Node) -> Migrated:
    fresh = old.model_copy(update={"inputs": {**old.inputs, "polite": False}})
    return Migrated(fresh, inputs={"name": "person"}, outputs={"text": "greeting"})


@node("v.greet", output="greeting", version=3, migrate={1: rename, 2: polite})
async def greet_3(person: str = "you", polite: bool = True) -> str:
    """Greet, as version 3."""
    return f"{'Good day' if polite else 'Hi'} {person}"


@node("v.lost", version=3, migrate={2: lambda old: old})
async def lost() -> int:
    """Have no way from version 1."""
    return 3


def broken(_old: Node) -> Node:
    raise KeyError("x")


@node("v.broken", version=2, migrate={1: broken})
async def broken_2() -> int:
    """Have a migration that fails."""
    return 2


@node("v.show", output="text")
async def show(text: str) -> str:
    """Give the text."""
    return text


pack = Pack(name="v", version="1", title="V", nodes=(greet_1, greet_3, lost, broken_2, show))
library = Library([pack])


def old_spell() -> Any:
    spell = draw(
        {
            "w": {"type": "x", "inputs": {"text": "Ada"}},
            "a": {"type": "x", "version": 1, "inputs": {"who": "Bob"}},
            "b": {"type": "x"},
        },
        *("w.text -> a.who", "a.text -> b.text"),
    )
    body = spell.to_json()
    for id, type in (("w", "v.show"), ("a", "v.greet"), ("b", "v.show")):
        body["nodes"][id]["type"] = type
    return type_of(spell, body)


def type_of(spell: Any, body: Any) -> Any:
    return type(spell).model_validate(body)


@pytest.mark.rule("15.11")
def test_an_old_node_is_a_warning_and_one_that_names_no_version_is_new() -> None:
    found = [(p.code, p.node, p.severity, p.details) for p in validate(old_spell(), library)]
    assert found == [("outdated_version", "a", "warning", {"version": 1, "newest": 3})]


@pytest.mark.rule("15.11")
async def test_an_old_node_runs_as_it_is_while_its_version_is_there() -> None:
    result = await Execution(compile(old_spell(), library)).run()
    assert result.outputs["b"] == {"text": "Hi Ada"}


@pytest.mark.rule("15.12")
async def test_an_upgrade_goes_through_every_version_and_takes_the_wires_along() -> None:
    spell, report = library.upgrade(old_spell())
    assert [each.to_json() for each in report] == [
        {"node": "a", "type": "v.greet", "version": 1, "newest": 3, "wires": ["e000", "e001"]}
    ]
    fresh = spell.nodes["a"]
    assert (fresh.version, fresh.inputs) == (3, {"person": "Bob", "polite": False})
    assert (spell.edges["e000"].input, spell.edges["e001"].output) == ("person", "greeting")
    assert validate(spell, library) == []
    result = await Execution(compile(spell, library)).run()
    assert result.outputs["b"] == {"text": "Hi Ada"}


@pytest.mark.rule("15.12")
def test_what_is_not_old_stays_the_same_object() -> None:
    spell = old_spell()
    fresh, _ = library.upgrade(spell)
    assert fresh.nodes["b"] is spell.nodes["b"]
    again, report = library.upgrade(fresh)
    assert (again, report) == (fresh, ())
    assert again is fresh
    assert library.upgrade(spell, nodes=["b"])[1] == ()


@pytest.mark.rule("15.12")
@pytest.mark.parametrize(
    ("type", "reason"),
    [
        ("v.lost", "'v.lost' has no migration from version 1"),
        ("v.broken", "the migration from version 1 failed: KeyError: 'x'"),
    ],
)
def test_a_node_that_cannot_be_upgraded_stays_and_says_why(type: str, reason: str) -> None:
    spell = draw({"a": {"type": "x", "version": 1}}).to_json()
    spell["nodes"]["a"]["type"] = type
    before = type_of(draw({}), spell)
    after, report = library.upgrade(before)
    assert after.nodes["a"] is before.nodes["a"]
    assert [each.reason for each in report] == [reason]


@pytest.mark.rule("15.11")
def test_a_version_that_is_gone_can_still_be_upgraded() -> None:
    spell = draw({"a": {"type": "x", "version": 2}}).to_json()
    spell["nodes"]["a"]["type"] = "v.greet"
    before = type_of(draw({}), spell)
    problem = validate(before, library)[0]
    assert problem.code == "unknown_node_type"
    assert problem.message.endswith("has no version 2; it can be updated to version 3")
    assert problem.details["newest"] == 3
    assert library.upgrade(before)[0].nodes["a"].version == 3


@pytest.mark.rule("15.12")
def test_a_migration_from_a_version_that_never_was_is_refused() -> None:
    with pytest.raises(NodeTypeInvalid, match="cannot migrate from \\[2\\]"):

        @node("v.wrong", version=2, migrate={2: lambda old: old})
        async def wrong() -> int:
            """Be wrong."""
            return 1
