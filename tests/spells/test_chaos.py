"""Streams, threads, nested runs and limits together, steered at random: all ends soon, and nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork import (
    Context,
    Execution,
    Library,
    Limiters,
    LimitRules,
    Limits,
    LiveSession,
    MemoryCache,
    Pack,
    Plan,
    RunMemory,
    Spell,
    compile,
    node,
)
from spellwork.spell import NodeLimits
from spellwork_core import pack as core
from tests.seeds import examples


@node("c.count", output="items", cache="none")
async def count(many: int = 40) -> AsyncIterator[int]:
    """Stream numbers."""
    for number in range(many):
        if number % 8 == 0:
            await asyncio.sleep(0)
        yield number


@node("c.threaded", output="items", cache="none")
def threaded(ctx: Context, many: int = 40) -> Iterator[int]:
    """Do that in a thread."""
    for number in range(many):
        ctx.check_cancelled()
        yield number


@node("c.relay", output="items", cache="none")
async def relay(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Pass on what comes."""
    async for item in items:
        yield item


@node("c.relay_threaded", output="items", cache="none")
def relay_threaded(items: Iterator[Any]) -> Iterator[Any]:
    """Do that in a thread."""
    yield from items


@node("c.mix", output="value", many=("values",), limiter="mixer")
async def mix(values: list[Any] | None = None, turns: int = 2) -> int:
    """Count what came, after some turns."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return sum(len(value) if isinstance(value, list) else 1 for value in values or [])


@node("c.endless", output="items", cache="none")
async def endless() -> AsyncIterator[int]:
    """Stream until somebody ends it."""
    number = 0
    while True:
        number += 1
        yield number
        await asyncio.sleep(0)


library = Library(
    [
        Pack(
            name="c",
            version="1",
            title="C",
            nodes=(count, threaded, relay, relay_threaded, mix, endless),
        ),
        core,
    ]
)

RULES = LimitRules(
    server=NodeLimits(concurrency=3), providers={"mixer": NodeLimits(concurrency=1, delay=0.001)}
)

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["turns", "turns", "pause", "play", "step", "sleep"]), st.integers(0, 9)
    ),
    max_size=8,
)


SOURCES = ["c.count", "c.count", "c.threaded", "c.mix", "c.endless"]
FROM_STREAMS = [
    *SOURCES,
    "c.mix",
    "c.mix",
    "core.map",
    "core.map",
    *["c.relay", "c.relay_threaded"] * 2,
]


@st.composite
def spells(draw: st.DrawFn) -> Spell:
    """Draw streams, mixes, and groups that run what came once or for each item."""
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    groups: dict[str, Any] = {}

    def wire(source: str, output: str, target: str, input: str) -> None:
        names = ("source", "output", "target", "input")
        edges[f"e{len(edges):03}"] = dict(zip(names, (source, output, target, input), strict=True))

    for index in range(draw(st.integers(1, 8))):
        id = f"n{index}"
        everything = [each for each in nodes if each[0] == "n"]
        streams = [each for each in everything if nodes[each]["type"] != "c.mix"]
        kind = draw(st.sampled_from(FROM_STREAMS if streams else SOURCES))
        nodes[id] = {"type": kind}
        if draw(st.booleans()):
            limits = draw(
                st.sampled_from([{"concurrency": 1}, {"delay": 0.001}, {"spacing": 0.001}])
            )
            nodes[id]["settings"] = {"limits": limits}
        if kind in ("c.relay", "c.relay_threaded"):
            wire(draw(st.sampled_from(streams)), "items", id, "items")
        elif kind == "c.mix" and everything:
            for source in draw(st.lists(st.sampled_from(everything), max_size=3, unique=True)):
                wire(source, "value" if nodes[source]["type"] == "c.mix" else "items", id, "values")
        elif kind == "core.map":
            group = f"g{index}"
            groups[group] = {}
            nodes[id].setdefault("settings", {})["body"] = {"group": group}
            nodes[f"{group}i"] = {"type": "core.input", "group": group, "inputs": {"name": "item"}}
            nodes[f"{group}m"] = {"type": "c.mix", "group": group}
            wire(f"{group}i", "value", f"{group}m", "values")
            wire(draw(st.sampled_from(streams)), "items", id, "items")
    return Spell.model_validate({"nodes": nodes, "edges": edges, "groups": groups})


async def steer(steered: Any, actions: list[tuple[str, int]]) -> None:
    """Do what is drawn to a run or session."""
    for what, number in actions:
        if what == "turns":
            for _ in range(number):
                await asyncio.sleep(0)
        elif what == "sleep":
            await asyncio.sleep(number / 1000)
        else:
            getattr(steered, what)()


async def nothing_left(limiters: Limiters, before: set[Any]) -> None:
    """Check that no task is left, and no place at any gate.

    What a thread hands over on its way out comes to nothing in a turn or two;
    the clocks of rate limits end by themselves.
    """

    def left() -> list[Any]:
        return [
            task for task in asyncio.all_tasks() - before if "expire" not in repr(task.get_coro())
        ]

    end = time.monotonic() + 20
    while left() and time.monotonic() < end:
        await asyncio.sleep(0)
    assert left() == []
    assert [gate for gate in limiters._gates.values() if gate.in_use] == []


@pytest.mark.rule("6.1", "12.6", "13.14", "14.11")
@settings(deadline=None, max_examples=examples(60))
@given(spells(), ACTIONS, st.sampled_from([None, 1, 3]), st.booleans())
def test_whatever_is_done_to_a_run_it_ends_soon_after_its_cancel(
    spell: Spell, actions: list[tuple[str, int]], concurrency: int | None, remembers: bool
) -> None:
    plan = compile(spell, library)

    async def main() -> None:
        limiters, before = Limiters(RULES), asyncio.all_tasks()
        kept: dict[str, Any] = {"memory": RunMemory(), "cache": MemoryCache()} if remembers else {}
        events: list[Any] = []
        execution = Execution(
            plan,
            sink=events.append,
            limiters=limiters,
            limits=Limits(concurrency=concurrency),
            **kept,
        )
        async with asyncio.TaskGroup() as tasks:
            going = tasks.create_task(execution.run())
            await steer(execution, actions)
            execution.cancel()
            begun = time.monotonic()
            await asyncio.wait_for(asyncio.shield(going), 60)
        assert time.monotonic() - begun < 20
        assert going.result().status in ("cancelled", "completed")
        await nothing_left(limiters, before)

    asyncio.run(main())
    threads_end()


@pytest.mark.rule("11.7", "11.8", "12.6", "14.11")
@settings(deadline=None, max_examples=examples(50))
@given(st.lists(st.tuples(spells(), ACTIONS), min_size=1, max_size=3), st.booleans())
def test_whatever_is_done_to_a_session_nothing_is_left_when_it_is_closed(
    several: list[tuple[Spell, list[tuple[str, int]]]], remembers: bool
) -> None:
    plans: list[tuple[Plan, Any]] = [(compile(spell, library), acts) for spell, acts in several]

    async def main() -> None:
        limiters, before = Limiters(RULES), asyncio.all_tasks()
        events: list[Any] = []
        options: dict[str, Any] = {"memory": RunMemory()} if remembers else {}
        session = LiveSession(plans[0][0], sink=events.append, limiters=limiters, **options)
        for plan, acts in plans:
            session.replace(plan)
            await steer(session, acts)
            session.rerun(plan.steps[0].id)
            await steer(session, acts[:2])
        begun = time.monotonic()
        await asyncio.wait_for(session.close(), 60)
        assert time.monotonic() - begun < 20
        await nothing_left(limiters, before)

    asyncio.run(main())
    threads_end()


def threads_end() -> None:
    """Wait for the threads of nodes, which end by themselves once they are cancelled."""
    for thread in threading.enumerate():
        if thread.name.startswith("spellwork-node"):
            thread.join(60)
            assert not thread.is_alive()
