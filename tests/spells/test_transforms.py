"""A wire can change a value on its way: one table of cases for the engine and the browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from spellwork import Execution, LiveSession, RunMemory, SpellInvalid, compile, validate
from spellwork.ports import Port
from spellwork.spell import Transform
from spellwork.suggestion import fits, wanted_of
from spellwork.transform import TransformError, described, reshape, why_invalid
from spellwork.transform_schemas import Unfit, reshaped, suggest_transform
from tests.spells.drawing import draw
from tests.spells.nodes import library

pytestmark = pytest.mark.anyio

CASES = Path(__file__).parents[1] / "cases"
VALUES = json.loads((CASES / "transforms.json").read_text(encoding="utf-8"))
TYPES = json.loads((CASES / "compatibility.json").read_text(encoding="utf-8"))
_read = TypeAdapter(tuple[Transform, ...]).validate_python


@pytest.mark.rule("15.1")
@pytest.mark.parametrize("case", VALUES, ids=lambda case: case["name"])
def test_a_transform_gives_what_the_table_says(case: dict[str, Any]) -> None:
    transforms = _read(case["transform"])
    invalid = next(filter(None, map(why_invalid, transforms)), None)
    assert invalid == case.get("invalid")
    if invalid:
        return
    if "error" in case:
        with pytest.raises(TransformError) as raised:
            reshape(case["value"], transforms)
        assert raised.value.reason == case["error"]
    else:
        given = reshape(case["value"], transforms)
        assert (given, type(given) is bool) == (case["gives"], type(case["gives"]) is bool)


@pytest.mark.rule("2.5", "15.4")
@pytest.mark.parametrize("case", TYPES, ids=lambda case: case["name"])
def test_types_fit_as_the_table_says(case: dict[str, Any]) -> None:
    transforms = _read(case.get("transform", []))
    port = Port(
        case.get("port", ""),
        case["target"],
        many=case.get("many", False),
        trigger=case.get("trigger", False),
    )
    try:
        why = fits(Port("out", reshaped(case["source"], transforms)), port)
    except Unfit as error:
        why = str(error)
    assert (why is None) == case["fits"], why
    if "suggest" in case:
        found = suggest_transform(case["source"], wanted_of(port), port.name, transforms)
        assert (described(found) if found else None) == case["suggest"]


def wired(*transforms: dict[str, Any], value: Any = "21", to: str = "half.value") -> Any:
    """Return a spell whose one wire has transforms."""
    node, port = to.split(".")
    spell = draw({"a": ("value", {"value": value}), "b": node}, f"a.value -> b.{port}")
    body = spell.to_json()
    body["edges"]["e000"]["transform"] = list(transforms)
    return type(spell).model_validate(body)


CAST = {"op": "cast", "to": "number"}


@pytest.mark.rule("15.1")
async def test_a_run_transforms_what_a_wire_brings() -> None:
    result = await Execution(compile(wired(CAST), library)).run()
    assert result.outputs["b"] == {"value": 10.5}
    assert result.outputs["a"] == {"value": "21"}


@pytest.mark.rule("15.2")
async def test_a_transform_that_fails_fails_the_node_with_wire_op_and_value() -> None:
    result = await Execution(compile(wired(CAST, value="x"), library)).run()
    failure = result.errors["b"]
    assert (failure.code, failure.port, failure.attempts) == ("transform_failed", "value", 1)
    assert failure.message == "the wire 'e000' into 'value': cast to number: \"x\" is no number"
    assert failure.details == {
        "edge": "e000",
        "op": "cast",
        "reason": 'cast to number: "x" is no number',
        "value": '"x"',
    }


@pytest.mark.rule("15.3")
@pytest.mark.parametrize("source", ["skip", "fail"])
async def test_a_default_stands_in_for_nothing(source: str) -> None:
    spell = draw({"a": source, "b": "half"}, "a.value -> b.value")
    body = spell.to_json()
    body["edges"]["e000"]["transform"] = [{"op": "default", "value": "8"}, CAST]
    result = await Execution(compile(type(spell).model_validate(body), library)).run()
    assert result.outputs["b"] == {"value": 4}


@pytest.mark.rule("15.1")
async def test_each_of_several_wires_into_one_input_has_its_own() -> None:
    spell = draw(
        {"a": ("value", {"value": "1"}), "c": ("value", {"value": [2]}), "b": "add"},
        *("a.value -> b.values", "c.value -> b.values"),
    )
    body = spell.to_json()
    body["edges"]["e000"]["transform"] = [{"op": "cast", "to": "integer"}]
    body["edges"]["e001"]["transform"] = [{"op": "index", "index": 0}]
    result = await Execution(compile(type(spell).model_validate(body), library)).run()
    assert result.outputs["b"] == {"sum": 4}


@pytest.mark.rule("15.4")
def test_a_refused_wire_says_which_transform_would_make_it_fit() -> None:
    problem = validate(draw({"a": "text", "b": "half"}, "a.text -> b.value"), library)[0]
    assert problem.code == "incompatible_types"
    assert problem.details["suggest"] == [CAST]
    spell = draw({"a": "text", "b": "half"}, "a.text -> b.value").to_json()
    spell["edges"]["e000"]["transform"] = problem.details["suggest"]
    assert validate(type(draw({})).model_validate(spell), library) == []


@pytest.mark.rule("15.4")
def test_what_the_transforms_make_of_an_output_decides_whether_it_fits() -> None:
    spell = draw({"a": "half", "b": "half"}, "a.value -> b.value").to_json()
    spell["edges"]["e000"]["transform"] = [{"op": "cast", "to": "string"}]
    with pytest.raises(SpellInvalid) as raised:
        compile(type(draw({})).model_validate(spell), library)
    assert raised.value.code == "incompatible_types"


@pytest.mark.rule("15.5")
async def test_a_transform_that_can_never_work_fails_its_node_alone() -> None:
    spell = wired({"op": "pick", "path": "a[b]"})
    problem = validate(spell, library)[0]
    assert (problem.code, problem.node, problem.edge) == ("invalid_transform", "b", "e000")
    result = await Execution(compile(spell, library)).run()
    assert result.outputs["a"] == {"value": "21"}
    assert result.errors["b"].code == "invalid_transform"


@pytest.mark.rule("3.3", "15.6")
def test_a_transform_is_part_of_the_recipe() -> None:
    plain, cast = (compile(wired(*each), library) for each in ([], [CAST]))
    assert plain.recipes[0] == cast.recipes[0]
    assert plain.recipes[1] != cast.recipes[1]
    assert plain.steps[1].local == cast.steps[1].local


@pytest.mark.rule("8.5", "15.6")
async def test_another_transform_runs_what_it_reaches_again_and_nothing_else() -> None:
    memory = RunMemory()
    first = wired({"op": "index", "index": 0}, value=["4", 6], to="text.value")
    again = wired({"op": "index", "index": 1}, value=["4", 6], to="text.value")
    await Execution(compile(first, library), memory=memory, incremental=True).run()
    events: list[Any] = []
    result = await Execution(
        compile(again, library), memory=memory, incremental=True, sink=events.append
    ).run()
    assert result.outputs["b"] == {"text": "6"}
    assert [(e.node, e.why) for e in events if e.kind == "node.started"] == [
        ("b", "input changed (value)")
    ]


@pytest.mark.rule("15.3", "15.6")
async def test_a_live_session_transforms_what_changes() -> None:
    default = {"op": "default", "value": [1, 2]}
    spells = [
        wired(default, {"op": "index", "index": index}, value=None, to="text.value")
        for index in (0, 1)
    ]
    async with LiveSession(spells[0], library) as session:
        assert (await session.settled()).outputs["b"] == {"text": "1"}
        session.replace(spells[1])
        assert (await session.settled()).outputs["b"] == {"text": "2"}
        session.set("a.value", [7, 8])
        assert (await session.settled()).outputs["b"] == {"text": "8"}
        session.set("a.value", 3)
        assert (await session.settled()).errors["b"].code == "transform_failed"
        session.set("a.value", [5, 6])
        assert (await session.settled()).outputs["b"] == {"text": "6"}


@pytest.mark.rule("15.1")
def test_no_transform_takes_for_ever_or_grows_without_bound() -> None:
    again = [{"op": "cast", "to": "list"}, {"op": "cast", "to": "string"}] * 10
    with pytest.raises(TransformError, match="more than 1,000,000 characters"):
        reshape('"' * 2_000, _read(again))
    slow = {"op": "date", "format": "%Y" + " " * 98}
    with pytest.raises(TransformError, match="is no date of the form"):
        reshape("2024" + " " * 5_000 + "x", _read([slow]))
    large = [{"op": "cast", "to": "number"}]
    with pytest.raises(TransformError) as raised:
        reshape([["x" * 1_000_000]] * 1_000, _read(large))
    assert len(raised.value.reason) < 100
