"""What nodes run inside themselves: which nodes, through which ports, told and failing under which paths."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import spellwork
from spellwork import (
    Event,
    Execution,
    Library,
    Limits,
    LiveSession,
    MemoryCache,
    NodeError,
    NoValue,
    Pack,
    RunMemory,
    Spell,
    SpellInvalid,
    compile,
    node,
    validate,
)
from spellwork.analysis import Analysis
from spellwork.host import Allowance
from tests.spells.drawing import Watching, kinds
from tests.spells.nested import draw, in_group, library, run, runs
from tests.spells.nodes import calls

G = in_group("g")
HALVES = draw({"h": "t.half"}, name="Halves")
BOTH = draw(
    {
        "in": ("core.input", {"name": "n", "schema": {"type": "number"}}),
        "half": "t.half",
        "text": "t.text",
        "a": ("core.output", {"name": "half"}),
        "b": ("core.output", {"name": "text"}),
    },
    "in.value -> half.value",
    "in.value -> text.value",
    "half.value -> a.value",
    "text.text -> b.value",
)


def with_transform(spell: Spell, edge: str, transform: list[dict[str, Any]]) -> Spell:
    body = spell.to_json()
    body["edges"][edge]["transform"] = transform
    return Spell.model_validate(body)


def outputs(spell: Spell, spells: dict[str, Spell] | None = None, **options: Any) -> Any:
    result, _ = run(spell, spells, **options)
    quiet, _ = run(spell, spells, told=False, **options)
    assert result.outputs == quiet.outputs
    assert result.errors.keys() == quiet.errors.keys()
    assert not result.errors, result.errors
    return result.outputs


def ports(spell: Spell, node: str, spells: dict[str, Spell] | None = None) -> Any:
    """Return the names of a node's inputs, without those of its type, and of its outputs."""
    part = Analysis(spell, library, (spells or {}).get).parts[node]
    own = {port.name for port in part.type.inputs}
    return (
        [port.name for port in part.ports.inputs if port.name not in own],
        [port.name for port in part.ports.outputs],
    )


def codes(spell: Spell, spells: dict[str, Spell] | None = None) -> list[tuple[str, str | None]]:
    return [(each.code, each.node) for each in validate(spell, library, (spells or {}).get)]


# Ports of every node


@pytest.mark.rule("13.1")
@pytest.mark.parametrize("told", [True, False])
def test_a_failure_leaves_by_error_and_skips_only_who_needs_a_value(told: bool) -> None:
    spell = draw(
        {"f": "t.fail", "note": "t.value", "needs": "t.value", "both": "t.merge"},
        "f.error -> note.value",
        "f.value -> needs.value",
        "f.error -> both.values",
        "f.value -> both.values",
    )
    result, _ = run(spell, told=told)
    failure = {"code": "exception", "message": "ValueError: no", "node": "f", "attempts": 1}
    assert result.outputs == {
        "note": {"value": failure},
        "both": {"values": [failure]},
    } | {key: value for key, value in result.outputs.items() if key == "f"}
    assert result.errors.keys() == {"f"}
    assert result.skipped == {"needs": "'f' failed"}


@pytest.mark.rule("13.1")
def test_error_brings_nothing_when_the_node_succeeds_and_all_is_every_other_output() -> None:
    spell = draw(
        {
            "if": ("t.if", {"value": 1, "condition": True}),
            "all": "t.value",
            "wrong": "t.value",
        },
        "if.all -> all.value",
        "if.error -> wrong.value",
    )
    result, _ = run(spell)
    assert result.outputs["all"] == {"value": {"yes": 1}}
    assert result.skipped == {"wrong": "'if' gave nothing on 'error'"}


@pytest.mark.rule("13.1")
def test_reserved_outputs_are_listed_where_they_are_wired_and_a_types_own_stay() -> None:
    spell = draw(
        {"v": ("t.value", {"value": 1}), "m": "core.merge", "t": "t.value", "u": "t.value"},
        "v.value -> m.values",
        "m.all -> t.value",
        "v.error -> u.value",
    )
    described = Analysis(spell, library).parts["v"].ports.describe()["outputs"]
    assert [(port["name"], port.get("role")) for port in described] == [
        ("value", None),
        ("error", "error"),
    ]
    own = Analysis(spell, library).parts["m"].ports.describe()["outputs"]
    assert [(port["name"], port.get("role")) for port in own] == [("value", None), ("all", None)]
    assert run(spell)[0].outputs["t"] == {"value": [1]}


# What is in a body


@pytest.mark.rule("13.4")
def test_nodes_of_a_body_are_run_by_its_owner_and_by_nothing_else() -> None:
    spell = draw(
        {
            "m": ("core.map", {"items": [1, 2], "input": "item"}, runs(group="g")),
            "i": ("core.input", {"name": "item"}, G),
            "c": ("t.count", {}, G),
            "free": "t.count",
        },
        "i.value -> c.values",
    )
    calls.clear()
    result, _ = run(spell, told=False)
    assert sorted(calls) == ["c", "c", "free"]
    assert result.outputs.keys() == {"m", "free"}


