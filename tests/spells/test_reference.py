"""Any spell with errors, wholes, transforms, pins, mutes, bypasses, bodies: a naive interpreter says what it gives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from spellwork import (
    SKIP,
    Execution,
    Library,
    LiveSession,
    MemoryCache,
    NodeError,
    Pack,
    RunMemory,
    RunResult,
    Spell,
    compile,
    node,
)
from spellwork_core import pack as core
from tests.seeds import examples

from .reference import NOTHING, Failed, Left, Reference, mixed


class Mixed(TypedDict):
    """What a mix gives."""

    a: Any
    b: list[int]


@node("ref.mix", many=("values",))
async def mix(values: list[Any] | None = None, one: Any = 0, own: int = 0) -> Mixed:
    """Mix numbers; fail and bring nothing now and then."""
    try:
        outputs = mixed(values or [], one, own)
    except Failed as failed:
        raise NodeError(str(failed), code=str(failed)) from failed
    return {port: SKIP if value is NOTHING else value for port, value in outputs.items()}  # type: ignore[return-value]


library = Library([Pack(name="ref", version="1", title="Reference", nodes=(mix,)), core])

TRANSFORMS = st.sampled_from(
    [
        [],
        [],
        [],
        [{"op": "default", "value": 4}],
        [{"op": "index", "index": -1}],
        [{"op": "index", "index": 0}, {"op": "default", "value": [7]}],
        [{"op": "cast", "to": "list"}],
        [{"op": "cast", "to": "list"}, {"op": "pick", "path": "[*]"}],
        [{"op": "cast", "to": "integer"}],
        [{"op": "default", "value": 1}, {"op": "cast", "to": "list"}],
    ]
)

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from([None, None, "mute", "bypass"]),
        "pins": st.sampled_from([{}, {}, {"a": 8}, {"b": [1, 2]}, {"a": 9, "b": [5]}]),
    },
)


@st.composite
def drawn(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a spell: mixes that read earlier ones, and now and then a group that is run as a spell."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    groups: dict[str, Any] = {}

    def wire(source: str, output: str, target: str, input: str, transform: Any = ()) -> None:
        edges[f"e{len(edges):03}"] = {
            "source": source,
            "output": output,
            "target": target,
            "input": input,
            "transform": list(transform),
        }

    def source(before: int) -> tuple[str, str, Any]:
        id = f"n{draw(st.integers(0, before - 1))}"
        if nodes[id]["type"] == "core.spell":
            output = draw(st.sampled_from(["y", "y", "error", "all"]))
        else:
            output = draw(st.sampled_from(["a", "a", "b", "b", "error", "all"]))
        transform: Any = draw(TRANSFORMS) if output in "ab" else []
        never: Any = {"op": "cast", "to": "integer"}
        if output == "b" and never in transform:  # refused: it never fits
            transform = []
        return id, output, transform

    for index in range(draw(st.integers(1, 7))):
        id = f"n{index}"
        kind = draw(st.sampled_from(["mix", "mix", "mix", "sub"])) if index else "mix"
        if kind == "mix":
            nodes[id] = {"type": "ref.mix", "settings": draw(SETTINGS)}
            if draw(st.booleans()):
                nodes[id]["inputs"] = {"own": draw(st.integers(0, 10))}
            seen = set()
            for _ in range(draw(st.integers(0, 3)) if index else 0):
                from_, output, transform = source(index)
                if (from_, output) not in seen:
                    wire(from_, output, id, "values", transform)
                    seen.add((from_, output))
            if index and draw(st.booleans()):
                from_, output, transform = source(index)
                wire(from_, output, id, "one", transform)
            continue
        group = f"g{index}"
        groups[group] = {}
        schema: dict[str, Any] = draw(st.sampled_from([{}, {"type": "integer"}]))
        mode: dict[str, Any] = draw(
            st.sampled_from([{}, {}, {}, {"mode": "mute"}, {"pins": {"y": 6}}])
        )
        nodes[id] = {"type": "core.spell", "settings": {"body": {"group": group}, **mode}}
        nodes[f"{group}a"] = {
            "type": "core.input",
            "group": group,
            "inputs": {"name": "x", "schema": schema},
        }
        inner = {"type": "ref.mix", "group": group, "inputs": {"own": draw(st.integers(0, 10))}}
        nodes[f"{group}b"] = inner
        nodes[f"{group}c"] = {"type": "core.output", "group": group, "inputs": {"name": "y"}}
        wire(f"{group}a", "value", f"{group}b", "values")
        if draw(st.booleans()):  # a capture
            from_, output, transform = source(index)
            wire(from_, output, f"{group}b", "one", transform)
        wire(f"{group}b", draw(st.sampled_from(["a", "b", "error", "all"])), f"{group}c", "value")
        choices = [f"n{n}" for n in range(index) if nodes[f"n{n}"]["type"] == "ref.mix"]
        wire(draw(st.sampled_from(choices)), draw(st.sampled_from(["a", "b"])), id, "x")
    return {"nodes": nodes, "edges": edges, "groups": groups}


def left_by(result: RunResult) -> Left:
    """Return what a run left, as the reference says it."""
    outputs = short(result.outputs)
    return Left(
        outputs,
        {node: failure.code for node, failure in result.errors.items()},
        set(result.skipped),
    )


def short(value: Any) -> Any:
    """Return a value with no more of the failures in it than the reference tells."""
    if isinstance(value, dict):
        names = ["code", "attempts"] if "code" in value else list(value)
        return {name: short(value[name]) for name in names}
    return [short(each) for each in value] if isinstance(value, list) else value


def plain(left: Left) -> Any:
    """Return what is compared: nodes without outputs are as good as not there."""
    return {id: ports for id, ports in left.outputs.items() if ports}, left.errors, left.skipped


def expected(spell: Spell) -> Any:
    return plain(Reference(spell).run())


@pytest.mark.rule("4.1", "13.1", "13.14", "14.1", "14.2", "14.3", "15.1", "15.3")
@settings(deadline=None, max_examples=examples(150))
@given(drawn())
def test_a_run_gives_what_a_naive_interpreter_does(parts: dict[str, Any]) -> None:
    spell = Spell.model_validate(parts)
    plan = compile(spell, library)
    quiet = asyncio.run(Execution(plan).run())
    assert plain(left_by(quiet)) == expected(spell)
    events: list[Any] = []
    told = asyncio.run(
        Execution(plan, sink=events.append, memory=RunMemory(), cache=MemoryCache()).run()
    )
    assert plain(left_by(told)) == expected(spell)


@pytest.mark.rule("8.5", "11.1", "11.10")
@settings(deadline=None, max_examples=examples(80))
@given(st.lists(drawn(), min_size=2, max_size=4))
def test_changed_spells_give_the_same_live_incrementally_and_anew(several: list[Any]) -> None:
    spells = [Spell.model_validate(parts) for parts in several]

    async def main() -> None:
        memory, cache = RunMemory(), MemoryCache()
        async with LiveSession(compile(spells[0], library)) as session:
            for spell in spells:
                plan = compile(spell, library)
                session.replace(plan)
                assert plain(left_by(await session.settled())) == expected(spell), "live"
                again = await Execution(plan, memory=memory, incremental=True).run()
                assert plain(left_by(again)) == expected(spell), "incremental"
                cached = await Execution(plan, cache=cache).run()
                assert plain(left_by(cached)) == expected(spell), "cached"

    asyncio.run(main())
