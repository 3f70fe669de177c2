"""Packs that are elsewhere: what is told of them is checked, and a stub is like its type in all but its function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import Field

from spellwork import (
    Context,
    Edge,
    Library,
    Node,
    Pack,
    PackInvalid,
    Spell,
    compile,
    node,
    validate,
)
from spellwork.declaring import pack_declaration
from spellwork.hosting import TARGET
from spellwork.stubs import pack_of


class Parts(TypedDict):
    first: str
    rest: str


@node("far.double", title="Double", category="Numbers", keywords=("twice",), example={"number": 2})
def double(number: Annotated[float, Field(ge=0)]) -> float:
    """Twice the number."""
    return number * 2


@node("far.parts", timeout=5, retries=2, cache="ttl", ttl=60, version=3)
def parts(text: str, at: int = 1) -> Parts:
    """A text in two parts."""
    return {"first": text[:at], "rest": text[at:]}


@node("far.count", many=("lists",), limiter="far", side_effects=True, secrets=("KEY",))
def count(ctx: Context, lists: list[int]) -> Iterator[int]:
    """Numbers, one by one."""
    yield from lists


@node("far.shaped", resolve=lambda _node: double.ports, returns="ports", outputs=double.outputs)
async def shaped(**inputs: Any) -> Any:
    """Has ports that follow from the node."""


FAR = Pack("far", "1.2", "Far away", (double, parts, count, shaped))


def told() -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(json.dumps(pack_declaration(FAR)))
    return answer


def stubs() -> tuple[Pack, dict[str, str]]:
    return pack_of(told(), target=TARGET, pin="sha256:1")


@pytest.mark.rule("20.1")
def test_a_stub_is_described_as_its_type_is() -> None:
    pack, _ = stubs()
    for stub, real in zip(pack.nodes, FAR.nodes, strict=False):
        assert stub.describe() == real.describe() | {"isolation": "worker"}
        kept = ("form", "wants_context", "returns", "ttl", "timeout", "retries", "secrets")
        assert [getattr(stub, name) for name in kept] == [getattr(real, name) for name in kept]
    assert pack.nodes[1].path == "spellwork.hosting:types.far.parts.v3"


@pytest.mark.rule("20.2")
def test_a_type_whose_ports_follow_from_the_node_is_left_out_with_the_reason() -> None:
    pack, left_out = stubs()
    assert [each.id for each in pack.nodes] == ["far.double", "far.parts", "far.count"]
    assert "resolve" in left_out["far.shaped"]


@pytest.mark.rule("20.1")
def test_spells_are_checked_and_compiled_against_stubs() -> None:
    library = Library([]).extended([stubs()[0]], {})
    spell = Spell(
        nodes={"a": Node(type="far.double", inputs={"number": 2}), "b": Node(type="far.parts")},
        edges={"e": Edge(source="a", output="result", target="b", input="text")},
    )
    assert [problem.code for problem in validate(spell, library)] == ["incompatible_types"]
    good = Spell(nodes={"a": Node(type="far.double", inputs={"number": 2})})
    plan = compile(good, library)
    other = Library([]).extended([pack_of(told(), target=TARGET, pin="sha256:2")[0]], {})
    assert plan.recipes != compile(good, other).recipes  # installed from something else


WRONG: dict[str, tuple[Any, str]] = {
    "another pack's type": ({"id": "core.value"}, "does not begin with 'far'"),
    "an id of the wrong form": ({"id": "far.Double"}, "id"),
    "a version that is none": ({"version": 0}, "version"),
    "an unknown field": ({"call": "os:system"}, "call"),
    "an isolation of its own": ({"isolation": "inline"}, "isolation"),
    "too many inputs": (
        {"inputs": [{"name": f"i{n}", "schema": {}} for n in range(101)]},
        "inputs",
    ),
    "two inputs of one name": ({"inputs": [{"name": "a", "schema": {}}] * 2}, "share a name"),
    "a port's name that is none": ({"outputs": [{"name": "__x y", "schema": {}}]}, "name"),
    "a default that is huge": (
        {"inputs": [{"name": "a", "schema": {}, "default": "x" * 20_000}]},
        "over 10,000 bytes",
    ),
    "a ttl without seconds": ({"cache": "ttl"}, "no ttl"),
    "a timeout that is none": ({"timeout": float("inf")}, "timeout"),
}


@pytest.mark.rule("20.3")
@pytest.mark.parametrize("case", WRONG)
def test_what_is_told_of_a_pack_is_not_believed(case: str) -> None:
    change, said = WRONG[case]
    pack = told()
    pack["nodes"][0] |= change
    with pytest.raises(PackInvalid, match=said):
        pack_of(pack, target=TARGET)


@pytest.mark.rule("20.3")
def test_an_endless_schema_says_no_more_than_its_type() -> None:
    pack = told()
    loop = {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    pack["nodes"][0]["inputs"][0]["schema"] = loop
    found, _ = pack_of(pack, target=TARGET)
    assert found.nodes[0].inputs[0].schema == {"type": "object"}


@pytest.mark.rule("20.3")
def test_a_stub_may_not_take_the_place_of_a_type_that_is_here() -> None:
    here = Library([Pack("far", "1", "Here", ())])
    with pytest.raises(PackInvalid, match="a pack 'far' already"):
        here.extended([stubs()[0]], {})
