"""Measure the engine and print a table with ratios.

    python -m benchmarks.engine

All engines run in turns within one process and on uvloop, as the server does
(Observable in Node), with the same graphs; ours and limit-inline call the same
node functions. Results are checked after every engine's runs. Figures are lower
quartiles of warm runs, for every engine alike: what else the machine does only
ever adds. A peer that is not installed is named and left out; ends with status
1 when a target is missed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.report import Figure, print_figures
from spellwork import Event, Execution, Plan, Spell, compile

from . import streaming
from .building import measure_building
from .changes import measure_all
from .graphs import GRAPHS, SIZE, Graph, as_spell, expected, layered, name
from .limit_inline import LimitInline
from .nodes import add, library, wait
from .observed import missing, observe
from .peers import PEERS
from .settled import settled

TURNS = 4
"""How often it is the turn of ours and limit-inline, and then that of Observable: the machine's pace changes."""

ROUNDS = 25
"""Warm runs of ours and limit-inline on each graph, in each turn."""

WAITS = 6
"""Runs of nodes that wait, in each turn."""

PEER_ROUNDS = 3

Runner = Callable[[], Awaitable[list[Any]]]


async def timed(run: Callable[[], Awaitable[Any]]) -> float:
    """Return the milliseconds that one run takes."""
    began = time.perf_counter()
    await run()
    return (time.perf_counter() - began) * 1_000


def ours(plan: Plan) -> Runner:
    """Return a run with results kept and no sink; the check reads them by name."""

    async def run() -> Any:
        return await Execution(plan).run()

    return run


def ours_told(plan: Plan) -> Runner:
    """Return a run whose events go to a sink."""

    async def run() -> Any:
        events: list[Event] = []
        return await Execution(plan, sink=events.append).run()

    return run


async def check_ours(plan: Plan, want: list[int]) -> None:
    """Check both kinds of run: right results, and each node done once."""
    events: list[Event] = []
    for result in (await Execution(plan).run(), await Execution(plan, sink=events.append).run()):
        got = [result.outputs[name(index)]["value"] for index in range(len(want))]
        assert got == want, "our results are wrong"
    done = [event.node for event in events if event.kind == "node.done"]
    assert len(done) == len(set(done)) == len(want), "a node did not run exactly once"


async def our_runs(graph: Graph) -> dict[str, Runner]:
    """Return runs of ours and limit-inline, their results checked."""
    want = expected(graph)
    plan = compile(Spell.model_validate_json(as_spell(graph)), library)
    await check_ours(plan, want)
    limit = LimitInline(add.call, graph)
    assert await limit.run() == want, "the results of limit-inline are wrong"
    return {
        "limit-inline": limit.run,
        "spellwork": ours(plan),
        "spellwork, with a sink": ours_told(plan),
    }


async def in_turns(
    runs: dict[str, Runner], rounds: int, observable: Callable[[], list[float]] | None
) -> dict[str, float]:
    """Return milliseconds of these runs, one after the other, and of Observable's, whenever ``rounds`` of them are over."""
    times: dict[str, list[float]] = {each: [] for each in runs}
    for _ in range(TURNS):
        for _ in range(rounds):
            for each, run in runs.items():
                times[each].append(await timed(run))
        if observable is not None:
            times.setdefault("observable", []).extend(observable())
    return {each: settled(taken) for each, taken in times.items()}


async def measure_peer(make: Callable[[Graph], Runner], graph: Graph) -> tuple[float, float]:
    """Return (build, warm run) of a peer in milliseconds, its results checked."""
    began = time.perf_counter()
    run = make(graph)
    build = (time.perf_counter() - began) * 1_000
    assert await run() == expected(graph), "the results are wrong"
    times = [await timed(run) for _ in range(PEER_ROUNDS)]
    gc.collect()
    return build, settled(times)


def observing(graph: Graph, builds: list[float]) -> Callable[[], list[float]]:
    """Return what measures warm runs of Observable's runtime, and puts the time of each build into ``builds``."""
    want = expected(graph)

    def measure() -> list[float]:
        body = observe(graph)
        assert body["results"] == want, "the results of Observable are wrong"
        builds.append(body["build"])
        runs: list[float] = body["runs"]
        return runs

    return measure


async def measure_waits() -> dict[str, float]:
    """Return the milliseconds that 100 waits of 10 ms take, side by side: ours, bare tasks, and Observable.

    Bare tasks are the limit: asyncio's own timers decide most of it.
    """
    nodes = {name(index): {"type": wait.id, "inputs": {"seconds": 0.01}} for index in range(100)}
    plan = compile(Spell.model_validate({"nodes": nodes}), library)

    async def bare() -> list[Any]:
        return await asyncio.gather(*(wait.call(0.01) for _ in range(100)))

    def observable() -> list[float]:
        runs: list[float] = observe({"waits": 100, "ms": 10}, 2 * WAITS)["runs"]
        return runs

    runs: dict[str, Runner] = {"spellwork": ours(plan), "limit-inline": bare}
    return await in_turns(runs, WAITS, observable if missing() is None else None)