@pytest.mark.rule("13.4")
@pytest.mark.parametrize(
    ("body", "spells"),
    [
        ({"group": "g"}, {}),
        ({"spell": "halves"}, {"halves": HALVES}),
        ({"type": "t.half"}, {}),
    ],
)
def test_a_group_a_spell_and_a_type_do_the_same(body: Any, spells: Any) -> None:
    nodes: dict[str, Any] = {"m": ("core.map", {"items": [2, 4]}, runs(**body))}
    if "group" in body:
        nodes["h"] = ("t.half", {}, G)
    assert outputs(draw(nodes), spells)["m"] == {"items": [1.0, 2.0]}


@pytest.mark.rule("13.4")
def test_owners_of_one_group_run_it_apart() -> None:
    spell = draw(
        {
            "one": ("core.map", {"items": [2]}, runs(group="g")),
            "two": ("core.spell", {"value": 8}, runs(group="g")),
            "h": ("t.half", {}, G),
        }
    )
    assert outputs(spell) == {"one": {"items": [1.0]}, "two": {"value": 4.0}}


@pytest.mark.rule("13.4")
def test_bodies_nest() -> None:
    spell = draw(
        {
            "rows": ("core.map", {"items": [[2, 4], [6]], "input": "items"}, runs(group="g")),
            "row": ("core.map", {}, runs(group="cell") | G),
            "h": ("t.half", {}, {"group": "cell"}),
        },
        groups={"g": {}, "cell": {"group": "g"}},
    )
    result, events = run(spell)
    assert result.outputs == {"rows": {"items": [[1.0, 2.0], [3.0]]}}, result.errors
    assert "rows[0]/row[1]/h" in {event.node for event in events}


# Ports


@pytest.mark.rule("13.5")
@pytest.mark.parametrize(
    ("child", "wanted"),
    [
        (BOTH, (["n"], ["half", "text"])),
        (HALVES, (["value"], ["value"])),
        (draw({"a": "t.half", "b": "t.upper"}), (["value", "text"], ["value", "text"])),
        (draw({"a": "t.half", "b": "t.half"}), (["a_value", "b_value"], ["a_value", "b_value"])),
        (draw({"a": "t.half", "b": "t.half"}, "a.value -> b.value"), (["value"], ["value"])),
        (draw({"a": ("t.half", {"value": 3})}), ([], ["value"])),
        (draw({"a": "core.input", "b": "t.half"}, "a.value -> b.value"), (["a"], ["value"])),
    ],
)
def test_ports_follow_the_markers_or_what_is_open(child: Spell, wanted: Any) -> None:
    spell = draw({"s": ("core.spell", {}, runs(spell="child"))})
    assert ports(spell, "s", {"child": child}) == wanted


@pytest.mark.rule("13.5")
def test_ports_and_schemas_that_bodies_would_multiply_are_bounded() -> None:
    many = draw({f"n{index}": "t.half" for index in range(201)})
    spell = draw({"s": ("core.spell", {}, runs(spell="many"))})
    (problem,) = validate(spell, library, {"many": many}.get)
    assert problem.code == "invalid_body"
    assert "201 inputs, and may have 200" in problem.message
    wide: dict[str, Any] = {f"field{index}": {"type": "string"} for index in range(500)}
    schema = {"type": "object", "properties": wide}
    child = draw({"i": ("core.input", {"name": "x", "schema": schema}), "t": "t.text"}, "i.value -> t.value")  # fmt: skip
    part = Analysis(
        draw({"s": ("core.spell", {}, runs(spell="c"))}), library, {"c": child}.get
    ).parts["s"]
    assert part.inputs["x"].schema == {"type": "object"}


@pytest.mark.rule("13.5")
def test_an_input_called_as_one_of_the_owners_own_has_an_underscore() -> None:
    child = draw({"i": ("core.input", {"name": "merge"}), "t": "t.text"}, "i.value -> t.value")
    spell = draw({"s": ("core.spell", {"merge_": "x"}, runs(spell="child"))})
    assert "merge_" in ports(spell, "s", {"child": child})[0]
    assert outputs(spell, {"child": child})["s"] == {"text": "x"}


@pytest.mark.rule("13.5")
@pytest.mark.parametrize(
    ("given", "wanted"),
    [({}, "7"), ({"n": 8}, "8"), ({"n": None}, "None")],
)
def test_an_input_that_is_not_required_has_its_default(given: Any, wanted: str) -> None:
    marker = ("core.input", {"name": "n", "default": 7})
    child = draw({"i": marker, "t": "t.text"}, "i.value -> t.value")
    spell = draw({"s": ("core.spell", given, runs(spell="child"))})
    assert outputs(spell, {"child": child})["s"] == {"text": wanted}


@pytest.mark.rule("13.5")
def test_a_value_of_another_type_than_the_marker_says_fails_the_owner() -> None:
    spell = draw(
        {"v": ("t.value", {"value": "x"}), "s": ("core.spell", {}, runs(spell="both"))},
        "v.value -> s.n",
    )
    result, _ = run(spell, {"both": BOTH})
    assert (result.errors["s"].code, result.errors["s"].port) == ("invalid_input", "n")


# Telling


@pytest.mark.rule("13.6")
def test_nodes_inside_are_told_under_the_path_of_their_owner() -> None:
    spell = draw({"s": ("core.spell", {"n": 4}, runs(spell="both"))})
    _, events = run(spell, {"both": BOTH})
    done = [event.node for event in events if event.kind == "node.done"]
    assert done[0] == "s/in"
    assert done[-1] == "s"
    assert set(done) == {"s/in", "s/half", "s/text", "s/a", "s/b", "s"}


