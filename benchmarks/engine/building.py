"""How long it takes from JSON to a plan, in a process of its own, as Observable has one.

    python -m benchmarks.engine.building

prints JSON: {"builds": {graph: milliseconds}, "growth": {what: times}}. What
the peers import and leave in memory would otherwise be part of the figures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypedDict

from spellwork import Execution, Plan, Spell, compile

from .graphs import GRAPHS, SIZE, as_spell, layered
from .nodes import library
from .settled import settled

BUILDS = 20
"""Builds of each graph, in turns, before, between and after what else is measured: the machine's pace changes."""

ROUNDS, BESIDE = 21, 1
"""Measurements of ten times the nodes, and of SIZE of them between two of those."""

Measure = Callable[[], Awaitable[float]]


class Built(TypedDict):
    """``builds``: milliseconds by graph; ``growth``: how many times the CPU ten times the nodes take."""

    builds: dict[str, float]
    growth: dict[str, float]


def measure_building() -> Built:
    """Return what another process of this module measures."""
    command = [sys.executable, "-m", "benchmarks.engine.building"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    built: Built = json.loads(done.stdout)
    return built


def _milliseconds(text: str) -> float:
    """Return the CPU from JSON to a plan ready to run: all of it is one thread at work."""
    began = time.process_time()
    plan = compile(Spell.model_validate_json(text), library)
    taken = time.process_time() - began
    del plan  # not before: whoever compiles a plan has it then
    return taken * 1_000


async def _measure() -> Built:
    """Build each graph; and compare ten times the nodes with SIZE of them, to build and to run.

    The machine's pace changes within seconds, so each large one is compared with small ones right before
    and after it.
    """
    texts = {name: as_spell(make()) for name, make in GRAPHS.items()}
    small, large = (as_spell(layered(size)) for size in (SIZE, 10 * SIZE))
    times: dict[str, list[float]] = {name: [] for name in texts}
    growth: dict[str, float] = {}
    gc.collect()
    gc.freeze()  # what was made at start, as the server does
    _build_all(texts, times)
    growth["to plan"] = await _times(partial(_built, small), partial(_built, large))
    _build_all(texts, times)
    plans = [compile(Spell.model_validate_json(text), library) for text in (small, large)]
    growth["a warm run"] = await _times(*(partial(_ran, plan) for plan in plans))
    del plans
    _build_all(texts, times)
    return Built(builds={name: settled(taken) for name, taken in times.items()}, growth=growth)


def _build_all(texts: dict[str, str], times: dict[str, list[float]]) -> None:
    gc.collect()
    for _ in range(BUILDS):
        for name, text in texts.items():
            times[name].append(_milliseconds(text))


async def _built(text: str) -> float:
    gc.collect()
    return _milliseconds(text)


async def _ran(plan: Plan) -> float:
    began = time.process_time()
    await Execution(plan).run()
    return time.process_time() - began


async def _times(small: Measure, large: Measure) -> float:
    """Return how many times as long ``large`` takes: the median of ROUNDS, each beside 2 * BESIDE small ones."""
    gc.collect()
    found: list[float] = []
    before = [await small() for _ in range(BESIDE)]
    for _ in range(ROUNDS):
        middle = await large()
        after = [await small() for _ in range(BESIDE)]
        found.append(middle / statistics.median(before + after))
        before = after
    return statistics.median(found)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure())))
