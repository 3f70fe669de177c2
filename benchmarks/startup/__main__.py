"""Measure import times, `spellwork serve` to its first /healthz, and the memory held then.

    python -m benchmarks.startup

Each is the median of several fresh processes, with Python's compiled files already there, as after
an installation: in a folder of the benchmark, for those beside the sources may be missing or old.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from benchmarks.report import Figure, print_figures
from tests.server_process import ServerProcess

ROUNDS = 5
MEBIBYTE = 1024 * 1024


def importing(module: str) -> float:
    """Return the seconds that a fresh Python takes to import a module, less its own start."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return float(result.stdout)


def starting(data: Path) -> tuple[float, float]:
    """Return the seconds from starting the server to its first 200, and its MiB of memory then."""
    began = time.perf_counter()
    with ServerProcess(data) as server:
        ready = time.perf_counter() - began
        process = psutil.Process(server.pid)
        family = [process, *process.children(recursive=True)]
        return ready, sum(each.memory_info().rss for each in family) / MEBIBYTE


def median(measure: Callable[[], float]) -> float:
    """Return the median of some rounds, after one that warms the disk cache."""
    measure()
    return statistics.median(measure() for _ in range(ROUNDS))


def main() -> int:
    """Measure and print, with compiled files of our own; return 1 when a target is missed."""
    with tempfile.TemporaryDirectory() as compiled:
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        return 0 if measure() else 1


def measure() -> bool:
    """Measure and print; return whether no target is missed."""
    imports = [
        Figure(f"import {module}", median(partial(importing, module)), "s")
        for module in ("spellwork", "spellwork_client", "spellwork_server.app")
    ]
    with tempfile.TemporaryDirectory() as folder:
        starting(Path(folder) / "warm")  # leaves the compiled files
        new = [starting(Path(folder) / f"new-{each}") for each in range(ROUNDS)]
        again = [starting(Path(folder) / "new-0") for _ in range(ROUNDS)]
    seconds = statistics.median(each[0] for each in again)
    memory = statistics.median(each[1] for each in again)
    return print_figures(
        "Start-up",
        [
            *imports,
            Figure(
                "serve to /healthz 200, new data folder", statistics.median(e[0] for e in new), "s"
            ),
            Figure("serve to /healthz 200", seconds, "s", most=1.5),
            Figure("memory when ready, with its worker processes", memory, "MiB", most=150),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