@pytest.mark.rule("7.1", "13.6")
def test_a_watcher_takes_nodes_inside_that_wait_for_nothing_as_those_outside() -> None:
    inputs: dict[str, Any] = {"items": [1, 2, "x"], "on_error": "collect"}
    spell = draw({"m": ("core.map", inputs, runs(group="g")), "h": ("t.half", {}, G)})
    tab = Watching()
    asyncio.run(Execution(compile(spell, library), sink=tab).run())
    assert sorted(tab.ran) == ["m[0]/h", "m[1]/h"]
    _, plain = run(spell)
    for path in ("m", "m[0]/h", "m[1]/h", "m[2]/h"):
        assert kinds(tab.events, path) == kinds(plain, path)


@pytest.mark.rule("13.6")
def test_of_many_iterations_the_first_are_told_and_of_the_rest_some_failures() -> None:
    items: list[Any] = [1] * 60 + ["x"] * 30
    inputs = {"items": items, "on_error": "collect"}
    spell = draw({"m": ("core.map", inputs, runs(group="g")), "h": ("t.half", {}, G)})
    result, events = run(spell)
    assert len(result.outputs["m"]["errors"]) == 30
    told = {event.node for event in events if event.node != "m"}
    assert {f"m[{i}]/h" for i in range(50)} <= told
    assert "m[50]/h" not in told
    last = [event for event in events if event.kind == "node.progress"][-1]
    assert (last.value, last.message) == (1.0, "90 of 90, 30 failed")


@pytest.mark.rule("13.6")
def test_what_happens_inside_nodes_is_told_up_to_a_number_in_one_run() -> None:
    spells = {
        f"s{level}": draw(
            {f"n{i}": ("core.spell", {}, runs(spell=f"s{level + 1}")) for i in range(3)}
        )
        for level in range(4)
    }
    spells["s4"] = draw({"v": ("t.value", {"value": 1})})
    result, events = run(draw({"s": ("core.spell", {}, runs(spell="s0"))}), spells)
    assert len(result.outputs["s"]) == 3**4
    inside = [event for event in events if event.kind == "node.started" and event.node != "s"]
    assert len(inside) == 3 + 3**2 + 3**3 + 3**4 + 3**4
    allowance = Allowance(100)
    assert [allowance.take(calls) for calls in (60, 60, 40, 1)] == [True, False, True, False]


@pytest.mark.rule("13.6", "13.8")
def test_failures_of_iterations_that_are_not_told_are_kept_in_full_up_to_a_number() -> None:
    inputs = {"items": list(range(100)), "on_error": "null", "input": "value"}
    spell = draw({"m": ("core.map", inputs, runs(type="t.fail"))})
    result, events = run(spell)
    assert result.outputs["m"]["items"] == [None] * 100, result.errors
    failed = [event for event in events if event.kind == "node.failed"]
    assert len(failed) == 50 + 20
    assert failed[-1].error is not None
    assert "traceback" in failed[-1].error


# What comes in from outside, and what leaves


@pytest.mark.rule("13.7")
def test_every_iteration_gets_what_the_body_takes_from_outside() -> None:
    spell = draw(
        {
            "far": ("t.value", {"value": 5}),
            "m": ("core.map", {"items": [1, 2], "input": "item"}, runs(group="g")),
            "i": ("core.input", {"name": "item", "schema": {"type": "integer"}}, G),
            "sum": ("t.add", {}, G),
        },
        "i.value -> sum.values",
        "far.value -> sum.values",
    )
    assert outputs(spell)["m"] == {"items": [7, 8]}
    result, _ = run(spell, scope=["m"])
    assert result.outputs["m"] == {"items": [7, 8]}


@pytest.mark.rule("13.7")
def test_what_an_inner_body_takes_from_outside_the_outer_one_takes_too() -> None:
    spell = draw(
        {
            "far": ("t.value", {"value": 10}),
            "rows": ("core.map", {"items": [[1], [2, 3]], "input": "items"}, runs(group="g")),
            "row": ("core.map", {"input": "item"}, runs(group="cell") | G),
            "i": ("core.input", {"name": "item", "schema": {"type": "integer"}}, {"group": "cell"}),
            "sum": ("t.add", {}, {"group": "cell"}),
        },
        "i.value -> sum.values",
        "far.value -> sum.values",
        groups={"g": {}, "cell": {"group": "g"}},
    )
    assert outputs(spell)["rows"] == {"items": [[12], [13, 14]]}


@pytest.mark.rule("13.7")
def test_a_run_of_the_owner_alone_takes_what_its_body_needs_from_the_last_run() -> None:
    spell = draw(
        {
            "far": ("t.value", {"value": 5}),
            "s": ("core.spell", {}, runs(group="g")),
            "t": ("t.text", {}, G),
        },
        "far.value -> t.value",
    )
    memory = RunMemory()
    with pytest.raises(NoValue, match="far"):
        compile(spell, library, scope=["s"], reach="only", memory=memory)
    asyncio.run(Execution(compile(spell, library), memory=memory).run())
    plan = compile(spell, library, scope=["s"], reach="only", memory=memory)
    assert asyncio.run(Execution(plan).run()).outputs["s"] == {"text": "5"}


