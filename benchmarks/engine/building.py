"""How long it takes from JSON to a plan, in a process of its own, as Observable has one.

    python -m benchmarks.engine.building

prints JSON: {"builds": {graph: milliseconds}, "growth": {what: times}}. What
the peers import and leave in memory would otherwise be part of the figures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

from spellwork import Execution, Spell, compile

from .graphs import GRAPHS, SIZE, as_spell, layered
from .nodes import library
from .settled import settled


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
    compile(Spell.model_validate_json(text), library)
    return (time.process_time() - began) * 1_000


def _builds() -> dict[str, float]:
    found: dict[str, float] = {}
    for name, make in GRAPHS.items():
        text = as_spell(make())
        gc.collect()
        found[name] = settled([_milliseconds(text) for _ in range(15)])
    return found


async def _growth() -> dict[str, float]:
    """Compare ten times the nodes with SIZE of them, to build and to run."""
    sizes = SIZE, 10 * SIZE
    texts = {size: as_spell(layered(size)) for size in sizes}
    builds: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(9):
        for size, text in texts.items():
            gc.collect()
            builds[size].append(_milliseconds(text))
    plans = {
        size: compile(Spell.model_validate_json(text), library) for size, text in texts.items()
    }
    runs: dict[int, list[float]] = {size: [] for size in sizes}
    gc.collect()
    for _ in range(15):
        for size, plan in plans.items():
            began = time.process_time()
            await Execution(plan).run()
            runs[size].append(time.process_time() - began)
    taken = {"to plan": builds, "a warm run": runs}
    return {what: settled(times[10 * SIZE]) / settled(times[SIZE]) for what, times in taken.items()}


if __name__ == "__main__":
    print(json.dumps(Built(builds=_builds(), growth=asyncio.run(_growth()))))
