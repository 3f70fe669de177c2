"""The nodes of control: gate, wait, fallback, map, reduce, while, and what they promise."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import spellwork
from spellwork import Execution, Node, compile, validate
from spellwork.analysis import Analysis
from tests.spells.nested import draw, in_group, library, run, runs

G = in_group("g")

Table = list[tuple[Any, ...]]


def only(inputs: dict[str, Any], type: str, **more: Any) -> Any:
    """Return how a node ended that is alone in its spell: its outputs, or (code, message), or why it was skipped."""
    result, _ = run(draw({"n": (type, inputs, more)}))
    if "n" in result.errors:
        return result.errors["n"].code, result.errors["n"].message
    return result.outputs.get("n", result.skipped.get("n"))


# Gate


@pytest.mark.rule("13.2")
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"open": True}, None),
        ({}, None),
        ({"open": False}, "the gate is closed"),
        ({"open": [], "reason": "nobody asked"}, "nobody asked"),
    ],
)
def test_a_gate_passes_its_value_or_is_skipped_with_its_reason(
    inputs: dict[str, Any], reason: str | None, told: bool
) -> None:
    spell = draw({"g": ("core.gate", {"value": 1, **inputs}), "t": "t.text"}, "g.value -> t.value")
    result, events = run(spell, told=told)
    if reason is None:
        assert result.outputs == {"g": {"value": 1}, "t": {"text": "1"}}
        return
    assert result.skipped == {"g": reason, "t": "'g' was skipped"}
    assert not result.errors
    if told:
        (skipped,) = [e for e in events if e.kind == "node.skipped" and e.node == "g"]
        assert skipped.message == reason


@pytest.mark.rule("13.2", "13.10")
def test_a_closed_gate_in_a_body_brings_nothing_for_that_item() -> None:
    nodes = {
        "m": ("core.map", {"items": [1, 0, 2] * 30, "input": "n"}, runs(group="g")),
        "i": ("core.input", {"name": "n", "schema": {"type": "integer"}}, G),
        "gate": ("core.gate", {}, G),
    }
    spell = draw(nodes, "i.value -> gate.value", "i.value -> gate.open")
    for told in (True, False):
        assert run(spell, told=told)[0].outputs["m"] == {"items": [1, None, 2] * 30}


# Fallback


FALLBACKS: Table = [
    ("the first that came, not the one that failed", ["fail", "a", "b"], "a"),
    ("the first of several", ["a", "b"], "a"),
    ("the last resort", ["fail", "skip", "b"], "b"),
    ("nothing at all", ["fail", "skip"], None),
]


@pytest.mark.rule("13.2")
@pytest.mark.parametrize(("case", "sources", "wanted"), FALLBACKS)
def test_a_fallback_gives_the_first_that_came_without_failure(
    case: str, sources: list[str], wanted: str | None
) -> None:
    kinds: dict[str, Any] = {
        "fail": "t.fail",
        "skip": "t.skip",
        "a": ("t.value", {"value": "a"}),
        "b": ("t.value", {"value": "b"}),
    }
    nodes = {f"s{i}": kinds[kind] for i, kind in enumerate(sources)} | {"f": "core.fallback"}
    result, _ = run(draw(nodes, *(f"s{i}.value -> f.values" for i in range(len(sources)))))
    if wanted is None:
        assert result.skipped["f"] == "'s0' failed, 's1' gave nothing on 'value'"
    else:
        assert result.outputs["f"] == {"value": wanted}


@pytest.mark.rule("13.2")
@pytest.mark.parametrize(("first", "wanted"), [("t.fail", "b"), ("null", "b"), ("a", "a")])
def test_a_fallback_tries_value_first_and_takes_null_for_nothing(first: str, wanted: str) -> None:
    source: Any = {"null": ("t.value", {"value": None}), "a": ("t.value", {"value": "a"})}
    nodes = {
        "first": source.get(first, first),
        "second": ("t.value", {"value": "b"}),
        "f": "core.fallback",
    }
    spell = draw(nodes, "first.value -> f.value", "second.value -> f.values")
    assert run(spell)[0].outputs["f"] == {"value": wanted}


FALLBACKS_TYPED: Table = [
    ("what failed", "t.fail", {"values": ["a", "b"]}, "a"),
    ("what was skipped", "t.skip", {"values": [0]}, 0),
    ("null", ("t.value", {"value": None}), {"values": [False]}, False),
    ("null, by what is not null", "t.fail", {"values": [None, "b"]}, "b"),
    ("nothing, for it came", ("t.value", {"value": "came"}), {"values": ["a"]}, "came"),
    ("nothing, for it is empty", "t.fail", {"values": []}, None),
]


@pytest.mark.rule("13.2", "5.7")
@pytest.mark.parametrize(("stands_for", "source", "typed", "wanted"), FALLBACKS_TYPED)
@pytest.mark.parametrize("told", [False, True])
def test_what_is_typed_into_a_fallback_stands_for(
    stands_for: str, source: Any, typed: dict[str, Any], wanted: Any, told: bool
) -> None:
    spell = draw({"first": source, "f": ("core.fallback", typed)}, "first.value -> f.value")
    result, _ = run(spell, told=told)
    if wanted is None:
        assert "'first' failed" in result.skipped["f"]
    else:
        assert result.outputs["f"] == {"value": wanted}


@pytest.mark.rule("13.2", "5.7")
def test_a_value_typed_into_a_fallback_needs_none_of_its_wires() -> None:
    nodes = {"s": "t.fail", "f": ("core.fallback", {"value": "typed"})}
    assert run(draw(nodes, "s.value -> f.values"))[0].outputs["f"] == {"value": "typed"}


@pytest.mark.rule("13.2")
def test_a_fallback_passes_over_nulls_among_its_wires() -> None:
    nodes = {
        "s0": ("t.value", {"value": None}),
        "s1": ("t.value", {"value": "b"}),
        "f": "core.fallback",
    }
    spell = draw(nodes, "s0.value -> f.values", "s1.value -> f.values")
    assert run(spell)[0].outputs["f"] == {"value": "b"}


@pytest.mark.rule("13.2", "11.3")
@pytest.mark.anyio
async def test_in_live_mode_a_fallback_takes_up_what_is_set_on_it() -> None:
    nodes = {"s": "t.fail", "f": "core.fallback"}
    plan = compile(draw(nodes, "s.value -> f.value"), library, inputs={"f.values": []})
    async with spellwork.LiveSession(plan) as session:
        assert "f" in (await session.settled()).skipped
        session.set("f.values", ["typed"])
        assert (await session.settled()).outputs["f"] == {"value": "typed"}


# Wait


@pytest.mark.rule("13.3")
@pytest.mark.parametrize(
    "inputs", [{"seconds": 0.05}, {"until": "soon"}, {"until": "soon", "seconds": 0.01}]
)
def test_a_wait_says_until_when_and_gives_its_value(inputs: dict[str, Any]) -> None:
    end = time.time() + 0.05
    if "until" in inputs:
        inputs = inputs | {"until": end}
    result, events = run(draw({"w": ("core.wait", {"value": 1, **inputs})}))
    assert time.time() >= end - 0.001
    assert result.outputs == {"w": {"value": 1}}
    (waiting,) = [event for event in events if event.kind == "node.waiting"]
    assert waiting.data is not None
    assert waiting.data["for"] == "wait"
    assert abs(waiting.data["until"] - end) < 0.5


@pytest.mark.rule("13.3")
def test_a_wait_waits_for_what_is_wired_to_after_and_takes_nothing_of_it() -> None:
    spell = draw(
        {"slow": ("t.wait", {"value": 9, "seconds": 0.01}), "w": ("core.wait", {"value": 1})},
        "slow.value -> w.after",
    )
    result, events = run(spell)
    assert result.outputs["w"] == {"value": 1}
    ended = [event.node for event in events if event.kind == "node.done"]
    assert ended == ["slow", "w"]


@pytest.mark.rule("13.3")
@pytest.mark.parametrize(
    ("until", "text"), [("tomorrow", "is no time"), ("2999-01-01", "at most 86,400 s")]
)
def test_a_wait_that_cannot_be_is_told(until: str, text: str) -> None:
    code, message = only({"until": until}, "core.wait")
    assert code == "node_error"
    assert text in message


# Map


def body(**nodes: Any) -> dict[str, Any]:
    return {id: (type, inputs, G) for id, (type, inputs) in nodes.items()}


MAPS: Table = [
    ("results of one output", {}, {"items": [1.0, 2.0]}),
    ("a list per output", {"merge": "lists"}, {"value": [1.0, 2.0]}),
    ("null where an item fails", {"items": [2, "x"], "on_error": "null"}, {"items": [1.0, None]}),
    ("no items", {"items": []}, {"items": []}),
]


@pytest.mark.rule("13.10")
@pytest.mark.parametrize(("case", "inputs", "wanted"), MAPS)
def test_a_map_over_a_body(case: str, inputs: dict[str, Any], wanted: Any) -> None:
    assert only({"items": [2, 4], **inputs}, "core.map", **runs(type="t.half")) == wanted


@pytest.mark.rule("13.10")
def test_a_failing_item_fails_the_map_or_is_collected() -> None:
    inputs = {"items": [2, "x", 4, "y"]}
    code, message = only(inputs, "core.map", **runs(type="t.half"))
    assert code == "invalid_input"
    assert "'value'" in message
    left = only(inputs | {"on_error": "collect"}, "core.map", **runs(type="t.half"))
    assert left["items"] == [1.0, None, 2.0, None]
    assert [(error["index"], error["code"]) for error in left["errors"]] == [
        (1, "invalid_input"),
        (3, "invalid_input"),
    ]


@pytest.mark.rule("13.10")
@pytest.mark.parametrize(("order", "wanted"), [("items", [3, 1]), ("completion", [1, 3])])
def test_results_come_in_the_order_of_the_items_or_as_they_complete(
    order: str, wanted: list[int]
) -> None:
    spell = draw(
        {
            "m": ("core.map", {"items": [3, 1], "order": order, "input": "turns"}, runs(group="g")),
            "i": ("core.input", {"name": "turns", "schema": {"type": "integer"}}, G),
            "c": ("t.count", {}, G),
            "o": ("core.output", {}, G),
        },
        "i.value -> c.turns",
        "i.value -> c.give",
        "c.value -> o.value",
    )
    assert run(spell)[0].outputs["m"] == {"items": wanted}


@pytest.mark.rule("13.10")
@pytest.mark.parametrize("at_once", [1, 3])
def test_at_most_so_many_items_are_under_way(at_once: int) -> None:
    inputs = {"items": [1] * 6, "at_once": at_once, "input": "value"}
    spell = draw({"m": ("core.map", inputs, runs(type="t.wait"))})

    async def main() -> int:
        under_way = most = 0

        def see(event: Any) -> None:
            nonlocal under_way, most
            if event.kind == "node.started" and event.node != "m":
                under_way += 1
                most = max(most, under_way)

        execution = Execution(compile(spell, library), sink=see)
        running = asyncio.get_running_loop().create_task(execution.run())
        for _ in range(200):
            await asyncio.sleep(0)
        execution.cancel()
        await running
        return most

    assert asyncio.run(main()) == at_once


@pytest.mark.rule("13.10")
def test_a_map_gives_the_number_of_the_item_and_what_is_the_same_for_all() -> None:
    spell = draw(
        {
            "m": ("core.map", {"items": ["a", "b"], "end": "!"}, runs(group="g")),
            "i": ("core.input", {"name": "item"}, G),
            "n": ("core.input", {"name": "index"}, G),
            "e": ("core.input", {"name": "end"}, G),
            "t": ("core.template", {"template": "{i}{n}{e}"}, G),
        },
        "i.value -> t.i",
        "n.value -> t.n",
        "e.value -> t.e",
    )
    assert run(spell)[0].outputs["m"] == {"items": ["a0!", "b1!"]}


@pytest.mark.rule("13.10")
def test_which_input_gets_the_item_must_be_clear() -> None:
    nodes = {
        "m": ("core.map", {"items": []}, runs(group="g")),
        **body(a=("t.half", {}), b=("t.upper", {})),
    }
    (problem,) = validate(draw(nodes), library)
    assert problem.code == "invalid_body"
    assert problem.message.endswith("which input of the body gets the item: value, text")


# Reduce

ADD = {"a": ("core.input", {"name": "accumulator"}, G), "i": ("core.input", {"name": "item"}, G), "add": ("core.template", {"template": "{a},{i}"}, G)}  # fmt: skip
ADD_WIRES = ("a.value -> add.a", "i.value -> add.i")


@pytest.mark.rule("13.11")
@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        ({"items": [1, 2], "initial": "s"}, "s,1,2"),
        ({"items": [1, 2, 3]}, "1,2,3"),
        ({"items": [], "initial": "s"}, "s"),
        ({"items": []}, None),
    ],
)
def test_reduce_puts_items_together_one_by_one(inputs: dict[str, Any], wanted: Any) -> None:
    spell = draw({"r": ("core.reduce", inputs, runs(group="g")), **ADD}, *ADD_WIRES)
    for told in (True, False):
        assert run(spell, told=told)[0].outputs["r"] == {"result": wanted}


@pytest.mark.rule("13.11")
def test_reduce_says_what_its_body_lacks_and_which_item_failed() -> None:
    lacking = draw({"r": ("core.reduce", {"items": []}, runs(type="t.half"))})
    assert validate(lacking, library)[0].message.endswith("it lacks accumulator, item")
    nodes = {
        "a": ("core.input", {"name": "accumulator"}, G),
        "i": ("core.input", {"name": "item"}, G),
        "f": ("core.fail", {"message": "odd"}, G),
    }
    for items, wanted in (([1, 2], None), ([1, 0], "r[1]/f: odd")):
        owner = ("core.reduce", {"items": items, "initial": 0}, runs(group="g"))
        spell = draw({"r": owner, **nodes}, "a.value -> f.value", "i.value -> f.unless")
        result, _ = run(spell)
        if wanted is None:
            assert result.outputs["r"] == {"result": 0}
        else:
            assert result.errors["r"].message == wanted


# While

DOUBLE = {
    "n": ("core.input", {"name": "n", "schema": {"type": "number"}}, G),
    "h": ("t.half", {}, G),
    "o": ("core.output", {"name": "n"}, G),
}
DOUBLE_WIRES = ("n.value -> h.value", "h.value -> o.value")


@pytest.mark.rule("13.12")
@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        ({"n": 16, "at_most": 3}, {"n": 2.0, "rounds": 3, "capped": True}),
        (
            {"n": 16, "at_most": 50, "operator": "is greater than", "right": 3},
            {"n": 2.0, "rounds": 3, "capped": False},
        ),
        (
            {"n": 16, "at_most": 2, "operator": "is greater than", "right": 3, "path": "n"},
            {"n": 4.0, "rounds": 2, "capped": True},
        ),
        (
            {"n": 16, "at_most": 3, "operator": "is greater than", "right": 3},
            {"n": 2.0, "rounds": 3, "capped": False},
        ),
        (
            {"n": 1, "at_most": 9, "operator": "is greater than", "right": 3},
            {"n": 1, "rounds": 0, "capped": False},
        ),
    ],
)
def test_while_repeats_its_body_until_the_condition_fails_or_the_cap(
    inputs: dict[str, Any], wanted: Any
) -> None:
    spell = draw({"w": ("core.while", inputs, runs(group="g")), **DOUBLE}, *DOUBLE_WIRES)
    assert run(spell, told=False)[0].outputs["w"] == wanted
    result, events = run(spell)
    assert result.outputs["w"] == wanted
    said = [
        event.message for event in events if event.kind == "node.progress" and event.node == "w"
    ]
    assert said[-1:] == ([f"{wanted['rounds']} rounds"] if wanted["rounds"] else [])


@pytest.mark.rule("13.12")
def test_a_body_may_say_itself_whether_there_is_another_round() -> None:
    nodes = {
        "w": ("core.while", {"n": 16, "at_most": 50}, runs(group="g")),
        **DOUBLE,
        "c": ("core.compare", {"operator": "is greater than", "right": 1}, G),
        "again": ("core.output", {}, G),
    }
    wires = (*DOUBLE_WIRES, "h.value -> c.left", "c.holds -> again.value")
    result, events = run(draw(nodes, *wires))
    assert result.outputs["w"] == {"n": 1.0, "rounds": 4, "capped": False}
    assert "w[3]/h" in {event.node for event in events}


@pytest.mark.rule("13.12")
def test_while_must_have_a_cap() -> None:
    spell = draw({"w": ("core.while", {"n": 16}, runs(group="g")), **DOUBLE}, *DOUBLE_WIRES)
    assert [(each.code, each.port) for each in validate(spell, library)] == [
        ("missing_input", "at_most")
    ]


@pytest.mark.rule("13.12")
def test_the_ports_of_a_while_are_those_of_its_body() -> None:
    spell = draw({"w": ("core.while", {"at_most": 1}, runs(group="g")), **DOUBLE}, *DOUBLE_WIRES)
    ports = Analysis(spell, library).parts["w"].ports
    assert next(port.name for port in ports.inputs) == "n"
    assert [port.name for port in ports.outputs] == ["n", "rounds", "capped"]


ALWAYS = ["items", "at_once", "order", "on_error"]


@pytest.mark.parametrize(
    ("map_node", "meant"),
    [
        (Node(type="core.map"), [*ALWAYS, "type", "input", "output"]),
        (Node(type="core.map", code="item * 2"), ALWAYS),
        (Node(type="core.map", code="item * 2", inputs={"merge": "lists"}), [*ALWAYS, "merge"]),
    ],
)
def test_a_map_asks_for_what_means_something_to_it(map_node: Node, meant: list[str]) -> None:
    ports = library.ports(map_node)
    assert ports is not None
    assert {port.name for port in ports.inputs} == set(meant)


def test_a_map_over_a_body_of_one_input_and_one_output_asks_for_neither() -> None:
    spell = draw({"m": ("core.map", {"items": [1]}, runs(group="g")), **DOUBLE}, *DOUBLE_WIRES)
    ports = Analysis(spell, library).parts["m"].ports
    assert [port.name for port in ports.inputs] == ALWAYS


@pytest.mark.rule("13.4")
@pytest.mark.parametrize("type", ["core.spell", "core.while"])
def test_a_node_that_needs_a_body_says_so(type: str) -> None:
    ports = library.ports(Node(type=type))
    assert ports is not None
    (problem, *_) = validate(draw({"n": type}), library)
    assert problem.code == "invalid_body"
    assert "say which" in problem.message


# Markers, while their spell runs by itself


@pytest.mark.rule("13.5")
@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        ({"name": "n", "value": 1}, {"value": 1}),
        ({"name": "n", "default": 2}, {"value": 2}),
        ({"name": "n", "default": 2, "value": 1}, {"value": 1}),
        ({"name": "n", "required": False}, {"value": None}),
        ({"name": "n"}, ("missing_input", "the input 'n' has no value: type one in, to try the spell by itself")),
    ],
)  # fmt: skip
def test_an_input_marker_gives_what_is_typed_in_or_its_default(
    inputs: dict[str, Any], wanted: Any
) -> None:
    assert only(inputs, "core.input") == wanted


# Together


@pytest.mark.rule("13.1", "13.2", "13.8")
def test_an_error_port_and_a_fallback_rescue_a_map() -> None:
    spell = draw(
        {
            "m": ("core.map", {"items": [1, "x"]}, runs(type="t.half")),
            "other": ("t.value", {"value": "rescued"}),
            "f": "core.fallback",
            "why": ("core.json_pick", {"path": "code"}),
        },
        "m.items -> f.value",
        "other.value -> f.values",
        "m.error -> why.value",
    )
    result, _ = run(spell)
    assert result.outputs["f"] == {"value": "rescued"}
    assert result.outputs["why"] == {"value": "invalid_input"}, result.errors


# Code in the place of a body


@pytest.mark.rule("13.11", "13.12")
@pytest.mark.anyio
async def test_reduce_and_the_condition_of_a_while_may_be_code(run_node: Any) -> None:
    reduced = await run_node(
        "core.reduce", code="accumulator + item * factor", items=[1, 2], initial=0, factor=10
    )
    assert reduced.outputs["n"] == {"result": 30}, reduced.errors
    nodes = {
        "w": ("core.while", {"n": 16, "at_most": 9}, {**runs(group="g"), "code": "n > 3"}),
        **DOUBLE,
    }
    looped = await spellwork.run_async(draw(nodes, *DOUBLE_WIRES), library=library)
    assert looped.outputs["w"] == {"n": 2.0, "rounds": 3, "capped": False}, looped.errors