@pytest.mark.rule("13.7")
def test_names_in_code_reach_out_of_a_body() -> None:
    spell = draw(
        {
            "far": ("t.value", {"value": 5}, {"name": "far"}),
            "s": ("core.spell", {}, runs(group="g")),
            "c": ("t.code", {}, {**G, "code": "far"}),
        }
    )
    assert outputs(spell)["s"] == {"result": [5]}


@pytest.mark.rule("13.7")
def test_a_failed_source_outside_skips_the_owner() -> None:
    spell = draw(
        {"f": "t.fail", "s": ("core.spell", {}, runs(group="g")), "t": ("t.text", {}, G)},
        "f.value -> t.value",
    )
    assert run(spell)[0].skipped == {"s": "'f' failed"}


@pytest.mark.rule("13.7")
def test_a_wire_out_of_a_body_is_refused_saying_why() -> None:
    spell = draw(
        {"m": ("core.map", {"items": [1]}, runs(group="g")), "h": ("t.half", {}, G), "t": "t.text"},
        "h.value -> t.value",
    )
    (problem,) = validate(spell, library)
    assert (problem.code, problem.node, problem.edge) == ("wire_leaves_body", "t", "e000")
    assert "only its outputs leave it" in problem.message
    with pytest.raises(SpellInvalid):
        compile(spell, library)


DEFAULT = [{"op": "default", "value": "stands in"}]


@pytest.mark.rule("13.7", "15.3")
@pytest.mark.parametrize("source", ["t.fail", "t.skip", ("t.value", {"value": None})])
@pytest.mark.parametrize("deep", [False, True])
def test_a_default_on_a_wire_into_a_body_stands_in_for_what_did_not_come(
    source: Any, deep: bool
) -> None:
    outer: dict[str, Any] = {
        "s": ("core.spell", {}, runs(group="g")),
        "t": ("t.text", {}, G),
    }
    if deep:
        outer["t"] = ("t.text", {}, in_group("h"))
        outer["mid"] = ("core.spell", {}, {**G, **runs(group="h")})
    drawn = draw({"src": source, **outer}, "src.value -> t.value")
    spell = with_transform(drawn, "e000", DEFAULT)
    for told in (True, False):
        result, _ = run(spell, told=told)
        assert result.outputs["s"] == {"text": "stands in"}, (result.errors, result.skipped)


@pytest.mark.rule("13.7", "15.3")
def test_every_iteration_gets_the_default_of_a_wire_into_its_body() -> None:
    nodes = {
        "src": "t.fail",
        "m": ("core.map", {"items": [1, 2, 3]}, runs(group="g")),
        "item": ("core.input", {"name": "item"}, G),
        "add": ("t.add", {}, G),
    }
    drawn = draw(nodes, "src.value -> add.values", "item.value -> add.values")
    spell = with_transform(drawn, "e000", [{"op": "default", "value": 10}])
    assert run(spell)[0].outputs["m"] == {"items": [12, 13, 14]}


@pytest.mark.rule("13.7")
def test_what_a_body_needs_besides_a_default_skips_its_owner_and_a_fallback_in_it_does_not() -> (
    None
):
    nodes = {
        "src": "t.fail",
        "s": ("core.spell", {}, runs(group="g")),
        "a": ("t.text", {}, G),
        "b": ("t.text", {}, G),
    }
    drawn = draw(nodes, "src.value -> a.value", "src.value -> b.value")
    result, _ = run(with_transform(drawn, "e000", DEFAULT))
    assert result.skipped == {"s": "'src' failed"}
    rescued = {
        "src": "t.fail",
        "s": ("core.spell", {}, runs(group="g")),
        "f": ("core.fallback", {"values": ["rescued"]}, G),
    }
    for told in (True, False):
        result, _ = run(draw(rescued, "src.value -> f.value"), told=told)
        assert result.outputs["s"] == {"value": "rescued"}


@pytest.mark.rule("13.7", "11.3")
@pytest.mark.anyio
async def test_a_live_session_runs_a_body_again_when_what_its_default_stood_in_for_comes() -> None:
    nodes = {
        "src": ("t.if", {"value": 7, "condition": False}),
        "s": ("core.spell", {}, runs(group="g")),
        "t": ("t.text", {}, G),
    }
    spell = with_transform(draw(nodes, "src.yes -> t.value"), "e000", DEFAULT)
    async with LiveSession(compile(spell, library)) as session:
        assert (await session.settled()).outputs["s"] == {"text": "stands in"}
        session.set("src.condition", True)
        assert (await session.settled()).outputs["s"] == {"text": "7"}
        session.set("src.condition", False)
        assert (await session.settled()).outputs["s"] == {"text": "stands in"}


@pytest.mark.rule("13.7")
def test_a_body_that_needs_its_owner_is_a_cycle() -> None:
    spell = draw(
        {"s": ("core.spell", {}, runs(group="g")), "t": ("t.text", {}, G)}, "s.text -> t.value"
    )
    assert ("cycle", "s") in codes(spell)


# Failing


