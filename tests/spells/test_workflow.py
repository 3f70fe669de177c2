"""The builder: the same calls draw the same spell, which goes through Python source and back unchanged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import spellwork
from spellwork import Event, Library, Workflow, WorkflowInvalid, formats
from spellwork.workflow import Step
from tests.seeds import examples
from tests.spells.spells import exact, spells

LIBRARY = Library.installed()


def workflow(name: str | None = None) -> Workflow:
    return Workflow(name, library=LIBRARY)


def wires(wf: Workflow) -> list[str]:
    edges = wf.to_spell().edges
    return [f"{e.source}.{e.output} -> {e.target}.{e.input}" for _, e in sorted(edges.items())]


@pytest.mark.rule("16.1")
def test_the_same_calls_give_the_same_spell() -> None:
    def draw() -> Workflow:
        wf = workflow("Twice")
        wf.value(1) >> wf.node("core.template", {"template": "{x}"})["x"]
        wf.value(2)
        wf.node("core.value", id="mine")
        with wf.group("G"):
            wf.note("hi")
        return wf

    spell = draw().to_spell()
    assert spell.to_json() == draw().to_spell().to_json()
    assert list(spell.nodes) == ["value", "template", "value_2", "mine"]
    assert (list(spell.edges), list(spell.groups), list(spell.notes)) == (
        ["e00001"],
        ["group"],
        ["note"],
    )
    assert "name" not in workflow().to_spell().model_fields_set


@pytest.mark.rule("16.1")
def test_an_input_that_takes_several_gets_them_in_the_order_of_the_calls() -> None:
    wf = workflow()
    merge = wf.node("core.merge")
    for number in range(12):
        wf.value(number) >> merge["values"]
    result = wf.run_sync()
    assert result.outputs["merge"]["all"] == list(range(12))


@pytest.mark.rule("16.2")
def test_steps_are_wired_by_name_then_by_type() -> None:
    wf = workflow()
    last = wf.pipe(("core.value", {"value": [3, 1, 2]}), "core.sort", ("core.slice", {"end": 2}))
    assert last.id == "slice"
    assert wires(wf) == ["value.value -> sort.items", "sort.items -> slice.items"]
    assert wf.run_sync().outputs["slice"] == {"items": [1, 2]}
    more = last.pipe("core.length")
    assert wires(wf)[-1] == f"slice.items -> {more.id}.value"


@pytest.mark.rule("16.2")
def test_an_input_may_be_a_value_a_step_or_one_of_its_ends() -> None:
    wf = workflow()
    a = wf.value(2)
    text = wf.node("core.template", {"template": "{x} and {y}", "x": a, "y": a["value"]})
    assert text.of(wf.run_sync()) == "2 and 2"


@pytest.mark.rule("16.2")
@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda wf: wf.node("core.range") >> wf.node("core.now"), "nothing of 'range' fits 'now'"),
        (lambda wf: wf.value(1) >> wf.node("no.such"), "the type 'no.such' of 'such' is not known"),
        (
            lambda wf: wf.node("core.if", {"value": 1}) >> wf.value(1)["value"],
            "say which output of 'if': then, else",
        ),
        (
            lambda wf: wf.node("core.value", colour=1),
            "there is no 'colour' here; there are code, name, position",
        ),
        (lambda wf: wf.node("core.value", id="a b"), "'a b' is no id"),
        (
            lambda wf: (wf.node("a.b", id="a"), wf.node("a.b", id="a")),
            "there is a node 'a' already",
        ),
        (lambda wf: wf.node("core.value", position=("x", 1)), "node: position.0: "),
        (lambda wf: wf.step("gone"), "there is no node 'gone'"),
        (lambda wf: wf.pop(), "no node to pop"),
        (lambda wf: wf.pipe(), "a pipe needs a stage"),
        (lambda wf: wf.pipe(3), "a stage is a step"),
        (lambda wf: wf.map([1], 3), "a body is a group"),
        (lambda wf: wf.wire("a", "b"), "a wire has ends"),
        (lambda wf: wf.on("node.done", 3), "3 cannot be"),
        (lambda wf: Workflow("x" * 201).to_spell(), "spell: name: "),
    ],
)
def test_what_makes_no_sense_says_what_would(draw: Any, said: str) -> None:
    with pytest.raises(WorkflowInvalid) as raised:
        draw(workflow())
    assert said in str(raised.value)


@pytest.mark.rule("16.3")
def test_parallel_steps_are_wired_on_both_sides() -> None:
    wf = workflow()
    both = wf.parallel("core.sort", "core.unique")
    joined = wf.value([2, 1, 1]) >> both >> wf.node("core.merge")
    assert wires(wf) == [
        "value.value -> sort.items",
        "value.value -> unique.items",
        "sort.items -> merge.values",
        "unique.items -> merge.values",
    ]
    assert wf.run_sync().outputs[joined.id]["all"] == [[1, 1, 2], [2, 1]]
    wf = workflow()
    compare = wf.pipe(
        [("core.value", {"value": 1}), ("core.value", {"value": 2})],
        ("core.compare", {"operator": "is less than"}),
    )
    assert wires(wf) == ["value.value -> compare.left", "value_2.value -> compare.right"]
    assert compare.of(wf.run_sync()) is True


@pytest.mark.rule("16.4")
def test_renamed_outputs_go_where_they_are_named() -> None:
    wf = workflow()
    source = wf.node("core.template", {"template": "hi"})
    source.rename(text="y") >> wf.node("core.template", {"template": "{x}{y}"}, id="t")
    source.rename({"text": "x"}).pipe(wf.step("t"))
    assert wires(wf) == ["template.text -> t.y", "template.text -> t.x"]


@pytest.mark.rule("16.5")
def test_what_is_made_within_a_group_is_in_it() -> None:
    wf = workflow()
    with wf.group("Outer", color="#abc") as outer:
        a = wf.value(1)
        with wf.group("Inner"):
            b = wf.value(2)
        wf.note("hi")
    c = wf.value(3)
    d = wf.node("core.value", group=outer)
    spell = wf.to_spell()
    assert [spell.nodes[step.id].group for step in (a, b, c, d)] == [
        "group",
        "group_2",
        None,
        "group",
    ]
    assert (spell.groups["group_2"].group, spell.notes["note"].group) == ("group", "group")


@pytest.mark.rule("16.6")
def test_control_adds_nodes_with_their_bodies() -> None:
    wf = workflow()
    with wf.group("Body") as body:
        item = wf.node("core.input", {"name": "item"})
        item >> wf.node("core.template", {"template": "<{x}>"})["x"]
    source = wf.value([1, 2])
    mapped = wf.map(source, body, {"at_once": 2}, settings={"retries": 1})
    wf.reduce(mapped, "core.concat")
    wf.while_(body, {"value": 1}, at_most=3)
    wf.subspell("other", {"x": 1})
    choice = wf.if_(mapped["items"], 5)
    choice.then >> wf.node("core.debug", id="yes")["value"]
    choice.otherwise >> wf.node("core.debug", id="no")["value"]
    nodes = wf.to_spell().nodes
    bodies = {
        id: (node.type, node.settings.body.model_dump(exclude_none=True))
        for id, node in nodes.items()
        if node.settings.body is not None
    }
    assert bodies == {
        "map": ("core.map", {"group": "group"}),
        "reduce": ("core.reduce", {"type": "core.concat"}),
        "while": ("core.while", {"group": "group"}),
        "spell": ("core.spell", {"spell": "other"}),
    }
    assert nodes["map"].settings.retries == 1
    assert {
        "value.value -> map.items",
        "map.items -> if.condition",
        "if.then -> yes.value",
        "if.else -> no.value",
    } <= set(wires(wf))


@pytest.mark.rule("16.6")
def test_a_map_over_a_group_runs() -> None:
    wf = workflow()
    with wf.group("Body") as body:
        item = wf.node("core.input", {"name": "item"})
        item >> wf.node("core.template", {"template": "<{x}>"})["x"]
    mapped = wf.value([1, 2]) >> wf.map([], body)["items"]
    assert mapped.of(wf.run_sync()) == ["<1>", "<2>"]
    coded = workflow()
    assert coded.map([1, 2], code="item * 2").of(coded.run_sync()) == [2, 4]


@pytest.mark.rule("16.6")
def test_a_reduce_and_a_while_run() -> None:
    wf = workflow()
    total = wf.reduce(wf.value([1, 2, 3]), None, {"initial": 10}, code="accumulator + item")
    with wf.group("Body") as body:
        n = wf.node("core.input", {"name": "n"})
        n >> wf.node("code.python", id="more", code="n + 1")
        wf.node("core.output", {"name": "n", "value": wf.step("more")})
    loop = wf.while_(
        body, {"n": 1, "path": "n", "operator": "is less than", "right": 40}, at_most=5
    )
    result = wf.run_sync()
    assert result.errors == {}
    assert total.of(result) == 16
    assert (result.outputs[loop.id]["n"], result.outputs[loop.id]["capped"]) == (6, True)


@pytest.mark.rule("16.6")
def test_a_subspell_runs_from_a_file_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = workflow()
    child.node("code.python", {"x": child.node("core.input", {"name": "n"})}, code="x + 1", id="r")
    (tmp_path / "child.py").write_text(child.to_source())
    monkeypatch.chdir(tmp_path)
    wf = workflow()
    inner = wf.subspell("child.py")
    wf.value(41) >> inner
    assert wires(wf) == ["value.value -> spell.n"]
    assert list(wf.run_sync().outputs[inner.id].values()) == [42]
    (tmp_path / "parent.yaml").write_bytes(formats.write(wf.to_spell(), "yaml"))
    monkeypatch.chdir("/")
    again = Workflow.from_spell(tmp_path / "parent.yaml", library=LIBRARY)
    assert list(again.run_sync().outputs["spell"].values()) == [42]


@pytest.mark.rule("16.7")
def test_pop_takes_the_last_node_and_its_wires() -> None:
    wf = workflow("Kept")
    a = wf.value(1)
    b = a >> wf.node("core.debug")
    a >> wf.node("core.merge")["values"]
    b >> wf.step("merge")["values"]
    assert wf.pop().type == "core.merge"
    assert wires(wf) == ["value.value -> debug.value"]
    wf.group("G")
    wf.note("n")
    wf.reset()
    assert wf.to_spell().to_json() == {"schema": 1, "name": "Kept", "nodes": {}, "edges": {}}


@pytest.mark.rule("16.8")
def test_auto_connect_looks_back() -> None:
    wf = workflow()
    wf.value([3, 1], id="far")
    wf.value([2, 1], id="near")
    wf.node("core.sort")
    wf.node("core.length", {"value": "typed"})
    assert wf.auto_connect() == 1
    assert wires(wf) == ["near.value -> sort.items"]
    assert wf.auto_connect(wf.step("sort")) == 0


@pytest.mark.rule("16.9")
def test_handlers_get_the_events_of_their_kind() -> None:
    wf = workflow()
    wf.value(1)
    every: list[Event] = []
    done: list[str] = []
    off = wf.on("node.done", lambda event: done.append(str(event.node)))
    wf.on("*", every.append)
    wf.run_sync()
    off()
    off()
    wf.run_sync()
    assert done == ["value"]
    assert [event.kind for event in every].count("run.completed") == 2

    def fail(event: Event) -> None:
        raise LookupError(event.kind)

    wf.on("node.started", fail)
    with pytest.raises(LookupError, match=r"node\.started"):
        wf.run_sync()
    assert [event.kind for event in every].count("run.completed") == 3


@pytest.mark.rule("16.10")
@settings(deadline=None, max_examples=examples(60))
@given(spells)
def test_workflow_spell_python_and_back_is_exact(spell: spellwork.Spell) -> None:
    source = Workflow.from_spell(spell).to_source()
    again = Workflow.from_source(source, library=LIBRARY)
    assert exact(again.to_spell()) == exact(spell)
    assert again.to_source() == source


@pytest.mark.rule("16.10")
def test_one_goes_on_from_what_was_read() -> None:
    wf = Workflow.from_spell({"nodes": {"a": {"type": "core.value", "inputs": {"value": 2}}}})
    wf.step("a") >> wf.node("core.debug")
    again = Workflow.from_source(wf.to_source(), library=LIBRARY)
    assert again.run_sync().outputs["debug"] == {"value": 2}


@pytest.mark.rule("16.11")
def test_a_run_gives_typed_outputs() -> None:
    wf = workflow()
    number: Step[int] = wf.value(20)
    text: Step[str] = wf.node("core.template", {"template": "{x}", "x": number}, gives=str)
    result = asyncio.run(wf.run({"value": 21}))
    assert number.of(result) + 1 == 22
    assert text.of(result).upper() == "21"
    assert wf.run_sync(scope=["value"]).outputs == {"value": {"value": 20}}
    with pytest.raises(KeyError):
        text.of(wf.run_sync(scope=["value"]))
    with pytest.raises(spellwork.InvalidInput):
        wf.run_sync({"nowhere": 1})
