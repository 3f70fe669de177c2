"""For any graph, any changes and any order of completion: what a fresh run gives, each node once, nothing left."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spellwork import (
    SKIP,
    Context,
    Event,
    Execution,
    Library,
    Limits,
    LiveSession,
    Pack,
    Plan,
    RunMemory,
    Spell,
    compile,
    node,
)
from tests.seeds import examples

calls: list[str] = []


@node("p.mix", output="value", many=("values",))
async def mix(ctx: Context, values: list[int] | None = None, own: int = 0, turns: int = 0) -> Any:
    """Mix small numbers, so that outputs are often equal; fail and skip now and then."""
    calls.append(ctx.node_id)
    for _ in range(turns):
        await asyncio.sleep(0)
    mixed = (sum(values or []) + own) % 5
    if own == 7:
        raise ValueError("seven")
    return SKIP if own == 8 else mixed


@node("p.plain", output="value", many=("values",))
async def plain(values: list[int] | None = None, own: int = 0) -> int:
    """Mix, and never suspend."""
    return (sum(values or []) + own) % 5


library = Library([Pack(name="p", version="1", title="P", nodes=(mix, plain))])

Row = tuple[list[int], str, int]
"""The nodes before that one reads, its type, and how many turns it takes."""

Change = tuple[str, int, int]
"""What is done: (kind, number of a node, a value)."""


@st.composite
def graphs(draw: st.DrawFn) -> list[Row]:
    size = draw(st.integers(1, 10))
    return [
        (
            draw(st.lists(st.integers(0, index - 1), max_size=3, unique=True)) if index else [],
            draw(st.sampled_from(["mix", "mix", "plain"])),
            draw(st.integers(0, 4)),
        )
        for index in range(size)
    ]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "replace", "wire", "turns", "settle", "cancel", "pause"]),
        st.integers(0, 9),
        st.integers(0, 8),
    ),
    max_size=12,
)


SKIPPED_THEN_CHANGED: list[Row] = [*[([], "mix", 0)] * 5, ([0], "mix", 0), ([5], "mix", 0)]
"""What is skipped, and then changed itself, still lacks its input."""


def plan_of(rows: list[Row], own: dict[int, int]) -> Plan:
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for index, (sources, type, turns) in enumerate(rows):
        inputs = {"own": own.get(index, 0)} | ({"turns": turns} if type == "mix" else {})
        nodes[f"n{index}"] = {"type": f"p.{type}", "inputs": inputs}
        for source in sources:
            edges[f"e{source}-{index}"] = {
                "source": f"n{source}",
                "output": "value",
                "target": f"n{index}",
                "input": "values",
            }
    return compile(Spell.model_validate({"nodes": nodes, "edges": edges}), library)


async def fresh(rows: list[Row], own: dict[int, int]) -> Any:
    result = await Execution(plan_of(rows, own)).run()
    return result.outputs, set(result.errors), set(result.skipped)


class Values:
    """What is typed in, and what was set over it: that stays until something else is typed in there."""

    def __init__(self) -> None:
        self.typed: dict[int, int] = {}
        self._set: dict[int, tuple[int, int]] = {}

    def set(self, index: int, value: int) -> None:
        if value != self.now().get(index, 0):
            over = self._set.get(index, (0, self.typed.get(index, 0)))[1]
            self._set[index] = value, over

    def type(self, index: int, value: int) -> None:
        self.typed[index] = value

    def replaced(self) -> None:
        """Take it that the session has gone on to what is typed in now."""
        for index, (_, over) in list(self._set.items()):
            if over != self.typed.get(index, 0):
                del self._set[index]

    def now(self) -> dict[int, int]:
        return self.typed | {index: value for index, (value, _) in self._set.items()}


async def drive(rows: list[Row], changes: list[Change], session: LiveSession) -> None:
    """Do the changes to a session, and check it whenever it is settled."""
    size, own = len(rows), Values()
    for kind, number, value in changes:
        index = number % size
        if kind == "set":
            own.replaced()  # to set a value goes on to the next plan first
            own.set(index, value)
            session.set(f"n{index}.own", value)
        elif kind == "replace":
            own.type(index, value)
            session.replace(plan_of(rows, own.typed))
        elif kind == "wire" and index:
            sources, type, turns = rows[index]
            toggled = set(sources) ^ {value % index}
            rows[index] = (sorted(toggled), type, turns)
            session.replace(plan_of(rows, own.typed))
        elif kind == "cancel":
            session.cancel()
        elif kind == "pause":
            session.pause()
            session.step()
            await asyncio.sleep(0)
            own.replaced()
            session.play()
        elif kind == "turns":
            for _ in range(value):
                await asyncio.sleep(0)
                own.replaced()
        elif kind == "settle":
            await check(rows, session, own)
    await check(rows, session, own)


async def check(rows: list[Row], session: LiveSession, own: Values) -> None:
    own.replaced()
    session.rerun("n0")  # a change, after a cancel
    result = await asyncio.wait_for(session.settled(), 60)
    outputs, errors, skipped = await fresh(rows, own.now())
    assert result.outputs == outputs
    assert set(result.errors) == errors
    assert set(result.skipped) == skipped
    assert session.is_settled


@pytest.mark.rule("11.1", "11.2", "11.4")
@settings(deadline=None, max_examples=examples(120))
@example(SKIPPED_THEN_CHANGED, [("set", 0, 7), ("turns", 0, 1), ("set", 6, 1)], "quiet", None)
@given(
    graphs(), CHANGES, st.sampled_from(["quiet", "told", "memory"]), st.sampled_from([None, 1, 2])
)
def test_after_any_changes_a_session_holds_what_a_fresh_run_gives(
    rows: list[Row], changes: list[Change], way: str, concurrency: int | None
) -> None:
    events: list[Event] = []

    async def main() -> set[Any]:
        options: dict[str, Any] = {"limits": Limits(concurrency=concurrency)}
        if way != "quiet":
            options["sink"] = events.append
        if way == "memory":
            options["memory"] = RunMemory()
        async with LiveSession(plan_of(rows, {}), **options) as session:
            await drive(list(rows), changes, session)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()
    for settle in settles(events):
        ended = Counter(
            event.node
            for event in settle
            if event.kind in ("node.done", "node.failed", "node.skipped")
        )
        assert max(ended.values(), default=0) <= 1


def settles(events: list[Event]) -> list[list[Event]]:
    """Return the events of each settle; each is told from its start to its end."""
    found: list[list[Event]] = []
    for event in events:
        if event.kind == "run.started":
            found.append([])
        found[-1].append(event)
    for each in found:
        assert each[-1].kind in ("run.completed", "run.cancelled")
        assert sum(event.kind.startswith("run.") for event in each) == 2
    return found


@pytest.mark.rule("11.1")
@settings(deadline=None, max_examples=examples(80))
@given(graphs(), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=4))
def test_one_change_runs_no_node_twice_and_none_that_does_not_depend_on_it(
    rows: list[Row], changes: list[tuple[int, int]]
) -> None:
    async def main() -> None:
        async with LiveSession(plan_of(rows, {})) as session:
            await session.settled()
            for number, value in changes:
                index = number % len(rows)
                calls.clear()
                session.set(f"n{index}.own", value)
                await session.settled()
                assert max(Counter(calls).values(), default=0) <= 1
                assert {int(each[1:]) for each in calls} <= downstream(rows, index)

    asyncio.run(main())


def downstream(rows: list[Row], start: int) -> set[int]:
    found = {start}
    for index, (sources, _, _) in enumerate(rows):
        if found & set(sources):
            found.add(index)
    return found