@pytest.mark.rule("13.8")
@pytest.mark.parametrize("told", [True, False])
def test_a_failure_inside_fails_the_owner_with_its_path(told: bool) -> None:
    inner = draw({"f": ("t.fail", {"message": "deep"})}, name="Inner")
    outer = draw({"s": ("core.spell", {}, runs(spell="inner"))}, name="Outer")
    spell = draw(
        {"top": ("core.spell", {}, runs(spell="outer")), "after": "t.text"},
        "top.value -> after.value",
    )
    result, _ = run(spell, {"inner": inner, "outer": outer}, told=told)
    failure = result.errors["top"]
    assert failure.code == "exception"
    assert failure.message == "top/s/f: ValueError: deep"
    assert failure.details == {"path": "top/s/f", "node": "f", "label": "Fail"}
    assert failure.traceback is not None
    assert "deep" in failure.traceback
    assert result.skipped == {"after": "'top' failed"}


@pytest.mark.rule("13.8", "13.1", "13.10")
def test_a_failure_inside_is_named_as_people_know_it_by_every_owner_and_output() -> None:
    child = draw({"in": ("core.input", {"name": "n"}), "f": ("t.fail", {}, {"name": "Divide"})})
    place = {"path": "top[1]/f", "node": "f", "label": "Divide"}
    for more in ({}, {"on_error": "collect"}):
        spell = draw(
            {"top": ("core.map", {"items": [1, 2], "at_once": 1, **more}, runs(spell="c"))},
        )
        result, _ = run(spell, {"c": child})
        if more:
            assert result.outputs["top"]["errors"][1] == {
                "index": 1,
                "code": "exception",
                "message": "top[1]/f ('Divide'): ValueError: no",
                **place,
            }
        else:
            assert result.errors["top"].message == "top[0]/f ('Divide'): ValueError: no"
    spell = draw(
        {"top": ("core.spell", {"n": 1}, runs(spell="c")), "why": "t.value"},
        "top.error -> why.value",
    )
    why = run(spell, {"c": child})[0].outputs["why"]["value"]
    assert (why["node"], why["path"], why["label"]) == ("top", "top/f", "Divide")


@pytest.mark.rule("13.8")
def test_a_failure_whose_error_is_wired_does_not_fail_the_body() -> None:
    child = draw({"f": "t.fail", "o": ("core.output", {"name": "why"})}, "f.error -> o.value")
    spell = draw({"s": ("core.spell", {}, runs(spell="c"))})
    assert outputs(spell, {"c": child})["s"]["why"]["message"] == "ValueError: no"


@pytest.mark.rule("13.8")
def test_an_output_that_brought_nothing_is_skipped() -> None:
    child = draw({"s": "t.skip", "v": ("t.value", {"value": 1})})
    spell = draw(
        {"s": ("core.spell", {}, runs(spell="c")), "a": "t.text", "b": "t.text"},
        "s.s_value -> a.value",
        "s.v_value -> b.value",
    )
    result, _ = run(spell, {"c": child})
    assert result.outputs["s"] == {"v_value": 1}
    assert result.skipped == {"a": "'s' gave nothing on 's_value'"}


# Fanning out


@pytest.mark.rule("13.9")
@pytest.mark.parametrize("merge", ["lists", "results"])
def test_a_list_into_an_input_that_takes_none_fans_out(merge: str) -> None:
    spell = draw(
        {
            "r": ("core.range", {"start": 0, "end": 3}),
            "s": ("core.spell", {"merge": merge}, runs(spell="both")),
        },
        "r.items -> s.n",
    )
    wanted: Any = {"half": [0.0, 0.5, 1.0], "text": ["0", "1", "2"]}
    if merge == "results":
        rows = zip(wanted["half"], wanted["text"], strict=True)
        wanted = {"results": [{"half": half, "text": text} for half, text in rows]}
    assert outputs(spell, {"both": BOTH})["s"] == wanted


@pytest.mark.rule("13.9")
def test_what_takes_lists_or_anything_does_not_fan_out_nor_does_what_may_be_no_list() -> None:
    spell = draw(
        {
            "r": ("core.range", {"end": 2}),
            "v": ("t.value", {"value": [1, 2]}),
            "s": ("core.spell", {}, runs(spell="whole")),
            "u": ("core.spell", {}, runs(spell="both")),
        },
        "r.items -> s.value",
        "v.value -> u.n",
    )
    whole = draw({"a": "core.length"})
    spells = {"whole": whole, "both": BOTH}
    result, _ = run(spell, spells)
    assert result.outputs["s"] == {"length": 2}, result.errors
    assert result.errors["u"].code == "invalid_input"


@pytest.mark.rule("13.9")
def test_lists_go_together_and_must_be_of_one_length() -> None:
    child = draw({"a": ("core.input", {"name": "x", "schema": {"type": "integer"}}), "b": ("core.input", {"name": "y", "schema": {"type": "integer"}}), "s": "t.add"}, "a.value -> s.values", "b.value -> s.values")  # fmt: skip
    nodes = {
        "r": ("core.range", {"end": 3}),
        "q": ("core.range", {"end": 3}),
        "s": ("core.spell", {}, runs(spell="c")),
    }
    wires = ("r.items -> s.x", "q.items -> s.y")
    assert outputs(draw(nodes, *wires), {"c": child})["s"] == {"sum": [1, 3, 5]}
    shorter = nodes | {"q": ("core.range", {"end": 2})}
    result, _ = run(draw(shorter, *wires), {"c": child})
    assert "of one length: 'x' has 3, 'y' has 2" in result.errors["s"].message


