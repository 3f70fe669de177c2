"""An input may have choices that follow from the node's other inputs."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork import Library, Node, NodeTypeInvalid, Pack, node, validate
from spellwork.choosing import choices_of
from tests.spells.drawing import draw

CITIES = {"at": ["Graz", "Wien"], "de": ["Bonn"]}


def cities(of: Node) -> list[str]:
    """Give the cities of the country that is typed in; a country that is none raises."""
    return CITIES[str(of.inputs.get("country", "at"))] if of.inputs.get("country") != "any" else []


@node("c.city", choices={"city": cities, "also": cities})
async def city(country: str = "at", city: str = "", also: list[str] | None = None) -> str:
    """Give the city."""
    return city


library = Library([Pack(name="c", version="1", title="C", nodes=(city,))])


def problems(**inputs: Any) -> list[Any]:
    spell = draw({"a": {"type": "x", "inputs": inputs}}).to_json()
    spell["nodes"]["a"]["type"] = "c.city"
    found = validate(type(draw({})).model_validate(spell), library)
    return [(each.code, each.port, each.severity, each.details.get("allowed")) for each in found]


@pytest.mark.rule("15.9")
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, ["Graz", "Wien"]),
        ({"country": "de"}, ["Bonn"]),
        ({"country": "any"}, []),
        ({"country": "unknown"}, []),
        ({"country": ["de"]}, []),
    ],
)
def test_choices_follow_the_other_inputs(inputs: dict[str, Any], expected: list[str]) -> None:
    port = city.ports.input("city")
    assert port is not None
    assert port.choices == "city"
    assert choices_of(city, Node(type="c.city", inputs=inputs), port) == expected


@pytest.mark.rule("15.10")
def test_a_value_that_is_no_longer_a_choice_is_a_warning() -> None:
    assert problems(country="at", city="Graz") == []
    assert problems(country="de", city="Graz") == [("not_a_choice", "city", "warning", ["Bonn"])]
    assert problems(country="de", also=["Bonn", "Wien"]) == [
        ("not_a_choice", "also", "warning", ["Bonn"])
    ]


@pytest.mark.rule("15.10")
@pytest.mark.parametrize(
    "inputs", [{"country": "any", "city": "X"}, {"country": "?", "city": "X"}, {"city": ""}]
)
def test_where_the_choices_are_not_known_anything_may_do(inputs: dict[str, Any]) -> None:
    assert problems(**inputs) == []


@pytest.mark.rule("15.9")
@pytest.mark.parametrize("what", ["choices", "triggers"])
def test_choices_and_triggers_name_inputs(what: str) -> None:
    marks: dict[str, Any] = {what: {"none": cities} if what == "choices" else ("none",)}
    with pytest.raises(NodeTypeInvalid, match="which are not inputs"):

        @node("c.wrong", **marks)
        async def wrong(x: int = 0) -> int:
            """Be wrong."""
            return x


@pytest.mark.rule("15.13")
def test_a_trigger_needs_a_default() -> None:
    with pytest.raises(NodeTypeInvalid, match="the trigger 'when' needs a default"):

        @node("c.wrong", triggers=("when",))
        async def wrong(when: Any) -> int:
            """Be wrong."""
            return 1
