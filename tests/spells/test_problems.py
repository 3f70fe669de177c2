"""What is wrong with a spell is said by code, place and reason, and never raised."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import SpellInvalid, compile, validate
from tests.spells.drawing import draw
from tests.spells.nodes import library

N = {"value": 1}
CASES: dict[str, tuple[dict[str, Any], list[str], list[tuple[str, str | None, str | None]]]] = {
    # name: nodes, wires, [(code, node, port)]
    "nothing wrong": ({"a": ("number", N), "b": "half"}, ["a.value -> b.value"], []),
    "unknown type": ({"a": "valu"}, [], [("unknown_node_type", "a", None)]),
    "unknown version": ({"a": {"type": "number", "version": 9}}, [], [("unknown_node_type", "a", None)]),
    "unknown output": ({"a": ("number", N), "b": "half"}, ["a.x -> b.value"], [("unknown_port", "a", "x"), ("missing_input", "b", "value")]),
    "unknown input": ({"a": ("number", N), "b": "text"}, ["a.value -> b.x"], [("unknown_port", "b", "x")]),
    "value for an unknown input": ({"a": ("number", {"x": 1})}, [], [("unknown_port", "a", "x")]),
    "text into number": ({"a": "text", "b": "half"}, ["a.text -> b.value"], [("incompatible_types", "b", "value")]),
    "dangling": ({"a": "text"}, ["zz.value -> a.value"], [("dangling_edge", "a", None)]),
    "two wires into one input": ({"a": ("number", N), "b": "half"}, ["a.value -> b.value", "a.value -> b.value"], [("duplicate_wire", "b", "value")]),
    "the same wire twice into a list": ({"a": ("number", N), "b": "add"}, ["a.value -> b.values", "a.value -> b.values"], [("duplicate_wire", "b", "values")]),
    "missing input": ({"b": "half"}, [], [("missing_input", "b", "value")]),
    "bad value": ({"a": ("number", {"value": "x"})}, [], [("invalid_input", "a", "value")]),
    "value under its bound": ({"a": ("number", {"value": -1})}, [], [("invalid_input", "a", "value")]),
    "code that does not parse": ({"a": {"type": "code", "code": "x ("}, "b": "text"}, ["b.text -> a.y"], [("code_error", "a", None)]),
    "cycle": ({"a": "text", "b": "text", "c": "text"}, ["a.text -> b.value", "b.text -> c.value", "c.text -> a.value"], [("cycle", "a", None)]),
    "self loop": ({"a": "text"}, ["a.text -> a.value"], [("cycle", "a", None)]),
    "cycle by names": ({"a": {"type": "code", "code": "b"}, "b": {"type": "code", "code": "a"}}, [], [("cycle", "a", None)]),
}  # fmt: skip


@pytest.mark.rule("2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9")
@pytest.mark.parametrize("name", CASES)
def test_each_problem_is_found_with_its_place(name: str) -> None:
    nodes, wires, expected = CASES[name]
    problems = validate(draw(nodes, *wires), library)
    assert [(problem.code, problem.node, problem.port) for problem in problems] == expected


def problem_of(nodes: dict[str, Any], *wires: str) -> dict[str, Any]:
    return validate(draw(nodes, *wires), library)[0].to_json()


def test_messages_name_the_node_and_what_was_allowed() -> None:
    problem = problem_of({"a": {"type": "number", "name": "Start"}, "b": "text"}, "a.x -> b.value")
    assert problem["message"] == "node 'Start' (a): there is no output 'x'; it has 'value'"
    assert problem["details"]["allowed"] == ["value"]


def test_an_unknown_type_offers_close_matches() -> None:
    assert "t.value" in problem_of({"a": "valu"})["details"]["known"]


def test_a_cycle_is_given_by_its_shortest_path() -> None:
    problem = problem_of(
        {"a": "text", "b": "add", "c": "text", "d": "text"},
        *("a.text -> c.value", "c.text -> d.value", "d.text -> a.value"),
        "c.text -> b.values",
    )
    assert problem["code"] == "incompatible_types"
    cycles = validate(
        draw({"a": "text", "b": "text"}, "a.text -> b.value", "b.text -> a.value"), library
    )
    assert cycles[0].details["path"] == ["a", "b", "a"]
    named = {"a": "text", "b": {"type": "text", "name": "Sum"}}
    problem = problem_of(named, "a.text -> b.value", "b.text -> a.value")
    assert problem["message"] == "the nodes depend on themselves: a -> Sum -> a"


def test_a_code_error_has_line_and_column() -> None:
    assert problem_of({"a": {"type": "code", "code": "x ("}})["details"] == {"line": 1, "column": 3}


@pytest.mark.rule("3.4")
@pytest.mark.parametrize("name", CASES)
def test_compile_refuses_what_concerns_the_whole_and_lets_single_nodes_fail(name: str) -> None:
    nodes, wires, expected = CASES[name]
    structural = [
        code
        for code, *_ in expected
        if code not in ("missing_input", "invalid_input", "code_error")
    ]
    if not structural:
        assert len(compile(draw(nodes, *wires), library)) == len(nodes)
        return
    with pytest.raises(SpellInvalid) as caught:
        compile(draw(nodes, *wires), library)
    assert caught.value.code == structural[0]
    assert caught.value.details["problems"][0]["code"] == structural[0]


@pytest.mark.rule("3.5")
def test_problems_outside_the_scope_do_not_matter() -> None:
    spell = draw(
        {"a": ("number", N), "b": "half", "x": "nope"}, "a.value -> b.value", "zz.q -> x.y"
    )
    assert [step.id for step in compile(spell, library, scope=["b"]).steps] == ["a", "b"]


@pytest.mark.rule("2.10")
def test_a_spell_over_the_limit_is_too_large() -> None:
    spell = draw({f"n{index}": "text" for index in range(10_001)})
    assert [problem.code for problem in validate(spell, library)] == ["too_large"]
