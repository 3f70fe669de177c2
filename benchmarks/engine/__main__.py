"""Measure the engine and print a table with ratios.

    python -m benchmarks.engine

All engines run in turns within one process (Observable in Node), with the same
graphs; ours and limit-inline call the same node functions. Results are checked
after every engine's runs. Figures are lower quartiles of warm runs, for every
engine alike: what else the machine does only ever adds. A peer that is not
installed is named and left out; ends with status 1 when a target is missed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, print_figures
from spellwork import Event, Execution, Plan, Spell, compile

from .graphs import GRAPHS, SIZE, Graph, as_spell, expected, name
from .limit_inline import LimitInline
from .nodes import add, library, wait
from .peers import PEERS

ROUNDS = 100
"""Warm runs of ours and limit-inline on each graph."""

PEER_ROUNDS = 3
OBSERVABLE_ROUNDS = 60
OBSERVABLE = Path(__file__).parent / "observable"

Runner = Callable[[], Awaitable[list[Any]]]


def settled(times: list[float]) -> float:
    """Return the lower quartile."""
    return statistics.quantiles(times, n=4)[0] if len(times) > 3 else min(times)


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


async def measure_ours(graph: Graph) -> dict[str, float]:
    """Return figures for ours and limit-inline, their runs taking turns."""
    want = expected(graph)
    plan = compile(Spell.model_validate_json(as_spell(graph)), library)
    await check_ours(plan, want)
    limit = LimitInline(add.call, graph)
    assert await limit.run() == want, "the results of limit-inline are wrong"
    runs = {
        "limit-inline": limit.run,
        "spellwork": ours(plan),
        "spellwork, with a sink": ours_told(plan),
    }
    times: dict[str, list[float]] = {each: [] for each in runs}
    for _ in range(ROUNDS):
        for each, run in runs.items():
            times[each].append(await timed(run))
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


def measure_observable(graph: Graph) -> tuple[float, float] | str:
    """Return (build, warm run) of Observable's runtime in milliseconds, or why it cannot be measured."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "there is no Node.js on PATH"
    if not (OBSERVABLE / "node_modules").exists():
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=OBSERVABLE, check=False).returncode:
            return "npm could not install @observablehq/runtime"
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "graph.json"
        path.write_text(json.dumps(graph), encoding="utf-8")
        output = subprocess.run(
            [node, "bench.js", str(path), str(OBSERVABLE_ROUNDS)],
            cwd=OBSERVABLE,
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
    body = json.loads(output)
    assert body["results"] == expected(graph), "the results of Observable are wrong"
    runs = body["runs"]
    return body["build"], settled(runs[len(runs) // 3 :])


async def measure_waits() -> float:
    """Return the milliseconds that 100 waits of 10 ms take, side by side."""
    nodes = {name(index): {"type": wait.id, "inputs": {"seconds": 0.01}} for index in range(100)}
    plan = compile(Spell.model_validate({"nodes": nodes}), library)
    return settled([await timed(ours(plan)) for _ in range(21)])


def measure_build(graph: Graph) -> float:
    """Return the milliseconds from JSON to a plan ready to run."""
    text = as_spell(graph)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        compile(Spell.model_validate_json(text), library)
        times.append((time.perf_counter() - began) * 1_000)
    return settled(times)


async def measure_graph(graph: Graph) -> tuple[dict[str, float], dict[str, float], dict[str, str]]:
    """Return (runs, builds, what was left out) of every engine on one graph."""
    runs = await measure_ours(graph)
    builds = {"spellwork": measure_build(graph)}
    left_out: dict[str, str] = {}
    observed = measure_observable(graph)
    if isinstance(observed, str):
        left_out["observable"] = observed
    else:
        builds["observable"], runs["observable"] = observed
    for peer, make in PEERS.items():
        try:
            builds[peer], runs[peer] = await measure_peer(make, graph)
        except ImportError as error:
            left_out[peer] = f"not installed: {error}"
        except Exception as error:  # noqa: BLE001 - a peer that cannot do a graph is no failure of ours
            left_out[peer] = f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"
    return runs, builds, left_out


def print_table(title: str, rows: dict[str, dict[str, float]], base: str) -> None:
    """Print milliseconds by engine and graph, with the ratio to ``base``."""
    print(f"\n{title}")
    print(f"  {'':<24}" + "".join(f"{graph:>20}" for graph in GRAPHS))
    for engine in dict.fromkeys(each for row in rows.values() for each in row):
        cells = []
        for graph in GRAPHS:
            value, unit = rows[graph].get(engine), rows[graph].get(base)
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
    for graph, make in GRAPHS.items():
        runs[graph], builds[graph], left_out = await measure_graph(make())
        for peer, reason in left_out.items():
            print(f"  {peer} is left out on {graph}: {reason}")
    waits = await measure_waits()
    print_table(f"Warm run of {SIZE:,} nodes, ms (times limit-inline)", runs, "limit-inline")
    print_table(
        "From JSON (or the peer's own calls) to ready, ms (times ours)", builds, "spellwork"
    )
    figures = []
    for graph, row in runs.items():
        figures.append(
            Figure(
                f"{graph}: times limit-inline", row["spellwork"] / row["limit-inline"], "x", most=2
            )
        )
        each = row["spellwork, with a sink"] * 1_000 / SIZE
        figures.append(Figure(f"{graph}: a node, events to a sink", each, "us", most=5))
    if all("observable" in row for row in runs.values()):
        won = sum(row["spellwork"] < row["observable"] for row in runs.values())
        figures.append(Figure("graphs faster than Observable", won, "of 4", least=2))
    figures.append(Figure("100 waits of 10 ms", waits, "ms", most=15))
    return 0 if print_figures("Targets", figures) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