# Recursion, and what is not there


@pytest.mark.rule("13.13")
def test_spells_that_run_each_other_are_refused_by_their_path() -> None:
    a = draw({"b": ("core.spell", {}, runs(spell="b"))}, name="A")
    b = draw({"a": ("core.spell", {}, runs(spell="a"))}, name="B")
    top = draw({"s": ("core.spell", {}, runs(spell="a"))})
    (problem,) = validate(top, library, {"a": a, "b": b}.get)
    assert (problem.code, problem.details) == ("recursive_spell", {"path": ["a", "b", "a"]})
    with pytest.raises(SpellInvalid, match="a -> b -> a"):
        compile(top, library, spells={"a": a, "b": b}.get)


@pytest.mark.rule("13.13")
def test_a_node_in_its_own_body_is_refused() -> None:
    spell = draw({"s": ("core.spell", {}, runs(group="g") | G), "t": ("t.half", {}, G)})
    assert ("recursive_spell", "s") in codes(spell)
    with pytest.raises(SpellInvalid, match="lies in its own body"):
        compile(spell, library)


@pytest.mark.rule("13.13")
@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"spell": "gone"}, "unknown_spell", "there is no spell 'gone'"),
        ({"group": "gone"}, "invalid_body", "there is no group 'gone'"),
        ({"type": "t.gone"}, "invalid_body", "there is no node type 't.gone'"),
        ({"spell": "broken"}, "invalid_body", "the spell 'Broken' cannot be run"),
    ],
)
def test_a_body_that_is_not_there_fails_its_node_alone(body: Any, code: str, text: str) -> None:
    broken = draw({"x": "t.nothing"}, name="Broken")
    spell = draw({"s": ("core.spell", {}, runs(**body)), "v": ("t.value", {"value": 1})})
    (problem,) = validate(spell, library, {"broken": broken}.get)
    assert (problem.code, problem.node) == (code, "s")
    assert text in problem.message
    result, _ = run(spell, {"broken": broken})
    assert result.errors["s"].code == code
    assert result.outputs["v"] == {"value": 1}


@pytest.mark.rule("13.18")
@pytest.mark.parametrize(
    ("own", "childs", "missing"),
    [
        ({}, {}, {}),
        ({"spam": "", "Eggs": ">=1"}, {"SPAM": ">=2", "eggs": ""}, {}),
        ({"spam": "==2.1"}, {"spam": ">=2,<3"}, {}),
        ({"spam": "==2.1"}, {"spam": "<2"}, {"spam": "<2"}),
        ({"ham": ""}, {"spam": ">=2", "eggs": "", "ham": ""}, {"eggs": "", "spam": ">=2"}),
    ],
)
def test_what_a_child_requires_the_spell_around_it_must_require(
    own: Any, childs: Any, missing: Any
) -> None:
    child = draw({"v": ("t.value", {"value": 1})}, name="Child")
    child = child.model_copy(update={"requirements": childs})
    spell = draw({"s": ("core.spell", {}, runs(spell="child")), "v": ("t.value", {"value": 1})})
    spell = spell.model_copy(update={"requirements": own})
    told = validate(spell, library, {"child": child}.get)
    assert [(each.code, each.node, each.details) for each in told] == (
        [("missing_packages", "s", {"packages": missing})] if missing else []
    )
    result, _ = run(spell, {"child": child})
    assert result.outputs["v"] == {"value": 1}
    if missing:
        assert result.errors["s"].code == "missing_packages"
        names = ", ".join(f"{name}{version}" for name, version in missing.items())
        assert f"'Child' requires {names}, and this one" in result.errors["s"].message


@pytest.mark.rule("13.18")
def test_types_that_a_child_needs_and_that_are_not_here_are_named() -> None:
    child = draw({"x": "pack.one", "y": "pack.two", "z": "pack.one"}, name="Child")
    spell = draw({"s": ("core.spell", {}, runs(spell="child"))})
    (problem,) = validate(spell, library, {"child": child}.get)
    assert (problem.code, problem.node) == ("invalid_body", "s")
    assert problem.details["types"] == ["pack.one", "pack.two"]
    assert "have no node type 'pack.one', 'pack.two'" in problem.message


@pytest.mark.rule("13.13")
def test_bodies_nest_at_most_so_deep() -> None:
    spells = {
        f"s{index}": draw({"n": ("core.spell", {}, runs(spell=f"s{index + 1}"))}, name=f"S{index}")
        for index in range(60)
    }
    spells["s60"] = draw({"v": ("t.value", {"value": 1})})
    deep = draw({"s": ("core.spell", {}, runs(spell="s0"))})
    assert run(deep, spells)[0].errors["s"].code == "invalid_body"
    low = draw({"s": ("core.spell", {}, runs(spell="s40"))})
    assert outputs(low, spells)["s"] == {"value": 1}


def doubling(levels: int) -> Spell:
    """Return a spell whose groups lie in each other, each run by two nodes of the one around it."""
    nodes: dict[str, Any] = {"v": ("t.number", {}, in_group(f"g{levels - 1}"))}
    wires = [f"v.value -> o{levels}.value"]
    for level in range(levels):
        around = in_group(f"g{level - 1}") if level else {}
        nodes |= {
            f"{side}{level}": ("core.spell", {}, runs(group=f"g{level}") | around) for side in "ab"
        }
        nodes[f"o{level + 1}"] = ("core.output", {"name": "x"}, in_group(f"g{level}"))
        wires += [f"a{level}.x -> o{level}.value"] if level else []
    groups = {f"g{level}": {"group": f"g{level - 1}"} if level else {} for level in range(levels)}
    return draw(nodes, *wires, groups=groups)


