"""What differs between two spells is told thing by thing, field by field and line by line."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spellwork import Spell
from spellwork.difference import CONTEXT, MAX_LINES, MAX_LISTED, compare_lines, difference


def spell(nodes: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"schema": 1, "name": "Test", "nodes": nodes or {}, "edges": {}} | rest


def value(number: Any, **more: Any) -> dict[str, Any]:
    return {"type": "core.value", "inputs": {"value": number}} | more


def test_equal_spells_differ_in_nothing() -> None:
    one = spell({"a": value(1), "b": value({"x": [1, 2.0]})})
    other = spell({"b": value({"x": [1.0, 2]}), "a": value(1)})
    assert not difference(one, other)
    assert not difference(Spell.model_validate(one), Spell.model_validate(other))


@pytest.mark.parametrize(
    ("before", "after"), [(1, True), (0, False), ("1", 1), (None, 0), ([1], [1, None])]
)
def test_values_are_compared_as_json_has_them(before: Any, after: Any) -> None:
    (change,) = difference(spell({"a": value(before)}), spell({"a": value(after)})).changes
    (field,) = change.fields
    assert (field.field, field.before, field.after) == ("inputs.value", before, after)


def test_things_come_go_and_change_by_kind_and_id() -> None:
    edge = {"source": "a", "output": "value", "target": "b", "input": "value"}
    before = spell(
        {"a": value(1), "b": value(2, name="Old"), "gone": value(3)},
        edges={"e": edge},
        groups={"g": {"name": "Frame"}},
        notes={"n": {"text": "one\ntwo"}},
    )
    after = spell(
        {"a": value(1, position=[5, 5]), "b": value(2, name="New"), "fresh": value(4)},
        groups={"g": {"name": "Frame", "color": "red"}},
        notes={"n": {"text": "one\nthree"}},
        name="Other",
    )
    told = difference(before, after)
    assert told.name is not None
    assert (told.name.before, told.name.after) == ("Test", "Other")
    assert [(each.kind, each.id, each.what) for each in told.changes] == [
        ("nodes", "a", "moved"),
        ("nodes", "b", "changed"),
        ("nodes", "fresh", "added"),
        ("nodes", "gone", "removed"),
        ("edges", "e", "removed"),
        ("groups", "g", "changed"),
        ("notes", "n", "changed"),
    ]
    by_id = {each.id: each for each in told.changes}
    assert by_id["b"].name == "New"
    assert by_id["e"].name == "a.value -> b.value"
    assert [line.text for line in by_id["n"].fields[0].lines or ()] == ["one", "two", "three"]


def test_what_no_spell_of_today_may_hold_is_compared_all_the_same() -> None:
    odd = {"schema": 9, "nodes": {"a": {"type": "gone.type", "colour": 3}}, "sheets": [1]}
    (change,) = difference(odd, spell({"a": {"type": "gone.type"}})).changes
    assert [(field.field, field.before, field.after) for field in change.fields] == [
        ("colour", 3, None)
    ]


def test_a_changed_line_stands_among_its_neighbours() -> None:
    text = [str(number) for number in range(20)]
    changed = [*text[:10], "ten", *text[11:]]
    lines = compare_lines("\n".join(text), "\n".join(changed))
    assert [line.text for line in lines] == ["7", "8", "9", "10", "ten", "11", "12", "13"]
    assert (lines[3].op, lines[3].before, lines[3].after) == ("removed", 11, None)
    assert (lines[4].op, lines[4].before, lines[4].after) == ("added", None, 11)
    assert (lines[-1].before, lines[-1].after) == (14, 14)


def test_a_text_changed_all_over_is_listed_up_to_a_limit() -> None:
    before, after = ("\n".join(f"{word} {n}" for n in range(3_000)) for word in ("old", "new"))
    nodes = [{"a": {"type": "code.python", "code": code}} for code in (before, after)]
    (change,) = difference(spell(nodes[0]), spell(nodes[1])).changes
    (field,) = change.fields
    assert field.lines is not None
    assert (len(field.lines), field.cut) == (MAX_LINES, 6_000 - MAX_LINES)


def test_texts_made_to_take_long_are_compared_soon() -> None:
    """Whoever may look at a version could hold the server up with two texts of 1,000 lines for 17 s."""
    before = "\n".join(["x", *["a"] * 999, "y"])
    after = "\n".join(["z", *["a", "b"] * 500, "w"])
    codes = [
        {f"n{n}": {"type": "code.python", "code": code} for n in range(200)}
        for code in (before, after)
    ]
    began = time.process_time()
    told = difference(spell(codes[0]), spell(codes[1]))
    assert time.process_time() - began < 10
    lines = [field.lines or [] for change in told.changes for field in change.fields]
    assert len(lines) == 200
    assert sum(map(len, lines)) == MAX_LISTED


def test_of_millions_of_lines_few_are_kept() -> None:
    nodes = [{"a": {"type": "code.python", "code": f"{word}\n" * 500_000}} for word in ("x", "y")]
    tracemalloc.start()
    (change,) = difference(spell(nodes[0]), spell(nodes[1])).changes
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (field,) = change.fields
    assert field.lines is not None
    assert (len(field.lines), field.cut) == (MAX_LINES, 1_000_000 - MAX_LINES)
    assert peak < 100 * 1024 * 1024


texts = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


@given(before=texts, after=texts)
def test_the_listed_lines_lead_from_one_text_to_the_other(
    before: list[str], after: list[str]
) -> None:
    old, new = "\n".join(before).splitlines(), "\n".join(after).splitlines()
    lines = compare_lines("\n".join(old), "\n".join(new))
    old, new = "\n".join(old).splitlines(), "\n".join(new).splitlines()
    removed = {line.before for line in lines if line.op == "removed"}
    added = {line.after for line in lines if line.op == "added"}
    kept = [text for number, text in enumerate(old, 1) if number not in removed]
    assert kept == [text for number, text in enumerate(new, 1) if number not in added]
    for line in lines:
        if line.before is not None:
            assert old[line.before - 1] == line.text
        if line.after is not None:
            assert new[line.after - 1] == line.text
    shown = [line.after for line in lines if line.after is not None]
    assert shown == sorted(set(shown))
    changed_near = {line.after for line in lines if line.op == "same"}
    assert len(changed_near) <= (len(removed) + len(added)) * 2 * CONTEXT