def forget_what_others_left() -> None:
    """Keep the collector from walking, while one engine is measured, what the others imported and left."""
    gc.collect()
    gc.freeze()


async def measure_graph(graph: Graph) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Return (runs, the builds of the others, what was left out) of every engine on one graph."""
    forget_what_others_left()
    builds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    if reason := missing():
        left_out["observable"] = reason
        runs = await in_turns(await our_runs(graph), ROUNDS, None)
    else:
        built: list[float] = []
        runs = await in_turns(await our_runs(graph), ROUNDS, observing(graph, built))
        builds["observable"] = settled(built)
    for peer, make in PEERS.items():
        try:
            builds[peer], runs[peer] = await measure_peer(make, graph)
        except ImportError as error:
            left_out[peer] = f"not installed: {error}"
        except Exception as error:  # noqa: BLE001 - a peer that cannot do a graph is no failure of ours
            left_out[peer] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    return runs, builds, left_out


def measure_memory() -> dict[str, float]:
    """Return the megabytes of processes over one that imports nothing: with the engine, and with 10,000 nodes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "graph.json"
        path.write_text(as_spell(layered(10 * SIZE)), encoding="utf-8")
        taken = {
            stage: min(_peak(stage, path) for _ in range(3)) for stage in ("bare", "imports", "run")
        }
    return {stage: (size - taken["bare"]) / 1e6 for stage, size in taken.items()}


def _peak(stage: str, path: Path) -> int:
    script = Path(__file__).with_name("footprint.py")
    command = [sys.executable, *([] if stage != "bare" else ["-S", "-E"]), str(script)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, stage, str(path)], check=True, capture_output=True, env=environment
    )
    return int(done.stdout)


def print_table(title: str, rows: dict[str, dict[str, float]], base: str) -> None:
    """Print milliseconds by engine and graph, with the ratio to ``base``."""
    print(f"\n{title}")
    print(f"  {'':<24}" + "".join(f"{graph:>20}" for graph in rows))
    for engine in dict.fromkeys(each for row in rows.values() for each in row):
        cells = []
        for row in rows.values():
            value, unit = row.get(engine), row.get(base)
            cells.append(
                "-"
                if value is None
                else f"{value:,.2f}" + (f" ({value / unit:,.2f}x)" if unit else "")
            )
        print(f"  {engine:<24}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


async def main() -> int:
    """Measure, print, and return 1 when a target was missed."""
    runs: dict[str, dict[str, float]] = {}
    builds: dict[str, dict[str, float]] = {}
    built = measure_building()
    for graph, make in GRAPHS.items():
        runs[graph], others, left_out = await measure_graph(make())
        builds[graph] = {"spellwork": built["builds"][graph]} | others
        for peer, reason in left_out.items():
            print(f"  {peer} is left out on {graph}: {reason}")
    changes, figures = await measure_all()
    waits = await measure_waits()
    print_table(f"Warm run of {SIZE:,} nodes, ms (times limit-inline)", runs, "limit-inline")
    print_table("A change of one source, ms (times limit-inline)", changes, "limit-inline")
    print_table(
        "From JSON (or the peer's own calls) to ready, ms (times ours)", builds, "spellwork"
    )
    for graph, row in runs.items():
        ratio = row["spellwork"] / row["limit-inline"]
        figures.append(Figure(f"{graph}: times limit-inline", ratio, "x", most=1.5))
        each = row["spellwork, with a sink"] * 1_000 / SIZE
        figures.append(Figure(f"{graph}: a node, events to a sink", each, "us", most=5))
        if "observable" in row:
            ratio = row["spellwork"] / row["observable"]
            figures.append(Figure(f"{graph}: times Observable", ratio, "x", most=1))
        figures.append(
            Figure(f"{graph}: from JSON to plan", builds[graph]["spellwork"], "ms", most=15)
        )
    figures.append(Figure("100 waits of 10 ms", waits["spellwork"], "ms", most=15))
    for peer, most in (("limit-inline", 1.1), ("observable", 1)):
        if peer in waits:
            ratio = waits["spellwork"] / waits[peer]
            figures.append(Figure(f"100 waits of 10 ms: times {peer}", ratio, "x", most=most))
    figures += streaming.figures(await streaming.measure())
    for what, ratio in built["growth"].items():
        figures.append(Figure(f"10,000 nodes, {what}: times 1,000", ratio, "x", most=12))
    if sys.platform == "linux":
        memory = measure_memory()
        figures.append(
            Figure("the engine's imports: over a bare interpreter", memory["imports"], "MB")
        )
        figures.append(
            Figure(
                "10,000 nodes, built and run: over that", memory["run"] - memory["imports"], "MB"
            )
        )
        figures.append(
            Figure(
                "10,000 nodes, built and run: over a bare interpreter", memory["run"], "MB", most=60
            )
        )
    return 0 if print_figures("Targets", figures) else 1


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