@pytest.mark.rule("13.13")
def test_bodies_that_multiply_are_compiled_and_written_once_and_bounded_when_they_run() -> None:
    plan = compile(doubling(30), library)
    assert len(plan.to_bytes()) < 1_000_000
    assert outputs(doubling(3)) == {"a0": {"x": 0}, "b0": {"x": 0}}

    async def main() -> Any:
        async with asyncio.timeout(50):
            return await Execution(plan, limits=Limits(calls=3_000)).run()

    result = asyncio.run(main())
    assert {failure.code for failure in result.errors.values()} == {"too_many_calls"}
    allowance = Allowance(room=100)
    allowance.open(60)
    with pytest.raises(NodeError, match="too many nested runs"):
        allowance.open(60)
    allowance.close(60)
    allowance.open(100)


# As if it were drawn in place


@pytest.mark.rule("13.14")
def test_a_cancel_reaches_what_is_nested_and_leaves_no_task() -> None:
    spell = draw(
        {
            "m": ("core.map", {"items": [1] * 8, "at_once": 8, "input": "item"}, runs(group="g")),
            "i": ("core.input", {"name": "item"}, G),
            "w": ("t.wait", {}, G),
            "u": ("t.wait", {}, G),
        },
        "i.value -> w.value",
        "i.value -> u.value",
    )

    async def main() -> None:
        execution = Execution(compile(spell, library), sink=lambda _event: None)
        running = asyncio.get_running_loop().create_task(execution.run())
        for _ in range(30):
            await asyncio.sleep(0)
        execution.cancel()
        async with asyncio.timeout(20):
            assert (await running).status == "cancelled"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.rule("13.14")
def test_a_pause_holds_what_is_nested_too_and_a_step_lets_one_node_go() -> None:
    inputs = {"items": [1, 2, 3], "at_once": 1, "input": "n"}
    spell = draw(
        {
            "m": ("core.map", inputs, runs(group="g")),
            "i": ("core.input", {"name": "n", "schema": {"type": "integer"}}, G),
            "c": ("t.count", {"turns": 1}, G),
        },
        "i.value -> c.values",
    )

    async def main() -> None:
        started: list[str | None] = []

        def see(event: Event) -> None:
            if event.kind == "node.started":
                started.append(event.node)
                if event.node == "m[0]/c":
                    execution.pause()

        async def turns() -> None:
            for _ in range(50):
                await asyncio.sleep(0)

        execution = Execution(compile(spell, library), sink=see)
        running = asyncio.get_running_loop().create_task(execution.run())
        await turns()
        assert started == ["m", "m[0]/c"]
        execution.step()
        await turns()
        assert started == ["m", "m[0]/c", "m[1]/c"]
        execution.play()
        assert len((await running).outputs["m"]["items"]) == 3

    asyncio.run(main())


@pytest.mark.rule("13.14")
def test_a_timeout_of_the_owner_ends_what_is_nested() -> None:
    settings = {"settings": {"body": {"type": "t.wait"}, "timeout": 0.01}}
    spell = draw({"s": ("core.spell", {}, settings)})
    for told in (True, False):
        assert run(spell, told=told)[0].errors["s"].code == "timeout"


@pytest.mark.rule("13.14")
def test_nested_nodes_count_towards_the_limits() -> None:
    spell = draw({"m": ("core.map", {"items": [1] * 100}, runs(type="t.half"))})
    for told in (True, False):
        assert (
            run(spell, told=told, limits=Limits(calls=50))[0].errors["m"].code == "too_many_calls"
        )
        assert not run(spell, told=told, limits=Limits(concurrency=1))[0].errors
    large = draw({"m": ("core.map", {"items": ["x" * 200] * 60}, runs(type="t.upper"))})
    result, _ = run(large, limits=Limits(output_bytes=100))
    assert result.errors["m"].code == "output_too_large"


@pytest.mark.rule("13.14")
@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"mode": "mute"}, ({}, {"s": "muted"})),
        ({"pins": {"text": "p"}}, ({"s": {"text": "p"}}, {})),
    ],
)
def test_an_owner_that_is_not_run_needs_nothing_that_its_body_takes(
    settings: Any, wanted: Any
) -> None:
    spell = draw(
        {
            "f": "t.fail",
            "s": ("core.spell", {}, {"settings": {"body": {"group": "g"}, **settings}}),
            "t": ("t.text", {}, G),
        },
        "f.value -> t.value",
    )
    result, _ = run(spell)
    assert (result.outputs, result.skipped) == wanted


@pytest.mark.rule("13.14")
def test_nodes_inside_are_muted_and_pinned_as_elsewhere() -> None:
    nodes = {
        "m": ("core.map", {"items": [1, 2], "input": "value"}, runs(group="g")),
        "t": ("t.text", {}, {**G, "settings": {"pins": {"text": "pinned"}}}),
        "u": ("t.upper", {}, G),
    }
    spell = draw(nodes, "t.text -> u.text")
    inner = draw({**nodes, "m": ("core.spell", {}, runs(group="g"))}, "t.text -> u.text")
    assert run(inner)[0].outputs["m"] == {"text": "PINNED"}
    assert codes(spell) == [("invalid_body", "m")]


