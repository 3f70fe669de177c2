"""Large values as JSON: in pieces as in one, and nobody is held up."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import (
    Event,
    Execution,
    Library,
    Limits,
    OutputTooDeep,
    Pack,
    Plan,
    RunMemory,
    compile,
    node,
)
from spellwork import encoding as encoding_module
from spellwork.encoding import Encodings, encode_in_pieces, is_large
from spellwork.values import hash_bytes, json_bytes, plain_bytes
from spellwork_core import pack as core
from tests.seeds import examples
from tests.spells import nested
from tests.spells.drawing import plan_of, run_plan

pytestmark = pytest.mark.anyio

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=30)
    | st.just("\ud800")
    | st.binary(max_size=5)
    | st.dates(date(2000, 1, 1), date(2001, 1, 1)),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 5), inner, max_size=5)
    ),
    max_leaves=40,
)


@pytest.mark.rule("14.14")
@settings(max_examples=examples(200), deadline=None)
@given(ANY, st.integers(1, 12))
def test_json_in_pieces_is_that_in_one(value: Any, large: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "LARGE", large)
        found = encode_in_pieces(value)
    plain = plain_bytes(value)
    whole = json_bytes(value) if plain is None else plain
    assert found.body == whole
    assert found.hash == hash_bytes(whole)
    if found.plain:  # it may be stricter, never laxer
        assert plain is not None
    assert msgspec.json.encode(found.form) == whole


@pytest.mark.rule("14.14")
def test_what_is_large_is_told_at_once() -> None:
    assert is_large(list(range(100_000)))
    assert is_large({"a": [{"b": "x" * 200_000}]})
    assert is_large([[]] * 100_000)
    assert not is_large([1, 2, {"a": "text"}])
    began = time.process_time()
    for _ in range(100):
        is_large([[[1]] * 50_000] * 50)
    assert time.process_time() - began < 2


@pytest.mark.rule("14.14", "5.5")
def test_deep_values_are_refused_wherever_the_depth_is() -> None:
    deep: Any = [1]
    for _ in range(250):
        deep = [deep]
    for value in (deep, [0] * 20_000 + [deep], {"a": ["x" * 200_000, deep]}):
        with pytest.raises(OutputTooDeep):
            encode_in_pieces(value)


@pytest.mark.rule("14.14")
async def test_the_loop_goes_on_while_millions_of_tiny_lists_are_encoded() -> None:
    value = [[1] for _ in range(1_000_000)]
    gc.collect()
    longest = 0.0
    over = asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        while not over.is_set():
            began = time.process_time()  # of this process: another one's work holds up nobody here
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - began)

    gc.disable()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            encoded = await Encodings().make(value)
            over.set()
    finally:
        gc.enable()
    assert encoded.size == 4_000_001
    assert longest < 0.75


@pytest.mark.rule("14.14")
async def test_the_json_of_an_object_is_made_once_and_not_taken_for_that_of_another() -> None:
    encodings = Encodings()
    value = list(range(50_000))
    first = await encodings.make(value)
    assert encodings.of(value) is first is await encodings.make(value)
    assert encodings.of(list(value)) is None
    encodings.clear()
    assert encodings.of(value) is None


SHARED: list[Any] = []


@node("e.make", output="value")
async def make(value: Any = None) -> Any:
    """Give a list that another node changes."""
    return [value]


@node("e.grow", output="value")
async def grow(value: Any) -> Any:
    """Change what it was given, and give it."""
    value.append("grown")
    return value


@node("e.long", output="value")
async def long(after: Any = None) -> Any:
    """Give a shared list that is too large."""
    SHARED[:] = ["x" * 3_000]
    return SHARED


@node("e.cut", output="value")
async def cut(after: Any = None) -> Any:
    """Give it once it is small."""
    SHARED[:] = ["ok"]
    return SHARED


CHANGING = Library([core, Pack("e", "1", "E", (make, grow, long, cut))])


def changing(nodes: dict[str, Any], *wires: str) -> Plan:
    drawn = nested.draw(nodes, *wires)
    return compile(drawn, CHANGING)


@pytest.mark.rule("14.14")
@pytest.mark.parametrize("count", [3, 200])
async def test_json_of_small_values_is_that_of_the_moment_at_which_they_are_told(
    count: int,
) -> None:
    encodings = Encodings()
    inside = nested.in_group("g")
    plan = changing(
        {
            "m": (
                "core.map",
                {"items": list(range(count)), "input": "item"},
                {"settings": {"body": {"group": "g"}}},
            ),
            "in": ("core.input", {"name": "item"}, inside),
            "a": ("e.make", {}, inside),
            "b": ("e.grow", {}, inside),
            "x": ("e.make", {"value": 1}),
            "y": "e.grow",
        },
        "in.value -> a.value",
        "a.value -> b.value",
        "x.value -> y.value",
    )
    told: list[str] = []

    def see(event: Event) -> None:
        for value in (event.outputs or {}).values():
            known = encodings.of(value)
            if known is not None:
                told.append(event.kind)
                assert json.loads(known.body) == value, event.node

    async def barrier() -> None:
        pass

    result = await Execution(
        plan,
        sink=see,
        memory=RunMemory(),
        barrier=barrier,
        encodings=encodings,
        limits=Limits(output_bytes=10**6),
    ).run()
    assert result.errors == {}
    assert result.outputs["y"] == {"value": [1, "grown"]}
    assert told, "nothing that was told had its JSON at hand"


@pytest.mark.rule("14.14")
async def test_a_value_that_was_too_large_may_be_small_when_it_is_given_again() -> None:
    plan = changing({"a": "e.long", "b": "e.cut"})
    result = await Execution(
        plan, sink=lambda _: None, memory=RunMemory(), limits=Limits(output_bytes=2_000)
    ).run()
    assert [*result.errors] == ["a"]
    assert result.outputs["b"] == {"value": ["ok"]}


@pytest.mark.rule("14.14", "5.5", "8.5")
@pytest.mark.parametrize("factor", [100, 100_000])
async def test_outputs_of_all_sizes_are_measured_and_remembered_alike(factor: int) -> None:
    memory = RunMemory()
    plan = plan_of({"a": ("value", {"value": [1.5] * factor}), "b": "text"}, "a.value -> b.value")
    size = 4 * factor + 1
    result, _ = await run_plan(plan, memory=memory, limits=Limits(output_bytes=size))
    assert memory.nodes["a"].hashes == {"value": hash_bytes(json_bytes([1.5] * factor))}
    assert result.outputs["a"] == {"value": [1.5] * factor}
    result, _ = await run_plan(plan, limits=Limits(output_bytes=size - 1))
    failure = result.errors["a"]
    assert (failure.code, failure.port) == ("output_too_large", "value")
    assert failure.details == {"size": size, "limit": size - 1}
