"""Changes: one source of a graph that was run gets another value, again and again."""

from __future__ import annotations

import time

from benchmarks.report import Figure
from spellwork import LiveSession, Spell, compile

from .graphs import CHANGES, Graph, as_spell, expected, name, reached, root_of
from .limit_inline import LimitInline
from .nodes import add, library
from .observed import missing, observe
from .settled import settled

ROUNDS = 300


async def measure_changes(graph: Graph) -> dict[str, float]:
    """Return milliseconds of a change, ours and limit-inline taking turns, and Observable's."""
    root = root_of(graph)
    plan = compile(Spell.model_validate_json(as_spell(graph)), library)
    limit = LimitInline(add.call, graph)
    await limit.run()
    times: dict[str, list[float]] = {"limit-inline": [], "spellwork": []}
    async with LiveSession(plan) as session:
        await session.settled()
        key = f"{name(root)}.values"
        for value in range(1, ROUNDS + 1):
            began = time.perf_counter()
            session.set(key, [value])
            await session.settled()
            between = time.perf_counter()
            await limit.change(root, [value])
            times["spellwork"].append((between - began) * 1_000)
            times["limit-inline"].append((time.perf_counter() - between) * 1_000)
        want = expected(graph, {root: ROUNDS})
        assert limit.results == want, "the results of limit-inline are wrong"
        got = [session.value(name(index)) for index in range(len(graph))]
        assert got == want, "our results are wrong"
    found = {engine: settled(taken) for engine, taken in times.items()}
    if missing() is None:
        body = observe(graph, root=root)
        assert body["results"] == expected(graph, {root: 60}), "the results of Observable are wrong"
        found["observable"] = settled(body["runs"])
    return found


async def measure_all() -> tuple[dict[str, dict[str, float]], list[Figure]]:
    """Return milliseconds by graph and engine, and the figures that have targets."""
    rows, figures = {}, []
    for graph, make in CHANGES.items():
        made = make()
        rows[graph] = row = await measure_changes(made)
        count = len(reached(made, root_of(made)))
        ratio = row["spellwork"] / row["limit-inline"]
        figures.append(Figure(f"{graph}, {count} nodes: times limit-inline", ratio, "x", most=1.5))
        if "observable" in row:
            ratio = row["spellwork"] / row["observable"]
            figures.append(Figure(f"{graph}: times Observable", ratio, "x", most=1))
    return rows, figures