# Recipes and caches


@pytest.mark.rule("13.15")
def test_a_change_in_a_body_is_a_change_of_its_owner() -> None:
    def recipes(message: str) -> Any:
        spell = draw(
            {
                "s": ("core.spell", {}, runs(spell="c")),
                "after": "t.text",
                "other": "t.skip",
            },
            "s.text -> after.value",
        )
        child = draw({"u": ("t.upper", {"text": message})})
        plan = compile(spell, library, spells={"c": child}.get)
        return dict(zip(plan.index, plan.recipes, strict=True)), plan.to_bytes()

    one, again, other = recipes("a"), recipes("a"), recipes("b")
    assert one == again
    assert one[0]["s"] != other[0]["s"]
    assert one[0]["after"] != other[0]["after"]
    assert one[0]["other"] == other[0]["other"]


@pytest.mark.rule("13.15")
@pytest.mark.parametrize(
    ("type", "policy"), [("t.upper", "deterministic"), ("t.fresh", "none"), ("t.count", "none")]
)
def test_what_may_not_be_kept_of_a_body_is_not_kept_of_its_owner(type: str, policy: str) -> None:
    plan = compile(draw({"s": ("core.spell", {}, runs(type=type))}), library)
    assert plan["s"].cache == policy


@pytest.mark.rule("13.15")
def test_a_body_that_did_not_change_is_not_run_again() -> None:
    def plan(text: str) -> Any:
        child = draw({"c": ("t.cached", {"factor": len(text)})})
        return compile(
            draw({"s": ("core.spell", {}, runs(spell="c"))}), library, spells={"c": child}.get
        )

    async def main() -> None:
        memory, cache = RunMemory(), MemoryCache()
        calls.clear()
        for text, why in (("a", "new"), ("a", "cached"), ("ab", "code changed")):
            result = await Execution(plan(text), memory=memory, cache=cache).run()
            assert result.why["s"] == why
        assert calls == ["c", "c"]

    asyncio.run(main())


@pytest.mark.rule("13.15")
def test_dear_nodes_inside_are_looked_up_for_every_iteration() -> None:
    asked: list[str] = []

    @node("p.ask", output="answer", limiter="provider")
    async def ask(question: str) -> str:
        """Ask somebody who charges for it."""
        asked.append(question)
        return question.upper()

    provider = Library([*library.packs, Pack(name="p", version="1", title="P", nodes=(ask,))])

    async def main() -> None:
        cache = MemoryCache()
        for items, told, wanted in (
            (["a", "b"], True, {"a", "b"}),
            (["b", "c", "a"], False, {"c"}),
            (["a"] * 70, True, set()),
        ):
            asked.clear()
            owner = ("core.map", {"items": items}, runs(type="p.ask"))
            plan = compile(draw({"m": owner}), provider)
            sink = (lambda _event: None) if told else None
            result = await Execution(plan, cache=cache, sink=sink).run()
            assert result.outputs["m"] == {"items": [item.upper() for item in items]}
            assert set(asked) == wanted

    asyncio.run(main())


@pytest.mark.rule("13.16")
def test_inputs_of_a_run_reach_markers_by_name_and_nodes_in_a_group() -> None:
    both = draw({"a": ("core.input", {"name": "city"}), "t": "t.text"}, "a.value -> t.value")
    assert outputs(both, inputs={"city": "Oslo"})["t"] == {"text": "Oslo"}
    group = draw({"s": ("core.spell", {}, runs(group="g")), "t": ("t.text", {"value": 1}, G)})
    assert outputs(group, inputs={"t.value": 9})["s"] == {"text": "9"}
    assert outputs(group)["s"] == {"text": "1"}


# Files


@pytest.mark.rule("13.17")
def test_a_spell_in_a_file_runs_files_beside_it(tmp_path: Path) -> None:
    half = {"nodes": {"t": {"type": "core.compare", "inputs": {"right": 1}}}}
    middle = {"nodes": {"s": {"type": "core.spell", "settings": {"body": {"spell": "lib/half.json"}}}}}  # fmt: skip
    top = {"nodes": {"s": {"type": "core.spell", "inputs": {"left": 1}, "settings": {"body": {"spell": "lib/middle.yaml"}}}}}  # fmt: skip
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/half.json").write_text(json.dumps(half))
    (tmp_path / "lib/middle.yaml").write_text(yaml.safe_dump(middle))
    (tmp_path / "top.json").write_text(json.dumps(top))
    result = spellwork.run(tmp_path / "top.json", library=library)
    assert result.outputs == {"s": {"holds": True}}, result.errors
    (tmp_path / "lib/middle.yaml").write_text("nodes: [")
    failure = spellwork.run(tmp_path / "top.json", library=library).errors["s"]
    assert failure.code == "unknown_spell"
    assert "not YAML" in failure.message
    (tmp_path / "lib/middle.yaml").unlink()
    failure = spellwork.run(tmp_path / "top.json", library=library).errors["s"]
    assert "there is no spell 'lib/middle.yaml'" in failure.message
